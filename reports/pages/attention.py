"""What do the seeds look at?"""

from __future__ import annotations

from reports import attention, focus
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import number, plural

__all__ = ["ATTENTION"]


def finding(material: Material) -> str:
    """How many seeds attend to the rule's digits above chance, by how much, and the range of focus."""
    a, b = material.targets
    focused = material["seeds"]["focus"].dropna()
    if focused.empty:
        return "No seed has finite attention."
    table = material["summary"].set_index("measure")
    above = int((material["seeds"]["focus"] > material["seeds"]["focus_chance"]).sum())
    return (
        f"{above:,} of {plural(len(material['seeds']), 'seed')} attend to {a}s and {b}s more than chance, "
        f"in the median by a factor of {number(table.loc['focus_lift_median', 'estimate'], 2)}; from seed to seed "
        f"focus runs from {number(focused.min(), 2)} to {number(focused.max(), 2)}."
    )


ATTENTION = Page(
    "Focus, and attention by digit",
    finding,
    (
        Row((attention.FIGURE,), 2.5),
        Row((focus.FOCUS, focus.ACCURACY), 2.3, (1, 1.15), below=0.25),
    ),
)
