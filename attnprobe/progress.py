"""Progress bars, on standard error: of training (seeds, speed, time left) and of a list of named things."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "naming_bar", "training_bar"]

Report = Callable[[int, int], None]  # seeds done, seed-steps done


@contextmanager
def training_bar(show: bool | None, seeds: int, steps: int) -> Iterator[Report]:
    """A bar on standard error; ``show=None`` shows it when standard error is a terminal."""
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda seeds_done, steps_done: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.fields[seeds_done]}/{task.fields[seeds]} seeds"),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=10) as progress:
        bar = progress.add_task("", total=seeds * steps or 1, seeds=seeds, seeds_done=0, speed="compiling")

        def report(seeds_done: int, steps_done: int) -> None:
            speed = progress.tasks[0].speed
            text = f"{speed:,.0f} seed-steps/s" if speed else "starting"
            progress.update(bar, completed=steps_done, seeds_done=seeds_done, speed=text)

        yield report
        progress.update(bar, completed=seeds * steps or 1)


@contextmanager
def naming_bar(title: str, total: int, show: bool | None = None) -> Iterator[Callable[[str], None]]:
    """A bar over ``total`` things; the function it gives is told the name of each before it is made."""
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda name: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=total, name="")
        begun = 0

        def report(name: str) -> None:
            nonlocal begun
            progress.update(bar, completed=begun, name=name)
            begun += 1

        yield report
        progress.update(bar, completed=total, name="")
