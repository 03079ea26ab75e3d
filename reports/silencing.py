"""How are distractors kept out of the answer? By low attention or by a value near the threshold, in nats."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.by_digit import almost_all, bars, by_digit, stacked
from reports.density import cloud, hexagons, limits
from reports.figure import Figure, Material
from reports.legend import legend
from reports.marks import seed_groups
from reports.style import empty, tidy, tints
from reports.words import estimate, percent

MOST_LINES = 30  # of the same sum; above, one for every 10 nats, every 100, ...


def data(material: Material) -> pd.DataFrame:
    """The two parts of each ruled seed's silence, beside how the seed did."""
    seeds = material["seeds"][["seed", "failed", "certified"]]
    table = material["silencing_by_seed"].merge(seeds, on="seed")
    finite = np.isfinite(table[["by_attention", "by_value"]]).all(axis=1)
    return table[finite].reset_index(drop=True)


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One mark a seed; along a thin line the sum of both parts is the same."""
    if table.empty:
        return empty(ax, "no seed is a single rule with distractors", "Silenced by attention or by value")
    left, right = _ends(table["by_attention"])
    low, high = _ends(table["by_value"])
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    groups = seed_groups(table)
    cloud(ax, table["by_attention"], table["by_value"], groups)
    most = int(right + high)
    step = 1 if most <= MOST_LINES else 10 ** len(str(most // MOST_LINES))
    for total in range(step, most + 1, step):
        ax.plot([total - high, total - low], [high, low], color=tints.pale, linewidth=0.5, zorder=0)
        if left < total - low < right:
            spot = (total - low + 0.03, low + 0.02)
            ax.text(*spot, f"{total:g}", fontsize=6.5, color=tints.muted, va="bottom")
    ax.axhline(0, color=tints.ink, linewidth=0.7)
    ax.axvline(0, color=tints.ink, linewidth=0.7)
    ax.set_xlabel("silence by attention: lower scores (nats)")
    ax.set_ylabel("silence by value (nats)")
    ax.set_title("Silenced by attention or by value")
    legend(ax, groups, loc="upper right")
    return ax


def _ends(part: pd.Series) -> tuple[float, float]:
    """Of an axis: 0, 1 and almost all seeds are in view."""
    low, high = limits(part)
    return min(-0.3, low), max(1.3, high)


def data_digits(material: Material) -> pd.DataFrame:
    """Attention's share of each distractor's silence: quantiles over seeds, then each seed."""
    spread = material["silencing_spread"]
    of_share = spread[spread["measure"] == "share_attention"]
    seeds = material["silencing"][["seed", "digit", "share_attention"]].dropna()
    return stacked(of_share, seeds, ["digit"], "share_attention")


def draw_digits(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars by distractor; 0 is all by value, 1 all by attention."""
    if table["share_attention"].isna().all():
        return empty(ax, "no distractor is silenced by a single rule", "Attention’s share, digit by digit")
    almost_all(table, "share_attention", ax)
    by_digit(table, "share_attention", ax, targets)
    for level in (0, 1):
        ax.axhline(level, color=tints.ink, linewidth=0.7)
    ax.set_ylabel("share of its silence by attention")
    ax.set_title("Attention’s share, digit by digit")
    return tidy(ax)


def caption(material: Material) -> str:
    """What the two parts are."""
    table = data(material)
    a = material.targets[0]
    if table.empty:
        return "Silence is defined for a seed with exactly one threshold and at least one distractor; there is none."
    summary, n = material["summary"], len(table)
    marks = f"Each mark is one of {n:,} seeds" if n > 1 else "The mark is the one seed"
    part = summary.set_index("measure").loc["silence_by_attention_median", "estimate"]
    share = (
        f" {'Share' if n == 1 else 'Median share'} by attention: "
        f"{estimate(summary, 'silence_by_attention_median', percent)}; beyond 100 % values work against the silence, "
        "below 0 % attention does."
        if not np.isnan(part)
        else ""
    )
    return (
        f"{marks} with a single rule: how far distractors’ weights stay below that of {a}, on average, split exactly "
        "into the part that lower scores do and the part that values near the threshold do. One nat divides a weight "
        f"by 2.72; along a thin line the sum is the number at its foot.{share}"
        f"{hexagons(n)}"
    )


def caption_digits(material: Material) -> str:
    """How alike the distractors are."""
    spread = material["silencing_spread"]
    medians = spread[spread["measure"] == "share_attention"]["q50"].dropna()
    if medians.empty:
        return "There is nothing to show."
    n, low, high = len(data(material)), percent(medians.min()), percent(medians.max())
    said = (
        f"{'shares' if n == 1 else 'medians over seeds'} lie between {low} and {high}"
        if low != high
        else f"all at {low}"
    )
    return (
        f"The same for each distractor: {said}. Above 1 a digit’s value works against its silence, below 0 its score "
        f"does.{bars(n)}"
    )


FIGURE = Figure("silencing", data, draw, caption, size=(6.3, 4.0))
DIGITS = Figure("silencing_by_digit", data_digits, draw_digits, caption_digits, size=(6.3, 3.2))
