"""What do the two circuits do with each digit? Its score (QK) against its value (OV), for every seed.

A seed is fixed by one score and one value a digit (Elhage et al. 2021, transformer-circuits.pub/2021/framework:
the QK circuit says where attention goes, the OV circuit what it brings). Scores are free up to a shift and values up
to an affine map, so seeds can share a plane only on a fixed gauge. Two are drawn.

1. For all seeds: the value where the rule's first digit has +1 and the second -1, and the score less log mean exp of
   the seed's scores. This is the log of the attention that the digit would get among one of each, over the attention
   under uniform weights: 0 is chance, and it needs no target to be compared with.
2. For seeds with one threshold t: x = (v_d - t) / (v_a - t) and y = s_d - s_a, where a is the first digit. The weight
   of d in the seed's rule is then exactly x exp(y), so that along a curve all digits of all seeds weigh the same.
   A digit is silent where its score is low, where its value is near the threshold, or by both together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.density import cloud, hexagons, limits
from reports.figure import Figure, Material
from reports.legend import Group
from reports.style import dots, empty, text_colour, tidy, tints
from reports.words import number, plural

__all__ = ["PLANE", "RULE", "SILENT", "ways"]

SILENT = 0.1  # of the first digit's weight: "a tenth" in the words of the page
CURVES = (1.0, 0.1, 0.01)


def data_plane(material: Material) -> pd.DataFrame:
    """Gauged value, and score above log mean exp of the seed's scores, by seed and digit."""
    digits = material["digits"]
    scores = digits["score"].to_numpy().reshape(-1, material.config.vocab_size)
    highest = scores.max(axis=1, keepdims=True)
    above = scores - highest - np.log(np.exp(scores - highest).mean(axis=1, keepdims=True))
    return digits[["seed", "digit", "value_gauged"]].assign(log_weight=above.ravel()).dropna(ignore_index=True)


def data_rule(material: Material) -> pd.DataFrame:
    """Value past the threshold and score past the first digit's, where a seed's only rule counts it for "yes"."""
    digits, first = material["digits"], material.targets[0]
    of_first = digits[digits["digit"] == first].set_index("seed")
    ruled = digits[digits["seed"].map(of_first["rule_weight"]) > 0]
    past = ruled["score"] - ruled["seed"].map(of_first["score"])
    thresholds = material["thresholds"]
    only = thresholds[thresholds["reachable"]].drop_duplicates("seed").set_index("seed")["threshold"]
    beyond = ruled["value"] - ruled["seed"].map(only)
    of_first = (of_first["value"] - only).reindex(of_first.index)
    table = ruled[["seed", "digit", "rule_weight"]].reset_index(drop=True)
    return table.assign(
        value_past_threshold=(beyond / ruled["seed"].map(of_first)).to_numpy(), score_past_first=past.to_numpy()
    )


def draw_plane(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Every seed and digit; attention above the line is more than uniform."""
    title = "Score and value of every digit"
    if table.empty:
        return empty(ax, "no seed is finite", title)
    ax.set_xlim(_with(limits(table["value_gauged"]), -1.3, 1.3))
    ax.set_ylim(_with(limits(table["log_weight"]), -0.5, 1))
    cloud(
        ax,
        table["value_gauged"],
        table["log_weight"],
        _groups(table, targets),
        dot=dots(table["seed"].nunique()),
        unit="digits",
    )
    ax.axhline(0, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    for digit, place in zip(targets, (1, -1), strict=True):
        _name(ax, digit, (place, ax.get_ylim()[1]), targets)
    ax.set_xlabel(f"value (scale: {targets[0]} is +1, {targets[1]} is −1)")
    ax.set_ylabel("log of attention over uniform (nats)")
    ax.set_title(title)
    return tidy(ax, "both")


def draw_rule(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """The same past the threshold and the first digit's score; curves of equal weight in the rule."""
    first, second = targets
    title = "Silent by score, by value, or by both"
    if table.empty:
        return empty(ax, f"no seed is a single rule that counts {first} for “yes”", title)
    x, y = table["value_past_threshold"], table["score_past_first"]
    left, right = _with(limits(x), -1.3, 1.3)
    low, high = _with(limits(y), np.log(SILENT) - 0.5, 0.7)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    across = np.concatenate([np.linspace(left, -1e-4, 400), [np.nan], np.linspace(1e-4, right, 400)])
    for weight in CURVES:
        curve = np.log(weight) - np.log(np.abs(across))
        emphasis = 1.2 if weight == SILENT else 0.6
        ax.plot(across, curve, color=tints.muted, linewidth=emphasis, zorder=4, solid_capstyle="butt")
        if low < curve[-1] < high:
            words: dict[str, Any] = {"fontsize": 7, "color": tints.muted, "va": "center", "annotation_clip": False}
            ax.annotate(f"weight {weight:g}", (right, curve[-1]), (3, 0), textcoords="offset points", **words)
    free = table["digit"] != first
    cloud(ax, x[free], y[free], _groups(table[free], targets), dot=dots(table["seed"].nunique()), unit="digits")
    ax.axvline(0, color=tints.ink, linewidth=0.7, zorder=1)
    ax.axhline(0, color=tints.ink, linewidth=0.7, zorder=1)
    ax.scatter(1, 0, s=22, color=tints.first, linewidths=0, zorder=6)  # of all seeds, by what the scales are
    for digit, place in ((first, (1, 0)), (second, (-1, high))):
        _name(ax, digit, place, targets)
    ax.set_xlabel(f"value past the threshold (scale: threshold is 0, {first} is +1)")
    ax.set_ylabel(f"score above that of {first} (nats)")
    ax.set_title(title)
    return tidy(ax, "both")


def _name(ax: Axes, digit: int, place: tuple[float, float], targets: tuple[int, int]) -> None:
    """A digit's name beside where it is."""
    style: dict[str, Any] = {"color": text_colour(digit, targets), "fontsize": 9, "fontweight": "bold", "zorder": 6}
    ax.annotate(str(digit), place, (6, -2), textcoords="offset points", va="top", **style)


def _groups(table: pd.DataFrame, targets: tuple[int, int]) -> list[Group]:
    """Other digits below, the rule's two above them."""
    first, second = targets
    groups = [
        ("other digits", ~table["digit"].isin(targets), tints.distractor, "o"),
        (str(second), table["digit"] == second, tints.second, "o"),
        (str(first), table["digit"] == first, tints.first, "o"),
    ]
    return [group for group in groups if group[1].any()]


def _with(ends: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    """Ends of an axis that has these two in view."""
    return min(ends[0], low), max(ends[1], high)


def ways(material: Material) -> dict[str, int]:
    """How many digits that the rule does not name weigh less than `SILENT`, by what alone makes them so.

    ``score`` and ``value``: that one alone; ``either``: each alone; ``both``: only the two together; ``n`` is how many
    there are, silent or not.
    """
    table = data_rule(material)
    others = table[~table["digit"].isin(material.targets)]
    low = np.exp(others["score_past_first"]) < SILENT
    near = others["value_past_threshold"].abs() < SILENT
    silent = others["rule_weight"].abs() < SILENT
    found = {"score": low & ~near, "value": near & ~low, "either": low & near, "both": ~low & ~near}
    return {name: int((rows & silent).sum()) for name, rows in found.items()} | {"n": len(others)}


def caption_plane(material: Material) -> str:
    """How the plane is made comparable, and how many other digits score below both of the rule's."""
    a, b = material.targets
    table = data_plane(material)
    if table.empty:
        return "No seed is finite."
    named = table[table["digit"].isin([a, b])].groupby("seed")["log_weight"].min()
    others = table[~table["digit"].isin([a, b])]
    below = int((others["log_weight"] < others["seed"].map(named)).sum())
    rest = (
        f" {below:,} of the {plural(len(others), 'other digit')} (grey) score below both {a} and {b}."
        if len(others)
        else ""
    )
    return (
        f"All digits of {plural(table['seed'].nunique(), 'seed')} on one gauge. Across: what a digit adds where it is "
        f"attended, with {a} at +1 and {b} at −1. Up: its score less log mean exp of the seed’s scores, the log of its "
        f"attention among one of each digit over uniform attention (dashed).{rest}{hexagons(len(table), 'digits')}"
    )


def caption_rule(material: Material) -> str:
    """What a curve is, and by what the other digits are silent."""
    a = material.targets[0]
    table, found = data_rule(material), ways(material)
    if table.empty:
        return f"No seed is a single rule that counts {a} for “yes”, so there is no threshold to measure from."
    rest = (
        f" Of {plural(found['n'], 'other digit')}, {sum(found.values()) - found['n']:,} weigh less than {SILENT:g} in "
        f"size: {found['score']:,} by score alone (more than {number(-np.log(SILENT), 2)} nats below {a}), "
        f"{found['value']:,} by value alone (within {SILENT:g} of the threshold), {found['either']:,} by either, and "
        f"{found['both']:,} only by the two together."
        if found["n"]
        else ""
    )
    return (
        f"The same for {plural(table['seed'].nunique(), 'seed')} with a single rule that counts {a} for “yes”, "
        f"measured from the threshold and from the score of {a}. A digit’s weight in the rule is its value here times "
        f"e to the power of its score here: along each curve it has the same size.{rest}"
        f"{hexagons(len(table), 'digits')}"
    )


PLANE = Figure("qk_ov_plane", data_plane, draw_plane, caption_plane, size=(6.3, 3.8))
RULE = Figure("qk_ov_rule", data_rule, draw_rule, caption_rule, size=(6.3, 3.8))
