"""A page of the report: a grid in inches, filled from the top, text wrapped by its true width.

Text takes the room it needs. Rows of axes are elastic: when the page is closed, they share what is left of it, or
give way where words (a long finding, the captions of an odd run, a shorter kind of paper) need more than was planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from reports.finish import fit_cells
from reports.paper import PAPERS, Paper
from reports.style import tints

__all__ = ["Link", "Sheet"]

LEADING = 1.38
BETWEEN = 0.08  # two columns of a table, in inches
ENTRY = 0.6  # what an entry of a table of contents leaves free of the width: its indent, and the page number
SANS, MONOSPACED = "DejaVu Sans", "DejaVu Sans Mono"


class Link(NamedTuple):
    """A place on a page, in points from its lower left corner, and the number of the page that it leads to."""

    box: tuple[float, float, float, float]
    page: int


class Sheet:
    """One page. Each call places something below what is there already; :meth:`close` fits it to the paper.

    Attributes
    ----------
    canvas : matplotlib Figure
    paper : Paper
    y : float
        How far down the page is filled, in inches from the top.
    links : list of Link
    """

    def __init__(self, number: int, footer: str, paper: Paper = PAPERS["a4"]) -> None:
        self.paper = paper
        self.canvas = Canvas(figsize=(paper.width, paper.height))
        FigureCanvasAgg(self.canvas)
        foot = paper.height - paper.foot * 2 / 3
        self._write(paper.side, foot, footer, 7, color=tints.muted)
        self._write(paper.width - paper.side, foot, str(number), 7, color=tints.muted, ha="right")
        self._placed = len(self.canvas.texts)  # what stays where it is
        self.links: list[Link] = []
        self._rules: list[Line2D] = []
        self._rows: list[tuple[float, float, bool]] = []  # top, bottom, whether it may grow
        self.y = paper.top

    @property
    def width(self) -> float:
        """Width between the margins, in inches."""
        return self.paper.width - 2 * self.paper.side

    @property
    def left(self) -> float:
        """Height that is still free, in inches."""
        return self.paper.height - self.paper.foot - self.y

    def heading(self, chapter: str, section: str, finding: str) -> None:
        """The chapter and the page's topic, small, and its finding as a sentence, large."""
        topic = f"{chapter} · {section}" if chapter else section
        self._write(self.paper.side, self.y + 0.12, topic.upper(), 7.5, color=tints.muted, fontweight="bold")
        self.y += 0.32
        self.text(finding, size=self.paper.heading, weight="bold")
        self.y += 0.16

    def close(self) -> None:
        """Let the rows of axes share what is left of the page, or make room where it is too full."""
        able = sum(bottom - top for top, bottom, grows in self._rows if grows or self.left < 0)
        if able:
            self._stretch(able)
        fit_cells(self.canvas)

    def _stretch(self, able: float) -> None:
        factor = min(max(1 + self.left / able, self.paper.least), self.paper.most)
        heights = [(top, bottom, factor if grows or factor < 1 else 1.0) for top, bottom, grows in self._rows]
        for text in self.canvas.texts[self._placed :]:
            text.set_y(self._moved(text.get_position()[1], heights))
        for line in self._rules:
            line.set_ydata([self._moved(float(y), heights) for y in np.asarray(line.get_ydata())])
        for ax in self.canvas.axes:
            box = ax.get_position(original=True)
            low, high = (self._moved(y, heights) for y in (box.y0, box.y1))
            ax.set_position((box.x0, low, box.width, high - low))
        self.y += sum((bottom - top) * (by - 1) for top, bottom, by in heights)
        self._rows = []

    def _moved(self, y: float, heights: Sequence[tuple[float, float, float]]) -> float:
        """Where something at ``y`` of the canvas goes when the rows above it are stretched."""
        down = (1 - y) * self.paper.height
        down += sum(min(max(down - top, 0), bottom - top) * (by - 1) for top, bottom, by in heights)
        return 1 - down / self.paper.height

    def leading(self, size: float) -> float:
        """Height of a line, in inches."""
        return size * LEADING / 72

    def lines(self, words: str, size: float) -> int:
        """How many lines an entry of a table of contents takes."""
        return len(wrapped(words, self.width - ENTRY, size, "normal"))

    def entry(self, words: str, page: int, size: float = 8) -> None:
        """A line or more of a table of contents, with the page that it leads to at the right."""
        top = self.y
        for line in wrapped(words, self.width - ENTRY, size, "normal"):
            self.y += self.leading(size)
            self._write(self.paper.side + 0.2, self.y, line, size)
        self._write(self.paper.width - self.paper.side, self.y, str(page), size, ha="right")
        self.y += 0.045
        height = self.paper.height
        box = (self.paper.side * 72, (height - self.y) * 72, (self.paper.side + self.width) * 72, (height - top) * 72)
        self.links.append(Link(box, page))

    def text(self, words: str, size: float | None = None, weight: str = "normal") -> None:
        """A paragraph, wrapped to the page's width."""
        size = size or self.paper.text
        for line in wrapped(words, self.width, size, weight):
            self.y += self.leading(size)
            self._write(self.paper.side, self.y, line, size, fontweight=weight)
        self.y += 0.08

    def caption(self, label: str, words: str) -> None:
        """A caption that begins with a bold letter."""
        indent, size = 0.22 if label else 0.0, self.paper.caption
        for k, line in enumerate(wrapped(words, self.width - indent, size, "normal")):
            self.y += self.leading(size)
            if k == 0:
                self._write(self.paper.side, self.y, label, size, fontweight="bold")
            self._write(self.paper.side + indent, self.y, line, size)
        self.y += 0.09

    def axes(
        self,
        height: float,
        widths: Sequence[float],
        gap: float = 0.75,
        left: float = 0.55,
        right: float = 0.0,
        elastic: bool = True,
    ) -> list[Axes]:
        """A row of axes ``height`` inches high; ``widths`` are shares of the row.

        ``gap``, ``left`` and ``right`` leave room for labels between and beside the axes, in inches. An ``elastic``
        row grows with the page; any row shrinks where the page is too full.
        """
        room_above, room_below = 0.32, 0.5
        free = self.width - left - right - gap * (len(widths) - 1)
        top = self.y + room_above
        x = self.paper.side + left
        row = []
        for share in widths:
            width = free * share / sum(widths)
            row.append(self.canvas.add_axes(self._box(x, top, width, height)))
            x += width + gap
        self._rows.append((top, top + height, elastic or self.paper.fills))
        self.y = top + height + room_below
        return row

    def _box(self, x: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A place in inches from the upper left corner, as matplotlib wants it."""
        across, down = self.paper.width, self.paper.height
        return x / across, 1 - (top + height) / down, width / across, height / down

    def letter(self, ax: Axes, letter: str) -> None:
        """A bold panel letter at the upper left of some axes."""
        box = ax.get_position(original=True)
        self.canvas.text(
            box.x0 - 0.45 / self.paper.width,
            box.y1 + 0.12 / self.paper.height,
            letter,
            fontsize=10,
            fontweight="bold",
            va="bottom",
        )

    def table(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], size: float = 8, header: bool = True
    ) -> None:
        """Rows of text in columns of the given shares of the width; cells wrap."""
        starts = [self.width * sum(widths[:k]) / sum(widths) for k in range(len(widths) + 1)]
        for k, row in enumerate(rows):
            weight = "bold" if header and k == 0 else "normal"
            lines = 1
            for x, end, cell in zip(starts[:-1], starts[1:], row, strict=True):
                room = end - x - (BETWEEN if end < self.width else 0)
                cut = wrapped(cell, room, size, weight)
                lines = max(lines, len(cut))
                for n, line in enumerate(cut, start=1):
                    self._write(self.paper.side + x, self.y + n * self.leading(size), line, size, fontweight=weight)
            self.y += lines * self.leading(size) + 0.03
            if header and k == 0:
                self.rule()
        self.y += 0.1

    def code(self, words: str, size: float = 8) -> None:
        """Something to type, in letters of equal width, broken between words."""
        for k, line in enumerate(wrapped(words, self.width - 0.3, size, "normal", MONOSPACED)):
            self.y += self.leading(size)
            self._write(self.paper.side + (0.2 if k else 0.0), self.y, line, size, family=MONOSPACED)
        self.y += 0.1

    def rule(self) -> None:
        """A thin line across the page."""
        self.y += 0.03
        height, side = 1 - self.y / self.paper.height, self.paper.side / self.paper.width
        line = Line2D([side, 1 - side], [height, height], color=tints.pale, linewidth=0.6)
        self.canvas.add_artist(line)
        self._rules.append(line)
        self.y += 0.03

    def space(self, inches: float) -> None:
        """Leave some room."""
        self.y += inches

    def _write(self, x: float, y: float, words: str, size: float, **style: Any) -> None:
        place = x / self.paper.width, 1 - y / self.paper.height
        first = {"zorder": -1}  # in the PDF before the axes: who reads or copies its text meets the finding first
        self.canvas.text(*place, words, fontsize=size, **{"color": tints.ink, **first, **style})


def wrapped(words: str, width: float, size: float, weight: str, family: str = SANS) -> list[str]:
    """Lines of at most ``width`` inches."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and _width(longer, size, weight, family) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def _width(words: str, size: float, weight: str, family: str = SANS) -> float:
    """Width of a line, in inches."""
    return sum(_advance(letter, weight, family) for letter in words) * size / 72


@cache
def _advance(letter: str, weight: str, family: str) -> float:
    """Width of one letter at size 1, from the font's own metrics (without kerning)."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(FontProperties(family=family, weight=weight)))
    font.set_size(100, 72)
    glyph = font.load_char(ord(letter))
    return float(glyph.linearHoriAdvance) / 65536 / 100
