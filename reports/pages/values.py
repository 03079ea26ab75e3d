"""What do the seeds compute?"""

from __future__ import annotations

import pandas as pd

from reports import values
from reports.facts import ENOUGH, n_finite, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, number, told

__all__ = ["VALUES"]

NEARLY = 0.1  # a middle half narrower than this part of the median: seeds agree


def finding(material: Material) -> str:
    """How many seeds answer by a linear rule, whether it is the same, and how it weighs the second digit."""
    a, b = material.targets
    n = len(material["seeds"])
    if not n_finite(material):
        return "No seed is finite, so there are no values to describe."
    digits = material["digits"]
    weights = digits.loc[digits["digit"] == b, "rule_weight"].dropna()
    size = "1" if (digits.loc[digits["digit"] == a, "rule_weight"].dropna() > 0).all() else "±1"
    beside = f"where a {a} counts {size}, a {b} counts"
    if weights.empty:
        who = told(0, n, "answers", "answer", "does not answer", noun(material))
        return f"{capital(who)} by one linear rule: that takes exactly one pooled value at which the answer changes."
    spread = _middle(material, b)
    alike = len(weights) >= ENOUGH and size == "1" and spread["q75"] - spread["q25"] < NEARLY * abs(spread["q50"])
    rule = "nearly the same linear rule" if alike else "a linear rule"
    who = capital(told(len(weights), n, f"answers by {rule}", f"answer by {rule}", "", noun(material)))
    if len(weights) == 1:
        return f"{who}: {beside} {number(weights.iloc[0])}."
    own = "" if alike else " of their own"
    if len(weights) < ENOUGH:
        low, high = number(weights.min()), number(weights.max())
        return f"{who}{own}: {beside} {low if low == high else f'{low} to {high}'}."
    low, high = number(spread["q25"]), number(spread["q75"])
    half = f"{low} to {high} in the middle half" if low != high else "as in the middle half"
    return f"{who}{own}: {beside} {number(spread['q50'])} in the median, {half}."


def _middle(material: Material, digit: int) -> pd.Series:
    spread = material["digits_spread"]
    return spread[(spread["measure"] == "rule_weight") & (spread["digit"] == digit)].iloc[0]


def none(material: Material) -> str:
    """Only what a value is, where no seed has one."""
    return "" if n_finite(material) else "A value is the one number by which attention to a digit enters the answer."


def _no_rule(material: Material) -> str | None:
    """The second picture is of seeds with one threshold."""
    if material["digits"]["rule_weight"].notna().any():
        return None
    return "No seed changes its answer at exactly one pooled value, so there are no weights of a rule to show."


VALUES = Page(
    "Values and weights by digit",
    finding,
    (Row((values.VALUES,), 2.7), Row((values.RULE,), 2.9, absent=_no_rule)),
    absent=none,
)
