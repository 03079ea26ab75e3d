"""Which came first, the split of the values or the focus of attention? Each seed, and the shares of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.contrast import letters_on
from reports.density import cloud, hexagons
from reports.figure import Figure, Material
from reports.marks import ORDERS
from reports.style import empty, thousands, tidy, tints
from reports.words import percent

HALF = 0.5


def data(material: Material) -> pd.DataFrame:
    """Shares of all seeds (``seed`` empty), followed by the steps of each seed for one half of the way."""
    shares, seeds = material["precedence_shares"], material["precedence"]
    half = seeds[seeds["fraction"] == HALF]
    parts = [shares.assign(seed=pd.NA), half]
    names = dict.fromkeys([*parts[0].columns, *parts[1].columns])
    found = pd.concat([part.reindex(columns=list(names)).astype(object) for part in parts], ignore_index=True)
    return found.astype({"seed": "Int64"}).infer_objects()


def draw(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Seeds between their snapshots, and shares as bars."""
    seeds, shares = table[table["seed"].notna()], table[table["seed"].isna()]
    if shares.empty:
        for ax, title in zip(axes, ("Half of the way", "First"), strict=True):
            empty(ax, "no snapshots", title)
        return axes
    _dots(seeds[seeds["first"] != "none"], axes[0])
    _bars(shares, axes[1])
    return axes


def _dots(seeds: pd.DataFrame, ax: Axes) -> None:
    """Each seed somewhere between the snapshots within which the two came."""
    title = "Half of the way"
    if seeds.empty:
        empty(ax, "no seed has an order", title)
        return
    x, y = (
        _between(seeds[f"{name}_since"], seeds[f"{name}_step"], share)
        for name, share in (("values", 0.7548776662466927), ("attention", 0.5698402909980532))
    )
    last = 1.04 * max(seeds["values_step"].max(), seeds["attention_step"].max())
    ax.plot([0, last], [0, last], color=tints.ink, linewidth=0.7)
    ax.set_xlim(0, last)
    ax.set_ylim(0, last)
    groups = [(kind, seeds["first"] == kind, mark.colour, mark.shape) for kind, mark in ORDERS.items()]
    corner = {"loc": "lower right", "bbox_to_anchor": (1, 0)}
    cloud(ax, x, y, [group for group in groups if group[1].any()], dot={"s": 9, "alpha": 0.7}, place=corner)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
        thousands(axis)
    ax.set_xlabel("values half-way (step)")
    ax.set_ylabel("attention half-way (step)")
    ax.set_title(title)
    tidy(ax, "both")


def _between(since: pd.Series, step: pd.Series, share: float) -> np.ndarray:
    """Places spread evenly over each seed's interval, by multiples of an irrational number: no chance in it."""
    low, high = since.to_numpy(dtype=float), step.to_numpy(dtype=float)
    return low + (high - low) * ((np.arange(len(low)) * share + 0.5) % 1)


def _bars(shares: pd.DataFrame, ax: Axes) -> None:
    """One bar a fraction of the way, cut into what came first."""
    fractions = sorted(shares["fraction"].unique())
    left = np.zeros(len(fractions))
    for kind, mark in ORDERS.items():
        rows = shares[shares["first"] == kind].sort_values("fraction")
        width = rows["share"].to_numpy(dtype=float)
        label = "no order" if kind == "none" else kind
        ax.barh(range(len(fractions)), width, left=left, height=0.62, color=mark.colour, label=label)
        for place, (start, share) in enumerate(zip(left, width, strict=True)):
            if share > 0.15 and kind != "none":
                tint = letters_on(mark.colour)
                ax.text(start + share / 2, place, percent(share), ha="center", va="center", fontsize=7, color=tint)
        left = left + width
    ax.set_yticks(range(len(fractions)), [f"{fraction:g} of\nthe way" for fraction in fractions])
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the seeds")
    ax.spines["left"].set_color(tints.pale)
    ax.tick_params(axis="y", length=0)
    ax.set_title("First")
    ax.legend(
        loc="lower right", bbox_to_anchor=(1.02, 0.99), ncols=4, handlelength=0.8, columnspacing=0.8, borderpad=0.1
    )


def caption(material: Material) -> str:
    """Shares with their intervals."""
    shares = material["precedence_shares"]
    if shares.empty:
        return "There are no snapshots."
    a, b = material.targets
    half = shares[shares["fraction"] == HALF].set_index("first")

    n = int(half["n_seeds"].sum())
    dots = "the dot is the seed" if n == 1 else "each dot a seed"
    which = half.index[half["n_seeds"] == 1][0] if n == 1 else ""

    def said(kind: str) -> str:
        row = half.loc[kind]
        return f"{percent(row['share'])} [{percent(row['ci_low'])}, {percent(row['ci_high'])}]"

    first = (
        f"Left: when the gap of the values of {a} and {b}, and focus, had gone half of their way from the first to the "
        f"last snapshot; {dots}, somewhere between the snapshots within which each "
        f"came. Right: what came first, for other parts of the way too. "
    )
    if n == 1:
        words = {"values": "values", "attention": "attention", "together": "both at once", "none": "no order"}
        return f"{first}For one half: {words[str(which)]}."
    return (
        f"{first}For one half: values in {said('values')} of {n:,} seeds, attention in {said('attention')}, both "
        f"between the same two snapshots in {said('together')} (95 % Wilson intervals); no order where one of the two "
        "ends as it began."
        f"{hexagons(n)}"
    )


FIGURE = Figure("what_came_first", data, draw, caption, size=(8.8, 3.1), panels=2)
