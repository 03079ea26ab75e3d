"""Pictures made of cells: placed in inches as on paper, and then scaled as a whole to the axes that they are given.

One axes holds the whole picture, its letters included, so that a gallery of any number of panels is a figure like any
other: it can stand alone, on a page of the report, or among a user's own axes.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from reports.contrast import letters_on
from reports.sheet import _width
from reports.style import colour, maps, tints

__all__ = ["CELL", "PaperText", "Pen", "Sort", "boxes", "ordered", "width_of"]

Sort = Literal["position", "digit"]

CELL = 0.178  # height of a cell, in inches
STEPS = 64  # of a scale of colours
FEW = 40  # rows of an image that thin gaps set apart


class PaperText(Text):
    """Words whose size belongs to the picture: they grow and shrink with it, whenever its axes do."""

    def __init__(self, x: float, y: float, words: str, size: float, **style: Any) -> None:
        super().__init__(x, y, words, fontsize=size, **style)
        self.paper_size = size

    def draw(self, renderer: RendererBase) -> None:
        """Draw, at the size that fits."""
        self._fit()
        super().draw(renderer)

    def get_window_extent(self, *given: Any, **named: Any) -> Bbox:
        """The box, at the size that fits."""
        self._fit()
        return super().get_window_extent(*given, **named)

    def _fit(self) -> None:
        canvas = self.get_figure(root=True)
        if canvas is not None and self.axes is not None:
            (x0, _), (x1, _) = self.axes.transData.transform([(0, 0), (1, 0)])
            size = self.paper_size * (x1 - x0) / canvas.dpi
            if abs(size - float(self.get_fontsize())) > 1e-6:
                self.set_fontsize(size)


class Pen:
    """Draws on axes, whose own frame and ticks go, in inches from the upper left corner."""

    def __init__(self, ax: Axes, width: float, height: float) -> None:
        self.ax = ax
        box, (across, down) = ax.get_position(original=True), ax.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
        self.scale = min(1.0, box.width * across / width, box.height * down / height)  # of lines
        ax.set_axis_off()
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_aspect("equal", anchor="NW")

    def text(self, x: float, y: float, words: str, size: float, **style: Any) -> None:
        """Words, their size in points."""
        self.ax.add_artist(PaperText(x, y, words, size, **{"ha": "left", "va": "center", "color": tints.ink, **style}))

    def cells(
        self, name: str, corners: np.ndarray, values: np.ndarray, colours: Colormap, low: float, high: float
    ) -> None:
        """Cells coloured by their values, with thin gaps between them; ``name`` finds them in an SVG."""
        scale = {"array": np.ma.masked_invalid(values), "cmap": colours, "norm": Normalize(low, high), "gid": name}
        self._add(corners, edgecolors=tints.paper, linewidths=0.7 * self.scale, zorder=1, **scale)

    def tokens(
        self,
        digits: np.ndarray,
        corners: np.ndarray,
        targets: tuple[int, int],
        size: float,
        ground: np.ndarray | None = None,
    ) -> None:
        """A digit in each cell, legible on the colours (n, 4) of the cells' ground; the rule's two bold."""
        letters = [tints.ink] * len(digits) if ground is None else [letters_on(colour[:3]) for colour in ground]
        for tint, (x, y), digit in zip(letters, corners.mean(axis=1), digits, strict=True):
            weight = "bold" if digit in targets else "normal"
            style = {"ha": "center", "va": "center_baseline", "color": tint, "fontweight": weight, "zorder": 3}
            self.text(x, y, str(digit), size, **style)

    def frames(self, digits: np.ndarray, corners: np.ndarray, targets: tuple[int, int]) -> None:
        """A frame in its colour just inside each cell that holds one of the rule's two digits."""
        middle = corners.mean(axis=1, keepdims=True)
        inner = middle + (corners - middle) * 0.9
        for digit in targets:
            tint = colour(digit, targets)
            self._add(inner[digits == digit], facecolors="none", edgecolors=tint, linewidths=1.1 * self.scale, zorder=2)

    def fill(self, corners: np.ndarray, tint: Any) -> None:
        """Cells of one colour each, without lines."""
        self._add(corners, facecolors=tint, linewidths=0, zorder=1)

    def ramp(self, x: float, y: float, width: float, colours: Colormap, height: float = 0.1) -> None:
        """A scale of colours, from left to right."""
        steps = np.linspace(x, x + width, STEPS + 1)
        scale = {"array": np.linspace(0, 1, STEPS), "cmap": colours, "norm": Normalize(0, 1)}
        self._add(boxes(steps[:-1], y, np.diff(steps) * 1.02, height), linewidths=0, zorder=1, **scale)
        line = {"edgecolors": tints.muted, "linewidths": 0.4, "zorder": 2}
        self._add(boxes(np.array([x]), y, width, height), facecolors="none", **line)

    def lines(self, starts: np.ndarray, stops: np.ndarray, tint: Any, width: float, zorder: float = 3) -> None:
        """Lines from points (n, 2) to points (n, 2)."""
        ends = np.stack([starts, stops], axis=1)
        made = LineCollection(list(ends), colors=tint, linewidths=width * self.scale, zorder=zorder)
        self.ax.add_collection(made, autolim=False)

    def dots(self, points: np.ndarray, size: float) -> None:
        """Open dots of so many inches."""
        sizes, rim = np.full(len(points), size), {"edgecolors": tints.ink, "linewidths": 0.8 * self.scale}
        made = EllipseCollection(
            sizes, sizes, 0 * sizes, units="xy", offsets=points, offset_transform=self.ax.transData, **rim
        )
        made.set(facecolor=tints.paper, zorder=4)
        self.ax.add_collection(made, autolim=False)

    def image(self, values: np.ndarray, left: float, right: float, top: float, foot: float) -> None:
        """Attention (rows, length) from 0 to 1 as an image, its first row on top."""
        made = AxesImage(self.ax, cmap=maps.attention, norm=Normalize(0, 1), interpolation="nearest")
        made.set_data(np.ma.masked_invalid(values))
        made.set_extent((left, right, foot, top))
        self.ax.add_image(made)
        if len(values) <= FEW:
            heights = np.linspace(top, foot, len(values) + 1)[1:-1]
            starts, stops = (np.column_stack([np.full(heights.size, x), heights]) for x in (left, right))
            self.lines(starts, stops, tints.paper, 0.7)

    def _add(self, corners: np.ndarray, **style: Any) -> None:
        self.ax.add_collection(PolyCollection(list(corners), **style), autolim=False)


def boxes(x: Any, y: Any, width: Any, height: Any) -> np.ndarray:
    """Corners (n, 4, 2) of rectangles, from their upper left ones."""
    left, top, right, foot = np.broadcast_arrays(*np.atleast_1d(x, y, x + width, y + height))
    return np.stack([np.stack([left, right, right, left], 1), np.stack([top, top, foot, foot], 1)], axis=2)


def width_of(words: str, size: float, weight: str = "normal") -> float:
    """Width of some words, in inches."""
    return _width(words, size, weight)


def ordered(table: pd.DataFrame, sort: Sort, targets: tuple[int, int]) -> pd.DataFrame:
    """Cells of whole sequences, in place or sorted by digit within each: the rule's two first, then ascending."""
    if sort == "position":
        return table
    place = table["digit"].replace({targets[0]: -2, targets[1]: -1})
    sequence = np.arange(len(table)) // table["position"].nunique()
    return table.iloc[np.lexsort((table["position"], place, sequence))].reset_index(drop=True)
