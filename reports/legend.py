"""Legends whose marks can be read: opaque and of one size, however small or pale the dots are that they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

__all__ = ["Group", "handle", "handles", "legend"]

SIZE = 4.5  # points
Group = tuple[str, pd.Series, str, str]  # name, rows, colour and marker, as `reports.marks.seed_groups` has them


def handle(name: str, colour: Any, shape: str = "o", size: float = SIZE, **style: Any) -> Line2D:
    """One mark and what it stands for."""
    marks = {"markerfacecolor": colour, "markeredgewidth": 0, "linestyle": "none"}
    return Line2D([], [], marker=shape, markersize=size, color=colour, label=name, **{**marks, **style})


def handles(groups: Sequence[Group], *more: Line2D) -> list[Line2D]:
    """One mark a group of seeds, and ``more`` after them."""
    return [*(handle(name, tint, shape) for name, _, tint, shape in groups), *more]


def legend(ax: Axes, groups: Sequence[Group], *more: Line2D, **where: Any) -> Legend:
    """A legend of groups of seeds, and of ``more`` marks after them; ``where`` as for ``Axes.legend``."""
    spacing = {"handletextpad": 0.2, "borderpad": 0, "handlelength": 1.2}
    return ax.legend(handles=handles(groups, *more), **{**spacing, **where})
