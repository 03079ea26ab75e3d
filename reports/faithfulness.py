"""Does attention say what an answer rests on? Rank agreement with attributions, and what permuting patterns changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.by_digit import QUANTILES, bars, quantile_bar, stacked
from reports.density import strip
from reports.facts import n_finite
from reports.figure import Figure, Material
from reports.style import empty, tidy, tints
from reports.words import estimate, percent, places, plural

__all__ = ["FLIPS", "TAUS"]

WITH_ATTENTION = {
    "tau_embedding_gradient": "gradient in the embedding",
    "tau_leave_one_out": "leave-one-out",
    "tau_contribution": "direct contribution",
    "tau_score_gradient": "gradient in the score",
    "tau_shapley": "Shapley value",
}
BETWEEN = {
    "tau_leave_one_out_shapley": "leave-one-out & Shapley",
    "tau_contribution_shapley": "contribution & Shapley",
}
CHANGES = {
    "swap_flips": "a swap of two positions",
    "permutation_flips": "a random permutation",
    "some_permutation_flips": "some permutation at all",
}


def _data(material: Material, names: dict[str, str]) -> pd.DataFrame:
    """Quantiles over seeds of some measures, then each seed, in the order in which they are drawn."""
    seeds, quantiles = material["faithfulness"], material["faithfulness_spread"]
    seeds = seeds.loc[seeds["measure"].isin(list(names)), ["seed", "measure", "value"]]
    quantiles = quantiles[quantiles["measure"].isin(list(names))]
    table = stacked(quantiles, seeds, ["measure"], "value")
    place = {name: k for k, name in enumerate(names)}
    kinds = {kind: k for k, kind in enumerate([*QUANTILES, "seed"])}
    order = {"measure": place, "kind": kinds}
    keys = ["measure", "kind", "seed"]
    return table.sort_values(keys, key=lambda c: c.map(order[c.name]) if c.name in order else c, ignore_index=True)


def data_taus(material: Material) -> pd.DataFrame:
    """Taus of every seed."""
    return _data(material, WITH_ATTENTION | BETWEEN)


def data_flips(material: Material) -> pd.DataFrame:
    """Shares of permutations that change the answer, of every seed."""
    return _data(material, CHANGES)


def draw_taus(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """A strip a measure, from -1 to 1."""
    title = "Does attention rank positions as their effects do?"
    if table["value"].isna().all():
        return empty(ax, "no seed has an order to compare", title)
    ax.set_xlim(-1 if table["value"].min() < -0.5 else -0.5, 1)
    _strips(table, ax, WITH_ATTENTION | BETWEEN)
    ax.axhline(len(WITH_ATTENTION) - 0.5, color=tints.pale, linewidth=0.8)
    ax.axvline(0, color=tints.ink, linewidth=0.7, zorder=1)
    ax.set_xlabel("Kendall's tau-b over positions, mean over sequences (1: the same order)")
    ax.set_title(title)
    return tidy(ax, "x")


def draw_flips(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """A strip a kind of permutation, from 0 to 1."""
    title = "Does the answer change when the pattern is permuted?"
    if table["value"].isna().all():
        return empty(ax, "no seed is finite", title)
    ax.set_xlim(-0.02, 1.02)
    _strips(table, ax, CHANGES)
    ax.set_xlabel("share that changes the answer")
    ax.set_title(title)
    return tidy(ax, "x")


def _strips(table: pd.DataFrame, ax: Axes, names: dict[str, str]) -> None:
    """Every seed, and quantiles over seeds as bars; the first measure on top."""
    ax.set_yticks(range(len(names)), list(names.values()))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    for y, name in enumerate(names):
        rows = table[table["measure"] == name]
        strip(ax, y, rows.loc[rows["kind"] == "seed", "value"], tints.distractor, width=0.7, upright=False)
        quantile_bar(ax, y, rows.drop_duplicates("kind").set_index("kind")["value"], upright=False)


def caption_taus(material: Material) -> str:
    """Medians over seeds with their intervals."""
    summary = material["summary"]
    known = summary.set_index("measure")["estimate"]
    taus = {f"{name}_median": words for name, words in (WITH_ATTENTION | BETWEEN).items()}
    if known[list(taus)].isna().all():
        return "No seed orders positions: none is finite, or none treats two positions differently."
    said = [f"{words} {estimate(summary, name, places)}" for name, words in taus.items() if not np.isnan(known[name])]
    return (
        f"Kendall's tau-b of two sizes over the positions of a sequence, mean over those of the same 100 sequences "
        f"where both differ: above the line, attention and an attribution; below it, two attributions. "
        f"{'In the one seed' if n_finite(material) == 1 else 'Medians over seeds'}: {'; '.join(said)}. "
        f"Positions with the same digit tie.{bars(n_finite(material))}"
    )


def caption_flips(material: Material) -> str:
    """How often, and how far."""
    seeds, summary = material["seeds"], material["summary"]
    known = summary.set_index("measure")["estimate"]
    if np.isnan(known["permutation_flips_median"]):
        return "No seed is finite, so there is no pattern to permute."
    swaps = (
        f"all swaps of two positions, {estimate(summary, 'swap_flips_median', percent)}; "
        if not np.isnan(known["swap_flips_median"])
        else ""
    )
    far = (
        f" The nearest permuted pattern with another answer, where one was found, lies at a total variation distance "
        f"of {estimate(summary, 'distance_to_flip_median')}."
        if not np.isnan(known["distance_to_flip_median"])
        else ""
    )
    several = int((seeds["n_thresholds"] > 1).sum())
    bound = f" (at least, for {plural(several, 'seed')} with several thresholds)" if several else ""
    return (
        f"Values stay, attention is permuted. {'' if n_finite(material) == 1 else 'Medians over seeds of the '}"
        f"{'Share' if n_finite(material) == 1 else 'share'} that changes the answer: {swaps}random "
        f"permutations, {estimate(summary, 'permutation_flips_median', percent)}; sequences for which some "
        f"permutation does, {estimate(summary, 'some_permutation_flips_median', percent)}{bound}.{far} "
        f"Dots and bars as in a."
    )


TAUS = Figure("attention_and_attributions", data_taus, draw_taus, caption_taus, size=(6.3, 3.2))
FLIPS = Figure("permuted_patterns", data_flips, draw_flips, caption_flips, size=(6.3, 2.0))
