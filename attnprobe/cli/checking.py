"""Commands that look whether a run folder is what attnprobe wrote."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attnprobe.cli.options import LogFile, Quiet, RunFolder, Threads
from attnprobe.cli.output import say
from attnprobe.cli.stopping import keeping
from attnprobe.cli.telling import naming, telling
from attnprobe.errors import AttnprobeError, printable
from attnprobe.events import Event

if TYPE_CHECKING:
    from attnprobe.verify import Finding, Verified

__all__ = ["verify"]


def verify(
    run: RunFolder,
    retrain: Annotated[
        int,
        typer.Option(metavar="K", help="Also train K random seeds again and compare every bit.", show_default=False),
    ] = 0,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Set bad files aside (RUN/set_aside) and train lost seeds again.", show_default=False
        ),
    ] = False,
    threads: Threads = None,
    log: LogFile = None,
    quiet: Quiet = False,
) -> None:
    """Check every file of a run: sizes, SHA-256, forms, what is missing, extra or out of date.

    The exit code is 0 where all is sound, 1 where something is wrong; nothing is changed without --repair.

    Examples:

    attnprobe verify runs/demo --retrain 3

    attnprobe verify runs/demo --repair
    """
    from attnprobe import verify as checking
    from attnprobe.repair import repair as repaired
    from attnprobe.store import open_run

    if retrain < 0:
        raise AttnprobeError(f"--retrain {retrain} is not allowed: it must be a whole number of 0 or more.")
    started = time.perf_counter()
    with telling(quiet, log, run) as events:
        if repair:
            keeping(f"What was bad lies in {run / checking.ASIDE}; the same command goes on.")
            say(quiet, *repaired(run, threads=threads, progress=False, events=events))
        keeping("Nothing was changed; the same command checks the run again.")
        with naming(events, "verifying", _count(run), "files") as progress:
            verified = checking.verify(run, progress)
        different = _retrained(run, retrain, threads, quiet) if retrain and verified.sound else []
        for finding in [*verified.findings, *different]:
            events(Event("finding", {"file": finding.file, "kind": finding.kind, "finding": finding.what}))
    _print(run, verified, different)
    if different or not verified.sound:
        raise typer.Exit(1)
    seeds = len(open_run(run).seeds)
    say(
        quiet,
        f"{run} is sound: {seeds:,} seeds, {verified.files:,} files, {verified.bytes / 2**20:,.1f} MiB checked in "
        f"{time.perf_counter() - started:.1f} s.",
    )


def _count(path: Path) -> int:
    from attnprobe.store import open_run

    try:
        return len(open_run(path).manifest.files)
    except AttnprobeError:
        return 0


def _retrained(path: Path, number: int, threads: int | None, quiet: bool) -> list[Finding]:
    """Train some seeds again, another choice each time: who alters a file cannot know which."""
    import numpy as np

    from attnprobe.machine import cores
    from attnprobe.store import open_run
    from attnprobe.verify import retrain

    run = open_run(path)
    chosen = np.sort(np.random.default_rng().choice(run.seeds, min(number, len(run.seeds)), replace=False))
    found = retrain(run, chosen, threads or cores())
    if not found:
        say(quiet, f"Trained again, the same to the last bit: seed {', '.join(map(str, chosen))}.")
    return found


def _print(path: Path, verified: Verified, different: list[Finding]) -> None:
    for finding in [*verified.findings, *different]:
        print(f"{finding.kind}: {printable(finding.what)}")
    number = len(verified.findings) + len(different)
    if number:
        print(f"{printable(str(path))} is not sound: {number:,} finding{'' if number == 1 else 's'}.")
