"""A page of the report: a grid in inches, filled from the top, text wrapped by its true width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from reports.style import INK

__all__ = ["Sheet"]

WIDTH, HEIGHT = 8.27, 11.69  # A4, inches
SIDE, TOP, FOOT = 0.85, 0.8, 0.75
LEADING = 1.38


class Sheet:
    """One A4 page. Each call places something below what is there already.

    Attributes
    ----------
    canvas : matplotlib Figure
    y : float
        How far down the page is filled, in inches from the top.
    """

    def __init__(self, number: int, footer: str) -> None:
        self.canvas = Canvas(figsize=(WIDTH, HEIGHT))
        FigureCanvasAgg(self.canvas)
        self.y = TOP
        self._write(SIDE, HEIGHT - 0.5, footer, 7, color="#595959")
        self._write(WIDTH - SIDE, HEIGHT - 0.5, str(number), 7, color="#595959", ha="right")

    @property
    def width(self) -> float:
        """Width between the margins, in inches."""
        return WIDTH - 2 * SIDE

    @property
    def left(self) -> float:
        """Height that is still free, in inches."""
        return HEIGHT - FOOT - self.y

    def heading(self, section: str, finding: str) -> None:
        """The page's topic, small, and its finding as a sentence, large."""
        self._write(SIDE, self.y + 0.12, section.upper(), 7.5, color="#595959", fontweight="bold")
        self.y += 0.32
        self.text(finding, size=14, weight="bold")
        self.y += 0.16

    def text(self, words: str, size: float = 8.5, weight: str = "normal", color: str = INK) -> None:
        """A paragraph, wrapped to the page's width."""
        for line in wrapped(words, self.width, size, weight):
            self.y += size * LEADING / 72
            self._write(SIDE, self.y, line, size, fontweight=weight, color=color)
        self.y += 0.08

    def caption(self, label: str, words: str, size: float = 8) -> None:
        """A caption that begins with a bold letter."""
        indent = 0.22
        for k, line in enumerate(wrapped(words, self.width - indent, size, "normal")):
            self.y += size * LEADING / 72
            if k == 0:
                self._write(SIDE, self.y, label, size, fontweight="bold")
            self._write(SIDE + indent, self.y, line, size)
        self.y += 0.09

    def axes(
        self,
        height: float,
        widths: Sequence[float],
        gap: float = 0.75,
        left: float = 0.55,
        right: float = 0.0,
    ) -> list[Axes]:
        """A row of axes ``height`` inches high; ``widths`` are shares of the row.

        ``gap``, ``left`` and ``right`` leave room for labels between and beside the axes, in inches.
        """
        room_above, room_below = 0.32, 0.5
        free = self.width - left - right - gap * (len(widths) - 1)
        top = self.y + room_above
        x = SIDE + left
        row = []
        for share in widths:
            width = free * share / sum(widths)
            row.append(self.canvas.add_axes((x / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT)))
            x += width + gap
        self.y = top + height + room_below
        return row

    def letter(self, ax: Axes, letter: str) -> None:
        """A bold panel letter at the upper left of some axes."""
        box = ax.get_position(original=True)
        self.canvas.text(
            box.x0 - 0.45 / WIDTH, box.y1 + 0.12 / HEIGHT, letter, fontsize=10, fontweight="bold", va="bottom"
        )

    def table(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], size: float = 8, header: bool = True
    ) -> None:
        """Rows of text in columns of the given shares of the width; the last column wraps."""
        starts = [SIDE + self.width * sum(widths[:k]) / sum(widths) for k in range(len(widths))]
        last = self.width * widths[-1] / sum(widths)
        for k, row in enumerate(rows):
            weight = "bold" if header and k == 0 else "normal"
            top = self.y
            for x, cell in zip(starts[:-1], row[:-1], strict=True):
                self._write(x, top + size * LEADING / 72, cell, size, fontweight=weight)
            for line in wrapped(row[-1], last, size, weight):
                self.y += size * LEADING / 72
                self._write(starts[-1], self.y, line, size, fontweight=weight)
            self.y = max(self.y, top + size * LEADING / 72) + 0.03
            if header and k == 0:
                self.rule()
        self.y += 0.1

    def rule(self) -> None:
        """A thin line across the page."""
        self.y += 0.03
        height = 1 - self.y / HEIGHT
        line = Line2D([SIDE / WIDTH, 1 - SIDE / WIDTH], [height, height], color="#BFBFBF", linewidth=0.6)
        self.canvas.add_artist(line)
        self.y += 0.03

    def space(self, inches: float) -> None:
        """Leave some room."""
        self.y += inches

    def _write(self, x: float, y: float, words: str, size: float, **style: Any) -> None:
        self.canvas.text(x / WIDTH, 1 - y / HEIGHT, words, fontsize=size, **{"color": INK, **style})


def wrapped(words: str, width: float, size: float, weight: str) -> list[str]:
    """Lines of at most ``width`` inches."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and _width(longer, size, weight) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def _width(words: str, size: float, weight: str) -> float:
    """Width of a line, in inches."""
    return sum(_advance(letter, weight) for letter in words) * size / 72


@cache
def _advance(letter: str, weight: str) -> float:
    """Width of one letter at size 1, from the font's own metrics (without kerning)."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    font.set_size(100, 72)
    glyph = font.load_char(ord(letter))
    return float(glyph.linearHoriAdvance) / 65536 / 100
