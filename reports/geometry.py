"""How alike are the embeddings of two seeds, what of an embedding is read, and are the rule's digits set apart?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.facts import n_finite, untrained
from reports.figure import Figure, Material
from reports.style import empty, legend_below, tidy, tints
from reports.words import estimate, number, percent, places, plural

START, TRAINED, OWN = "two seeds, at the start", "two seeds, trained", "a trained seed and its own start"
MOST_BARS = 50
LIKENESS = {"distance_correlation": "correlation of pair distances", "cka": "linear CKA"}


def data_similarity(material: Material) -> pd.DataFrame:
    """Likeness of pairs of seeds at both ends of training, and of each seed and its own start."""
    columns = ["kind", "seed_a", "seed_b", "distance_correlation", "cka"]
    pairs = material["geometry_similarity"]
    pairs = pairs.assign(kind=pairs["stage"].map({"initial": START, "trained": TRAINED}))
    own = material["geometry"].rename(columns={"start_correlation": "distance_correlation", "start_cka": "cka"})
    own = own.assign(kind=OWN, seed_a=own["seed"], seed_b=own["seed"]).dropna(subset="cka")
    some = [frame[columns] for frame in (pairs, own) if len(frame)] or [own[columns]]
    return pd.concat(some, ignore_index=True)


def draw_similarity(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Two histograms, correlation of distances and CKA: each kind of pair adds up to 1."""
    for ax, (measure, words), lowest in zip(axes, LIKENESS.items(), (-1, 0), strict=True):
        known = table.dropna(subset=measure)
        if known.empty:
            empty(ax, "nothing to compare", words.capitalize().replace("cka", "CKA"))
            continue
        bins = np.linspace(lowest, 1, 51)
        for kind, style in ((START, _at_start()), (TRAINED, _after()), (OWN, _own())):
            values = known.loc[known["kind"] == kind, measure].to_numpy()
            if values.size:
                ax.hist(values, bins.tolist(), weights=np.full(values.size, 1 / values.size), label=kind, **style)
        ax.set_xlim(lowest, 1)
        ax.set_xticks(np.linspace(lowest, 1, 5))
        ax.set_xlabel(words)
        ax.set_ylabel("share of pairs")
        ax.set_title({"cka": "Linear CKA"}.get(measure, words.capitalize()))
        tidy(ax)
    drawn = [ax for ax in axes if ax.axison]
    if drawn:  # below both, from the outer edge of the one that is there
        left = drawn[0] is axes[0]
        x, loc = (0, "upper left") if left else (1, "upper right")
        legend_below(drawn[0], 0.45, x, loc, ncols=3, columnspacing=1.5)
    return axes


def data_plane(material: Material) -> pd.DataFrame:
    """Share of the variance in the plane that is read, by seed and stage."""
    return material["geometry"][["seed", "stage", "plane_share", "plane_share_chance"]].dropna()


def draw_plane(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Histograms over seeds from 0 to 1, with the chance line."""
    title = "Variance in the plane that is read"
    if table.empty:
        return empty(ax, "no seed is finite", title)
    _two_stages(ax, table, "plane_share", np.linspace(0, 1, 51))
    chance = table["plane_share_chance"].iloc[0]
    ax.axvline(chance, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), label="chance")
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the embedding's variance")
    ax.set_title(title)
    ax.legend(loc="best")
    return tidy(ax)


def data_separation(material: Material) -> pd.DataFrame:
    """Rank of the rule's two digits by separation, by seed and stage."""
    columns = ["seed", "stage", "separation", "separation_rank", "separation_choices", "separation_p"]
    return material["geometry"][columns].dropna()


def draw_separation(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Histograms of the rank over seeds; by chance all ranks are equally frequent."""
    a, b = targets
    title = f"Are {a} and {b} set apart?"
    if table.empty:
        return empty(ax, "nothing to compare", title)
    choices = int(table["separation_choices"].iloc[0])
    width = -(-choices // MOST_BARS)
    bins = np.arange(0.5, choices + width, width)
    _two_stages(ax, table, "separation_rank", bins)
    seeds = table["seed"].nunique()
    ax.axhline(seeds * width / choices, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), label="chance")
    ax.set_xlim(bins[0], bins[-1])
    ax.set_xlabel(f"rank of {a} and {b} among {choices} choices of two digits")
    ax.set_title(title)
    ax.legend(loc="best")
    return tidy(ax)


def _two_stages(ax: Axes, table: pd.DataFrame, measure: str, bins: np.ndarray) -> None:
    """Seeds at the start as pale bars, trained ones as a dark outline over them."""
    for stage, name, style in (("initial", "at the start", _at_start()), ("trained", "trained", _after())):
        values = table.loc[table["stage"] == stage, measure].to_numpy()
        if values.size:
            ax.hist(values, bins.tolist(), label=name, **style)
    ax.set_ylabel("seeds")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))


def _at_start() -> dict[str, Any]:
    return {"color": tints.pale}


def _after() -> dict[str, Any]:
    return {"color": tints.muted, "histtype": "stepfilled", "alpha": 0.65, "edgecolor": tints.ink}


def _own() -> dict[str, Any]:
    return {"histtype": "step", "color": tints.ink, "hatch": "//////"}


def caption_similarity(material: Material) -> str:
    """Means over pairs at both ends, the rest's, and what a seed keeps of its start."""
    summary = material["summary"]
    row = summary.set_index("measure")
    n = int(row.loc["cka_trained_mean", "n_seeds"])
    if n == 0:
        return "Fewer than two seeds are finite, so there are no pairs to compare."
    known = ~row["estimate"].isna()
    a, b = material.targets
    words = [f"Every pair of the first {plural(n, 'finite seed')}: mean"]
    for measure, name in (
        ("distance_correlation", "correlation of the distances between digits"),
        ("distance_correlation_rest", f"of those without {a} and {b}"),
        ("cka", "CKA"),
    ):
        if known[f"{measure}_trained_mean"]:
            words.append(f" {name} {estimate(summary, f'{measure}_trained_mean', places)}")
            start = f"{measure}_initial_mean"
            words.append(f", at the start {estimate(summary, start, places)};" if known[start] else ";")
    text = "".join(words)[:-1] + ". "
    if known["embedding_start_correlation_median"] and not untrained(material):
        text += (
            f"With its own start, a seed’s distances have a median correlation of "
            f"{estimate(summary, 'embedding_start_correlation_median', places)}. "
        )
    if known["cka_initial_mean"]:
        return text + "At the start seeds are independent: likeness there is chance, and for CKA chance is far above 0."
    return text + "Unrelated points have a CKA far above 0 too, and this run keeps no initial weights to compare with."


def caption_plane(material: Material) -> str:
    """Medians at both ends, chance, the angle, and where the change went."""
    summary = material["summary"]
    known = ~summary.set_index("measure")["estimate"].isna()
    if not known["plane_share_trained_median"]:
        return "No seed is finite."
    chance = number(material["geometry"]["plane_share_chance"].iloc[0], 2)
    middle, angle = ("Share", "Angle") if n_finite(material) == 1 else ("Median share", "Median angle")
    words = [
        "Scores read the embedding along one direction, values along another; what lies across their plane changes no "
        f"answer. {middle} of the variance in the plane: {estimate(summary, 'plane_share_trained_median')}"
    ]
    if known["plane_share_initial_median"] and not untrained(material):
        words.append(f", at the start {estimate(summary, 'plane_share_initial_median')}")
    words.append(f", expected in a random plane {chance}. ")
    if known["embedding_change_plane_share_median"] and not untrained(material):
        words.append(
            f"Of the change since the start ({estimate(summary, 'embedding_change_median')} of the start's size) "
            f"the plane holds {estimate(summary, 'embedding_change_plane_share_median')}. "
        )
    if known["direction_angle_trained_median"]:
        words.append(f"{angle} of the directions, in degrees: {estimate(summary, 'direction_angle_trained_median')}.")
    return "".join(words).strip()


def caption_separation(material: Material) -> str:
    """The statistic, its exact test, and the test pooled over seeds."""
    a, b = material.targets
    summary = material["summary"]
    row = summary.set_index("measure")
    choices = int(material["geometry"]["separation_choices"].iloc[0])
    if np.isnan(row.loc["separation_rank_trained_mean", "estimate"]):
        finite = (material["seeds"]["status"] == "trained").any()
        return (
            f"With {material.config.vocab_size} digits fewer than two are left beside {a} and {b}: there is no "
            "separation to speak of."
            if finite
            else "No seed is finite."
        )
    share, n = row.loc["share_separated"], n_finite(material)
    small = (
        f"p ≤ 0.05 in {estimate(summary, 'share_separated', percent)} of all seeds. "
        if not np.isnan(share["estimate"]) and n > 1
        else ""
    )
    middle = "" if n == 1 else "median "
    return (
        f"Separation: mean distance of pairs with {a} or {b} over that of pairs without ({middle}"
        f"{estimate(summary, 'target_distance_ratio_median')}), ranked among all {choices} choices of two digits; "
        f"rank 1 is most separated. A seed's p is rank / {choices}, so no less than {number(1 / choices, 2)}. {small}"
        f"{'Its rank' if n == 1 else 'Mean rank'}: {estimate(summary, 'separation_rank_trained_mean')}, by chance "
        f"{number(row.loc['separation_rank_chance', 'estimate'])}."
    )


SIMILARITY = Figure(
    "geometry_similarity", data_similarity, draw_similarity, caption_similarity, size=(6.6, 3.0), panels=2, foot=0.35
)
PLANE = Figure("geometry_plane", data_plane, draw_plane, caption_plane, size=(4.2, 3.0))
SEPARATION = Figure("geometry_separation", data_separation, draw_separation, caption_separation, size=(4.4, 3.0))
