"""Attention maps: sequences by seeds, each digit in its cell, with values and contributions beside.

    attention           a_i, from 0 to 1
    value               of the digit there, on the scale where the rule's first digit is +1 and its second -1
    attention x value   the position's contribution; their sum is the pooled value, and the answer depends on it alone

A picture is made of blocks: one for each seed with the sequences as rows, or one for each sequence with the seeds as
rows. All cells of a kind share one scale. The rule's digits are bold and framed in their colours, so that they are
found in grey print too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from reports.cells import CELL, Pen, Sort, boxes, ordered, width_of
from reports.style import maps, tints

__all__ = ["Blocks", "draw_gallery", "natural_size"]

Blocks = Literal["seed", "sequence"]

WIDTHS = {1: 0.166, 2: 0.21}  # of a cell, by the letters of its digit; inches, like all that follow
TIGHTEST = 0.13
GAP = 0.16  # between panels
TOP, FOOT = 0.46, 0.36  # titles and scales above the first block; positions below the last
HEAD, BETWEEN = 0.25, 0.13  # a block's name; room after a block
PART = 0.2  # title of a panel that lies below another
ANSWER = (0.42, 0.34, 0.5, 0.16)  # sum, label, probability, mark
NARROW = 1.45  # least room for a panel's title and scale
WIDEST = 11.0  # three panels that would be wider lie below one another
LONGEST = 9.0  # of a panel then
LIMITS = (0.02, 0.05, 0.1, 0.25, 0.5)  # of contributions: of many digits each has a small one
HAIR = 1e-9  # the two targets' values are +1 and -1 up to rounding

TITLES = {"attention": "Attention", "value_gauged": "Value", "contribution_gauged": "Attention × value"}
KINDS = tuple(TITLES)


@dataclass(frozen=True)
class Scale:
    """What the colours of a kind of cell mean: the same for all cells of a picture."""

    colours: Colormap
    low: float
    high: float
    ends: tuple[str, str]

    @classmethod
    def of(cls, kind: str, values: pd.Series, targets: tuple[int, int]) -> Scale:
        """Attention from 0 to 1, values from -1 to 1, contributions as far as they go but no further than that."""
        if kind == "attention":
            return cls(maps.attention, 0.0, 1.0, ("0", "1"))
        limit = 1.0
        if kind == "contribution_gauged":
            limit = next((limit for limit in LIMITS if values.abs().max() <= limit), limit)
        whose = tuple(f" ({digit})" if kind == "value_gauged" else "" for digit in reversed(targets))
        beyond = "≤ " * bool(values.min() < -limit - HAIR), "≥ " * bool(values.max() > limit + HAIR)
        return cls(
            maps.diverging, -limit, limit, (f"{beyond[0]}−{limit:g}{whose[0]}", f"{beyond[1]}+{limit:g}{whose[1]}")
        )

    def of_values(self, values: pd.Series) -> np.ndarray:
        """Colours (n, 4) of some cells."""
        share = (values.to_numpy() - self.low) / (self.high - self.low)
        return np.asarray(self.colours(np.ma.masked_invalid(share)))


@dataclass(frozen=True)
class Plan:
    """Where everything lies, in inches from the upper left corner."""

    about: Blocks
    blocks: tuple[pd.DataFrame, ...]  # each with one row a cell, in the order in which it is drawn
    length: int
    cell: float  # width
    left: float  # where the panels begin: before are the names of rows
    below: bool  # whether panels lie below one another

    @classmethod
    def of(cls, table: pd.DataFrame, about: Blocks) -> Plan:
        """Divide a table into blocks, in the order in which they first appear in it."""
        length = table["position"].nunique()
        cell = WIDTHS[len(str(table["digit"].max()))]
        below = 3 * length * cell + 2 * GAP > WIDEST
        if below:
            cell = min(cell, max(TIGHTEST, LONGEST / length))
        names = table[f"{'sequence' if about == 'seed' else 'seed'}_name"]
        blocks = tuple(block for _, block in table.groupby(about, sort=False))
        return cls(about, blocks, length, cell, max(width_of(name, 7) for name in names.unique()) + 0.1, below)

    @property
    def slot(self) -> float:
        """Width of a panel, title and scale included."""
        return max(self.length * self.cell, NARROW)

    @property
    def right(self) -> float:
        """Where the answers begin."""
        wide = max(self.slot, 3 * NARROW + 4 * GAP) if self.below else 3 * self.slot + 2 * GAP
        return self.left + wide + GAP

    @property
    def size(self) -> tuple[float, float]:
        return self.right + sum(ANSWER), TOP + sum(map(self.height, self.blocks)) - BETWEEN + FOOT

    def rows(self, block: pd.DataFrame) -> int:
        return len(block) // self.length

    def height(self, block: pd.DataFrame) -> float:
        """Of a block with its name and the room below it."""
        panel = self.rows(block) * CELL
        return HEAD + (3 * panel + 2 * PART if self.below else panel) + BETWEEN

    def panel(self, k: int, block: pd.DataFrame, top: float) -> tuple[float, float]:
        """Upper left corner of the k-th panel of a block whose rows begin at ``top``."""
        if self.below:
            return self.left, top + k * (self.rows(block) * CELL + PART)
        return self.left + k * (self.slot + GAP), top

    def cells(self, left: float, top: float, block: pd.DataFrame) -> np.ndarray:
        """Corners of a panel's cells, row by row (n, 4, 2)."""
        row, place = (grid.ravel() for grid in np.indices((self.rows(block), self.length)))
        return boxes(left + place * self.cell, top + row * CELL, self.cell, CELL)


def natural_size(table: pd.DataFrame, blocks: Blocks) -> tuple[float, float]:
    """Width and height of a gallery, in inches, at which nothing is scaled."""
    return Plan.of(table, blocks).size


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
        Rows as ``analyses.maps`` gives them, whole sequences one after another, with columns besides: seed_name,
        sequence_name, and remark, which stands beside the name of a block.
    ax : Axes
        Its frame and ticks go; the picture is as large as fits.
    targets : (int, int)
        The digits that the rule names.
    blocks : {"seed", "sequence"}
        What a block is about; its rows are the other. Both come in the order of the table.
    sort : {"position", "digit"}
        Cells as they stand in the sequence, or the rule's two digits first and the others in ascending order.
    """
    plan = Plan.of(ordered(table, sort, targets), blocks)
    scales = {kind: Scale.of(kind, table[kind], targets) for kind in KINDS}
    pen = Pen(ax, *plan.size)
    _titles(pen, plan, scales)
    corners: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    y = TOP
    for block in plan.blocks:
        _head(pen, plan, block, y, targets)
        for k, kind in enumerate(KINDS):
            left, top = plan.panel(k, block, y + HEAD)
            cells = plan.cells(left, top, block)
            corners[kind].append(cells)
            ground = scales[kind].of_values(block[kind])
            pen.tokens(block["digit"].to_numpy(), cells, targets, 7.5 if plan.cell < WIDTHS[2] else 6.8, ground)
            if k == 0 or plan.below:
                _names(pen, plan, block, top)
            if k and plan.below:
                pen.text(left, top - 0.09, TITLES[kind], 6.5, color=tints.muted)
        _answers(pen, plan, block, y + HEAD)
        y += plan.height(block)
    drawn = pd.concat(plan.blocks)
    for kind, scale in scales.items():
        cells = np.concatenate(corners[kind])
        pen.cells(kind, cells, drawn[kind].to_numpy(), scale.colours, scale.low, scale.high)
        pen.frames(drawn["digit"].to_numpy(), cells, targets)
    _foot(pen, plan, y - BETWEEN, sort)
    return ax


def _titles(pen: Pen, plan: Plan, scales: dict[str, Scale]) -> None:
    """What each panel shows, with its scale; panels that lie below one another have theirs side by side here too."""
    for k, (kind, scale) in enumerate(scales.items()):
        x = plan.left + k * (NARROW + 2 * GAP if plan.below else plan.slot + GAP)
        low, high = scale.ends
        start = x + width_of(low, 6.5) + 0.05
        width = min(0.8, NARROW - width_of(low + high, 6.5) - 0.1)
        pen.text(x, 0.1, TITLES[kind], 8, fontweight="bold")
        pen.text(x, 0.3, low, 6.5, color=tints.muted)
        pen.ramp(start, 0.25, width, scale.colours)
        pen.text(start + width + 0.05, 0.3, high, 6.5, color=tints.muted)
    for x, words in zip(_columns(plan), ("sum", "label", "P(yes)"), strict=False):
        pen.text(x, 0.3, words, 6.5, color=tints.muted)


def _columns(plan: Plan) -> np.ndarray:
    """Where sum, label, probability and mark begin."""
    return np.cumsum((plan.right, *ANSWER[:-1]))


def _head(pen: Pen, plan: Plan, block: pd.DataFrame, y: float, targets: tuple[int, int]) -> None:
    first = block.iloc[0]
    name = str(first[f"{plan.about}_name"])
    pen.text(0, y + 0.12, name, 8, fontweight="bold")
    remarks = filter(None, [first["remark"], *_troubles(plan, block, targets)])
    pen.text(width_of(name, 8, "bold") + 0.1, y + 0.12, " · ".join(remarks), 6.8, color=tints.muted)


def _troubles(plan: Plan, block: pd.DataFrame, targets: tuple[int, int]) -> Iterator[str]:
    """Why cells are blank."""
    broken = block["attention"].isna()
    for rows, words in (
        (broken, "weights are not finite"),
        (block["value_gauged"].isna() & ~broken, f"{targets[0]} and {targets[1]} have one value: no common scale"),
    ):
        if rows.any():
            whose = "" if plan.about == "seed" else ", ".join(dict.fromkeys(block.loc[rows, "seed_name"])) + ": "
            yield whose + words


def _names(pen: Pen, plan: Plan, block: pd.DataFrame, top: float) -> None:
    names = block[f"{'sequence' if plan.about == 'seed' else 'seed'}_name"].iloc[:: plan.length]
    for row, name in enumerate(names):
        pen.text(plan.left - 0.07, top + (row + 0.5) * CELL, name, 7, ha="right")


def _answers(pen: Pen, plan: Plan, block: pd.DataFrame, top: float) -> None:
    """Beside each row the sum of its contributions, the label, the probability of yes, and whether that is right."""
    rows = block[["pooled_gauged", "label", "probability", "right"]].iloc[:: plan.length]
    for row, (pooled, label, p, right) in enumerate(rows.itertuples(index=False)):
        words = (signed(pooled), "yes" if label else "no", in_short(p), "✓" if right else "✗")
        for x, said in zip(_columns(plan), words, strict=True):
            pen.text(x, top + (row + 0.5) * CELL, said, 7, fontweight="normal" if right else "bold")


def signed(x: float) -> str:
    """A gauged value in two places, with its sign."""
    if np.isnan(x):
        return "–"
    return (f"{x:+.2f}" if abs(x) < 100 else f"{x:+.0e}").replace("-", "−")


def in_short(p: float) -> str:
    """A probability in three places, never rounded to 0 or 1."""
    if np.isnan(p):
        return "–"
    if 0.0005 <= p < 0.9995:
        return f"{p:.3f}"
    return "< 0.001" if p < 0.5 else "> 0.999"


def _foot(pen: Pen, plan: Plan, y: float, sort: Sort) -> None:
    """Positions below the last block, or how its digits are sorted."""
    if sort == "digit":
        pen.text(plan.left, y + 0.14, "each row’s digits sorted, the rule’s two first", 6.5, color=tints.muted)
        return
    for k in range(1 if plan.below else 3):
        left = plan.left + k * (plan.slot + GAP)
        for place in range(0, plan.length, 1 if plan.length <= 12 else 5):
            pen.text(left + (place + 0.5) * plan.cell, y + 0.09, str(place), 6, ha="center", color=tints.muted)
        pen.text(left, y + 0.25, "position", 6.5, color=tints.muted)
