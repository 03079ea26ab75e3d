"""Which exchange of digits changes an answer?"""

from __future__ import annotations

from reports import interventions, substitutions
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent

__all__ = ["SUBSTITUTIONS"]


def finding(material: Material) -> str:
    """How many seeds answer to changed digits as they should."""
    alike = material["summary"].set_index("measure").loc["share_substitutions_as_label", "estimate"]
    return (
        f"{percent(alike)} of the seeds change their answer with every change of a digit exactly as often as they "
        "should."
        if material["substitutions"]["excess"].notna().any()
        else "No seed is finite, so there are no answers to change."
    )


SUBSTITUTIONS = Page(
    "Changed digits",
    finding,
    (
        Row((substitutions.FIGURE,), 2.05, (1, 1), gap=0.9, right=0.6, elastic=False),
        Row((interventions.EXCHANGED,), 3.1, right=2.6, elastic=False),
    ),
)
