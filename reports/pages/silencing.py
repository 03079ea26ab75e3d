"""How are distractors kept out of the answer?"""

from __future__ import annotations

import math

from reports import silencing
from reports.facts import ENOUGH, clearly, known, no_rivals, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import interval, number, percent, plural

__all__ = ["SILENCING"]

MEANING = (
    "A distractor is silent in so far as its weight in a seed's only rule is smaller than that of the rule's digits."
)


def finding(material: Material) -> str:
    """How small a distractor's weight is, and how much of that is attention's."""
    if why := none(material):
        return why
    a = material.targets[0]
    silence, part = (known(material).loc[name] for name in ("silence_median", "silence_by_attention_median"))
    n = int(silence["n_seeds"])
    among = (
        f"In the one {noun(material)} with a single rule"
        if n == 1
        else f"In the median of {plural(n, noun(material))} with a single rule"
    )
    weighs = f"a distractor weighs {number(math.exp(-silence['estimate']), 2)} of a {a}"
    if silence["estimate"] <= 0:
        return f"{among} {weighs}: distractors are not silenced."
    if n >= ENOUGH and clearly(silence, 0) < 1:
        low, high = (number(math.exp(-silence[end]), 2) for end in ("ci_high", "ci_low"))
        return f"{among} {weighs}, but the interval runs from {low} to {high}: no clear silence."
    share, m = part["estimate"], int(part["n_seeds"])
    of = "this silence" if m == n else f"this silence (in {m:,})"
    if share > 1:
        return f"{among} {weighs}; attention does more than all of it ({percent(share)}), values work against it."
    if share < 0:
        return f"{among} {weighs}; values do more than all of it, attention works against it ({percent(share)})."
    return f"{among} {weighs}; attention does {interval(part, percent)} of {of}, values the rest."


def none(material: Material) -> str:
    """Why there is no silence to speak of, where that is so."""
    if material.config.vocab_size == 2:
        return "Both digits are named by the rule: there is no distractor to silence."
    if no_rivals(material):
        return "In a sequence of one digit there is no other digit to keep out of the answer."
    if material["silencing_by_seed"]["share_attention"].notna().any():
        return ""
    if material["silencing_by_seed"]["silence"].notna().any():
        return "No seed with a single rule gives distractors less weight than the digits of the rule."
    return "No seed has a single rule, so there are no weights by which distractors could be silenced."


def meaning(material: Material) -> str:
    """Only what silence is, where there is none."""
    return MEANING if none(material) else ""


SILENCING = Page(
    "How distractors are silenced",
    finding,
    (Row((silencing.FIGURE,), 3.3), Row((silencing.DIGITS,), 2.3)),
    absent=meaning,
)
