"""What kinds of solution are there? Each seed by attention's share and focus, how many of each kind, and groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.density import cloud, hexagons, limits
from reports.facts import known
from reports.figure import Figure, Material
from reports.legend import handle, legend
from reports.marks import FAMILIES
from reports.style import empty, jitter, tidy, tints
from reports.words import listed, number, percent, plural

THIRDS = (1 / 3, 2 / 3)
COLUMNS = ["seed", "family", "certified", "focus"]


def data(material: Material) -> pd.DataFrame:
    """Focus, family and attention's share of silence, by seed."""
    share = material["silencing_by_seed"][["seed", "share_attention"]]
    return material["seeds"][COLUMNS].merge(share, on="seed")


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """A mark a seed, outlined where it is certified; seeds that are no rule stand in a strip."""
    shown = table[np.isfinite(table["focus"])]
    if shown.empty:
        return empty(ax, "no seed is finite", "Kinds of solution")
    share = shown["share_attention"].to_numpy()
    low, high = _limits(share)
    strip = high + 0.09 * (high - low)
    placed = np.where(np.isfinite(share), np.clip(share, low, high), strip)
    beside = ~np.isfinite(share)
    placed[beside] += jitter(int(beside.sum()), 0.08 * (high - low))
    ax.set_xlim(low, high + 0.15 * (high - low))
    ax.set_ylim(0, 1)
    groups = [(name, shown["family"] == name, mark.colour, mark.shape) for name, mark in FAMILIES.items()]
    groups = [group for group in groups if group[1].any()]
    below = {"loc": "lower right", "bbox_to_anchor": (1, 0)}
    cloud(ax, placed, shown["focus"], groups, dot={"alpha": 0.75}, rim=shown["certified"], place=below)
    if beside.any():
        ax.axvline(high + 0.03 * (high - low), color=tints.pale, linewidth=0.8)
        ax.text(strip, 1.01, "no one rule", ha="center", va="bottom", fontsize=6.5)
    for third in THIRDS:
        ax.axvline(third, color=tints.ink, linewidth=0.7, linestyle=(0, (4, 2)), zorder=0)
    ax.set_xticks([tick for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high])
    ax.set_xlabel("share of the distractors' silence that attention does")
    ax.set_ylabel("focus")
    ax.set_title("Kinds of solution")
    rim = handle("certified", "none", "o", markeredgecolor=tints.ink, markeredgewidth=0.6)
    named = [(f"{name} ({int(rows.sum()):,})", rows, tint, shape) for name, rows, tint, shape in groups]
    legend(ax, named, rim, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return tidy(ax, "both")


def _limits(share: np.ndarray) -> tuple[float, float]:
    """From 0 to 1, and as far beyond as almost all seeds go."""
    low, high = limits(share)
    return min(0.0, low), max(1.0, high)


def caption(material: Material) -> str:
    """What the labels are."""
    table = data(material)
    low, high = _limits(table["share_attention"].to_numpy())
    beyond = int(((table["share_attention"] < low) | (table["share_attention"] > high)).sum())
    rest = (
        f" {plural(beyond, 'seed')} beyond the axis {'is' if beyond == 1 else 'are'} drawn at its end."
        if beyond
        else ""
    )
    unseen = int((~np.isfinite(table["focus"])).sum())
    gone = (
        f" {plural(unseen, 'seed')} without finite attention {'is' if unseen == 1 else 'are'} not drawn."
        if unseen
        else ""
    )
    outlined = "; those with an outline are certified" if table["certified"].any() else ""
    marks = f"Each mark is one seed{outlined}" if len(table) > 1 else "The mark is the one seed"
    return (
        f"{marks}. A seed that is one linear rule is labelled by how it keeps the "
        "other digits out of its answer: attention where low scores do at least two thirds of the silence, value "
        "where at most one third does, both in between (dashed lines, a convention). Seeds that are not "
        f"one rule stand in the strip on the right.{rest}{gone}"
        f"{hexagons(len(table), rim='mostly certified')}"
    )


def data_census(material: Material) -> pd.DataFrame:
    """Seeds by family, and how many of them are certified."""
    return material["census"]


def draw_census(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Left: share of all seeds by family. Right: share of each family's seeds that are certified."""
    left, right = axes
    anyone = table[table["certified"] == "any"].set_index("family")
    certified = table[table["certified"] == "yes"].set_index("family")
    names = [name for name in FAMILIES if anyone.loc[name, "n"] > 0]
    place = np.arange(len(names))[::-1]
    for ax, rows, column, low, high in (
        (left, anyone.loc[names], "share", "ci_low", "ci_high"),
        (right, certified.loc[names], "within", "within_low", "within_high"),
    ):
        value = rows[column].to_numpy()
        reach = np.maximum([value - rows[low], rows[high] - value], 0)
        by_family = [FAMILIES[name].colour for name in names]
        ax.barh(place, value, color=by_family if ax is left else tints.certified, height=0.62, alpha=0.85)
        ax.errorbar(value, place, xerr=reach, fmt="none", ecolor=tints.ink, elinewidth=1, capsize=2)
        for y, end, n in zip(place, rows[high], rows["n"], strict=True):
            inside = end > 0.85
            ax.annotate(
                f"{n:,}", (0.0 if inside else end, y), (4, 0), textcoords="offset points", va="center", fontsize=7
            )
        ax.set_xlim(0, 1.02)
        ax.set_ylim(-0.6, len(names) - 0.4)
        tidy(ax, "x")
    left.set_yticks(place, names)
    right.set_yticks(place, [""] * len(names))
    left.set_xlabel("share of all seeds")
    right.set_xlabel("certified, of the family's seeds")
    left.set_title("How many of each")
    right.set_title("How many of them are certified")
    return axes


def caption_census(material: Material) -> str:
    """The largest family, with the intervals named."""
    table = material["census"]
    anyone = table[(table["certified"] == "any") & (table["family"] != "all")].set_index("family")
    largest = anyone["share"].idxmax()
    row = anyone.loc[largest]
    gone = [name for name in FAMILIES if anyone.loc[name, "n"] == 0]
    absent = f" No seed is labelled {listed(gone, 'or')}." if gone else ""
    if int(row["n_seeds"]) == 1:
        return f"The one seed is labelled “{largest}”."
    return (
        f"Lines: exact 95 % intervals for the shares (Clopper-Pearson, {plural(int(row['n_seeds']), 'seed')}); "
        f"numbers: seeds. The largest family is “{largest}”: {percent(row['share'])} "
        f"[{percent(row['ci_low'])}, {percent(row['ci_high'])}] of all seeds.{absent}"
    )


def data_clusters(material: Material) -> pd.DataFrame:
    """How well mixtures of so many Gaussians fit."""
    return material["cluster_choice"]


def draw_clusters(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """BIC and ICL over the number of Gaussians; the modes of each mixture beside it."""
    if table["bic"].isna().all():
        return empty(ax, "too few seeds to look for groups", "Groups, or one cloud?")
    base = table["bic"].iloc[0]
    ax.plot(table["n_clusters"], table["bic"] - base, marker="o", markersize=4, color=tints.ink, label="BIC")
    ax.plot(table["n_clusters"], table["icl"] - base, marker="s", markersize=4, color=tints.distractor, label="ICL")
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.22 * (high - low), high)
    for row in table.itertuples():
        ax.annotate(
            plural(row.n_modes, "mode"),
            (row.n_clusters, row.bic - base),
            (0, -6),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=6.5,
            fontweight="bold" if row.chosen else "normal",
        )
    ax.set_xlim(0.5, table["n_clusters"].max() + 0.5)
    ax.set_xticks(table["n_clusters"])
    ax.set_xlabel("Gaussians in the mixture")
    ax.set_ylabel("less that of one")
    ax.set_title("Groups, or one cloud?")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return tidy(ax)


def caption_clusters(material: Material) -> str:
    """What the mixture says, and whether it agrees with the labels."""
    table = material["cluster_choice"]
    if table["bic"].isna().all():
        return "No mixture was fitted: fewer than 50 seeds are one linear rule and did not fail."
    chosen = table[table["chosen"]].iloc[0]
    agreement = known(material).loc["cluster_family_agreement", "estimate"]
    k, modes = int(chosen["n_clusters"]), int(chosen["n_modes"])
    if k == 1:
        said = "one Gaussian describes them best: there are no groups"
    elif modes == 1:
        said = f"BIC takes {k} Gaussians, but their sum has one mode: they draw one skewed cloud, not {k} groups"
    elif modes < k:
        said = f"BIC takes {k} Gaussians, and their sum has {modes} modes: fewer groups than Gaussians"
    else:
        said = f"BIC takes {k} Gaussians, and each has a mode of its own: groups that are apart"
    return (
        f"Gaussian mixtures on scores and values of the {plural(int(chosen['n_seeds']), 'seed')} that are one rule and "
        f"did not fail (less is better): {said}. Agreement of these clusters with the families: adjusted Rand index "
        f"{number(agreement, 2)} (1 where they agree, 0 as by chance)."
    )


FIGURE = Figure("families", data, draw, caption, size=(6.3, 3.4))
CENSUS = Figure("census", data_census, draw_census, caption_census, size=(6.3, 2.6), panels=2)
CLUSTERS = Figure("cluster_choice", data_clusters, draw_clusters, caption_clusters, size=(5.0, 2.4))
