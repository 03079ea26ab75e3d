"""What do the two circuits do with each digit?"""

from __future__ import annotations

from reports import qk_ov
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
    share = {way: percent(count / n) for way, count in found.items()}
    small = f"weigh less than {qk_ov.SILENT:g} beside a {first}"
    if silent == 0:
        return f"In the QK-OV plane no other digit is silent: none {small.replace('weigh', 'weighs')}."
    return (
        f"In the QK-OV plane, {percent(silent / n)} of the other digits {small}: {share['score']} by a low score "
        f"alone, {share['value']} by a value near the threshold alone, {share['either']} by either, {share['both']} "
        "only by both together."
    )


QK_OV = Page("The QK-OV plane", finding, (Row((qk_ov.PLANE,), 2.8), Row((qk_ov.RULE,), 2.8, right=0.6)))
