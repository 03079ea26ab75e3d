"""How much attention does each digit get? Exact expectation a seed, all seeds."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from reports.by_digit import bars, by_digit, by_digit_table
from reports.figure import Figure, Material
from reports.style import tints
from reports.words import number, plural


def data(material: Material) -> pd.DataFrame:
    """Expected attention by digit: quantiles over seeds, then each seed."""
    return by_digit_table(material, "attention_share")


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars by digit, from 0 to 1, with the chance line."""
    ax.set_ylim(0, 1)
    by_digit(table, "attention_share", ax, targets)
    chance = 1 / table["digit"].nunique()
    ax.axhline(chance, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    words = f"dashed: uniform attention, {number(chance)}"  # above the axes: at its line it would lie over dots
    ax.text(1, 1.01, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=7)
    ax.set_ylabel("expected attention on the digit")
    ax.set_title("Attention by digit")
    return ax


def caption(material: Material) -> str:
    """Medians of the two target digits and of the others."""
    a, b = material.targets
    spread = material["digits_spread"]
    medians = spread[spread["measure"] == "attention_share"].set_index("digit")["q50"]
    others = medians.drop([a, b])
    n = len(material["seeds"])
    rest = f"; on each other digit {_range(others)}" if len(others) else ""
    middle = "" if n == 1 else "a median of "
    return (
        f"Expected attention on each digit over all inputs, exact, for {plural(n, 'seed')}: {middle}"
        f"{number(medians[a], 2)} on {a}, {number(medians[b], 2)} on {b}{rest}. "
        f"Uniform attention would give each {number(1 / material.config.vocab_size, 2)}.{bars(n)}"
    )


def _range(medians: pd.Series) -> str:
    low, high = number(medians.min(), 2), number(medians.max(), 2)
    return low if low == high else f"{low} to {high}"


FIGURE = Figure("attention_by_digit", data, draw, caption)
