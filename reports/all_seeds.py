"""The same few sequences in every seed of a run: how seeds differ, and an image with a row for each seed.

Seeds are sorted by focus. Where there are more of them than rows that can be told apart, evenly many of the sorted seeds
are drawn: a row is then one seed at its quantile of focus, not a mean. The bars above stand for all seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.gallery import CELL, LETTER, MUTED, Pen, Sort, boxes, ordered
from reports.style import INK, attention_map
from reports.words import number

__all__ = ["MOST_ROWS", "draw_all_seeds", "natural_size", "rows_of"]

MOST_ROWS = 200  # of an image
LEFT, RIGHT = 0.5, 0.34  # of a panel: focus, marks
HEAD, BARS, ROOM = 0.42, 0.85, 0.12
IMAGE = 2.1  # height of an image of many seeds
FOOT = 0.3
TOP = 0.34
WIDTH = 8.4  # of a picture, about
TIGHTEST = 0.11  # cells of long sequences


@dataclass(frozen=True)
class Plan:
    """Where the panels lie, in inches."""

    panels: int
    across: int
    length: int
    rows: int
    cell: float

    @property
    def panel(self) -> tuple[float, float]:
        """Width and height of a panel with all that belongs to it."""
        return LEFT + self.length * self.cell + RIGHT, HEAD + CELL + ROOM + BARS + ROOM + self.image + FOOT

    @property
    def image(self) -> float:
        """Height of an image."""
        return min(IMAGE if self.across > 1 else IMAGE / 2, max(self.rows, 1) * CELL)

    @property
    def size(self) -> tuple[float, float]:
        width, height = self.panel
        return self.across * width, TOP + -(-self.panels // self.across) * height


def plan(table: pd.DataFrame) -> Plan:
    """Panels side by side as far as they fit."""
    length, panels = table["position"].nunique(), table["sequence"].nunique()
    cell = max(TIGHTEST, min(0.17 if table["digit"].max() <= 9 else 0.21, (WIDTH - LEFT - RIGHT) / length))
    width = max(LEFT + length * cell + RIGHT, 1.9)
    across = max(1, min(panels, int(WIDTH / width + 0.2)))
    return Plan(panels, across, length, table["seed"].nunique(), max(cell, (width - LEFT - RIGHT) / length))


def natural_size(table: pd.DataFrame) -> tuple[float, float]:
    """Width and height, in inches, at which nothing is scaled."""
    return plan(table).size


def rows_of(seeds: pd.DataFrame) -> pd.DataFrame:
    """The seeds that are drawn (columns seed and focus): sorted by focus, the highest first, evenly many of them."""
    by_focus = seeds.sort_values(["focus", "seed"], ascending=[False, True], ignore_index=True)  # no focus: last
    if len(by_focus) <= MOST_ROWS:
        return by_focus
    return by_focus.iloc[np.round(np.linspace(0, len(by_focus) - 1, MOST_ROWS)).astype(int)]


def draw_all_seeds(
    table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4), *, sort: Sort = "digit"
) -> Axes:
    """A panel for each sequence.

    Parameters
    ----------
    table : DataFrame
        One row a seed, sequence and position: seed, focus, sequence, position, digit, attention, right; q05 to q95 of
        attention over all seeds; ``sequence_name`` and ``remark``.
    ax : Axes
        Its frame and ticks go.
    targets : (int, int)
        The digits that the rule names.
    sort : {"digit", "position"}
        Columns by digit, the rule's two first, or as they stand in the sequence.
    """
    laid = plan(table)
    pen = Pen(ax, *laid.size)
    order = rows_of(table[["seed", "focus"]].drop_duplicates("seed"))
    place = pd.Series(np.arange(len(order)), index=order["seed"])
    _scale(pen)
    for k, (_, part) in enumerate(table.groupby("sequence", sort=True)):
        x = k % laid.across * laid.panel[0] + LEFT
        y = TOP + k // laid.across * laid.panel[1]
        cells = ordered(part.sort_values(["seed", "position"]), sort, targets)
        top = _head(pen, laid, cells, x, y, targets)
        top = _bars(pen, laid, cells, x, top)
        _image(pen, laid, cells, place, order["focus"].to_numpy(), x, top, targets)
    return ax


def _scale(pen: Pen) -> None:
    pen.text(LEFT, 0.1, "Attention", 8, fontweight="bold")
    pen.text(LEFT + 0.8, 0.1, "0", 6.5, color=MUTED)
    pen.ramp(LEFT + 0.9, 0.05, 0.8, 0.1, attention_map)
    pen.text(LEFT + 1.74, 0.1, "1", 6.5, color=MUTED)


def _head(pen: Pen, laid: Plan, cells: pd.DataFrame, x: float, y: float, targets: tuple[int, int]) -> float:
    """The sequence's name and its digits; returns where the next part begins."""
    first = cells.iloc[: laid.length]
    pen.text(x, y + 0.1, first["sequence_name"].iloc[0], 8, fontweight="bold")
    pen.text(x, y + 0.27, first["remark"].iloc[0], 6.5, color=MUTED)
    corners = boxes(x + np.arange(laid.length) * laid.cell, np.full(laid.length, y + HEAD), laid.cell, CELL)
    pen.tokens(first["digit"].to_numpy(), corners, targets, min(7.5, laid.cell * 72 * 0.62))
    return y + HEAD + CELL + ROOM


def _bars(pen: Pen, laid: Plan, cells: pd.DataFrame, x: float, y: float) -> float:
    """Attention at each position over all seeds, from 0 (below) to 1."""
    for share, words in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
        height = y + BARS * (1 - share)
        pen.line([x, x + laid.length * laid.cell], [height, height], "#E6E6E6", 0.6)
        pen.text(x - 0.06, height, words, 6.5, ha="right", color=MUTED)
    quantiles = cells.iloc[: laid.length]
    middle = x + (np.arange(laid.length) + 0.5) * laid.cell
    heights = {q: y + BARS * (1 - quantiles[q].to_numpy()) for q in ("q05", "q25", "q50", "q75", "q95")}
    if np.isnan(heights["q50"]).all():
        pen.text(x, y + BARS / 2, "no seed is finite", 7, color=MUTED)
    else:
        pen.verticals(middle, heights["q05"], heights["q95"], 0.9)
        pen.verticals(middle, heights["q25"], heights["q75"], 3.2)
        pen.points(middle, heights["q50"], 10)
    return y + BARS + ROOM


def _image(
    pen: Pen,
    laid: Plan,
    cells: pd.DataFrame,
    place: pd.Series,
    focus: np.ndarray,
    x: float,
    y: float,
    targets: tuple[int, int],
) -> None:
    """A row a seed, the one with the most focus on top; a mark where its answer is wrong."""
    shown = cells[cells["seed"].isin(place.index)]
    seeds = shown["seed"].to_numpy()[:: laid.length]
    rows = place[seeds].to_numpy()
    image = np.full((len(place), laid.length), np.nan)
    image[rows] = shown["attention"].to_numpy().reshape(-1, laid.length)
    right, foot = x + laid.length * laid.cell, y + laid.image
    pen.image(image, (x, right, foot, y))
    wrong = rows[~shown["right"].to_numpy()[:: laid.length]]
    height = laid.image / len(place)
    corners = boxes(np.full(wrong.size, right + 0.05), y + wrong * height, 0.1, height)
    pen.fill(corners, INK)
    if wrong.size:
        pen.text(right + 0.1, y - 0.06, "✗", 6.5, ha="center", color=INK)
    finite = np.flatnonzero(~np.isnan(focus))
    ticks = finite[np.unique(np.round(np.linspace(0, finite.size - 1, 3)).astype(int))] if finite.size else finite
    for row in ticks if laid.image > 0.5 else ticks[:1]:
        pen.text(x - 0.06, y + (row + 0.5) * height, number(focus[row], 2), 6.5, ha="right", color=MUTED)
    if x < laid.panel[0]:
        pen.text(x - 0.42, y + laid.image / 2, "focus", 6.5, color=MUTED, rotation=90, ha="center")
    n = len(place)
    pen.text(x, foot + 0.1, f"{n} seed{'' if n == 1 else 's'}, by focus", 6.5, color=MUTED)
