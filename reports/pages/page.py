"""What a page is: its finding as a sentence, rows of figures with their captions, words before and after them.

The layout of a page is data, so that one place draws every page, letters its panels and knows which figures it
shows. Each page of a report has a number, a place in the argument (its chapter) and a section of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from reports.figure import Figure, Material
from reports.sheet import Sheet

__all__ = ["Chapter", "Page", "Row"]

Words = Callable[[Sheet, Material], None]


@dataclass(frozen=True)
class Row:
    """Figures side by side, their captions below.

    Attributes
    ----------
    figures : sequence of Figure
    height : float, or callable (material) -> float
        Of the axes, in inches, on a page that is neither too full nor too empty.
    widths : sequence of float
        Shares of the row, one a panel.
    gap, left, right : float
        Room for labels between and beside the axes, in inches.
    below : float
        Room for a legend that hangs below the axes, in inches.
    elastic : bool
        Whether the row may grow with the page; cells of equal sides gain nothing by it.
    absent : callable (material) -> str or None, optional
        For a run about which these figures can say nothing: why, in words that stand in their place (if any). None
        where they are drawn.
    """

    figures: Sequence[Figure]
    height: float | Callable[[Material], float]
    widths: Sequence[float] = (1,)
    gap: float = 0.75
    left: float = 0.55
    right: float = 0.0
    below: float = 0.0
    elastic: bool = True
    absent: Callable[[Material], str | None] | None = None

    def why_not(self, material: Material) -> str | None:
        """Why it is not drawn; None where it is."""
        return self.absent(material) if self.absent else None

    def alone(self, figure: Figure) -> Row:
        """A row of one of the figures."""
        return self if len(self.figures) == 1 else replace(self, figures=(figure,), widths=(1,) * figure.panels)


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes
    ----------
    section : str
        What it is about, in a few words.
    finding : callable (material) -> str
        What was found, as a sentence that is true of this run.
    rows : sequence of Row
    before, after : callable (sheet, material), optional
        Words and tables before and after the rows.
    absent : callable (material) -> str, optional
        Why this run has nothing to show here, if so; then that is all there is below the finding.
    """

    section: str
    finding: Callable[[Material], str]
    rows: Sequence[Row] = ()
    before: Words | None = None
    after: Words | None = None
    absent: Callable[[Material], str] | None = None

    @property
    def figures(self) -> list[Figure]:
        """The figures that it shows, in their order."""
        return [figure for row in self.rows for figure in row.figures]

    def shown(self, material: Material) -> list[Row]:
        """The rows that this run can fill."""
        if self.absent and self.absent(material):
            return []
        return [row for row in self.rows if row.why_not(material) is None]

    def on(self, sheet: Sheet, material: Material, chapter: str = "", finding: str | None = None) -> None:
        """Fill a sheet; ``finding`` where it is known already."""
        sheet.heading(chapter, self.section, self.finding(material) if finding is None else finding)
        missing = self.absent(material) if self.absent else ""
        if missing:
            sheet.text(missing)
        else:
            if self.before:
                self.before(sheet, material)
            letters = iter(ascii_lowercase)
            for row in self.rows:
                why = row.why_not(material)
                if why is None:
                    _draw(row, sheet, material, [next(letters) for _ in row.figures])
                elif why:
                    sheet.text(why)
                    sheet.space(0.1)
            if self.after:
                self.after(sheet, material)
        sheet.close()

    def slide(self, sheet: Sheet, material: Material, row: Row, chapter: str, finding: str) -> None:
        """Fill a sheet with one row of one figure, which needs no letter."""
        sheet.heading(chapter, self.section, finding)
        _draw(row, sheet, material, [""])
        sheet.close()


@dataclass(frozen=True)
class Chapter:
    """A step of the argument: a question, and the pages that answer it."""

    title: str
    pages: Sequence[Page]


def _draw(row: Row, sheet: Sheet, material: Material, letters: Sequence[str]) -> None:
    height = row.height(material) if callable(row.height) else row.height
    axes = sheet.axes(height, row.widths, row.gap, row.left, row.right, row.elastic)
    start = 0
    for figure, letter in zip(row.figures, letters, strict=True):
        panels = axes[start : start + figure.panels]
        figure.on(material, panels)
        if letter:
            sheet.letter(panels[0], letter)
        start += figure.panels
    sheet.space(row.below)
    for figure, letter in zip(row.figures, letters, strict=True):
        sheet.caption(letter, figure.caption(material))
    sheet.space(0.1)
