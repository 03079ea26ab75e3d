"""The report's pages: everything fits, nothing lies over anything else, whatever the run is like."""

from __future__ import annotations

import re
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pytest
from edges import EDGES, REPORTED
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from reports.catalogue import FIGURES
from reports.document import pages, slides
from reports.figure import Material
from reports.pages import CHAPTERS
from reports.pages.contents import entries
from reports.pages.embedding import EMBEDDING
from reports.paper import PAPERS, SLIDE, Paper
from reports.sheet import Sheet
from reports.style import look


class Laid(NamedTuple):
    """What stands on a page, in inches from its lower left corner, each with its words."""

    page: str
    paper: Paper
    paragraphs: list[tuple[str, Bbox]]
    footer: list[tuple[str, Bbox]]
    axes: list[tuple[str, Bbox]]
    labels: list[tuple[str, Bbox]]  # titles, axis labels, tick labels and legends of all axes
    words: set[str]  # everything that is written anywhere


def labels(axes: Axes) -> list[Text]:
    """Titles, axis labels and the tick labels that are in view."""
    beside = [text for child in axes.child_axes for text in labels(child)]  # the scale of an image
    found = [*beside, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label] if axes.axison else []
    for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
        low, high = sorted(axis.get_view_interval())
        found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        found += [tick.label2 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [text for text in found if text.get_visible() and text.get_text()]


ON_LETTER = ("ten_run", "many digits", "a seed that is not finite")
ON_SLIDES = ("ten_run", "a seed that is not finite")
REPORTS = [
    *((run, "a4") for run in ("ten_run", *REPORTED)),
    *((run, "letter") for run in ON_LETTER),
    *((run, "slide") for run in ON_SLIDES),
]


@pytest.fixture(scope="module", params=REPORTS, ids=", ".join)
def laid(request, edge) -> list[Laid]:
    """Every page of a report, measured with the font's own widths, as the PDF has them."""
    run, size = request.param[0], {**PAPERS, "slide": SLIDE}[request.param[1]]
    material = edge(run) if run in EDGES else Material(request.getfixturevalue(run))
    found = []
    with look(), mpl.rc_context({"text.hinting": "none"}):
        listed = entries(CHAPTERS, material)
        drawn = (slides if size is SLIDE else pages)(material, listed, "attnprobe · the run", size)
        for number, (_, sheet) in enumerate(drawn, start=1):
            sheet.canvas.set_dpi(500)
            sheet.canvas.draw_without_rendering()
            inches = sheet.canvas.dpi_scale_trans.inverted()

            def boxes(texts: list[Text], inches=inches) -> list[tuple[str, Bbox]]:
                return [(text.get_text(), text.get_window_extent().transformed(inches)) for text in texts]

            panels = sheet.canvas.axes
            found.append(
                Laid(
                    f"page {number}, {sheet.canvas.texts[2].get_text()}",
                    size,
                    boxes(sheet.canvas.texts[2:]),
                    boxes(sheet.canvas.texts[:2]),
                    [(panel.get_title(loc="left"), panel.get_tightbbox().transformed(inches)) for panel in panels],
                    [
                        *boxes([text for panel in panels for text in labels(panel)]),
                        *(
                            ("a legend", legend.get_window_extent().transformed(inches))
                            for legend in (panel.get_legend() for panel in panels)
                            if legend
                        ),
                    ],
                    {text.get_text() for text in sheet.canvas.findobj(Text)},
                )
            )
    return found


def overlaps(first: list[tuple[str, Bbox]], second: list[tuple[str, Bbox]]) -> list[str]:
    """What lies over something else, by more than a hair."""
    found = []
    a, b = (np.array([box.extents for _, box in boxes]).reshape(-1, 1, 4) for boxes in (first, second))
    b = b.transpose(1, 0, 2)
    size = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    for i, j in zip(*np.nonzero((size > 0.02).all(axis=2)), strict=True):
        if first is not second or i < j:
            found.append(f"{first[i][0]!r} over {second[j][0]!r} by {size[i, j, 0]:.2f} x {size[i, j, 1]:.2f} inches")
    return found


def test_everything_stays_on_its_page_and_above_the_footer(laid) -> None:
    for page in laid:
        assert page.footer[0][0].startswith("attnprobe")
        foot = max(box.y1 for _, box in page.footer)
        for words, box in (*page.paragraphs, *page.axes):
            assert box.y0 > foot, f"{page.page}: {words!r} runs into the footer"
            assert box.y1 < page.paper.height - 0.3, f"{page.page}: {words!r}"
            assert box.x0 > 0.3, f"{page.page}: {words!r} begins at {box.x0:.2f} inches"
            assert box.x1 < page.paper.width - 0.3, f"{page.page}: {words!r} ends at {box.x1:.2f} inches"
        for words, box in page.paragraphs:
            assert box.x1 < page.paper.width - page.paper.side + 0.03, (
                f"{page.page}: {words!r} ends at {box.x1:.2f} inches"
            )


def test_nothing_lies_over_anything_else(laid) -> None:
    for page in laid:
        assert overlaps(page.paragraphs, page.paragraphs) == [], page.page
        assert overlaps([box for box in page.paragraphs if len(box[0]) > 1], page.axes) == [], page.page
        assert overlaps(page.paragraphs, page.labels) == [], page.page  # the letters of panels too
        assert overlaps(page.labels, page.labels) == [], page.page


def test_what_is_not_a_number_is_written_as_a_dash(laid) -> None:
    for page in laid:
        assert not [words for words in page.words if re.search(r"\bnan\b|\binf\b", words)], page.page


def test_a_run_without_a_finite_seed_does_not_blame_its_alphabet(edge) -> None:
    sheet = Sheet(1, "footer")
    EMBEDDING.on(sheet, edge("no seed is finite"))
    assert not [text for text in sheet.canvas.texts if "An alphabet of 5 digits leaves" in text.get_text()]


@pytest.mark.parametrize(
    ("run", "style"),
    [
        *((run, "paper") for run in ("ten_run", "one seed", "twenty seeds", "a seed that is not finite")),
        *((run, "slides") for run in ("ten_run", "one seed")),  # dark ones are laid out as on paper
    ],
)
def test_figures_that_stand_alone_have_room(run, style, edge, request) -> None:
    """Nothing is cut off, titles are clear of legends and notes, and no panel is squeezed by its legend."""
    material = edge(run) if run in EDGES else Material(request.getfixturevalue(run))
    found = []
    for figure in FIGURES:
        canvas = figure.alone(material, style)
        canvas.lay_out()
        with look(), mpl.rc_context({"text.hinting": "none"}):
            canvas.draw_without_rendering()
        inches = canvas.dpi_scale_trans.inverted()
        panels = canvas.axes[: figure.panels]
        for panel in canvas.axes:
            legend = panel.get_legend()
            notes = [text for text in panel.texts if text.get_text() and text.get_visible()]
            named = [(text.get_text(), text.get_window_extent()) for text in [*labels(panel), *notes]]
            named += [("legend", legend.get_window_extent())] if legend else []
            for words, box in named:
                x0, y0, x1, y1 = box.transformed(inches).extents
                if min(x0, y0) < -0.02 or x1 > canvas.get_figwidth() + 0.02 or y1 > canvas.get_figheight() + 0.02:
                    found.append(f"{figure.name}: {words!r} is cut off")
            title = [(panel.get_title(loc="left"), panel._left_title.get_window_extent().transformed(inches))]
            if title[0][0]:
                others = [(words, box.transformed(inches)) for words, box in named if words != title[0][0]]
                found += [f"{figure.name}: {fault}" for fault in overlaps(title, others)]
        across = sum(panel.get_position().width for panel in panels)
        if across < 0.5 and canvas.axes == panels and not any(panel.child_axes for panel in panels):
            found.append(f"{figure.name}: panels fill {across:.0%} of its width")
    assert found == []
