"""Does the same seed end alike in both runs? Each paired seed as a dot, its value in one run against the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

from reports.comparison import Compared, inches, of, shortened
from reports.density import cloud
from reports.figure import Figure
from reports.style import dots, empty, tidy, tints
from reports.words import ten_to

__all__ = ["SHOWN", "paired_seeds"]

SHOWN = {
    "error_probability_median": "P(wrong answer)",
    "loss_median": "loss (nats)",
    "focus_median": "focus",
    "accuracy_uniform_median": "accuracy, uniform",
}
LOGARITHMIC = ("error_probability_median", "loss_median")
TICKS = 3


def paired_seeds(run: str, name: str) -> Figure:
    """The figure for one run against the baseline: a panel a measure."""
    return Figure(
        name,
        lambda material: _data(of(material), run),
        lambda table, axes, targets: draw(table, axes, run, material_name(table)),
        lambda material: caption(of(material), run),
        size=(8.0, 2.7),
        panels=len(SHOWN),
    )


def material_name(table: pd.DataFrame) -> str:
    """What the baseline is called."""
    return str(table["baseline"].iloc[0]) if len(table) else ""


def _data(compared: Compared, run: str) -> pd.DataFrame:
    seeds = compared["compared_seeds"]
    return seeds[(seeds["run"] == run) & seeds["measure"].isin(SHOWN)].reset_index(drop=True)


def draw(table: pd.DataFrame, axes: Sequence[Axes], run: str, baseline: str) -> Sequence[Axes]:
    """A panel a measure, with the diagonal on which nothing changed."""
    for (measure, words), ax in zip(SHOWN.items(), axes, strict=True):
        of_measure = table[table["measure"] == measure]
        values = of_measure[["value_baseline", "value_run"]].to_numpy()
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            empty(ax, "no paired seed\nhas both values", words)
            continue
        _panel(ax, values, measure in LOGARITHMIC)
        width = inches(ax)
        ax.set_title(words, fontsize=7.5)
        ax.set_xlabel(shortened(baseline, width))
        ax.set_ylabel(shortened(run, width))
    return axes


def _panel(ax: Axes, values: np.ndarray, logarithmic: bool) -> None:
    """Dots and diagonal on equal axes; on logarithmic ones exactly 0 has a place of its own."""
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        some = values[values > 0]
        floor = 10.0 ** np.floor(np.log10(some.min()) - 1) if some.size else 1e-11
        low, high = floor if (values == 0).any() else 10 * floor, max(high, 10 * floor)
        values = np.maximum(values, low)
        ax.set_xscale("log")
        ax.set_yscale("log")
        low, high = low / 3, high * 3
        _ticks(ax, floor, high, bool((values == floor).any()))
    else:
        room = 0.05 * (high - low) or 0.05
        low, high = low - room, high + room
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(TICKS))
    ax.plot([low, high], [low, high], color=tints.pale, linewidth=0.9, zorder=1)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    all_of_them = [("seeds", np.ones(len(values), dtype=bool), tints.ink, "o")]
    cloud(ax, values[:, 0], values[:, 1], all_of_them, dot=dots(len(values)))
    tidy(ax, "both")


def _ticks(ax: Axes, floor: float, high: float, zero: bool) -> None:
    """A few powers of ten, and 0 at the floor if there is any."""
    first, last = round(np.log10(floor)) + 1, int(np.floor(np.log10(high)))
    step = max(1, -(-(last - first) // TICKS))
    powers = [power for power in range(last, first - 1, -step) if not zero or power >= first + step // 2]
    places = [floor] * zero + [10.0**power for power in powers]
    names = ["0"] * zero + [ten_to(power) for power in powers]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
        axis.set_ticks(places, names)


def caption(compared: Compared, run: str) -> str:
    """Which seeds these are."""
    shared = compared["compared_runs"].set_index("run").loc[run, "shared"]
    return (
        f"{run} against {compared.baseline}: each dot is a seed that both have, on the line it has the same value in "
        f"both. Last panel: the accuracy that is left when attention is made uniform. {shared[0].upper()}{shared[1:]}."
    )
