"""Drawing in several processes, which changes no byte of what is drawn.

A helper is a Python process that draws from the same tables. It is told names on its standard input, one a line,
and answers on its standard output with one line that says which files follow and how long they are, and then
their bytes. (It is not made by ``multiprocessing``, whose new processes would first run the main script of whoever
asks for a report, and that script may have no ``if __name__ == "__main__"``.)

A helper that is lost costs time alone: what it was drawing is drawn again here. A helper whose parent is gone, be it
killed, ends at once, in the midst of a drawing too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from attnprobe.store import Manifest, Run
from reports.figure import Material
from reports.options import DEFAULT, Options

__all__ = ["Files", "Helper", "draw_all", "helpers"]

Files = dict[str, bytes]  # by name within the run folder

START = "from reports.crew import help_out; from reports.document import draw_files; help_out(draw_files)"


class Helper:
    """A process that draws for this one."""

    def __init__(self, run: Run, options: Options = DEFAULT) -> None:
        warn = [f"-W{option}" for option in sys.warnoptions]
        places = [place or str(Path.cwd()) for place in sys.path]  # it imports what this process would
        self.process = subprocess.Popen(
            [sys.executable, "-P", *warn, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        )
        with contextlib.suppress(OSError):  # it is lost already: the first name it is told will show that
            self._tell({"path": str(run.path), "manifest": run.manifest.encoded().decode(), "options": asdict(options)})

    def draw(self, name: str) -> Files:
        """The files of one thing.

        Raises
        ------
        OSError, ValueError
            When the process is lost.
        """
        assert self.process.stdout is not None
        self._tell(name)
        sizes = json.loads(self.process.stdout.readline())
        files = {file: self.process.stdout.read(size) for file, size in sizes.items()}
        if any(len(data) != sizes[file] for file, data in files.items()):
            raise OSError(f"the helper was lost while it drew {name}")
        return files

    def end(self) -> None:
        """End the process; it has nothing to lose."""
        self.process.kill()
        with contextlib.suppress(OSError):  # what was left in the pipe
            self.process.communicate()

    def _tell(self, what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def helpers(run: Run, options: Options, number: int) -> Iterator[list[Helper]]:
    """So many helpers, or as many as can be had, for as long as the context lasts."""
    crew: list[Helper] = []
    try:
        with contextlib.suppress(OSError):
            while len(crew) < number and sys.executable:
                crew.append(Helper(run, options))
        yield crew
    finally:
        for helper in crew:
            helper.end()


def draw_all(
    names: Sequence[str],
    draw: Callable[[str], Files],
    crew: Iterable[Helper],
    progress: Callable[[str], None],
) -> dict[str, Files]:
    """Draw all things, here and by the crew; whoever is free takes the next name."""
    drawn: dict[str, Files] = {}
    told: list[str] = []
    lost: list[str] = []
    rest = iter(names)

    def tell() -> None:
        """From this thread alone, so that the caller need not know of others."""
        for name in [name for name in names if name in drawn and name not in told]:
            told.append(name)
            progress(name)

    def by(helper: Helper) -> None:
        for name in rest:
            try:
                drawn[name] = helper.draw(name)
            except (OSError, ValueError):
                lost.append(name)
                return

    threads = [Thread(target=by, args=(helper,), daemon=True) for helper in crew]
    for thread in threads:
        thread.start()
    for name in rest:
        told.append(name)
        progress(name)
        drawn[name] = draw(name)
        tell()
    for thread in threads:
        thread.join()
    for name in lost:
        drawn[name] = draw(name)
    tell()
    return drawn


def help_out(draw: Callable[[str, Material, Options], Files]) -> None:
    """Be a helper that draws with the function given."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked; it ends this one
    told: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(told,), daemon=True).start()
    what, answers = told.get(), sys.stdout.buffer
    run = Run(Path(what["path"]), Manifest.decoded(what["manifest"].encode()))
    material, options = Material(run), Options(**what["options"])
    while True:
        files = draw(told.get(), material, options)
        answers.write(json.dumps({name: len(data) for name, data in files.items()}).encode() + b"\n")
        for data in files.values():
            answers.write(data)
        answers.flush()


def _listen(told: SimpleQueue[Any]) -> None:
    """Pass on what is told; when nobody is left who could tell, end the process, whatever it is doing."""
    for line in sys.stdin.buffer:
        told.put(json.loads(line))
    os._exit(0)
