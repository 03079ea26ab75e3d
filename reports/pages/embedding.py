"""How do the digits lie in the embedding?"""

from __future__ import annotations

import numpy as np

from reports import embedding
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import number

__all__ = ["EMBEDDING"]


def finding(material: Material) -> str:
    """Whether the rule's digits lie farther from all others than these from each other."""
    a, b = sorted(material.targets)
    ratio = material["summary"].set_index("measure").loc["target_distance_ratio_median"]
    if not (material["seeds"]["status"] == "trained").any():
        return "No seed is finite, so there is no geometry to describe."
    if np.isnan(ratio["estimate"]):
        return f"An alphabet of {material.config.vocab_size} digits leaves no other pairs to compare {a} and {b} with."
    clear = not np.isnan(ratio["ci_low"]) and (ratio["ci_low"] > 1 or ratio["ci_high"] < 1)
    relation = "farther from all others than" if ratio["estimate"] > 1 else "nearer to all others than"
    relation = relation if clear else "about as far from all others as"
    return (
        f"{a} and {b} lie {relation} the others lie from each other: in the median seed by a factor of "
        f"{number(ratio['estimate'])}."
    )


EMBEDDING = Page(
    "Digits in the embedding",
    finding,
    (Row((embedding.ALIGNED, embedding.COSINE), 2.9, (1, 1), right=0.3), Row((embedding.READ,), 2.6)),
)
