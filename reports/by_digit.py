"""The shared way to show a quantity by digit: every seed as a dot, quantiles over seeds as bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.figure import Material
from reports.style import colour, jitter, label_digits, tidy, tints

__all__ = ["BARS", "by_digit", "by_digit_table", "show_the_bars"]

BARS = (
    "Bars: thick, the middle half of the seeds; thin, the middle 90 %; open dot, the median (spread, not uncertainty)."
)
MOST_DOTS = 400  # seeds drawn as dots; beyond, evenly many of them, while the bars stand for all


def by_digit_table(material: Material, measure: str) -> pd.DataFrame:
    """One column of ``digits`` beside its quantiles over seeds."""
    spread = material["digits_spread"]
    of_measure = spread[spread["measure"] == measure].drop(columns=["measure"])
    points = material["digits"][["seed", "digit", "is_target", measure]]
    return points.merge(of_measure, on="digit", how="left")


def by_digit(table: pd.DataFrame, measure: str, ax: Axes, targets: tuple[int, int]) -> Axes:
    """Draw a table made by :func:`by_digit_table`."""
    digits = np.sort(table["digit"].unique())
    for digit in digits:
        of_digit = table[table["digit"] == digit]
        shown = of_digit.iloc[:: -(-len(of_digit) // MOST_DOTS)]
        tint = colour(digit, targets)
        ax.scatter(
            digit + jitter(len(shown), 0.55),
            shown[measure],
            s=5,
            color=tint,
            alpha=0.35,
            linewidths=0,
            zorder=2,
        )
        q = of_digit.iloc[0]
        ax.vlines(digit, q["q05"], q["q95"], color=tints.ink, linewidth=0.9, zorder=3)
        ax.vlines(digit, q["q25"], q["q75"], color=tints.ink, linewidth=3.2, zorder=3)
        ax.scatter([digit], [q["q50"]], s=13, color=tints.paper, edgecolor=tints.ink, linewidth=0.8, zorder=4)
    label_digits(ax, digits, targets)
    return tidy(ax)


def show_the_bars(table: pd.DataFrame, measure: str, ax: Axes) -> None:
    """Limit y to the bars and a margin; count the dots that lie beyond instead of letting them squeeze the rest."""
    low, high = table["q05"].min(), table["q95"].max()
    if not np.isfinite([low, high]).all():
        return
    margin = 0.25 * (high - low) or 0.5
    values = table[measure].dropna()
    low, high = max(low - margin, values.min() - margin / 5), min(high + margin, values.max() + margin / 5)
    ax.set_ylim(low, high)
    outside = int(((values < low) | (values > high)).sum())
    if outside:
        ax.text(
            1,
            1.01,
            f"{outside} of {len(values):,} dots beyond the axis",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            fontsize=6.5,
        )
