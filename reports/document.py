"""Writing the report: every figure as PDF, PNG and CSV, and all pages as one PDF."""

from __future__ import annotations

import gc
import io
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.events import Event, Listener, nobody
from attnprobe.machine import cores
from attnprobe.store import Run
from reports.binding import Mark, bound
from reports.catalogue import FIGURES
from reports.crew import Files, draw_all, helpers
from reports.drawing import Drawing
from reports.figure import Figure, Material
from reports.finish import strengthen
from reports.fonts import light_fonts
from reports.options import DEFAULT, Options
from reports.pages import CHAPTERS, PAGES
from reports.pages.contents import CONTENTS, Entry, contents, entries
from reports.pages.overview import setting
from reports.paper import SLIDE, Paper
from reports.paper import paper as paper_named
from reports.sheet import Sheet
from reports.style import look
from reports.words import plural

__all__ = ["draw", "figures", "write"]

OBJECTS = 100_000  # new ones between two collections while drawing; more would cost memory
MOST_PROCESSES = 4  # each more must import everything first


def figures() -> dict[str, Figure]:
    """The figures of the report by name, in its order."""
    return {figure.name: figure for figure in FIGURES}


def write(
    run: Run,
    progress: Callable[[str], None] = lambda name: None,
    *,
    figures: Sequence[str] | None = None,
    formats: Sequence[str] = DEFAULT.formats,
    style: str = DEFAULT.style,
    paper: str = DEFAULT.paper,
    processes: int | None = None,
    events: Listener = nobody,
) -> Path:
    """Write ``report.pdf`` and ``figures/NAME.{pdf,png,csv}`` into the run folder.

    Everything is drawn from the run's tables; identical tables give identical bytes.

    Parameters
    ----------
    run : Run
        Its tables must have been computed (``attnprobe analyze``).
    progress : callable
        Told the name of each thing that is drawn.
    figures : sequence of str, optional
        Names of figures to draw, or how several names begin (``rules`` for ``rules_region`` and ``rules_margins``);
        these alone, without the report. By default the report and all of them.
    formats : sequence of str
        Of each figure's files, among ``pdf``, ``png`` and ``svg``; the CSV that it shows comes with them.
    style : str
        ``paper``; ``slides``: 16 to 9, and ``slides.pdf`` in place of the report; or ``dark``, and ``report-dark.pdf``.
        Figures in a style other than ``paper`` are in ``figures/STYLE``.
    paper : str
        ``a4`` or ``letter``, for the report.
    processes : int, optional
        Processes that draw, this one included; if not given, as many as there are cores, up to 4. It changes
        no byte.
    events : callable
        Told what happens: ``progress`` and ``report``, see :mod:`attnprobe.events`.

    Returns
    -------
    Path
        Of the report, or of the folder with the figures that were asked for.

    Raises
    ------
    AttnprobeError
        When a table is missing (the message says which command computes it), or there is no such figure, format,
        style or paper.
    """
    if processes is not None and processes < 1:
        raise AttnprobeError(f"processes = {processes!r} is not allowed: it must be a whole number of 1 or more.")
    options = Options(tuple(formats), style, paper)
    names = wanted(figures, options)
    number = min(cores(), MOST_PROCESSES, len(names)) if processes is None else processes
    material, begun = Material(run), time.monotonic()
    work, told = {"doing": "reporting", "of": len(names), "unit": "drawings"}, itertools.count()

    def tell(name: str) -> None:
        progress(name)
        events(Event("progress", {**work, "done": next(told), "name": name}))

    with run.writing():
        with helpers(run, options, number - 1) as crew:
            drawn = draw_all(names, lambda name: draw_files(name, material, options), crew, tell)
        files = {file: data for name in names for file, data in drawn[name].items()}
        run.write_files(files)
    documents = [options.document] if figures is None else []
    facts = {"files": len(files), "figures": len(names) - len(documents), "documents": documents}
    events(Event("report", {**facts, "seconds": round(time.monotonic() - begun, 3)}))
    events(Event("progress", {**work, "done": len(names)}))
    return run.path / (options.document if figures is None else options.folder)


def wanted(asked: Sequence[str] | None, options: Options = DEFAULT) -> list[str]:
    """What is drawn: the document and all figures, or those that were asked for by name or by how names begin."""
    if asked is None:
        return [options.document, *figures()]
    found: list[str] = []
    for name in asked:
        alike = [name] if name in figures() else [known for known in figures() if known.startswith(f"{name}_")]
        if not alike:
            raise AttnprobeError(
                f"There is no figure {name!r}.{did_you_mean(name, figures())} Figures are: {', '.join(figures())}."
            )
        found += alike
    if not found:
        raise AttnprobeError(f"No figure was asked for. Figures are: {', '.join(figures())}.")
    return list(dict.fromkeys(found))


def draw(run: Run, name: str, style: str = DEFAULT.style) -> Drawing:
    """One figure of a run, which a notebook shows and ``savefig`` keeps.

    Parameters
    ----------
    run : Run
        Its tables must have been computed (``attnprobe analyze``).
    name : str
        One of :func:`figures`.
    style : str
        ``paper``, ``slides`` or ``dark``.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    AttnprobeError
        When there is no such figure or style, or a table is missing.
    """
    return figures()[wanted([name])[0]].alone(Material(run), style)


def draw_files(name: str, material: Material, options: Options = DEFAULT) -> Files:
    """The files of the document or of one figure, by their names within the run folder."""
    with few_collections():
        if name == options.document:
            return {name: document(material, options)}
        drawn = figures()[name].files(material, options)
        return {f"{options.folder}/{file}": data for file, data in drawn.items()}


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage less often: drawing makes so many objects that Python would spend a fifth of the time on it."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def document(material: Material, options: Options = DEFAULT) -> bytes:
    """All pages, or slides, as PDF."""
    rule, seeds = material.config.rule, plural(len(material["seeds"]), "seed")
    footer = f"attnprobe {material.manifest.attnprobe} · {material.path.name} · rule {rule}"
    on_slides = options.style == "slides"
    size = SLIDE if on_slides else paper_named(options.paper)
    sheets = (slides if on_slides else pages)(material, entries(CHAPTERS, material), footer, size)
    return printed(sheets, f"attnprobe report: {rule}, {seeds}", options.style)


def printed(sheets: Iterable[tuple[Entry | None, Sheet]], title: str, style: str = DEFAULT.style) -> bytes:
    """Sheets as PDF, each drawn as its turn comes: bookmarks, links, fonts embedded, nothing of the day."""
    buffer, links = io.BytesIO(), []
    marks: list[Mark] = []
    with look(style), light_fonts(), PdfPages(buffer, metadata={"CreationDate": None}) as pdf:
        for number, (entry, sheet) in enumerate(sheets, start=1):
            pdf.savefig(sheet.canvas)
            links += [(number, link) for link in sheet.links]
            if entry is not None and (not marks or marks[-1][:2] != (entry.chapter, entry.page.section)):
                marks.append(Mark(entry.chapter, entry.page.section, number))
    return bound(buffer.getvalue(), title, marks, links)


def pages(
    material: Material, listed: Sequence[Entry], footer: str, size: Paper
) -> Iterator[tuple[Entry | None, Sheet]]:
    """The pages, drawn; the contents follow the first of them where their numbers leave it a page."""
    numbers = {entry.number for entry in listed}
    for entry in listed:
        sheet = Sheet(entry.number, footer, size)
        entry.page.on(sheet, material, entry.chapter, entry.finding)
        yield entry, sheet
        if entry.number == CONTENTS - 1 and CONTENTS not in numbers:
            sheet = Sheet(CONTENTS, footer, size)
            contents(sheet, listed)
            yield None, sheet


def slides(
    material: Material, listed: Sequence[Entry], footer: str, size: Paper
) -> Iterator[tuple[Entry | None, Sheet]]:
    """One slide a figure, and a first one that says what was asked."""
    number = itertools.count(1)
    for entry in listed:
        page = entry.page
        if page is PAGES[0]:
            sheet = Sheet(next(number), footer, size)
            sheet.heading(entry.chapter, page.section, entry.finding)
            sheet.text(setting(material), size=size.heading)
            yield entry, sheet
        for row in page.shown(material):
            for figure in row.figures:
                sheet = Sheet(next(number), footer, size)
                page.slide(sheet, material, row.alone(figure), entry.chapter, entry.finding)
                strengthen(sheet.canvas)
                yield entry, sheet
