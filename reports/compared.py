"""Writing a comparison of runs into a folder: tables, figures, and a short PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attnprobe.errors import AttnprobeError
from attnprobe.files import write_bytes
from attnprobe.store import Run
from reports.beside import BESIDE
from reports.comparison import Compared
from reports.document import few_collections, pages, printed
from reports.options import Options
from reports.pages import contents
from reports.pages.compared_pages import chapters, figures
from reports.pages.contents import Entry
from reports.paper import Paper
from reports.paper import paper as paper_named
from reports.sheet import Sheet

__all__ = ["DOCUMENT", "MOST_RUNS", "TABLES", "compare", "document", "entries", "sheets", "steps"]

DOCUMENT = "comparison.pdf"
MOST_RUNS = 8
TABLES = {"comparison": "csv", "compared_runs": "csv", "compared_settings": "csv", "compared_seeds": "parquet"}


def compare(
    runs: Sequence[Run],
    out: str | Path = "comparison",
    names: Sequence[str] | None = None,
    *,
    paper: str = "a4",
    progress: Callable[[str], None] = lambda name: None,
) -> Compared:
    """Compare runs with the first of them and write tables, figures and ``comparison.pdf`` into a folder.

    Parameters
    ----------
    runs : sequence of Run
        Two to eight different runs, with all their tables.
    out : path
        A new or empty folder, or one that holds a comparison, which is replaced.
    names : sequence of str, optional
        What to call the runs; by default the names of their folders.
    paper : str
        ``a4`` or ``letter``.
    progress : callable
        Told the name of each thing before it is made.

    Returns
    -------
    Compared
        Its tables by name: ``comparison``, ``compared_runs``, ``compared_settings``, ``compared_seeds``.

    Raises
    ------
    AttnprobeError
        When the runs cannot be compared, a table is missing, or the folder holds something else.
    """
    options = Options(paper=paper)
    folder = check_folder(Path(out))
    if len(runs) > MOST_RUNS:
        raise AttnprobeError(f"{len(runs)} runs are too many for one document: compare at most {MOST_RUNS}.")
    compared = Compared(runs, names)
    progress("comparison")
    files = {f"{name}.{kind}": _encoded(compared, name, kind) for name, kind in TABLES.items()}
    with few_collections():
        for figure in figures(compared):
            progress(figure.name)
            files |= {f"figures/{name}": data for name, data in figure.files(compared, options).items()}
        progress(DOCUMENT)
        files[DOCUMENT] = document(compared, paper_named(paper))
    for name, data in files.items():
        write_bytes(folder / name, data)
    for kind in ("pdf", "png", "csv"):  # of an earlier comparison of more runs
        for old in (folder / "figures").glob(f"*.{kind}"):
            if f"figures/{old.name}" not in files and old.name.startswith(("differences", "seed_by_seed")):
                old.unlink()
    return compared


def steps(runs: int) -> int:
    """How many things are made of so many runs, if all share seeds with the first."""
    return 2 + 2 * (runs - 1) + len(BESIDE)


def check_folder(folder: Path) -> Path:
    """The folder, if a comparison may be written there.

    Raises
    ------
    AttnprobeError
        When it is a file, or holds something that is no comparison.
    """
    if folder.exists() and not folder.is_dir():
        raise AttnprobeError(f"{folder} is a file, not a folder. Choose another place with --out FOLDER.")
    if folder.exists() and any(folder.iterdir()) and not (folder / "comparison.csv").exists():
        raise AttnprobeError(
            f"{folder} is not empty and holds no comparison (it has no comparison.csv). Choose a new or empty folder "
            "with --out FOLDER."
        )
    return folder


def document(compared: Compared, size: Paper) -> bytes:
    """The pages as PDF; identical tables give identical bytes."""
    title = f"attnprobe comparison: {', '.join(compared.others)} with {compared.baseline}"
    return printed(sheets(compared, size), title)


def sheets(compared: Compared, size: Paper) -> Iterator[tuple[Entry | None, Sheet]]:
    """The pages, drawn; too few to need a page of contents."""
    footer = f"attnprobe {compared.manifest.attnprobe} · comparison with {compared.baseline}"
    return pages(compared, entries(compared), footer, size)


def entries(compared: Compared) -> list[Entry]:
    """All pages with their numbers and findings."""
    return contents.entries(chapters(compared), compared, listed=False)


def _encoded(compared: Compared, name: str, kind: str) -> bytes:
    table = compared[name]
    return (
        table.to_csv(index=False, lineterminator="\n").encode()
        if kind == "csv"
        else bytes(table.to_parquet(index=False))
    )
