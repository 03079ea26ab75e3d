"""How do the digits lie in the embedding?"""

from __future__ import annotations

import numpy as np

from reports import embedding
from reports.facts import ENOUGH, clearly, known, n_finite, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import interval, number

__all__ = ["EMBEDDING"]


def finding(material: Material) -> str:
    """Whether the rule's digits lie farther from all others than these from each other, beyond chance."""
    a, b = sorted(material.targets)
    summary = known(material)
    ratio, rank = summary.loc["target_distance_ratio_median"], summary.loc["separation_rank_trained_mean"]
    n = n_finite(material)
    if not n:
        return "No seed is finite, so there is no geometry to describe."
    if np.isnan(ratio["estimate"]):
        V = material.config.vocab_size
        return (
            f"An alphabet of {V} digits has no other pairs with which the distances of {a} and {b} could be compared."
        )
    size = interval(ratio, number)
    if n < ENOUGH:
        among = f"In the one {noun(material)}" if n == 1 else f"In the median of {n} {noun(material)}s"
        few = "one seed cannot" if n == 1 else "so few cannot"
        return (
            f"{among} {a} and {b} lie {size} times as far from other digits as these from each other; {few} say if by "
            "chance."
        )
    # a rank of 1 is the most separated of all choices of two digits: small is far
    far = -clearly(rank, summary.loc["separation_rank_chance", "estimate"])
    if far > 0 and clearly(ratio, 1) > 0:
        relation = "farther from other digits than these from each other"
    elif far < 0 and clearly(ratio, 1) < 0:
        relation = "nearer to other digits than these to each other"
    else:
        return (
            f"{a} and {b} lie no farther from other digits, nor nearer, than chance would have it: {size} times as far "
            f"as these from each other in the median {noun(material)}."
        )
    return f"{a} and {b} lie {relation}: by a factor of {size} in the median {noun(material)}, beyond chance."


def none(material: Material) -> str:
    """Only what an embedding is, where no seed has one."""
    return (
        "" if n_finite(material) else "Each digit is a point in the embedding, from which scores and values are read."
    )


EMBEDDING = Page(
    "Digits in the embedding",
    finding,
    (Row((embedding.ALIGNED, embedding.COSINE), 2.9, (1, 1), right=0.3), Row((embedding.READ,), 2.6)),
    absent=none,
)
