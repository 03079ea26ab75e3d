"""What do the two circuits do with each digit?"""

from __future__ import annotations

from reports import qk_ov
from reports.facts import n_finite
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent

__all__ = ["QK_OV"]


def finding(material: Material) -> str:
    """By what the digits that the rule does not name are kept out of it."""
    first = material.targets[0]
    if material.config.vocab_size == 2:
        return "In the QK-OV plane there are no other digits to keep out of the rule: it names both."
    found = qk_ov.ways(material)
    n = found.pop("n")
    if n == 0:
        return f"In the QK-OV plane no seed has a rule to show: none is a single one that counts {first} for “yes”."
    silent = sum(found.values())
    small = f"less than a tenth of a {first} in the rule"
    if silent == 0:
        return f"No other digit is silent: none weighs {small}."
    by = {
        "score": "a low score",
        "value": "a value near the threshold",
        "either": "either alone",
        "both": "both together",
    }
    parts = [f"{percent(count / n)} by {by[way]}" for way, count in found.items() if count]
    if len(parts) == 1:
        only = parts[0].partition(" by ")[2]
        return f"{percent(silent / n)} of the other digits weigh {small}, all by {only}."
    return f"{percent(silent / n)} of the other digits weigh {small}: {', '.join(parts)}."


def none(material: Material) -> str:
    """Only what the plane is, where no seed has a place in it."""
    return "" if n_finite(material) else "In this plane a digit has its score upwards and its value across."


def _no_rule(material: Material) -> str | None:
    """The second picture is of single rules."""
    if not qk_ov.data_rule(material).empty:
        return None
    return f"No seed is a single rule that counts {material.targets[0]} for “yes”: there is none to draw."


QK_OV = Page(
    "The QK-OV plane",
    finding,
    (Row((qk_ov.PLANE,), 2.8), Row((qk_ov.RULE,), 2.8, right=0.6, absent=_no_rule)),
    absent=none,
)
