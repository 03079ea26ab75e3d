"""The commands that ask trained runs: query, show, compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attnprobe.cli.options import Quiet, RunFolder, listed
from attnprobe.cli.output import format_of, put, say
from attnprobe.cli.stopping import keeping
from attnprobe.cli.telling import naming, telling
from attnprobe.errors import AttnprobeError, did_you_mean

if TYPE_CHECKING:
    from attnprobe.store import Run

__all__ = ["compare", "query", "show"]


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
    kind = format_of(format_, out)
    frame = opened.table(table)
    if where is not None:
        frame = ask.where(frame, where)
    if by is not None:
        frame = ask.group(frame, by, stat)
    if columns is not None:
        frame = ask.pick(frame, listed(columns))
    put(frame, kind, out)


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
    keeping("Nothing was written; the same command draws it again.")
    found = shown.prepare(opened, sequence, asked, choose=choose, n=number, sort=sort)
    shown.write(found, files, style)
    say(quiet, found.lines(), f"Written: {', '.join(map(str, files))}")


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


def _compare(runs: list[Run], out: Path, paper: str, quiet: bool) -> None:
    from reports.compared import DOCUMENT, compare, steps
    from reports.compared_text import text

    keeping(f"The runs are as they were; the same command compares them in {out}.")
    with telling(quiet) as tell, naming(tell, "comparing", steps(len(runs)), "parts") as progress:
        compared = compare(runs, out, paper=paper, progress=progress)
    say(
        quiet,
        text(compared),
        f"Comparison: {out / DOCUMENT}    Figures: {out / 'figures'}",
        f"Tables:     {out / 'comparison.csv'}, and both values of every paired seed: {out / 'compared_seeds.parquet'}",
    )
