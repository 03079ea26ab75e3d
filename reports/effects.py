"""How large is each difference? The probability that a random seed is higher, beside the difference itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.verdicts import amount, interval, judged
from reports.comparison import Compared, of
from reports.figure import Figure
from reports.style import tidy, tints

__all__ = ["effects"]

SMALL = 7
SIZE = (7.6, 4.2)


def effects(run: str, name: str) -> Figure:
    """The figure for one run beside the baseline."""
    return Figure(
        name, lambda material: of(material).rows(run), draw, lambda material: caption(of(material), run), SIZE
    )


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """A row a measure: dot and interval of the probability, and in words the difference with its interval."""
    places = np.arange(len(table))[::-1]
    right = ax.get_yaxis_transform()
    for y, row in zip(places, table.to_dict("records"), strict=True):
        sure = row["ci_low"] > 0 or row["ci_high"] < 0
        tint = tints.ink if sure else tints.muted
        p, low, high = row["probability_higher"], row["probability_low"], row["probability_high"]
        if not np.isnan(p):
            ax.hlines(y, low, high, color=tint, linewidth=1.4)
            ax.scatter([p], [y], s=22, color=tint if sure else tints.paper, edgecolor=tint, linewidth=1.0, zorder=3)
        ax.text(1.03, y, _said(row), transform=right, va="center", fontsize=SMALL, color=tint)
    ax.axvline(0.5, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.set_yticks(places, table["words"].tolist(), fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("P(a random seed is higher)")
    ax.text(
        1.03, 1.01, "difference [95 % interval]", transform=ax.transAxes, va="bottom", fontsize=SMALL, weight="bold"
    )
    return tidy(ax, "both")


def _said(row: Mapping[str, Any]) -> str:
    """The difference, its interval, and which way that is."""
    if not row["compared"] or np.isnan(row["difference"]):
        return "not compared" if not row["compared"] else "no difference can be given"
    size = amount(row["difference"], row["kind"], row["unit"])
    return size if np.isnan(row["ci_low"]) else f"{size} {interval(row)} {judged(row)}"


def caption(compared: Compared, run: str) -> str:
    """What dots, intervals and colours mean."""
    return (
        f"{run} less {compared.baseline}. Dot: probability that a random seed of {run} is above an independent random "
        f"seed of {compared.baseline}, ties counting half (at ½ neither is); bar: its 95 % interval. Cliff’s delta is "
        "twice that less 1. Dark with filled dots: the interval of the difference does not hold 0."
    )
