"""``--log FILE``: what happens, as JSON lines, appended and on disk with each line.

    {"time": "2026-11-23T22:15:03.120Z", "pid": 4711, "event": "shard", "seeds": "0:64", "seconds": 5.9, ...}

Each line is written by one call, so that several processes can share a log and a stop in the midst of work can still
be told. A log that cannot be written is an error before the work starts; once it has started, a warning: work is
never lost for a log.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import stat
import sys
import time
from pathlib import Path
from typing import Any

from attnprobe.errors import AttnprobeError
from attnprobe.events import Event

__all__ = ["Log"]

MOST = 1 << 20  # bytes of the first line that are read of a file that is there


class Log:
    """A listener that appends to a file.

    Parameters
    ----------
    path : Path
        A new file, or one of such lines. Not within ``run``, which holds only what its manifest names.
    run : Path, optional
        The run folder of the command.

    Raises
    ------
    AttnprobeError
        When nothing can be appended there, or the file is something else.
    """

    def __init__(self, path: Path, run: Path | None = None) -> None:
        self.path, self._begun, self._warned = path, time.monotonic(), False
        if run is not None and _within(path, run):
            raise AttnprobeError(
                f"--log {path} lies in the run folder {run}, which holds nothing but what belongs to the run. "
                f"Choose a place beside it, for example {run}.log.jsonl"
            )
        self._cut = _ends_within_a_line(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not to wait for the reader of a named pipe; such as stop reading are no reason to stop either.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            self._file = os.open(path, flags, 0o666)
            self._append(_line("started", _start(run)))
        except (OSError, ValueError) as error:
            raise AttnprobeError(
                f"Cannot write the log {path}: {_reason(error)}. Nothing was done; choose another place for --log."
            ) from None

    def __call__(self, event: Event) -> None:
        if event.what != "progress":
            self.tell(event.what, **event.facts)

    def failed(self, error: BaseException) -> None:
        kind = {} if isinstance(error, AttnprobeError) else {"kind": type(error).__name__}
        self.tell("failed", error=str(error), **kind, **self._spent())

    def stopped(self, signal: str, kept: str) -> None:
        self.tell("stopped", signal=signal, kept=kept, **self._spent())

    def finished(self) -> None:
        self.tell("finished", **self._spent())

    def tell(self, what: str, **facts: Any) -> None:
        """Append a line; where that fails, warn once."""
        try:
            self._append(_line(what, facts))
        except OSError as error:
            if not self._warned and sys.stderr is not None:
                self._warned = True
                print(
                    f"attnprobe: the log {self.path} cannot be written ({_reason(error)}); the work goes on.",
                    file=sys.stderr,
                    flush=True,
                )

    def _append(self, line: bytes) -> None:
        if self._cut:
            line = b"\n" + line
        written = os.write(self._file, line)
        self._cut = written < len(line)
        if self._cut:  # the disk is full: this says so
            self._cut = os.write(self._file, line[written:]) < len(line) - written

    def _spent(self) -> dict[str, float]:
        return {"seconds": round(time.monotonic() - self._begun, 3)}


def _line(what: str, facts: dict[str, Any]) -> bytes:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = json.dumps({"time": now, "pid": os.getpid(), "event": what, **facts}, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a name of no encoding has no other form


def _start(run: Path | None) -> dict[str, Any]:
    import attnprobe
    from attnprobe.machine import cores, versions

    return {
        "command": ["attnprobe", *sys.argv[1:]],
        "run": None if run is None else str(run),
        "folder": str(Path.cwd()),
        "host": platform.node(),
        "cores": cores(),
        "versions": {"attnprobe": attnprobe.__version__, "python": platform.python_version(), **versions()},
    }


def _ends_within_a_line(path: Path) -> bool:
    """Whether the log that is there does: the process that wrote it was killed, or the disk was full.

    Refuse a file that is no log: it may be one that somebody needs.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode) or not path.stat().st_size:
            return False
        with path.open("rb") as file:
            first = file.readline(MOST)
            file.seek(-1, os.SEEK_END)
            last = file.read()
    except (OSError, ValueError):
        return False  # it is not there, or opening it for writing says what is wrong
    try:
        line = json.loads(first)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or "event" not in line:
        raise AttnprobeError(f"--log {path} is there and is no log of attnprobe. Choose another place for --log.")
    return last != b"\n"


def _within(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a loop of links, a NUL: opening it says so
        return False


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
