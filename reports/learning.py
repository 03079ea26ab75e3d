"""How did the seeds learn? Loss over steps: every seed faint, quantiles over seeds strong."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.facts import imported
from reports.figure import Figure, Material
from reports.style import empty, log_axis, thousands, tidy, tints
from reports.words import at_most, number, plural

MOST_LINES = 60


def data(material: Material) -> pd.DataFrame:
    """Quantile rows (``seed`` empty) followed by the loss of the seeds that are drawn as lines."""
    spread = material["history_spread"].drop(columns=["measure"])
    failed = material["seeds"].set_index("seed")["failed"]
    seeds = failed.index.to_numpy()
    chosen = np.union1d(seeds[:: -(-len(seeds) // MOST_LINES)], seeds[failed.to_numpy()][:MOST_LINES])
    history = material["history"]
    lines = history[history["seed"].isin(chosen)]
    lines = lines.assign(failed=lines["seed"].map(failed))
    spread = spread.assign(seed=pd.NA, loss=np.nan, failed=False)
    columns = ["seed", "step", "loss", "failed", "n_seeds", "q05", "q25", "q50", "q75", "q95"]
    lines = lines.assign(n_seeds=0, **dict.fromkeys(columns[5:], np.nan))
    return pd.concat(
        [spread[columns].astype({"seed": "Int64"}), lines[columns].astype({"seed": "Int64"})],
        ignore_index=True,
    )


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Loss on a logarithmic axis."""
    lines, bands = table[table["seed"].notna()], table[table["seed"].isna()]
    if bands.empty:
        return empty(ax, "no loss was recorded", "Learning curves")
    for failed, tint, width, alpha in ((False, tints.pale, 0.4, 0.7), (True, tints.failed, 1.0, 0.9)):
        for _, line in lines[lines["failed"] == failed].groupby("seed"):
            ax.plot(line["step"], line["loss"], color=tint, linewidth=width, alpha=alpha, zorder=1 + failed)
    if (lines["failed"]).any():
        ax.plot([], [], color=tints.failed, label="seeds that failed")
    ax.fill_between(
        bands["step"],
        bands["q05"],
        bands["q95"],
        color=tints.ink,
        alpha=0.15,
        linewidth=0,
        zorder=3,
        label="middle 90 % of seeds",
    )
    ax.fill_between(
        bands["step"],
        bands["q25"],
        bands["q75"],
        color=tints.ink,
        alpha=0.25,
        linewidth=0,
        zorder=3,
        label="middle half",
    )
    ax.plot(bands["step"], bands["q50"], color=tints.ink, zorder=4, label="median")
    ax.plot([], [], color=tints.pale, linewidth=0.6, label="single seeds")
    ax.set_yscale("log")
    log_axis(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    thousands(ax.xaxis)
    ax.set_xlim(0, max(1, table["step"].max()))
    ax.set_xlabel("step (one batch each)")
    ax.set_ylabel("batch loss (nats)")
    ax.set_title("Learning curves")
    ax.legend(loc="lower left", ncols=2)
    return tidy(ax)


def caption(material: Material) -> str:
    """First and last medians."""
    spread = material["history_spread"]
    if spread.empty and imported(material):
        return "Weights that were trained elsewhere come without a history, so there is no loss to draw."
    if spread.empty:
        return "No step was trained, so no loss was recorded."
    first, last, n = spread.iloc[0], spread.iloc[-1], len(material["seeds"])
    way = f"goes from {number(first['q50'])} nats by step {first['step']:,} to {number(last['q50'])} at step"
    if n == 1:
        return f"Mean batch loss between records, for the one seed: it {way} {last['step']:,}."
    spread_at_end = (
        f"; there the middle 90 % of seeds lie between {number(last['q05'])} and {number(last['q95'])} (spread over "
        "seeds, not uncertainty)"
        if last["q05"] < last["q95"]
        else ""
    )
    return (
        f"Mean batch loss between records, for {plural(n, 'seed')}{at_most(MOST_LINES, n, ' as lines')}. The median "
        f"{way} {last['step']:,}{spread_at_end}."
    )


FIGURE = Figure("learning_curves", data, draw, caption, size=(6.3, 3.8))
