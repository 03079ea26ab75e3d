"""Writing the report: every figure as PDF, PNG and CSV, and all pages as one PDF."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from attnprobe.errors import AttnprobeError
from attnprobe.machine import cores
from attnprobe.store import Run
from reports.binding import bound
from reports.catalogue import FIGURES
from reports.crew import Files, draw_all, helpers
from reports.figure import Figure, Material
from reports.fonts import light_fonts
from reports.pages import CHAPTERS, PAGES
from reports.pages.contents import CONTENTS, Entry, contents, entries
from reports.paper import Paper, paper
from reports.sheet import Sheet
from reports.style import look
from reports.words import plural

__all__ = ["draw", "figures", "write"]

REPORT = "report.pdf"
OBJECTS = 100_000  # new ones between two collections while drawing; more would cost memory
MOST_PROCESSES = 4  # each more must import everything first


def figures() -> dict[str, Figure]:
    """The figures of the report by name, in its order."""
    return {figure.name: figure for figure in FIGURES}


def write(run: Run, progress: Callable[[str], None] = lambda name: None, *, processes: int | None = None) -> Path:
    """Write ``report.pdf`` and ``figures/NAME.{pdf,png,csv}`` into the run folder.

    Everything is drawn from the run's tables; identical tables give identical bytes.

    Parameters
    ----------
    run : Run
        Its tables must have been computed (``attnprobe analyze``).
    progress : callable
        Told the name of each thing that is drawn.
    processes : int, optional
        Processes that draw, this one included; if not given, as many as there are cores, up to 4. It changes
        no byte.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    AttnprobeError
        When a table is missing; the message says which command computes it.
    """
    if processes is not None and processes < 1:
        raise AttnprobeError(f"processes = {processes!r} is not allowed: it must be a whole number of 1 or more.")
    number = min(cores(), MOST_PROCESSES) if processes is None else processes
    material = Material(run)
    names = [REPORT, *figures()]
    with helpers(run, number - 1) as crew:
        drawn = draw_all(names, lambda name: draw(name, material), crew, progress)
    run.write_files({file: data for name in names for file, data in drawn[name].items()})
    return run.path / REPORT


def draw(name: str, material: Material) -> Files:
    """The files of the report or of one figure, by their names within the run folder."""
    with few_collections():
        if name == REPORT:
            return {REPORT: document(material)}
        return {f"figures/{file}": data for file, data in figures()[name].files(material).items()}


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage less often: drawing makes so many objects that Python would spend a fifth of the time on it."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def document(material: Material, size: str = "a4") -> bytes:
    """The pages as PDF: bookmarks, a page of contents that links to the others, fonts embedded, nothing of the day."""
    buffer, links = io.BytesIO(), []
    title = f"attnprobe report: {material.config.rule}, {plural(len(material['seeds']), 'seed')}"
    listed = entries(CHAPTERS, [page.finding(material) for page in PAGES])
    with look(), light_fonts(), PdfPages(buffer, metadata={"CreationDate": None}) as pdf:
        for number, sheet in enumerate(sheets(material, listed, paper(size)), start=1):
            pdf.savefig(sheet.canvas)
            links += [(number, link) for link in sheet.links]
    return bound(buffer.getvalue(), title, listed, links)


def sheets(material: Material, listed: Sequence[Entry], size: Paper) -> Iterator[Sheet]:
    """The pages, drawn; the contents follow the first of them."""
    footer = f"attnprobe {material.info['attnprobe']} · {material.path.name} · rule {material.config.rule}"
    for entry in listed:
        sheet = Sheet(entry.number, footer, size)
        entry.page.on(sheet, material, entry.chapter, entry.finding)
        yield sheet
        if entry.number == CONTENTS - 1:
            sheet = Sheet(CONTENTS, footer, size)
            contents(sheet, listed)
            yield sheet
