"""Attention maps: sequences by seeds, each digit in its cell, with values and contributions beside.

    attention      a_i, from 0 to 1, white to dark
    value          of the digit there, on the scale where the rule's first digit is +1 and its second -1
    contribution   a_i times that value; the sum over a sequence is the pooled value that the readout answers to

A picture is made of blocks: one for each seed with the sequences as rows, or one for each sequence with the seeds as
rows. All cells of a kind share one scale. The rule's digits are bold, coloured and framed, so that they are found in
grey print too. Everything is placed in inches and then scaled as a whole to the axes that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure as Canvas
from matplotlib.image import AxesImage

from reports.style import INK, attention_map, colour, diverging

__all__ = ["Blocks", "Pen", "Sort", "boxes", "draw_gallery", "natural_size", "ordered"]

Blocks = Literal["seed", "sequence"]
Sort = Literal["position", "digit"]

CELL = 0.19  # height of a row, and width of a cell whose digit has one letter; inches, like all that follow
WIDE_CELL = 0.23
GAP = 0.17  # between panels
TOP, FOOT = 0.44, 0.34  # titles and scales above the first block; positions below the last
HEAD, BETWEEN = 0.25, 0.13  # a block's name; room after a block
PART = 0.2  # title of a panel that lies below another
ANSWER = (0.42, 0.36, 0.52, 0.2)  # sum, label, probability, mark
NARROW = 1.2  # least room for a panel's title and scale
WIDEST = 11.0  # three panels that would be wider lie below one another
LETTER = 0.062  # rough width of a letter of a name
DARK = 0.5  # of the scale: digits on darker cells are white
HAIR = 1e-9  # the two targets' values are +1 and -1 up to rounding
MUTED = "#595959"

KINDS = ("attention", "value_gauged", "contribution_gauged")


@dataclass(frozen=True)
class Plan:
    """Where everything lies, in inches from the upper left corner."""

    blocks: tuple[pd.DataFrame, ...]  # each with one row a cell, in the order in which it is drawn
    length: int
    cell: float  # width
    names: float  # width of the row names
    below: bool  # whether panels lie below one another

    @property
    def slot(self) -> float:
        """Width of a panel, title and scale included."""
        return max(self.length * self.cell, NARROW)

    @property
    def width(self) -> float:
        panels = self.slot if self.below else 3 * self.slot + 2 * GAP
        return self.names + panels + GAP + sum(ANSWER)

    @property
    def height(self) -> float:
        return TOP + sum(map(self.block_height, self.blocks)) - BETWEEN + FOOT

    def block_height(self, block: pd.DataFrame) -> float:
        rows = len(block) // self.length * CELL
        return HEAD + (3 * rows + 2 * PART if self.below else rows) + BETWEEN


def ordered(table: pd.DataFrame, sort: Sort, targets: tuple[int, int]) -> pd.DataFrame:
    """Rows by seed and sequence as they come, positions as they are or by digit: the rule's two first, then ascending."""
    if sort == "position":
        return table
    place = table["digit"].map({targets[0]: -2, targets[1]: -1}).fillna(table["digit"])
    length = table["position"].nunique()
    group = np.arange(len(table)) // length
    order = np.lexsort((table["position"], place, group))
    return table.iloc[order].reset_index(drop=True)


def plan(table: pd.DataFrame, blocks: Blocks) -> Plan:
    """Divide a table, sorted by seed and sequence, into blocks."""
    rows = "sequence" if blocks == "seed" else "seed"
    names = table[f"{rows}_name"]
    length = table["position"].nunique()
    parts = tuple(part for _, part in table.groupby(blocks, sort=False))
    cell = WIDE_CELL if table["digit"].max() > 9 else CELL
    return Plan(
        parts, length, cell, LETTER * names.str.len().max() + 0.12, 3 * max(length * cell, NARROW) + 2 * GAP > WIDEST
    )


def natural_size(table: pd.DataFrame, blocks: Blocks) -> tuple[float, float]:
    """Width and height, in inches, at which nothing is scaled."""
    laid = plan(table, blocks)
    return laid.width, laid.height


def draw_gallery(
    table: pd.DataFrame,
    ax: Axes,
    targets: tuple[int, int] = (2, 4),
    *,
    blocks: Blocks = "seed",
    sort: Sort = "position",
) -> Axes:
    """Draw maps as blocks of cells.

    Parameters
    ----------
    table : DataFrame
        Rows as ``analyses.maps`` gives them, with the columns ``seed_name``, ``sequence_name`` and ``remark`` (of the
        block) besides.
    ax : Axes
        Its frame and ticks go; the picture is as large as fits.
    targets : (int, int)
        The digits that the rule names.
    blocks : {"seed", "sequence"}
        What a block is about; its rows are the other.
    sort : {"position", "digit"}
        Cells as they stand in the sequence, or the rule's two digits first and the others in ascending order.
    """
    laid = plan(ordered(table, sort, targets), blocks)
    pen = Pen(ax, laid.width, laid.height)
    spans = {kind: span_of(table, kind) for kind in KINDS}
    lefts = [laid.names + (0 if laid.below else k * (laid.slot + GAP)) for k in range(3)]
    right = laid.names + (laid.slot if laid.below else 3 * laid.slot + 2 * GAP) + GAP
    _titles(pen, laid, spans, lefts, right, targets)
    cells: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    y = TOP
    for block in laid.blocks:
        _block_head(pen, block, y, blocks, targets)
        y += HEAD
        n = len(block) // laid.length
        names = block[f"{'sequence' if blocks == 'seed' else 'seed'}_name"].iloc[:: laid.length]
        for k, kind in enumerate(KINDS):
            top = y + (k * (n * CELL + PART) if laid.below else 0)
            if laid.below and k:
                pen.text(laid.names, top - 0.06, TITLES[kind], 7, color=MUTED, va="bottom")
            if laid.below or not k:
                for row, name in enumerate(names):
                    pen.text(laid.names - 0.07, top + (row + 0.5) * CELL, name, 7, ha="right")
            corners = _corners(lefts[k], top, n, laid)
            cells[kind].append(corners)
            _digits(pen, block, kind, spans[kind], corners, targets)
        _answers(pen, block.iloc[:: laid.length], right, y)
        y += laid.block_height(block) - HEAD
    for kind, parts in cells.items():
        values = pd.concat(laid.blocks)[kind].to_numpy()
        pen.cells(np.concatenate(parts), values, *spans[kind])
    frames = [np.concatenate(parts) for parts in cells.values()]
    digits = pd.concat(laid.blocks)["digit"].to_numpy()
    for digit in targets:
        pen.frames(np.concatenate([frame[digits == digit] for frame in frames]), colour(digit, targets))
    _foot(pen, laid, lefts, y - BETWEEN, sort)
    return ax


TITLES = {"attention": "Attention", "value_gauged": "Value", "contribution_gauged": "Attention × value"}


def span_of(table: pd.DataFrame, kind: str) -> tuple[Colormap, float, float]:
    """Colours and limits of a kind of cell: the same for all cells of a picture."""
    if kind == "attention":
        return attention_map, 0.0, 1.0
    if kind == "value_gauged":
        return diverging, -1.0, 1.0
    largest = table[kind].abs().max()
    limit = next((limit for limit in (0.25, 0.5) if largest <= limit), 1.0)
    return diverging, -limit, limit


class Pen:
    """Draws on axes as on paper: inches from the upper left corner, scaled as a whole."""

    def __init__(self, ax: Axes, width: float, height: float) -> None:
        self.ax = ax
        room = _room(ax)
        self.scale = min(room[0] / width, room[1] / height)
        ax.set_axis_off()
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_aspect("equal", anchor="NW")

    def text(self, x: float, y: float, words: str, size: float, **style: Any) -> None:
        """Words whose size is that of unscaled paper, in points."""
        given = {"ha": "left", "va": "center", "color": INK, **style}
        self.ax.text(x, y, words, fontsize=size * min(self.scale, 1.25), **given)

    def cells(self, corners: np.ndarray, values: np.ndarray, colours: Colormap, low: float, high: float) -> None:
        """Coloured cells with white lines between them."""
        made = PolyCollection(
            list(corners),
            array=np.ma.masked_invalid(values),
            cmap=colours,
            norm=Normalize(low, high),
            edgecolors="white",
            linewidths=0.7 * self.scale,
            zorder=1,
        )
        self.ax.add_collection(made, autolim=False)

    def frames(self, corners: np.ndarray, tint: str) -> None:
        """Frames just inside some cells."""
        middle = corners.mean(axis=1, keepdims=True)
        inner = middle + (corners - middle) * 0.9 if len(corners) else corners
        made = PolyCollection(
            list(inner), facecolors="none", edgecolors=tint, linewidths=1.1 * self.scale, zorder=2
        )
        self.ax.add_collection(made, autolim=False)

    def tokens(self, digits: np.ndarray, corners: np.ndarray, targets: tuple[int, int], size: float) -> None:
        """Digits in cells of no colour, the rule's two bold and framed."""
        for (x, y), digit in zip(corners.mean(axis=1), digits, strict=True):
            weight = "bold" if digit in targets else "normal"
            self.text(x, y, str(digit), size, ha="center", va="center_baseline", fontweight=weight)
        for digit in targets:
            self.frames(corners[digits == digit], colour(digit, targets))

    def line(self, x: Sequence[float], y: Sequence[float], tint: str, width: float) -> None:
        """A line."""
        self.ax.plot(x, y, color=tint, linewidth=width * self.scale, zorder=0.5)

    def verticals(self, x: np.ndarray, start: np.ndarray, stop: np.ndarray, width: float) -> None:
        """Vertical bars."""
        self.ax.vlines(x, start, stop, color=INK, linewidth=width * self.scale, zorder=3)

    def points(self, x: np.ndarray, y: np.ndarray, size: float) -> None:
        """White dots."""
        self.ax.scatter(
            x, y, s=size * self.scale**2, color="white", edgecolor=INK, linewidth=0.8 * self.scale, zorder=4
        )

    def fill(self, corners: np.ndarray, tint: str) -> None:
        """Cells of one colour."""
        made = PolyCollection(list(corners), facecolors=tint, linewidths=0, zorder=1)
        self.ax.add_collection(made, autolim=False)

    def image(self, values: np.ndarray, extent: tuple[float, float, float, float]) -> None:
        """Attention as an image from 0 to 1, its first row on top; a white line between rows while they are few."""
        made = AxesImage(
            self.ax, cmap=attention_map, norm=Normalize(0, 1), interpolation="nearest", extent=extent, zorder=1
        )
        made.set_data(np.ma.masked_invalid(values))
        self.ax.add_image(made)
        left, right, foot, top = extent
        if len(values) <= 40:
            for row in range(1, len(values)):
                height = top + row * (foot - top) / len(values)
                self.line([left, right], [height, height], "white", 0.7)

    def ramp(self, x: float, y: float, width: float, height: float, colours: Colormap) -> None:
        """A scale of colours, from left to right."""
        steps = np.linspace(x, x + width, 65)
        corners = boxes(steps[:-1], np.full(64, y), np.diff(steps) * 1.02, height)
        made = PolyCollection(list(corners), facecolors=colours(np.linspace(0, 1, 64)), linewidths=0, zorder=1)
        self.ax.add_collection(made, autolim=False)
        frame = boxes(np.array([x]), np.array([y]), np.array([width]), height)
        line = PolyCollection(list(frame), facecolors="none", edgecolors=MUTED, linewidths=0.4, zorder=2)
        self.ax.add_collection(line, autolim=False)


def _room(ax: Axes) -> tuple[float, float]:
    """Inches that the axes have, or will have: a layout engine gives axes that stand alone the whole canvas."""
    canvas = ax.get_figure()
    assert isinstance(canvas, Canvas)
    width, height = canvas.get_size_inches()
    if canvas.get_layout_engine() is not None and canvas.axes == [ax]:
        return float(width) - 0.09, float(height) - 0.09
    box = ax.get_position(original=True)
    return float(box.width * width), float(box.height * height)


def boxes(x: np.ndarray, y: np.ndarray, width: Any, height: Any) -> np.ndarray:
    """Corners (n, 4, 2) of rectangles from their upper left ones."""
    x, y, right, lower = np.broadcast_arrays(x, y, x + width, y + height)
    return np.stack([np.stack([x, right, right, x], 1), np.stack([y, y, lower, lower], 1)], axis=2)


def _corners(left: float, top: float, rows: int, laid: Plan) -> np.ndarray:
    """Cells of one panel, row by row (rows x length, 4, 2)."""
    row, place = (grid.ravel() for grid in np.indices((rows, laid.length)))
    return boxes(left + place * laid.cell, top + row * CELL, laid.cell, CELL)


def _titles(
    pen: Pen,
    laid: Plan,
    spans: dict[str, tuple[Colormap, float, float]],
    lefts: Sequence[float],
    right: float,
    targets: tuple[int, int],
) -> None:
    """What each panel shows, with its scale; panels that lie below one another share the line."""
    for k, kind in enumerate(KINDS):
        x = laid.names + k * (laid.slot / 3 if laid.below else laid.slot + GAP)
        pen.text(x, 0.1, TITLES[kind], 8, fontweight="bold")
        colours, low, high = spans[kind]
        labels = _ends(kind, pd.concat(laid.blocks)[kind], low, high, targets)
        start = x + LETTER * len(labels[0]) + 0.04
        bar = min(0.8, laid.slot - LETTER * sum(map(len, labels)) - 0.1)
        pen.text(x, 0.3, labels[0], 6.5, color=MUTED)
        pen.ramp(start, 0.25, bar, 0.1, colours)
        pen.text(start + bar + 0.04, 0.3, labels[1], 6.5, color=MUTED)
    for x, words in zip(np.cumsum((right, *ANSWER[:2])), ("sum", "label", "P(yes)"), strict=True):
        pen.text(x, 0.3, words, 6.5, color=MUTED)


def _ends(
    kind: str, values: pd.Series, low: float, high: float, targets: tuple[int, int]
) -> tuple[str, str]:
    """What the ends of a scale say, also of values beyond them."""
    if kind == "attention":
        return "0", "1"
    ends = "≤ " * bool(values.min() < low - HAIR), "≥ " * bool(values.max() > high + HAIR)
    of = ("", "") if kind != "value_gauged" else (f" ({targets[1]})", f" ({targets[0]})")
    return f"{ends[0]}−{-low:g}{of[0]}", f"{ends[1]}+{high:g}{of[1]}"


def _block_head(pen: Pen, block: pd.DataFrame, y: float, blocks: Blocks, targets: tuple[int, int]) -> None:
    first = block.iloc[0]
    pen.text(0, y + 0.12, first[f"{blocks}_name"], 8, fontweight="bold")
    remark = " · ".join(filter(None, [first["remark"], *_troubles(block, blocks, targets)]))
    pen.text(LETTER * 1.25 * len(first[f"{blocks}_name"]) + 0.14, y + 0.12, remark, 7, color=MUTED)


def _troubles(block: pd.DataFrame, blocks: Blocks, targets: tuple[int, int]) -> Iterator[str]:
    """Why cells are blank."""
    broken = block["attention"].isna()
    same = block["value_gauged"].isna() & ~broken
    a, b = targets
    one = blocks == "seed"
    if broken.any():
        names = ", ".join(dict.fromkeys(block.loc[broken, "seed_name"]))
        yield "not finite: no attention to show" if one else f"not finite: {names}"
    if same.any():
        names = ", ".join(dict.fromkeys(block.loc[same, "seed_name"]))
        why = f"gives {a} and {b} the same value, so values have no common scale"
        yield why if one else f"{names} {why}"


def _digits(
    pen: Pen,
    block: pd.DataFrame,
    kind: str,
    span: tuple[Colormap, float, float],
    corners: np.ndarray,
    targets: tuple[int, int],
) -> None:
    """The digit of each cell: white where the cell is dark, black elsewhere, on whatever colour that is legible."""
    _, low, high = span
    share = block[kind].to_numpy() / high if kind == "attention" else np.abs(block[kind].to_numpy()) / high
    middle = corners.mean(axis=1)
    size = 7.5 if block["digit"].max() <= 9 else 6.8
    for (x, y), digit, dark in zip(middle, block["digit"], share > DARK, strict=True):
        target = digit in targets
        tint = "white" if dark else INK
        pen.text(
            x, y, str(digit), size, ha="center", va="center_baseline", color=tint,
            fontweight="bold" if target else "normal", zorder=3,
        )  # fmt: skip


def _answers(pen: Pen, rows: pd.DataFrame, left: float, y: float) -> None:
    """Sum of the contributions, label, probability of yes, and whether the answer is right, beside each row."""
    places = np.cumsum((left, *ANSWER[:-1]))
    columns = rows[["pooled_gauged", "label", "probability", "right"]].itertuples(index=False)
    for row, (pooled, label, p, right) in enumerate(columns):
        words = (signed(pooled), "yes" if label else "no", in_short(p), "✓" if right else "✗")
        for x, said in zip(places, words, strict=True):
            weight = "normal" if right else "bold"
            pen.text(x, y + (row + 0.5) * CELL, said, 7, fontweight=weight)


def signed(x: float) -> str:
    """A gauged value in two places, with its sign."""
    if np.isnan(x):
        return "–"
    return f"{x:+.2f}".replace("-", "−") if abs(x) < 100 else f"{x:+.0e}".replace("-", "−")


def in_short(p: float) -> str:
    """A probability in three places, never rounded to 0 or 1."""
    if np.isnan(p):
        return "–"
    if 0.0005 <= p < 0.9995:
        return f"{p:.3f}"
    return "< 0.001" if p < 0.5 else "> 0.999"


def _foot(pen: Pen, laid: Plan, lefts: Sequence[float], y: float, sort: Sort) -> None:
    """Positions below the last block, or how the digits are sorted."""
    if sort == "digit":
        words = "digits of each row sorted, the rule’s two first"
        pen.text(laid.names, y + 0.14, words, 6.5, color=MUTED)
        return
    every = 1 if laid.length <= 12 else 5
    for left in sorted(set(lefts)):
        for place in range(0, laid.length, every):
            pen.text(left + (place + 0.5) * laid.cell, y + 0.09, str(place), 6, ha="center", color=MUTED)
        pen.text(left, y + 0.24, "position", 6.5, color=MUTED)
