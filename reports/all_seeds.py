"""The same few sequences in every seed of a run: how seeds differ, and an image with a row for each seed.

Seeds are sorted by focus. Where there are more of them than rows that can be told apart, evenly many of the sorted
seeds are drawn: a row is one seed at its quantile of focus, never a mean. The bars above stand for all seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.cells import CELL, Pen, Sort, boxes, ordered
from reports.style import colour, maps, tints
from reports.words import number, plural

__all__ = ["IMAGE", "MOST_ROWS", "draw_all_seeds", "natural_size", "rows_of"]

MOST_ROWS = 200  # of an image
LEFT, RIGHT = 0.52, 0.34  # of a panel: labels, marks; inches, like all that follow
HEAD, BARS, ROOM = 0.38, 0.85, 0.13
IMAGE = 2.1  # height of an image of many seeds
FOOT = 0.36
TOP = 0.34
WIDTH = 8.4  # of a picture, about
LEAST = 1.0  # width of cells together
WIDEST, TIGHTEST = 0.17, 0.11  # cell; of digits with two letters a third more


@dataclass(frozen=True)
class Plan:
    """Where the panels lie, in inches."""

    panels: int
    across: int
    length: int
    rows: int
    cell: float
    most: float  # height of an image of many seeds

    @classmethod
    def of(cls, table: pd.DataFrame, image: float) -> Plan:
        """Panels side by side as far as they fit."""
        length, panels = table["position"].nunique(), table["sequence"].nunique()
        widest = WIDEST * (1 if table["digit"].max() <= 9 else 4 / 3)
        cell = max(min(widest, (WIDTH - LEFT - RIGHT) / length), TIGHTEST, min(LEAST / length, 0.5))
        across = max(1, min(panels, int(WIDTH / (LEFT + length * cell + RIGHT))))
        across = -(-panels // -(-panels // across))  # rows of panels as even as can be
        return cls(panels, across, length, min(table["seed"].nunique(), MOST_ROWS), cell, image)

    @property
    def cells(self) -> float:
        """Width of a panel's cells together."""
        return self.length * self.cell

    @property
    def image(self) -> float:
        """Height of an image."""
        return min(self.most if self.across > 1 else 0.6 * self.most, self.rows * CELL)

    @property
    def step(self) -> tuple[float, float]:
        """From a panel to the next, across and down."""
        width = max(LEFT + self.cells + RIGHT, 2.0)
        return width, HEAD + CELL + ROOM + BARS + ROOM + self.image + FOOT

    @property
    def size(self) -> tuple[float, float]:
        return self.across * self.step[0], TOP + -(-self.panels // self.across) * self.step[1]


def natural_size(table: pd.DataFrame, image: float = IMAGE) -> tuple[float, float]:
    """Width and height, in inches, at which nothing is scaled."""
    return Plan.of(table, image).size


def rows_of(seeds: pd.DataFrame) -> pd.DataFrame:
    """The seeds that are drawn (of columns seed and focus), the one with the most focus first, evenly many of them."""
    by_focus = seeds.sort_values(["focus", "seed"], ascending=[False, True], ignore_index=True)  # not finite: last
    places = np.linspace(0, len(by_focus) - 1, min(len(by_focus), MOST_ROWS)).round().astype(int)
    return by_focus.iloc[places].reset_index(drop=True)


def draw_all_seeds(
    table: pd.DataFrame,
    ax: Axes,
    targets: tuple[int, int] = (2, 4),
    *,
    sort: Sort = "digit",
    image: float = IMAGE,
) -> Axes:
    """A panel for each sequence.

    Parameters
    ----------
    table : DataFrame
        One row a seed, sequence and position, of at most 200 seeds (:func:`rows_of`): seed, focus, sequence,
        sequence_name, position, digit, label, attention, right; and of all seeds n_seeds, n_wrong, q05, q25, q50, q75
        and q95 of attention.
    ax : Axes
        Its frame and ticks go.
    targets : (int, int)
        The digits that the rule names.
    sort : {"digit", "position"}
        Columns by digit, the rule's two first, or as they stand in the sequence.
    image : float
        Height of an image of many seeds, in inches of an unscaled picture.
    """
    plan = Plan.of(table, image)
    pen = Pen(ax, *plan.size)
    rows = rows_of(table[["seed", "focus"]].drop_duplicates("seed"))
    _scale(pen)
    for k, (_, part) in enumerate(table.groupby("sequence", sort=True)):
        x = k % plan.across * plan.step[0] + LEFT
        y = TOP + k // plan.across * plan.step[1]
        cells = ordered(part.sort_values(["seed", "position"]), sort, targets)
        cells = cells[cells["seed"].isin(rows["seed"])]
        _head(pen, plan, cells, x, y, targets)
        y += HEAD + CELL + ROOM
        _bars(pen, plan, cells, x, y, targets)
        y += BARS + ROOM
        _image(pen, plan, cells, rows, x, y)
    return ax


def _scale(pen: Pen) -> None:
    pen.text(LEFT, 0.1, "Attention", 8, fontweight="bold")
    pen.text(LEFT + 0.75, 0.1, "0", 6.5, color=tints.muted)
    pen.ramp(LEFT + 0.85, 0.05, 0.8, maps.attention)
    pen.text(LEFT + 1.7, 0.1, "1", 6.5, color=tints.muted)


def _head(pen: Pen, plan: Plan, cells: pd.DataFrame, x: float, y: float, targets: tuple[int, int]) -> None:
    """The sequence's name, its label, how many seeds it deceives, and its digits."""
    first = cells.iloc[0]
    pen.text(x, y + 0.08, first["sequence_name"], 8, fontweight="bold")
    of_all = f"{first['n_wrong']:,} of {plural(first['n_seeds'], 'seed')}"
    pen.text(x, y + 0.24, f"label {'yes' if first['label'] else 'no'}; wrong: {of_all}", 6.5, color=tints.muted)
    corners = boxes(x + np.arange(plan.length) * plan.cell, y + HEAD, plan.cell, CELL)
    digits = cells["digit"].to_numpy()[: plan.length]
    pen.tokens(digits, corners, targets, min(7.5, plan.cell * 72 * (0.62 if digits.max() <= 9 else 0.45)))
    pen.frames(digits, corners, targets)


def _bars(pen: Pen, plan: Plan, cells: pd.DataFrame, x: float, y: float, targets: tuple[int, int]) -> None:
    """Quantiles over all seeds of attention at each position, from 0 (below) to 1."""
    heights = y + BARS * np.array([1.0, 0.5, 0.0])
    starts, stops = (np.column_stack([np.full(3, at), heights]) for at in (x, x + plan.cells))
    pen.lines(starts, stops, tints.grid, 0.6, 0.5)
    for height, words in zip(heights, ("0", "0.5", "1"), strict=True):
        pen.text(x - 0.06, height, words, 6.5, ha="right", color=tints.muted)
    first = cells.iloc[: plan.length]
    if first["q50"].isna().all():
        pen.text(x, y + BARS / 2, "no seed is finite", 7, color=tints.muted)
        return
    middle = x + (np.arange(plan.length) + 0.5) * plan.cell
    at = {q: y + BARS * (1 - first[q].to_numpy()) for q in ("q05", "q25", "q50", "q75", "q95")}
    own = [colour(digit, targets) for digit in first["digit"]]
    for low, high, width in (("q05", "q95", 0.014), ("q25", "q75", 0.045)):
        pen.fill(boxes(middle - width / 2, at[high], width, at[low] - at[high]), own)
    pen.dots(np.column_stack([middle, at["q50"]]), 0.045)


def _image(pen: Pen, plan: Plan, cells: pd.DataFrame, rows: pd.DataFrame, x: float, y: float) -> None:
    """A row a seed, the one with the most focus on top; a mark where its answer is wrong."""
    place = pd.Series(rows.index, index=rows["seed"])[cells["seed"].to_numpy()[:: plan.length]].to_numpy()
    image = np.full((len(rows), plan.length), np.nan)
    image[place] = cells["attention"].to_numpy().reshape(-1, plan.length)
    right, foot, height = x + plan.cells, y + plan.image, plan.image / len(rows)
    pen.image(image, x, right, y, foot)
    wrong = place[~cells["right"].to_numpy()[:: plan.length]]
    pen.fill(boxes(right + 0.05, y + wrong * height, 0.12, height), tints.ink)
    if wrong.size:
        pen.text(right + 0.11, y - 0.06, "✗", 6.5, ha="center")
    finite = np.flatnonzero(rows["focus"].notna())
    ends = [(finite[0], "top"), (finite[finite.size // 2], "center"), (finite[-1], "bottom")] if finite.size else []
    for row, va in ends if plan.image > 0.55 else ends[:1]:
        middle = {"top": y + row * height, "center": y + (row + 0.5) * height, "bottom": y + (row + 1) * height}[va]
        pen.text(x - 0.06, middle, number(rows["focus"][row], 2), 6.5, ha="right", va=va, color=tints.muted)
    pen.text(x - 0.4, (y + foot) / 2, "focus", 6.5, color=tints.muted, rotation=90, ha="center")
    everyone = cells["n_seeds"].iloc[0]
    drawn = plural(len(rows), "seed") if len(rows) == everyone else f"{len(rows)} of {everyone:,} seeds"
    pen.text(x, foot + 0.1, f"{drawn}, by focus", 6.5, color=tints.muted)
