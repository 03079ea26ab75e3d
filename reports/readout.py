"""What curve turns the pooled value into an answer, and where is its threshold?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from reports.figure import Figure, Material
from reports.marks import FAMILIES
from reports.style import colour, text_colour, tidy, tints
from reports.words import at_most, number, plural

MOST_LINES = 300


def data(material: Material) -> pd.DataFrame:
    """Readout curves on the common scale, and thresholds (rows whose ``point`` is empty)."""
    seeds = material["seeds"]["seed"].to_numpy()
    chosen = seeds[:: -(-len(seeds) // MOST_LINES)]
    curves = material["readout"][["seed", "point", "pooled_gauged", "logit", "probability"]]
    thresholds = material["thresholds"]
    crossings = thresholds[thresholds["reachable"]].rename(columns={"threshold_gauged": "pooled_gauged"})
    crossings = crossings[["seed", "pooled_gauged"]].assign(logit=0.0, probability=0.5, point=pd.NA)
    both = [
        curves[curves["seed"].isin(chosen)].astype({"point": "Int64"}),
        crossings.astype({"point": "Int64"}),
    ]
    return pd.concat([part for part in both if len(part)], ignore_index=True)


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Probability of yes over the pooled value; thresholds as a histogram along the foot."""
    curves, crossings = table[table["point"].notna()], table[table["point"].isna()]
    lines = [line[["pooled_gauged", "probability"]].to_numpy() for _, line in curves.groupby("seed")]
    alpha = max(0.12, min(0.8, 20 / max(1, len(lines))))
    ax.add_collection(LineCollection(lines, colors=tints.muted, linewidths=0.5, alpha=alpha))
    for digit, place in zip(targets, (1, -1), strict=True):
        ax.axvline(place, color=colour(digit, targets), linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        ax.annotate(
            f"only {digit}s",
            (place, 1),
            (0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            color=text_colour(digit, targets),
            fontsize=7.5,
            fontweight="bold",
        )
    ax.axhline(0.5, color=tints.ink, linewidth=0.6)
    ax.plot(
        crossings["pooled_gauged"],
        crossings["probability"],
        marker="|",
        markersize=7,
        color=tints.ink,
        linestyle="none",
        alpha=0.5,
        markeredgewidth=0.7,
        label="thresholds",
    )
    ax.set_xlim(-1.6, 1.6)
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel(f"pooled value (scale: {targets[0]} is +1, {targets[1]} is −1)")
    ax.set_ylabel("probability of yes")
    ax.set_title("Readout curves", pad=14)
    return tidy(ax)


def caption(material: Material) -> str:
    """Where the thresholds lie."""
    thresholds = material["thresholds"]
    inside = thresholds[thresholds["reachable"]]
    counts = material["seeds"]["n_thresholds"].value_counts().sort_index()
    how_many = ", ".join(f"{plural(int(n), 'seed')} with {k}" for k, n in counts.items())
    low, high = (number(inside["threshold_gauged"].agg(end), 2) for end in ("min", "max")) if len(inside) else ("", "")
    where = (
        f" They lie between {low} and {high} on this scale." if low != high else f" All lie at {low}." if low else ""
    )
    n = len(material["seeds"])
    return (
        f"Each line is one seed’s readout over the pooled values that an input can have{at_most(MOST_LINES, n)}. "
        f"Ticks on the line at one half mark every seed’s thresholds, where the answer changes: {how_many}.{where} "
        f"The scale sends an input of {material.targets[0]}s alone to +1 and of {material.targets[1]}s alone to −1."
    )


def data_thresholds(material: Material) -> pd.DataFrame:
    """Every threshold within reach, on the common scale."""
    thresholds = material["thresholds"]
    several = material["seeds"].set_index("seed")["n_thresholds"] > 1
    inside = thresholds.loc[thresholds["reachable"], ["seed", "index", "threshold_gauged", "direction"]]
    return inside.assign(one_of_several=inside["seed"].map(several)).reset_index(drop=True)


def draw_thresholds(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Histogram; thresholds of seeds that have several stand out."""
    bins = np.linspace(-1, 1, 81).tolist()
    alone = table.loc[~table["one_of_several"], "threshold_gauged"]
    several = table.loc[table["one_of_several"], "threshold_gauged"]
    ax.hist(
        [alone, several],
        bins=bins,
        stacked=True,
        color=[tints.distractor, FAMILIES["several thresholds"].colour],
        label=["the seed's only threshold", "one of several"],
    )
    ax.set_xlim(-1, 1)
    ax.axvline(0, color=tints.ink, linewidth=0.7)
    ax.set_xlabel(f"threshold (scale: {targets[0]} is +1, {targets[1]} is −1)")
    ax.set_ylabel("thresholds")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Where thresholds lie")
    ax.set_ylim(0, 1.35 * max(1.0, ax.get_ylim()[1] / 1.05))  # room for the legend
    ax.legend(loc="upper right")
    outside = int((table["threshold_gauged"].abs() > 1).sum())
    if outside:
        ax.text(0.99, 0.72, f"{outside} beyond the axis", transform=ax.transAxes, ha="right", fontsize=6.5)
    return tidy(ax)


def caption_thresholds(material: Material) -> str:
    """What a threshold off zero means."""
    table = data_thresholds(material)
    if table.empty:
        return "No seed has a threshold that an input could reach: each gives one answer to everything."
    a, b = material.targets
    above = int((table.loc[~table["one_of_several"], "threshold_gauged"] > 0).sum())
    n = int((~table["one_of_several"]).sum())
    return (
        f"The same thresholds, counted. A tie between {a}s and {b}s must be answered “no”, so a good "
        "threshold lies a little on the side "
        f"of {a}, above 0, where the two digits get equal attention"
        f"{f': so it is in {above:,} of the {n:,} with one threshold' if n > 1 else ''}."
    )


FIGURE = Figure("readout", data, draw, caption, size=(6.3, 3.6))
THRESHOLDS = Figure("thresholds", data_thresholds, draw_thresholds, caption_thresholds, size=(6.3, 2.8))
