"""The commands that fill a run folder: study, train, analyze, report."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attnprobe.cli.options import LogFile, Quiet, RunFolder, Seeds, Threads, config_of, listed, takes_settings
from attnprobe.cli.output import say
from attnprobe.cli.stopping import keeping
from attnprobe.cli.telling import telling
from attnprobe.events import Event, Listener, all_of

if TYPE_CHECKING:
    from attnprobe.config import Config
    from attnprobe.store import Run

__all__ = ["analyze", "report", "study", "train"]

PHASES = ("trained", "tables", "report")


@takes_settings
def study(
    run: RunFolder,
    *,
    seeds: Seeds = "0:100",
    threads: Threads = None,
    log: LogFile = None,
    quiet: Quiet = False,
    settings: dict[str, Any],
) -> None:
    """Train seeds, write the tables, write the report: the main job in one command.

    Example:  attnprobe study runs/demo --seeds 0:256 --steps 20000
    """
    from attnprobe.population import check_size

    with telling(quiet, log, run) as events:
        config = config_of(run, settings)
        check_size(config.task)  # before hours of training, not after
        times = [time.perf_counter()]
        opened = _train(run, config, seeds, threads, quiet, events)
        times.append(time.perf_counter())
        _analyze(opened, quiet, events)
        times.append(time.perf_counter())
        _report(opened, quiet, events)
        times.append(time.perf_counter())
    say(
        quiet,
        _spent(times),
        f"Report:  {run / 'report.pdf'}",
        f"Figures: {run / 'figures'}    Tables: {run / 'tables'}",
        f"Next:    attnprobe query {run} seeds --where 'accuracy < 0.99'",
    )


@takes_settings
def train(
    run: RunFolder,
    *,
    seeds: Seeds = "0:100",
    threads: Threads = None,
    log: LogFile = None,
    quiet: Quiet = False,
    settings: dict[str, Any],
) -> None:
    """Train seeds into a run folder. Interrupted, the same command goes on where it stopped.

    Example:  attnprobe train runs/demo --seeds 0:1000 --steps 20000
    """
    with telling(quiet, log, run) as events:
        _train(run, config_of(run, settings), seeds, threads, quiet, events)
    say(quiet, f"Next: attnprobe analyze {run}")


def analyze(
    run: RunFolder,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Tables to bring up to date; all by default.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compute them even where they are up to date.", show_default=False)
    ] = False,
    log: LogFile = None,
    quiet: Quiet = False,
) -> None:
    """Compute tables from the trained weights, exactly over all inputs, into RUN/tables.

    Tables that are up to date with the run are left as they are.

    Examples:

    attnprobe analyze runs/demo

    attnprobe analyze runs/demo rules certificates
    """
    from attnprobe.store import open_run

    with telling(quiet, log, run) as events:
        _analyze(open_run(run), quiet, events, names, force)
    say(quiet, f"Next: attnprobe report {run}    or: attnprobe query {run} {names[0] if names else 'seeds'}")


def report(
    run: RunFolder,
    figures: Annotated[
        str | None,
        typer.Option(
            help="Only these figures, by name or by how names begin, separated by commas; not the report.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="Of the figures: pdf, png, svg, separated by commas. CSV comes with them.")
    ] = "pdf,png",
    style: Annotated[
        str, typer.Option(help="paper; slides (16:9, and slides.pdf); dark (and report-dark.pdf).")
    ] = "paper",
    paper: Annotated[str, typer.Option(help="Pages of the report: a4 or letter.")] = "a4",
    log: LogFile = None,
    quiet: Quiet = False,
) -> None:
    """Draw RUN/report.pdf, and each figure as PNG, PDF and the CSV it shows, from the tables.

    Examples:

    attnprobe report runs/demo --paper letter

    attnprobe report runs/demo --figures focus,rules --format png,svg --style slides
    """
    from attnprobe.store import open_run
    from reports.options import Options

    formats, asked = listed(format_), None if figures is None else listed(figures)
    with telling(quiet, log, run) as events:
        opened, options = open_run(run), Options(formats, style, paper)
        written = _report(opened, quiet, events, asked, formats=formats, style=style, paper=paper)
    folder = f"Figures: {run / options.folder}"
    document = "Slides" if style == "slides" else "Report"
    say(quiet, folder if asked is not None else f"{document}: {written}    {folder}")


def _train(path: Path, config: Config, seeds: str, threads: int | None, quiet: bool, events: Listener) -> Run:
    from attnprobe.seeds import parse_seeds
    from attnprobe.store import open_run
    from attnprobe.training.batch import train

    wanted = parse_seeds(seeds)
    started = time.perf_counter()
    held = open_run(path) if (path / "run.json").exists() else None
    before = 0 if held is None else len(held.seeds)
    longer = held is not None and before > 0 and held.config.steps < config.steps
    done = of = 0

    def count(event: Event) -> None:
        nonlocal done, of
        if event.what == "shard":
            done, of = event.facts["done"], event.facts["of"]

    def kept() -> str:
        if longer:
            return (
                f"{done:,} of {of or before:,} seeds have their {config.steps:,} steps and are kept; until all have, "
                f"{path} is as it was. The same command goes on."
            )
        return f"{before + done:,} finished seeds are kept in {path}; the same command trains the rest."

    keeping(kept)
    run = train(config, wanted, path, threads=threads, progress=False, events=all_of(count, events))
    new, spent = len(run.seeds) - before, time.perf_counter() - started
    failed = int((run.status != "trained").sum())
    on = f"{before:,} seeds trained on to {config.steps:,} steps, " if longer else ""
    say(
        quiet,
        f"{on}{new:,} {'new ones' if longer else 'seeds trained'} in {spent:.1f} s; {path} holds {len(run.seeds):,}"
        + (f", {failed:,} of them not finite." if failed else "."),
    )
    return run


def _analyze(run: Run, quiet: bool, events: Listener, names: list[str] | None = None, force: bool = False) -> None:
    keeping(f"Tables that were written are kept in {run.path / 'tables'}; the same command computes the rest.")
    import analyses

    started = time.perf_counter()
    asked = names or analyses.names()
    written = analyses.write(run, asked, force=force, events=events)
    fresh = len(set(asked) - set(written))
    tables = f"{len(written)} table{'' if len(written) == 1 else 's'}"
    say(
        quiet,
        f"{tables} written in {time.perf_counter() - started:.1f} s: {run.path / 'tables'}"
        + (f" ({fresh} up to date)" if fresh else ""),
    )


def _report(run: Run, quiet: bool, events: Listener, figures: list[str] | None = None, **options: Any) -> Path:
    keeping("Nothing was written; the same command draws the report.")
    import reports
    from reports.document import wanted

    started = time.perf_counter()
    names = wanted(figures)
    written = reports.write(run, figures=figures, events=events, **options)
    drawn = f"Report of {len(names) - 1} figures" if figures is None else f"{len(names)} figures"
    say(quiet, f"{drawn} drawn in {time.perf_counter() - started:.1f} s.")
    return written


def _spent(times: list[float]) -> str:
    """What each phase of a study took, by the times between them: with all that it had to load."""
    took = (f"{after - before:.1f} s" for before, after in itertools.pairwise(times))
    return "Time:    " + ", ".join(f"{phase} {spent}" for phase, spent in zip(PHASES, took, strict=True))
