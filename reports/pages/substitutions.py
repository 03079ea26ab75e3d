"""Which exchange of digits changes an answer?"""

from __future__ import annotations

from reports import interventions, substitutions
from reports.facts import known, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, told

__all__ = ["SUBSTITUTIONS"]


def finding(material: Material) -> str:
    """How many seeds answer to changed digits as they should."""
    n, share = len(material["seeds"]), known(material).loc["share_substitutions_as_label", "estimate"]
    if none(material):
        return "No seed is finite, so there are no answers to change."
    who = told(round(share * n), n, "changes its", "change their", "does not change its", noun(material))
    return f"{capital(who)} answer with every kind of changed digit exactly as often as is right."


def none(material: Material) -> str:
    """Only what a changed digit can show, where no seed is finite."""
    if material["substitutions"]["excess"].notna().any():
        return ""
    return (
        "One digit of a sequence is changed for another: the answer should change just as often as the right one does."
    )


SUBSTITUTIONS = Page(
    "Changed digits",
    finding,
    (
        Row((substitutions.FIGURE,), 2.05, (1, 1), gap=0.9, right=0.6, elastic=False),
        Row((interventions.EXCHANGED,), 3.1, right=2.6, elastic=False),
    ),
    absent=none,
)
