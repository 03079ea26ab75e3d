"""Is attention an explanation? The same answers from different patterns."""

from __future__ import annotations

from reports import agreement
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent, plural, probability

__all__ = ["EXPLANATION"]


def finding(material: Material) -> str:
    """How alike the two seeds answer that differ most in focus, and how alike the median pair."""
    a, b = material.targets
    pair, n = agreement.farthest(material), len(material["agreement"])
    if pair is None:
        return "There are no two sound seeds whose patterns could be compared."
    alike = (
        "give the same answer to every input"
        if pair["disagreement"] == 0
        else f"answer a random input differently with probability {probability(pair['disagreement'])}"
    )
    shares = f"{percent(pair['focus_low'])} and {percent(pair['focus_high'])}"
    seen = f"Seeds {pair['low']} and {pair['high']} {alike}, with {shares} of their attention on {a}s and {b}s"
    if n == 1:
        return f"{seen}."
    median = material["summary"].set_index("measure").loc["disagreement_median", "estimate"]
    return (
        f"{seen}; in the median of {plural(n, 'pair')} of seeds answers differ with probability {probability(median)}."
    )


EXPLANATION = Page(
    "Same answers, different attention",
    finding,
    (
        Row((agreement.PATTERNS,), 1.35, (1, 1), gap=1.0, left=0.42, right=0.45),
        Row((agreement.RULE, agreement.PAIRS), 2.4, (1, 1), below=0.25),
    ),
)
