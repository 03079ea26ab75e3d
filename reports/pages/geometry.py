"""What of the embedding did training make, and do seeds agree on it?"""

from __future__ import annotations

import math

from reports import geometry
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import number, percent, plural

__all__ = ["GEOMETRY"]

KEPT, LEFT = 0.7, 0.3  # correlation with a seed's own start: about half of the variance, and a tenth


def finding(material: Material) -> str:
    """One sentence that is true of this run, whatever it holds."""
    value = material["summary"].set_index("measure")["estimate"]
    own, others = value["embedding_start_correlation_median"], value["distance_correlation_trained_mean"]
    plane = value["plane_share_trained_median"]
    if math.isnan(plane):
        return "No seed is finite, so there is no geometry to compare."
    if not math.isnan(own):
        kept = "most" if own > KEPT else "part" if own > LEFT else "little"
        rest = f", {number(others, 2)} with another seed's" if not math.isnan(others) else ""
        return (
            f"A trained seed keeps {kept} of its initial geometry: the distances between its digits correlate "
            f"{number(own, 2)} with its own start{rest}."
        )
    if not math.isnan(others):
        return f"On average over pairs of trained seeds, the distances between digits correlate {number(others, 2)}."
    chance = material["geometry"]["plane_share_chance"].iloc[0]
    return (
        f"Scores and values read a plane that holds {percent(plane)} of the embedding's variance; a random plane would "
        f"hold {percent(chance)}."
    )


def limits(material: Material) -> str:
    """What so few points can show."""
    V, D = material.config.vocab_size, material.config.embed_dim
    room = (
        f"{V} points have room in {D} dimensions for any distances at all"
        if D >= V - 1
        else f"{V} points in {plural(D, 'dimension')} are few"
    )
    return (
        f"{room}: what single seeds show means little beside the start; what many seeds share is the evidence. And "
        "distances are not fixed by what a network answers: the weights that read the embedding can undo any "
        "invertible map of it."
    )


def _limits(sheet: Sheet, material: Material) -> None:
    sheet.text(limits(material), size=8)


GEOMETRY = Page(
    "How much of it is learned",
    finding,
    (
        Row((geometry.SIMILARITY,), 1.85, (1, 1), below=0.22),
        Row((geometry.PLANE, geometry.SEPARATION), 1.85, (1, 1)),
    ),
    after=_limits,
)
