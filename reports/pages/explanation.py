"""Is attention an explanation? The same answers from different patterns."""

from __future__ import annotations

from reports import agreement
from reports.facts import fixed_focus, known
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent, probability

__all__ = ["EXPLANATION"]

HARDLY = 0.05  # a difference in focus that is none to speak of


def finding(material: Material) -> str:
    """How alike the two seeds answer that differ most in focus, and how alike the median pair."""
    a, b = material.targets
    pair, n = agreement.farthest(material), len(material["agreement"])
    if pair is None:
        return "Fewer than two seeds are finite and did not fail, so there are no two ways of attending to compare."
    if fixed_focus(material):
        return f"No two seeds can differ in focus. {fixed_focus(material)}"
    shares = f"{percent(pair['focus_low'])} and {percent(pair['focus_high'])}"
    if pair["focus_high"] - pair["focus_low"] < HARDLY:
        return (
            f"No two seeds differ much in focus: those farthest apart, {pair['low']} and {pair['high']}, have {shares}."
        )
    who = f"With {shares} of attention on {a}s and {b}s, seeds {pair['low']} and {pair['high']}"
    alike = pair["disagreement"] == 0
    constant = material["seeds"].set_index("seed").loc[[pair["low"], pair["high"]], "n_thresholds"].max() == 0
    if alike and constant:
        return f"{who} answer every input alike, but so they must: each gives one answer to everything."
    often = probability(pair["disagreement"])
    seen = f"{who} {'answer every input alike' if alike else f'disagree with probability {often}'}"
    if n == 1:
        return f"{seen}."
    median = probability(known(material).loc["disagreement_median", "estimate"])
    rest = f"; the median of {n:,} pairs disagrees with probability" if alike else f", the median of {n:,} pairs with"
    return f"{seen}{rest} {median}."


def alone(material: Material) -> str:
    """Why there is nothing to compare, where that is so."""
    if len(material["agreement"]) == 0:
        return "It takes two finite seeds to say how alike they answer and how differently they attend."
    if fixed_focus(material):
        return "Seeds are compared here by how they share out attention between the digits of the rule and all others."
    return ""


def _no_pair(material: Material) -> str | None:
    if agreement.farthest(material) is None:
        return "The pairs below are of finite seeds, failed ones among them."
    return None


EXPLANATION = Page(
    "Same answers, different attention",
    finding,
    (
        Row((agreement.PATTERNS,), 1.35, (1, 1), gap=1.0, left=0.42, right=0.45, absent=_no_pair),
        Row((agreement.RULE, agreement.PAIRS), 2.4, (1, 1), below=0.25),
    ),
    absent=alone,
)
