"""Which linear rules do the seeds compute, beside all that are right, and how close are they to a wrong answer?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon

from reports.density import cloud, hexagons
from reports.figure import Figure, Material
from reports.legend import handle, legend
from reports.marks import seed_groups
from reports.style import decades, empty, jitter, tidy, tints
from reports.words import at_most, brackets, estimate, number

SEEDS = ["seed", "certified", "angle", "margin", "second_weight", "distractor_weight"]
ENDS = ["distractor_weight_low", "distractor_weight_high"]
MOST_BARS = 150  # seeds whose bars are drawn; beyond, evenly many of them, while each has a dot
NEAREST = 0.3  # degrees: the axis of angles begins here
CORNER = {"loc": "lower right", "bbox_to_anchor": (1, 0)}  # where the key is clear of the title
LINEAR = 1.0  # nats: margins are drawn on a linear scale up to here


def data_region(material: Material) -> pd.DataFrame:
    """Rules as points, the polygon's corners and the common rules in one table; ``kind`` says which."""
    a, b = material.targets
    seeds = data_seeds(material).dropna(subset="second_weight").assign(kind="seed")
    corners = material["rule_region"][["second_weight", "distractor_weight"]].assign(kind="corner")
    rules = material["common_rules"]
    points = rules[rules["digit"] == b].rename(columns={"rule": "kind", "weight": "second_weight"})
    points = points.drop(columns="digit")
    others = rules[~rules["digit"].isin([a, b]) & (rules["rule"] == "separator")].drop_duplicates("rule")
    points["distractor_weight"] = points["kind"].map(others.set_index("rule")["weight"])
    parts = [part for part in (seeds, corners, points[points["kind"] == "separator"]) if len(part)]
    columns = ["kind", "seed", "certified", "failed", "second_weight", "distractor_weight", *ENDS]
    outcome = {"certified": False, "failed": False}  # of what is no seed
    parts = [part.assign(**{name: no for name, no in outcome.items() if name not in part}) for part in parts]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns).astype({"seed": "Int64"})


def data_seeds(material: Material) -> pd.DataFrame:
    """What is said of each seed's rule, beside whether the seed failed."""
    failed = material["seeds"][["seed", "failed"]]
    return material["certificates"][[*SEEDS, *ENDS]].merge(failed, on="seed")


def draw_region(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """The polygon of right rules; a seed is a dot with a bar from its least to its greatest distractor weight."""
    a, b = targets
    seeds = table[table["kind"] == "seed"].reset_index(drop=True)
    corners = table.loc[table["kind"] == "corner", ["second_weight", "distractor_weight"]].to_numpy()
    best = table[table["kind"] == "separator"].iloc[0]
    alone = bool(np.isnan(best["distractor_weight"]))  # an alphabet of two digits has no distractors
    if alone:
        low, high = corners[:, 0].min(), corners[:, 0].max()
        corners = np.array([[low, -1], [high, -1], [high, 1], [low, 1]])
        height = pd.Series(jitter(len(seeds), 1.6))
        ax.set_yticks([])
        ax.set_ylim(-1.4, 1.4)
    else:
        height = seeds["distractor_weight"]
        ax.set_ylabel("weight of every other digit")
    ax.add_patch(Polygon(corners.tolist(), color=tints.certified, alpha=0.18, linewidth=0, zorder=1))
    ax.add_patch(Polygon(corners.tolist(), fill=False, edgecolor=tints.certified, linewidth=0.9, zorder=1))
    groups = seed_groups(seeds)
    if ax.get_autoscalex_on():  # else limits were chosen before, to be those of other panels too
        _limit(ax, seeds, corners, alone)
    for _, rows, tint, _ in () if alone else groups:
        shown = seeds[rows].iloc[:: -(-len(seeds) // MOST_BARS)]
        bars = shown[["second_weight", ENDS[0], "second_weight", ENDS[1]]].to_numpy().reshape(-1, 2, 2)
        ax.add_collection(LineCollection(list(bars), colors=tint, linewidths=0.7, alpha=0.55, zorder=2))
    cloud(ax, seeds["second_weight"], height, groups, dot={"s": 20 if len(seeds) < 50 else 9}, place=CORNER)
    middle = 0.0 if alone else best["distractor_weight"]
    rim: dict[str, Any] = {"edgecolor": tints.paper, "zorder": 4}
    ax.scatter(best["second_weight"], middle, s=55, marker="P", color=tints.ink, **rim)
    ax.set_xlabel(f"weight of {b}, beside a weight of 1 for {a}")
    ax.set_title("The seeds' rules among those that are right")
    best_rule = handle("hard margin", tints.ink, "P", 6)
    legend(ax, groups, best_rule, loc="upper left", bbox_to_anchor=(1, 1))
    return tidy(ax, "both")


def _limit(ax: Axes, seeds: pd.DataFrame, corners: np.ndarray, alone: bool) -> None:
    """The polygon and up to half as much around it, where seeds are."""
    for k, names in enumerate([["second_weight"]] if alone else [["second_weight"], ["distractor_weight", *ENDS]]):
        start, end = corners[:, k].min(), corners[:, k].max()
        values = seeds[names].to_numpy(dtype=np.float64)
        sound = values[~seeds["failed"].to_numpy()]
        room, hair = 0.5 * (end - start), 0.06 * (end - start)
        low = max(start - room, sound.min(initial=start)) - hair
        high = min(end + room, sound.max(initial=end)) + hair
        (ax.set_ylim if k else ax.set_xlim)(low, high)


def caption_region(material: Material) -> str:
    """What the polygon means, and who lies in it."""
    first = material.targets[0]
    table, certificates = data_region(material), material["certificates"]
    seeds = table[table["kind"] == "seed"]
    inside = int(seeds["certified"].sum())
    checks = material["common_rule_checks"].set_index("rule")
    bars = (
        f"the dot is the mean weight of the other digits, the bar{at_most(MOST_BARS, len(seeds))} runs from their "
        "least to their greatest. A seed is right on every input exactly when its whole bar lies in the shaded region, "
        "which is computed from all pairs of counts"
        if material.config.vocab_size > 2
        else "its height means nothing. A seed is right on every input exactly when it lies in the shaded region"
    )
    if seeds.empty:
        others = " that give all other digits one weight and" if material.config.vocab_size > 2 else " that"
        return (
            f"No seed has a single rule that counts {first} for “yes”. Shaded: the rules{others} are right on every "
            "input. Cross: the hard-margin rule of all inputs."
        )
    median = "" if np.isnan(checks.loc["median", "error_probability"]) else _median_rule(checks.loc["median"])
    n, single = len(certificates), f"with a single rule that counts {first} for “yes”"
    who = f"Each mark is one of {len(seeds):,} seeds (of {n:,}) {single}"
    which = f"{inside:,} {'is' if inside == 1 else 'are'}" if inside else "none is"
    if len(seeds) == 1:
        who = f"The mark is the one seed{f' of {n:,}' if n > 1 else ''} {single}"
        which, median = "so it is" if inside else "it is not", ""
    return f"{who}; {bars}: {which}. Cross: the hard-margin rule of all inputs.{median}{hexagons(len(seeds))}"


def _median_rule(row: pd.Series) -> str:
    """Whether the median rule is right."""
    if row["certified"]:
        return " The median rule of these seeds, digit by digit, is right on every input."
    error = number(row["error_probability"], 2)
    return f" The median rule of these seeds, digit by digit, is wrong with probability {error}."


def draw_margins(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Least margin over the angle to the hard-margin rule; above 0 lie the seeds that are right on every input."""
    table = table.dropna(subset=["angle", "margin"]).reset_index(drop=True)
    title = "How near to the best rule, how far from an error"
    if table.empty:
        return empty(ax, "no seed has exactly one threshold", title)
    ax.axhline(0, color=tints.ink, linewidth=0.7)
    ax.set_xscale("log")
    ax.set_xlim(NEAREST * 0.9, max(10.0, 1.2 * table["angle"].max()))
    degrees = [tick for tick in (0.3, 1, 3, 10, 30, 100) if tick < ax.get_xlim()[1]]
    ax.set_xticks(degrees, [f"{tick:g}" for tick in degrees])
    ax.set_yscale("symlog", linthresh=LINEAR)
    edge = max(2.0, 1.5 * table["margin"].abs().max())
    ax.set_ylim(-edge, edge)
    ticks = sorted([0, *(sign * tick for tick in decades(edge) for sign in (-1, 1))])
    ax.set_yticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("angle to the hard-margin rule (degrees)")
    ax.set_ylabel("least margin (nats)")
    ax.set_title(title)
    groups = seed_groups(table)
    cloud(ax, table["angle"].clip(lower=NEAREST), table["margin"], groups, dot={"s": 12}, place=CORNER)
    legend(ax, groups, loc="upper left", bbox_to_anchor=(1, 1))
    return tidy(ax, "both")


def caption_margins(material: Material) -> str:
    """Angle and margin in numbers."""
    summary = material["summary"]
    rows = summary.set_index("measure")
    n = int(rows.loc["rule_angle_median", "n_seeds"])
    if n == 0:  # not even a backward one
        return "No seed changes its answer at exactly one pooled value, so no seed is a single rule."
    certified = int(rows.loc["margin_certified_median", "n_seeds"])
    middle = "in the one certified seed" if certified == 1 else f"median over the {certified:,} certified seeds"
    margin = f" It is {estimate(summary, 'margin_certified_median')} nats, {middle}." if certified else ""
    close = (data_seeds(material)["angle"] < NEAREST).any()
    who = "" if n == 1 else f", median over {n:,} seeds"
    return (
        "Least margin: the least logit in favour of the right answer over all inputs, above 0 exactly where a seed is "
        f"right on all.{margin} Angle of a single rule to the hard-margin rule{who}: "
        f"{estimate(summary, 'rule_angle_median')} degrees."
        f"{brackets(summary, 'rule_angle_median')} Margins are linear up to {LINEAR:g} nat, logarithmic beyond."
        + (f" Angles below {NEAREST} are drawn there." if close else "")
        + hexagons(n)
    )


REGION = Figure("rules_region", data_region, draw_region, caption_region, size=(6.3, 3.8))
MARGINS = Figure("rules_margins", data_seeds, draw_margins, caption_margins, size=(6.3, 3.0))
