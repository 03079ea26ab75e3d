"""How many seeds are enough? Coverage and width of the intervals that so many seeds give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from reports.figure import Figure, Material
from reports.marks import MEASURES, METHODS
from reports.style import empty, legend_below, log_axis, tidy, tints
from reports.words import number, percent, plural

WORDS = {
    "share_certified": "share of certified seeds",
    "share_failed": "share of failed seeds",
    "accuracy_mean": "mean accuracy",
    "accuracy_iqm": "interquartile mean of accuracy",
    "focus_mean": "mean focus",
    "focus_median": "median focus",
}
QUOTED = {  # the method whose width is drawn for each measure
    "share_certified": "Wilson",
    "share_failed": "Wilson",
    "accuracy_mean": "Student t",
    "focus_mean": "Student t",
    "focus_median": "order statistics",
}
RATES = ("share_certified", "share_failed", "accuracy_mean")
OTHERS = ("accuracy_iqm", "focus_mean", "focus_median")
NONE = "too few seeds to stand for all"


def data_rates(material: Material) -> pd.DataFrame:
    """Coverage for two shares of seeds and the mean accuracy."""
    table = material["seed_budget"]
    return table[table["measure"].isin(RATES)].reset_index(drop=True)


def data_others(material: Material) -> pd.DataFrame:
    """Coverage for the interquartile mean of accuracy, and focus."""
    table = material["seed_budget"]
    return table[table["measure"].isin(OTHERS)].reset_index(drop=True)


def draw_rates(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Coverage over the number of seeds, one panel a measure."""
    return _coverage(table, axes, RATES)


def draw_others(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """The same for other measures."""
    return _coverage(table, axes, OTHERS)


def _coverage(table: pd.DataFrame, axes: Sequence[Axes], measures: Sequence[str]) -> Sequence[Axes]:
    lines: dict[str, Any] = {}
    for ax, measure in zip(axes, measures, strict=True):
        rows = table[table["measure"] == measure]
        title = WORDS[measure][0].upper() + WORDS[measure][1:]
        if rows.empty:
            empty(ax, NONE, title)
        else:
            lines |= _one_coverage(rows, ax)
        ax.set_title(title, fontsize=7.5)
    if lines:
        axes[0].set_ylabel("hold the truth")
        handles = [lines[method] for method in METHODS if method in lines]
        legend_below(axes[1], 0.45, handles=handles, ncols=5, fontsize=7, columnspacing=0.8, handlelength=1.4)
    return axes


def _one_coverage(rows: pd.DataFrame, ax: Axes) -> dict[str, Any]:
    """One panel; its lines by method, a little apart so that equal ones can be seen."""
    lines: dict[str, Any] = {}
    there = [method for method in METHODS if (rows["method"] == method).any()]
    for place, method in enumerate(there):
        mark = METHODS[method]
        line = rows[rows["method"] == method]
        ends = (line["coverage"] - line["coverage_low"], line["coverage_high"] - line["coverage"])
        reach = [end.clip(lower=0) for end in ends]  # at a coverage of 1 the upper end is rounded below it
        style: dict[str, Any] = {
            **mark.dot,
            "markersize": 3.5,
            "linewidth": 0.9,
            "elinewidth": 0.8,
        }
        apart = 1.07 ** (place - (len(there) - 1) / 2)
        lines[method] = ax.errorbar(line["n_seeds"] * apart, line["coverage"], yerr=reach, label=method, **style)
    ax.axhline(rows["level"].iloc[0], color=tints.chance, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    _seeds_axis(ax, rows["n_seeds"])
    ax.set_ylim(0, 1.03)
    tidy(ax)
    return lines


def _seeds_axis(ax: Axes, n_seeds: pd.Series) -> None:
    """Numbers of seeds along a logarithmic x axis."""
    ax.set_xscale("log")
    sizes = sorted(n_seeds.unique())
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    ax.set_xlabel("seeds")


def caption_rates(material: Material) -> str:
    """What coverage is here."""
    table = data_rates(material)
    if table.empty:
        return _too_few(material)
    simulated = material["seed_budget"]["repeats"].max()
    n = int(table["population"].max())
    return (
        f"Coverage of 95 % intervals (dashed: 0.95). The {n:,} seeds of this run are taken as all seeds there are; "
        "from them so many are drawn with replacement, an interval is made, and it holds the truth or not. Shares are "
        f"summed over the binomial distribution; for the others {simulated:,.0f} draws were made, and bars are 95 % "
        "intervals for their coverage (Clopper-Pearson)."
    )


def caption_others(material: Material) -> str:
    """Where a mean of few seeds goes wrong."""
    table = material["seed_budget"]
    if table.empty:
        return _too_few(material)
    rows = table[(table["measure"] == "accuracy_mean") & (table["method"] == "Student t")]
    row = rows.loc[rows["coverage"].idxmin()]
    side = "above" if row["share_above"] >= row["share_below"] else "below"
    missed = max(row["share_above"], row["share_below"])
    uneven = (
        f" Where intervals miss, they need not miss evenly: with {int(row['n_seeds'])} seeds {percent(missed)} of the "
        f"intervals for mean accuracy lie wholly {side} the truth."
        if missed
        else ""
    )
    return (
        f"The same for other measures.{uneven} The interquartile mean leaves out the extreme quarters of the seeds, so "
        "that it is another quantity than the mean."
    )


def data_width(material: Material) -> pd.DataFrame:
    """Mean width of the intervals that are usually quoted."""
    table = material["seed_budget"]
    quoted = table["measure"].map(QUOTED) == table["method"]
    return table.loc[quoted, ["measure", "method", "n_seeds", "width_mean", "population"]].reset_index(drop=True)


def draw_width(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Mean width over the number of seeds, both logarithmic."""
    wide = table[table["width_mean"] > 0]
    if wide.empty:
        return empty(ax, NONE, "Width of an interval")
    for measure, line in wide.groupby("measure", sort=False):
        mark = MEASURES[measure]
        ax.plot(line["n_seeds"], line["width_mean"], **mark.dot, markersize=3.5)
        ax.plot([], [], **mark.dot, markersize=3.5, label=WORDS[measure])
    _seeds_axis(ax, wide["n_seeds"])
    ax.set_yscale("log")
    ax.set_ylim(wide["width_mean"].min() / 1.6, max(1.0, wide["width_mean"].max() * 1.6))
    log_axis(ax.yaxis)
    ax.set_ylabel("mean width")
    ax.set_title("Width of a 95 % interval")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return tidy(ax)


def caption_width(material: Material) -> str:
    """How wide an interval from ten seeds is."""
    table = data_width(material)
    if table.empty:
        return _too_few(material)
    rows = table[table["measure"] == "share_certified"]
    row = rows[rows["n_seeds"] >= 10].iloc[0]
    return (
        f"Mean width of the interval that is usual for each measure (Wilson, Student, order statistics). With "
        f"{int(row['n_seeds'])} seeds the one for the share of certified seeds is {number(row['width_mean'], 2)} wide."
    )


def _too_few(material: Material) -> str:
    return f"{plural(len(material['seeds']), 'seed')} cannot stand for all seeds: this needs at least 20."


COVERAGE = Figure("coverage", data_rates, draw_rates, caption_rates, size=(6.6, 2.6), panels=3, foot=0.4)
COVERAGE_OTHERS = Figure(
    "coverage_others", data_others, draw_others, caption_others, size=(6.6, 2.6), panels=3, foot=0.4
)
WIDTH = Figure("interval_width", data_width, draw_width, caption_width, size=(6.3, 2.8))
