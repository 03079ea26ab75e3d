"""What a command tells while it works: bars on a terminal, plain lines elsewhere, and the log that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from attnprobe.cli.stopping import on_stop, stopped
from attnprobe.events import Event, Listener, all_of

__all__ = ["naming", "telling"]


@contextmanager
def telling(quiet: bool, log: Path | None = None, run: Path | None = None) -> Iterator[Listener]:
    """A listener for the events of the work that is done within.

    Raises
    ------
    AttnprobeError
        When the log cannot be written; nothing has been done then.
    """
    from attnprobe.progress import Bars, Lines, on_a_terminal

    seen: Any = nullcontext() if quiet else Bars() if on_a_terminal() else Lines()
    if log is None:
        with seen as shown:
            yield all_of(shown)
        return

    from attnprobe.cli.log import Log

    written = Log(log, run)
    with on_stop(written.stopped):
        try:
            with seen as shown:
                yield all_of(shown, written)
        except Exception as error:
            if not stopped():  # else it is of the stop, which is told next
                written.failed(error)
            raise
        written.finished()


@contextmanager
def naming(tell: Listener, doing: str, of: int, unit: str) -> Iterator[Callable[[str], None]]:
    """What is told the name of each of ``of`` things before it is made, and tells it on as progress."""
    work, done = {"doing": doing, "of": of, "unit": unit}, 0

    def begin(name: str) -> None:
        nonlocal done
        tell(Event("progress", {**work, "done": min(done, of), "name": name}))
        done += 1

    yield begin
    tell(Event("progress", {**work, "done": of}))
