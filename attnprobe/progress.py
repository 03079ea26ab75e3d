"""Long work made visible on standard error: bars on a terminal, plain lines in a log file; both listen to events.

training ━━━━━━━━━━━━━━━╸━━━━━━━━━ 640 of 1,000 seeds, 701,000 seed-steps/s, 12 s left
analyzing: 12 of 51 tables (rules), 8 s
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from attnprobe.errors import printable
from attnprobe.events import Event, Listener, all_of

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Bars", "Lines", "Stand", "duration", "on_a_terminal", "shown"]

WINDOW = 30.0  # seconds that a rate is taken over
INTERVAL = 10.0  # seconds between two plain lines


@contextmanager
def shown(progress: bool | None, events: Listener | None) -> Iterator[Listener]:
    """A listener that shows bars and passes events on; ``progress=None`` shows them on a terminal."""
    if not (on_a_terminal() if progress is None else progress):
        yield all_of(events)
        return
    with Bars() as bars:
        yield all_of(bars, events)


def on_a_terminal() -> bool:
    """Whether standard error is a terminal on which bars can be drawn."""
    there = sys.stderr is not None and sys.stderr.isatty()
    return there and os.environ.get("TERM", "dumb").lower() not in ("", "dumb", "unknown")


class Stand:
    """Where one piece of work stands, by its ``progress`` events, in words."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._first: tuple[float, int] | None = None  # the last time before something moved
        self._seen: deque[tuple[float, int]] = deque()  # seed-steps done at times of the window
        self.facts: dict[str, Any] = {}

    def hear(self, event: Event) -> None:
        self.facts = dict(event.facts)
        if "steps" in self.facts:
            now, steps = self._clock(), self.facts["steps"]
            if self._first is None or self._first[1] == steps:  # nothing has moved yet: it is still being compiled
                self._first = (now, steps)
                self._seen.clear()
            self._seen.append((now, steps))
            while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW:
                self._seen.popleft()

    @property
    def through(self) -> bool:
        return bool(self.facts) and self.facts["done"] >= self.facts["of"]

    @property
    def share(self) -> float:
        """From 0 to 1: of the steps, where they are known."""
        done, of = (self.facts.get(name) for name in ("steps", "of_steps"))
        if not of:
            done, of = self.facts["done"], self.facts["of"]
        return min(1.0, done / of) if of else 1.0

    @property
    def rate(self) -> float | None:
        """Seed-steps per second: over the last half minute, in the end over all of it."""
        if self._first is None:
            return None
        (start, before), (end, after) = self._first if self.through else self._seen[0], self._seen[-1]
        return (after - before) / (end - start) if end > start and after > before else None

    def words(self) -> str:
        """Such as "640 of 1,000 seeds, 701,000 seed-steps/s, 12 s left"."""
        facts, rate, spent = self.facts, self.rate, self._clock() - self._begun
        name = f" ({printable(str(facts['name']))})" if facts.get("name") else ""
        parts = [f"{facts['done']:,} of {facts['of']:,} {facts['unit']}{name}"]
        if rate:
            parts.append(f"{rounded(rate):,} seed-steps/s")
        if rate and not self.through:
            parts.append(f"{duration((facts['of_steps'] - facts['steps']) / rate)} left")
        elif self.through or spent >= 1:
            parts.append(duration(spent))
        return ", ".join(parts)


class Bars:
    """A listener that draws a bar on a terminal for each piece of work; a context manager."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self._bar: Progress | None = None
        self._stand = Stand()

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, event: Event) -> None:
        if event.what != "progress":
            return
        if event.facts["doing"] != self._stand.facts.get("doing"):
            self._close()
            self._stand = Stand()
        self._stand.hear(event)
        if self._bar is None and not self._stand.through:
            self._bar = self._open()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._stand.share)
            if self._stand.through:
                self._close()

    def _open(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
        from rich.table import Column
        from rich.text import Text

        stand = self._stand

        class Words(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(stand.words())

        console = Console(file=self._file) if self._file else Console(stderr=True)
        bar = Progress(
            TextColumn(stand.facts["doing"], table_column=Column(no_wrap=True)),
            BarColumn(table_column=Column(max_width=40), bar_width=None),
            Words(table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
        )
        bar.add_task("", total=1.0)
        bar.start()
        return bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Lines:
    """A listener that prints plain lines: at the start of a piece of work, now and then, and at its end.

    Parameters
    ----------
    file : text file, optional
        Standard error if not given.
    interval : float
        Seconds between two lines; a clock of its own keeps to it also while no event comes. With 0 each event that
        tells of progress gives a line.
    """

    def __init__(self, file: TextIO | None = None, interval: float = INTERVAL) -> None:
        self._file, self._interval = file, interval
        self._stand: Stand | None = None
        self._printed = 0.0  # when
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()

    def __call__(self, event: Event) -> None:
        if event.what != "progress":
            return
        with self._lock:
            stand = self._stand
            if stand is None or event.facts["doing"] != stand.facts["doing"]:
                stand = self._stand = Stand()
            first, before = not stand.facts, stand.through
            stand.hear(event)
            was_over = stand.through if first else before  # or there is nothing to do
            if not was_over and (first or stand.through or not self._interval):
                self._print()
        if self._ticker is None and self._interval:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        wait = self._interval
        while not self._over.wait(wait):
            with self._lock:
                wait = self._printed + self._interval - time.monotonic()
                if wait <= 0:
                    wait = self._interval
                    if self._stand is not None and not self._stand.through:
                        self._print()

    def _print(self) -> None:
        assert self._stand is not None
        self._printed = time.monotonic()
        with contextlib.suppress(OSError, ValueError):  # closed, or full: work is not lost for that
            print(f"{self._stand.facts['doing']}: {self._stand.words()}", file=self._file or sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Such as "8 s", "2 min 05 s" or "3 h 12 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rounded(rate: float) -> int:
    """To three digits: more would flicker."""
    return int(float(f"{rate:.3g}"))
