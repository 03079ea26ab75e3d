"""The command line. Everything heavy is imported inside the commands, so that --help answers at once.

This is the one place in the package that may import ``analyses`` and ``reports``.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attnprobe.errors import AttnprobeError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from attnprobe.config import Config
    from attnprobe.store import Run

app = typer.Typer(
    help="Train many seeds of one small attention network, tabulate what they do, report on it.\n\n"
    "Start with:  attnprobe study runs/demo --seeds 0:256\n\n"
    "A run is a folder. study = train (weights) + analyze (tables) + report (figures, PDF); query asks a table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.", show_default=False)]
Seeds = Annotated[
    str,
    typer.Option(
        help="Which seeds: a range 0:256 (0 to 255), a list 3,5,8, or a text file. Seeds that the run already "
        "holds are not trained again."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(help="Seeds trained at a time; all cores by default. Changes no bit.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", show_default=False, help="No progress bar and no closing lines.")]


def _settings(
    *,
    rule: Annotated[str | None, typer.Option(help="The question: more of A than of B? (default n2 > n4)")] = None,
    vocab_size: Annotated[int | None, typer.Option(help="Digits in the alphabet, 2 to 32. (default 10)")] = None,
    length: Annotated[int | None, typer.Option(help="Digits in a sequence, 1 to 63. (default 10)")] = None,
    embed_dim: Annotated[int | None, typer.Option(help="Size of embeddings. (default 5)")] = None,
    att_dim: Annotated[int | None, typer.Option(help="Size of keys and query. (default 5)")] = None,
    hidden: Annotated[int | None, typer.Option(help="Hidden units of the readout, 1 to 4096. (default 200)")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps. (default 20000)")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sequences in a batch, 1 to 65536. (default 500)")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's learning rate. (default 5e-5)")] = None,
    betas: Annotated[
        tuple[float, float] | None, typer.Option(help="Adam's two decay rates. (default 0.9 0.999)")
    ] = None,
    eps: Annotated[float | None, typer.Option(help="Adam's epsilon. (default 1e-8)")] = None,
    history: Annotated[
        int | None, typer.Option(help="At most so many points at which the loss is recorded. (default 200)")
    ] = None,
    snapshots: Annotated[
        int | None,
        typer.Option(
            help="At most so many steps at which weights are kept, two an octave, then evenly; 0: none. (default 48)"
        ),
    ] = None,
) -> None:
    """The options that ``train`` and ``study`` share: one for each field of Config."""


def _takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :func:`_settings`; it receives those that were set as a dict."""
    shared = inspect.signature(_settings, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        settings = {name: given.pop(name) for name in shared}
        command(**given, settings={name: value for name, value in settings.items() if value is not None})

    merged = [*(parameter for name, parameter in own.items() if name != "settings"), *shared.values()]
    del wrapper.__wrapped__  # else its signature would be read
    wrapper.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
    return wrapper


@app.command()
@_takes_settings
def study(
    run: RunFolder,
    *,
    seeds: Seeds = "0:100",
    threads: Threads = None,
    quiet: Quiet = False,
    settings: dict[str, Any],
) -> None:
    """Train seeds, write the tables, write the report: the main job in one command.

    Example:  attnprobe study runs/demo --seeds 0:256 --steps 20000
    """
    from attnprobe.population import check_size

    config = _config(run, settings)
    check_size(config.task)  # before hours of training, not after
    times = [time.perf_counter()]
    opened = _train(run, config, seeds, threads, quiet)
    times.append(time.perf_counter())
    _analyze(opened, quiet)
    times.append(time.perf_counter())
    _report(opened, quiet)
    times.append(time.perf_counter())
    _say(
        quiet,
        _spent(times),
        f"Report:  {run / 'report.pdf'}",
        f"Figures: {run / 'figures'}    Tables: {run / 'tables'}",
        f"Next:    attnprobe query {run} seeds --where 'accuracy < 0.99'",
    )


@app.command()
@_takes_settings
def train(
    run: RunFolder,
    *,
    seeds: Seeds = "0:100",
    threads: Threads = None,
    quiet: Quiet = False,
    settings: dict[str, Any],
) -> None:
    """Train seeds into a run folder. Interrupted, the same command goes on where it stopped.

    Example:  attnprobe train runs/demo --seeds 0:1000 --steps 20000
    """
    _train(run, _config(run, settings), seeds, threads, quiet)
    _say(quiet, f"Next: attnprobe analyze {run}")


@app.command()
def analyze(
    run: RunFolder,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Tables to bring up to date; all by default.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compute them even where they are up to date.", show_default=False)
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Compute tables from the trained weights, exactly over all inputs, into RUN/tables.

    Tables that are up to date with the run are left as they are.

    Examples:

    attnprobe analyze runs/demo

    attnprobe analyze runs/demo rules certificates
    """
    from attnprobe.store import open_run

    _analyze(open_run(run), quiet, names, force)
    _say(quiet, f"Next: attnprobe report {run}    or: attnprobe query {run} {names[0] if names else 'seeds'}")


@app.command()
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
    quiet: Quiet = False,
) -> None:
    """Draw RUN/report.pdf, and each figure as PNG, PDF and the CSV it shows, from the tables.

    Examples:

    attnprobe report runs/demo --paper letter

    attnprobe report runs/demo --figures focus,rules --format png,svg --style slides
    """
    from attnprobe.store import open_run
    from reports.options import Options

    opened, formats = open_run(run), _listed(format_)
    options = Options(formats, style, paper)
    asked = None if figures is None else _listed(figures)
    written = _report(opened, quiet, asked, formats=formats, style=style, paper=paper)
    folder = f"Figures: {run / options.folder}"
    document = "Slides" if style == "slides" else "Report"
    _say(quiet, folder if asked is not None else f"{document}: {written}    {folder}")


@app.command()
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN RUN...", help="Run folders; the first is the baseline.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to; a comparison that it holds is replaced.")] = Path(
        "comparison"
    ),
    paper: Annotated[str, typer.Option(help="Size of the pages: a4 or letter.")] = "a4",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", show_default=False, help="Write the files and print nothing.")
    ] = False,
) -> None:
    """Compare runs with the first of them: a table with intervals, figures side by side, a short PDF.

    Seeds that runs share are taken together where they start alike or see the same data.

    Example:  attnprobe compare runs/demo runs/wide --out runs/demo_wide
    """
    from attnprobe.store import open_run

    _compare([open_run(run) for run in runs], out, paper, quiet)


@app.command()
def query(
    run: RunFolder,
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="For example seeds, digits or summary.", show_default=False)
    ],
    where: Annotated[
        str | None,
        typer.Option(help="Rows to keep: comparisons, arithmetic, and/or/not on columns.", show_default=False),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Group by this column.", show_default=False)] = None,
    stat: Annotated[str, typer.Option(help="With --by: mean, median, min, max, std or sum of each column.")] = "mean",
    columns: Annotated[
        str | None, typer.Option(help="Columns to show, separated by commas.", show_default=False)
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, csv, json or parquet. By default by the ending of --out, else a table in a "
            "terminal, CSV in a pipe.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file.", show_default=False)] = None,
) -> None:
    """Ask a table of a run: a readable table in a terminal, clean CSV, JSON or Parquet elsewhere.

    Examples:

    attnprobe query runs/demo seeds --where "accuracy < 0.99 and focus > 0.5"

    attnprobe query runs/demo digits --by digit --stat median --out digits.csv
    """
    import analyses
    from attnprobe import query as ask
    from attnprobe.store import open_run

    opened = open_run(run)
    if table not in analyses.names():
        raise AttnprobeError(
            f"There is no table {table!r}.{did_you_mean(table, analyses.names())} Tables are: "
            f"{', '.join(analyses.names())}."
        )
    kind = _format(format_, out)
    frame = opened.table(table)
    if where is not None:
        frame = ask.where(frame, where)
    if by is not None:
        frame = ask.group(frame, by, stat)
    if columns is not None:
        frame = ask.pick(frame, _listed(columns))
    _put(frame, kind, out)


@app.command()
def show(
    run: RunFolder,
    sequence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIGITS",
            help="A sequence to show, such as 2224401357 or '2 2 31 17'; may be repeated.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds of the run: 0:8, 3,5,8, or a text file. (default its first 8)")
    ] = None,
    choose: Annotated[
        str | None,
        typer.Option(
            help="Where no sequence is given: random; closest, the closest calls of these seeds; or errors, their most "
            "probable ones. (default random)"
        ),
    ] = None,
    number: Annotated[int | None, typer.Option("--number", "-n", help="How many to choose. (default 6)")] = None,
    sort: Annotated[str, typer.Option(help="Cells by position, or by digit: the rule's two first.")] = "position",
    style: Annotated[str, typer.Option(help="paper, slides or dark.")] = "paper",
    format_: Annotated[
        str | None,
        typer.Option("--format", help="pdf, png or svg; several with commas. (default the ending of --out, else pdf)"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write this file, and a CSV beside it. (default RUN/shown.pdf, replaced)")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --out where it exists.", show_default=False)] = False,
    quiet: Quiet = False,
) -> None:
    """Draw attention maps of any sequences in any seeds: digits in cells, values and contributions beside.

    Examples:

    attnprobe show runs/demo --sequence 2224401357 --seeds 0:8

    attnprobe show runs/demo --choose errors --seeds 0:256 --sort digit --out errors.png
    """
    from attnprobe.seeds import parse_seeds
    from attnprobe.store import open_run
    from reports import shown

    opened = open_run(run)
    files = shown.files(out or run / shown.NAME, shown.kinds(format_, out), may_replace=force or out is None)
    asked = None if seeds is None else parse_seeds(seeds)
    with _stoppable(lambda: "Nothing was written; the same command draws it again."):
        found = shown.prepare(opened, sequence, asked, choose=choose, n=number, sort=sort)
        shown.write(found, files, style)
    _say(quiet, found.lines(), f"Written: {', '.join(map(str, files))}")


# --- the work of the commands ----------------------------------------------------------------------


def _config(path: Path, given: dict[str, Any]) -> Config:
    """The settings that were given; the others as an existing run has them, else the defaults."""
    from attnprobe.config import Config
    from attnprobe.store import open_run

    existing = open_run(path).config.model_dump() if (path / "run.json").exists() else {}
    return Config(**{**existing, **given})


def _train(path: Path, config: Config, seeds: str, threads: int | None, quiet: bool) -> Run:
    from attnprobe.seeds import parse_seeds
    from attnprobe.store import open_run
    from attnprobe.training.batch import train

    wanted = parse_seeds(seeds)
    started = time.perf_counter()
    before = len(open_run(path).seeds) if (path / "run.json").exists() else 0

    def kept() -> str:
        seeds = len(open_run(path).seeds) if (path / "run.json").exists() else 0
        return f"{seeds:,} finished seeds are kept in {path}; the same command trains the rest."

    with _stoppable(kept):
        run = train(config, wanted, path, threads=threads, progress=False if quiet else None)
    new = len(run.seeds) - before
    failed = int((run.status != "trained").sum())
    _say(
        quiet,
        f"{new:,} seeds trained in {time.perf_counter() - started:.1f} s; {path} holds {len(run.seeds):,}"
        + (f", {failed:,} of them not finite." if failed else "."),
    )
    return run


def _analyze(run: Run, quiet: bool, names: list[str] | None = None, force: bool = False) -> None:
    import analyses
    from attnprobe.progress import naming_bar

    started = time.perf_counter()
    asked = names or analyses.names()
    todo = len(analyses.outdated(run, asked, force)) if run.info["shards"] else 0
    kept = f"Tables that were written are kept in {run.path / 'tables'}; the same command computes the rest."
    with _stoppable(lambda: kept), naming_bar("analyzing", todo, False if quiet else None) as progress:
        written = analyses.write(run, asked, progress, force=force)
    fresh = len(set(asked) - set(written))
    tables = f"{len(written)} table{'' if len(written) == 1 else 's'}"
    _say(
        quiet,
        f"{tables} written in {time.perf_counter() - started:.1f} s: {run.path / 'tables'}"
        + (f" ({fresh} up to date)" if fresh else ""),
    )


def _report(run: Run, quiet: bool, figures: list[str] | None = None, **options: Any) -> Path:
    import reports
    from attnprobe.progress import naming_bar
    from reports.document import wanted

    started = time.perf_counter()
    names = wanted(figures)
    kept = "Nothing was written; the same command draws the report."
    with _stoppable(lambda: kept), naming_bar("reporting", len(names), False if quiet else None) as progress:
        written = reports.write(run, progress, figures=figures, **options)
    drawn = f"Report of {len(names) - 1} figures" if figures is None else f"{len(names)} figures"
    _say(quiet, f"{drawn} drawn in {time.perf_counter() - started:.1f} s.")
    return written


def _listed(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _compare(runs: list[Run], out: Path, paper: str, quiet: bool) -> None:
    from attnprobe.progress import naming_bar
    from reports.compared import DOCUMENT, compare, steps
    from reports.compared_text import text

    kept = f"{out} is as it was; the same command compares the runs."
    with (
        _stoppable(lambda: kept),
        naming_bar("comparing", steps(len(runs)), False if quiet else None) as progress,
    ):
        compared = compare(runs, out, paper=paper, progress=progress)
    _say(
        quiet,
        text(compared),
        f"Comparison: {out / DOCUMENT}    Figures: {out / 'figures'}",
        f"Tables:     {out / 'comparison.csv'}, and both values of every paired seed: {out / 'compared_seeds.parquet'}",
    )


@contextmanager
def _stoppable(kept: Callable[[], str]) -> Iterator[None]:
    """On Ctrl-C say what is kept and how to go on, and end with the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nStopped. {kept()}", file=sys.stderr)
        raise typer.Exit(130) from None


def _spent(times: list[float]) -> str:
    """What each phase of a study took, by the times between them: with all that it had to load."""
    took = (f"{after - before:.1f} s" for before, after in itertools.pairwise(times))
    return "Time:    " + ", ".join(f"{phase} {spent}" for phase, spent in zip(PHASES, took, strict=True))


def _say(quiet: bool, *lines: str) -> None:
    if not quiet:
        print("\n".join(lines), flush=True)


PHASES = ("trained", "tables", "report")
FORMATS = ("table", "csv", "json", "parquet")


def _format(asked: str | None, out: Path | None) -> str:
    """The output format that was asked for, or that fits the place the output goes to."""
    if asked is None and out is not None:
        asked = out.suffix.removeprefix(".").lower()
        if asked not in FORMATS:
            raise AttnprobeError(f"--out {str(out)!r}: the ending says no format. Give --format csv, json or parquet.")
    kind = asked or ("table" if sys.stdout.isatty() else "csv")
    if kind not in FORMATS:
        raise AttnprobeError(f"--format {kind!r} is not allowed: it must be one of {', '.join(FORMATS)}.")
    if kind == "parquet" and out is None and sys.stdout.isatty():
        raise AttnprobeError("--format parquet is not for a terminal: give --out FILE, or send it into a pipe.")
    return kind


MOST_ROWS = 40


def _put(frame: pd.DataFrame, kind: str, out: Path | None) -> None:
    from attnprobe.files import write_bytes

    data = _encoded(frame, kind)
    if out is not None:
        write_bytes(out, data)
        print(f"{len(frame):,} rows written to {out}", file=sys.stderr)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # `attnprobe query ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if kind == "table" and len(frame) > MOST_ROWS:
        print(f"({len(frame):,} rows, {MOST_ROWS} shown; --format csv gives all)", file=sys.stderr)


def _encoded(frame: pd.DataFrame, kind: str) -> bytes:
    if kind == "csv":
        return frame.to_csv(index=False, lineterminator="\n").encode()
    if kind == "json":
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")  # every digit; null for no number
        return (json.dumps(rows, indent=1) + "\n").encode()
    if kind == "parquet":
        return bytes(frame.to_parquet(index=False))
    width = os.get_terminal_size().columns if sys.stdout.isatty() else None
    text = frame.to_string(
        index=False, max_rows=MOST_ROWS, line_width=width, float_format=lambda x: f"{x:.6g}", na_rep="-"
    )
    return (text + "\n").encode()


def main() -> None:
    """Run the command line; bad input is one message and exit code 2."""
    try:
        app()
    except AttnprobeError as error:
        print(f"attnprobe: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
