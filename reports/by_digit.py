"""The shared way to show a quantity by digit: every seed as a dot or in an outline, quantiles over seeds as bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.density import MOST_IN_STRIP, limits, note, strip
from reports.figure import Material
from reports.style import colour, label_digits, tidy, tints

__all__ = ["BARS", "QUANTILES", "almost_all", "bars", "by_digit", "by_digit_table", "quantile_bar", "stacked"]

QUANTILES = ("q05", "q25", "q50", "q75", "q95")


BARS = (
    "Bars: thick, the middle half of the seeds; thin, the middle 90 %; open dot, the median (spread, not uncertainty)."
)
FEWEST = 3  # seeds, of which bars can show a spread


def bars(n: int) -> str:
    """What a caption says of bars, after a space, and of outlines where ``n`` seeds are too many for dots.

    One or two seeds leave no spread to see.
    """
    if n < FEWEST:
        return ""
    outline = (
        " Outlines are as wide as seeds are many; where they would be too thin to see, seeds are dots."
        if n > MOST_IN_STRIP
        else ""
    )
    return f" {BARS}{outline}"


def stacked(quantiles: pd.DataFrame, seeds: pd.DataFrame, by: list[str], measure: str) -> pd.DataFrame:
    """Quantiles over seeds (``seed`` empty), then the seeds; ``kind`` says which quantile, or ``seed``.

    Parameters
    ----------
    quantiles : DataFrame
        Columns ``by`` and those of `QUANTILES`, of the measure.
    seeds : DataFrame
        Columns ``seed``, ``by`` and the measure.
    """
    long = quantiles.melt(by, list(QUANTILES), var_name="kind", value_name=measure).assign(seed=pd.NA)
    parts = [part for part in (long, seeds.assign(kind="seed")) if len(part)] or [long]
    columns = ["kind", "seed", *by, measure]
    return pd.concat([part[columns].astype({"seed": "Int64"}) for part in parts], ignore_index=True)


def by_digit_table(material: Material, measure: str) -> pd.DataFrame:
    """Quantiles over seeds of one column of ``digits``, then that column where it is known."""
    spread = material["digits_spread"]
    seeds = material["digits"][["seed", "digit", measure]].dropna(subset=measure)
    return stacked(spread[spread["measure"] == measure], seeds, ["digit"], measure)


def by_digit(table: pd.DataFrame, measure: str, ax: Axes, targets: tuple[int, int]) -> Axes:
    """Draw a table made by :func:`by_digit_table`; the scale and limits of y are set already."""
    digits = np.sort(table["digit"].unique())
    label_digits(ax, digits, targets)
    seeds = table[table["kind"] == "seed"]
    beyond = 0
    for digit in digits:
        shown = strip(ax, digit, seeds.loc[seeds["digit"] == digit, measure], colour(digit, targets))
        beyond += shown.beyond
        of_digit = table[table["digit"] == digit].drop_duplicates("kind").set_index("kind")[measure]
        quantile_bar(ax, digit, of_digit)
    note(ax, beyond, len(seeds), "values")
    return tidy(ax)


def quantile_bar(ax: Axes, place: float, q: pd.Series, upright: bool = True) -> None:
    """The middle half thick, the middle 90 % thin, and the median as a dot."""
    line = ax.vlines if upright else ax.hlines
    line(place, q["q05"], q["q95"], color=tints.ink, linewidth=0.9, zorder=3)
    line(place, q["q25"], q["q75"], color=tints.ink, linewidth=3.2, zorder=3)
    x, y = (place, q["q50"]) if upright else (q["q50"], place)
    ax.scatter([x], [y], s=13, color=tints.paper, edgecolor=tints.ink, linewidth=0.8, zorder=4)


def almost_all(table: pd.DataFrame, measure: str, ax: Axes) -> None:
    """Limit y to almost all seeds."""
    ax.set_ylim(limits(table[measure]))
