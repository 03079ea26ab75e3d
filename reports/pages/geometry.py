"""What of the embedding did training make, and do seeds agree on it?"""

from __future__ import annotations

import math

from reports import geometry
from reports.facts import known, n_finite, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import interval, percent, places, plural

__all__ = ["GEOMETRY"]

KEPT, LEFT = 0.7, 0.3  # correlation with a seed's own start: about half of the variance, and a tenth


def finding(material: Material) -> str:
    """One sentence that is true of this run, whatever it holds."""
    table = known(material)
    value = table["estimate"]
    own, plane = value["embedding_start_correlation_median"], value["plane_share_trained_median"]
    others = table.loc["distance_correlation_trained_mean"]
    if math.isnan(plane):
        return "No seed is finite, so there is no geometry to compare."
    alike = "" if math.isnan(others["estimate"]) else interval(others, places)
    if untrained(material) and alike:
        return (
            "Nothing was trained, so the geometry is that of the start: the distances between digits correlate "
            f"{alike} from seed to seed."
        )
    if not math.isnan(own) and not untrained(material):
        kept = "most" if own > KEPT else "part" if own > LEFT else "little"
        rest = f", {alike} with another seed’s" if alike else ""
        return (
            f"Training keeps {kept} of a seed’s initial geometry: distances between its digits correlate "
            f"{places(own)} with its own start{rest}."
        )
    if alike:
        return f"On average over pairs of seeds the distances between digits correlate {alike}."
    chance = material["geometry"]["plane_share_chance"].iloc[0]
    return (
        f"Scores and values read a plane that holds {percent(plane)} of the embedding’s variance; a random plane would "
        f"hold {percent(chance)}."
    )


def none(material: Material) -> str:
    """Only what could be seen, where no seed is finite."""
    return "" if n_finite(material) and not untrained(material) else limits(material)


def _no_pairs(material: Material) -> str | None:
    """The first picture is of pairs of seeds."""
    return "It takes two finite seeds to say whether seeds agree on a geometry." if n_finite(material) < 2 else None


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
        Row((geometry.SIMILARITY,), 1.85, (1, 1), below=0.22, absent=_no_pairs),
        Row((geometry.PLANE, geometry.SEPARATION), 1.85, (1, 1)),
    ),
    after=_limits,
    absent=none,
)
