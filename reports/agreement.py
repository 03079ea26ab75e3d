"""Do seeds that answer alike attend alike? Two seeds side by side, all rules beside focus, all pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.density import cloud, hexagons, limits
from reports.exercise import draw_attention
from reports.figure import Figure, Material
from reports.legend import Group, handles
from reports.marks import OUTCOMES, SOME
from reports.style import dots, empty, error_axis, legend_below, tidy, tints
from reports.words import estimate, number, percent, places, plural, probability

__all__ = ["PAIRS", "PATTERNS", "RULE", "farthest"]

SEQUENCES = 6
MEDIANS = {
    "pattern_divergence_median": "divergence of the patterns in nats",
    "disagreement_median": "probability of different answers",
}
RELATION = "divergence_disagreement_correlation"


def farthest(material: Material) -> dict[str, Any] | None:
    """The pair of seeds that differs most in focus, of the pairs in which no seed failed; none if there is none.

    Its row of the table ``agreement``; ``low`` and ``high`` are the two seeds by focus, ``focus_low`` and
    ``focus_high`` what it is.
    """
    pairs, focus = material["agreement"], material["seeds"].set_index("seed")["focus"]
    sound = pairs[~_with_a_failed_seed(material)]
    if sound.empty:
        return None
    pair = sound.loc[[sound["focus_difference"].idxmax()]].to_dict("records")[0]
    low, high = sorted((pair["seed_a"], pair["seed_b"]), key=lambda seed: float(focus[seed]))
    return pair | {"low": low, "high": high, "focus_low": focus[low], "focus_high": focus[high]}


def _with_a_failed_seed(material: Material) -> np.ndarray:
    pairs, failed = material["agreement"], material["seeds"].set_index("seed")["failed"]
    return np.asarray(failed.loc[pairs["seed_a"]].to_numpy() | failed.loc[pairs["seed_b"]].to_numpy(), dtype=bool)


# --- the patterns of two seeds ---------------------------------------------------------------------------


def data_patterns(material: Material) -> pd.DataFrame:
    """Attention of the two seeds on the first sequences, the one with less focus first."""
    maps = material.some("attention_maps", ["seed", "sequence", "position", "digit", "attention"])
    pair = farthest(material)
    if pair is None:
        return maps.head(0)
    shown = maps[maps["sequence"] < SEQUENCES]
    return pd.concat([shown[shown["seed"] == pair[end]] for end in ("low", "high")], ignore_index=True)


def draw_patterns(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Two attention maps from 0 to 1, one a seed."""
    if table.empty:
        for ax in axes:
            empty(ax, "no two seeds to compare", "Two seeds")
        return axes
    n = table["sequence"].nunique()
    for ax, seed in zip(axes, table["seed"].unique(), strict=True):
        rows = table[table["seed"] == seed]
        draw_attention(
            rows["digit"].to_numpy().reshape(n, -1), rows["attention"].to_numpy().reshape(n, -1), ax, targets
        )
        ax.set_title(f"Attention of seed {seed}")
    return axes


def caption_patterns(material: Material) -> str:
    """Who they are and how alike they answer."""
    pair = farthest(material)
    seeds = material["seeds"]
    if pair is None:
        return f"Of {plural(len(seeds), 'seed')} there are no two that are finite and did not fail."
    a, b = material.targets
    angle = f", their rules lie {number(pair['rule_angle'], 2)}° apart" if not np.isnan(pair["rule_angle"]) else ""
    share = pair["pattern_divergence"] / math.log(2)
    return (
        f"The same sequences in two seeds: those that differ most in focus among {plural(_n_seeds(material), 'seed')} "
        f"compared, failed ones left out. Seed {pair['low']} gives {a}s and {b}s {percent(pair['focus_low'])} of "
        f"its attention, and seed {pair['high']} {percent(pair['focus_high'])}. Their answers to a random input differ "
        f"with probability {probability(pair['disagreement'])} (exact over all inputs){angle}; their patterns have a "
        f"Jensen-Shannon divergence of {number(pair['pattern_divergence'], 2)} nats, {percent(share)} of its largest "
        f"value, log 2."
    )


# --- rules beside focus ----------------------------------------------------------------------------------


def data_rule(material: Material) -> pd.DataFrame:
    """Rule weights by digit and seed, and the seed's focus."""
    pair = farthest(material)
    ringed = [] if pair is None else [pair["low"], pair["high"]]
    weights = material["digits"][["seed", "digit", "rule_weight"]].dropna(subset="rule_weight")
    table = weights.merge(material["seeds"][["seed", "focus"]], on="seed")
    return table.assign(ringed=table["seed"].isin(ringed))


def draw_rule(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Weight of each digit over the seed's focus."""
    title = "Focus and rule"
    if table.empty:
        return empty(ax, "no seed has exactly one threshold", title)
    groups: list[Group] = [
        ("others", ~table["digit"].isin(targets), tints.distractor, "o"),
        (f"weight of {targets[1]}", table["digit"] == targets[1], tints.second, "o"),
        (f"of {targets[0]}", table["digit"] == targets[0], tints.first, "o"),
    ]
    groups = [group for group in groups if group[1].any()]
    ax.set_xlim(0, 1)
    ax.set_ylim(limits(table["rule_weight"]))
    between = {"loc": "center", "bbox_to_anchor": (0.5, 0.4)}  # the second digit's weights and the others'
    style = dots(len(table)) | {"zorder": 2}
    cloud(ax, table["focus"], table["rule_weight"], groups, dot=style, unit="weights", place=between)
    second = table[table["ringed"] & (table["digit"] == targets[1])]
    ax.scatter(second["focus"], second["rule_weight"], **_ring())
    ax.axhline(0, color=tints.ink, linewidth=0.7, zorder=1)
    ax.set_xlabel(f"focus: expected attention on {targets[0]}s and {targets[1]}s")
    ax.set_ylabel("weight in the rule")
    ax.set_title(title)
    legend_below(ax, 0.45, handles=handles(groups), ncols=3, handletextpad=0, columnspacing=0.8)
    return tidy(ax)


def caption_rule(material: Material) -> str:
    """How little the weights vary and how much focus does."""
    a, b = material.targets
    table = data_rule(material)
    if table.empty:
        return "No seed changes its answer at exactly one pooled value, so no seed is one linear rule."
    weights = material["digits_spread"]
    of_second = weights[(weights["measure"] == "rule_weight") & (weights["digit"] == b)].iloc[0]
    n = table["seed"].nunique()
    low, high = number(of_second["q05"]), number(of_second["q95"])
    spread = (
        f", and the middle 90 % of seeds lie between {low} and {high} (spread, not uncertainty)" if low != high else ""
    )
    least, most = number(table["focus"].min(), 2), number(table["focus"].max(), 2)
    focus = f"focus runs from {least} to {most}" if least != most else f"focus is {least}"
    return (
        f"{plural(n, 'seed')} with one threshold: weights of the linear rule on counts, where that of {a} has size 1. "
        f"The weight of {b} {'has a median of' if n > 1 else 'is'} {number(of_second['q50'])}{spread}; {focus}."
        f"{' Rings: the seeds of a.' if table['ringed'].any() else ''}"
        f"{hexagons(len(table), 'weights')}"
    )


# --- all pairs -------------------------------------------------------------------------------------------


def data_pairs(material: Material) -> pd.DataFrame:
    """Divergence as a share of log 2, disagreement, and whether a seed of the pair failed."""
    pairs, chosen = material["agreement"], farthest(material)
    low, high = (-1, -1) if chosen is None else sorted((chosen["low"], chosen["high"]))
    return pairs[["seed_a", "seed_b", "pattern_divergence", "disagreement"]].assign(
        share_of_log_2=pairs["pattern_divergence"] / math.log(2),
        failed=_with_a_failed_seed(material),
        ringed=(pairs["seed_a"] == low) & (pairs["seed_b"] == high),
    )


def draw_pairs(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One dot a pair; at the foot, pairs that give the same answer to every input."""
    title = "Patterns and answers"
    if table.empty:
        return empty(ax, "fewer than two seeds are finite", title)
    place = error_axis(ax, table["disagreement"])
    ax.set_xlim(0, 1)
    kinds = (("neither seed failed", ~table["failed"], SOME), ("a seed failed", table["failed"], OUTCOMES["failed"]))
    groups = [
        (f"{name} ({int(rows.sum()):,})", rows, mark.colour, mark.shape) for name, rows, mark in kinds if rows.any()
    ]
    cloud(
        ax,
        table["share_of_log_2"],
        place,
        groups,
        dot=dots(len(table)),
        unit="pairs",
        place={"loc": "center right", "bbox_to_anchor": (1, 0.3)},
    )
    ax.scatter(table["share_of_log_2"][table["ringed"]], place[table["ringed"]], **_ring())
    ax.set_xlabel("divergence of the patterns (share of log 2)")
    ax.set_ylabel("probability that answers differ")
    ax.set_title(title)
    legend_below(ax, 0.45, 0.45, handles=handles(groups), ncols=2, handletextpad=0, columnspacing=0.8)
    return tidy(ax)


def caption_pairs(material: Material) -> str:
    """Medians and the rank correlation, with intervals over seeds."""
    table, summary = material["agreement"], material["summary"]
    if table.empty:
        return "Fewer than two seeds are finite: there is no pair."
    same = int((table["disagreement"] == 0).sum())
    ring = "; ring: the pair of a" if farthest(material) else ""
    rows = summary.set_index("measure").loc[[*MEDIANS, RELATION]]
    medians = ", ".join(f"{words} {estimate(summary, name)}" for name, words in MEDIANS.items())
    known = not np.isnan(rows.loc[RELATION, "estimate"])
    relation = f" Rank correlation of the two: {estimate(summary, RELATION, places)}." if known else ""
    brackets = (
        " Brackets: 95 % intervals that resample whole seeds, because pairs that share a seed are not independent."
        if rows["ci_low"].notna().any()
        else ""
    )
    return (
        f"{plural(len(table), 'pair')} of the first {plural(_n_seeds(material), 'finite seed')}; {same:,} with the "
        f"same answer to every input (at 0{ring}). Medians: {medians}.{relation}{brackets}"
        f"{hexagons(len(table), 'pairs')}"
    )


def _n_seeds(material: Material) -> int:
    pairs = material["agreement"]
    return len(set(pairs["seed_a"]) | set(pairs["seed_b"]))


def _ring() -> dict[str, Any]:
    """How the seeds of panel a are marked."""
    return {"s": 42, "facecolor": "none", "edgecolor": tints.ink, "linewidth": 1.1, "zorder": 5}


PATTERNS = Figure("two_seeds", data_patterns, draw_patterns, caption_patterns, size=(8, 2.2), panels=2)
RULE = Figure("focus_and_rule", data_rule, draw_rule, caption_rule, size=(4.6, 3.6))
PAIRS = Figure("pairs_of_seeds", data_pairs, draw_pairs, caption_pairs, size=(4.6, 3.6))
