"""What do the seeds look at?"""

from __future__ import annotations

from reports import attention, focus
from reports.facts import ENOUGH, clearly, fixed_focus, known, no_rivals, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, interval, number, told

__all__ = ["ATTENTION"]

NOTHING = "Focus is the expected share of attention on the digits that the rule names; there is none to show here."


def finding(material: Material) -> str:
    """How many seeds attend to the rule's digits above chance, by how much, and the range of focus."""
    a, b = material.targets
    seeds = material["seeds"]
    focused, chance = seeds["focus"].dropna(), seeds["focus_chance"].iloc[0]
    if focused.empty:
        return "No seed is finite, so there is no attention to measure."
    if fixed_focus(material):
        return fixed_focus(material)
    lift = known(material).loc["focus_lift_median"]
    n, above = len(focused), int((focused > chance).sum())
    kind = noun(material) if n == len(seeds) else "finite seed"
    size = interval(lift, number)
    if n == 1:
        more = "more" if above else "no more"
        return (
            f"The one {kind} gives {number(focused.iloc[0], 2)} of its attention to {a}s and {b}s: {more} than chance, "
            f"by a factor of {size}."
        )
    spread = f"{number(focused.min(), 2)} to {number(focused.max(), 2)}"
    if n < ENOUGH:
        many = told(above, n, "attends", "attend", "", kind)
        return f"{capital(many)} to {a}s and {b}s more than chance ({number(chance, 2)}): focus runs from {spread}."
    if not clearly(lift, 1):
        many = told(above, n, "is", "are", "", kind)
        return (
            f"Focus on {a}s and {b}s does not clearly differ from chance: {size} times it in the median; {many} above "
            f"it, and focus runs from {spread}."
        )
    under = clearly(lift, 1) < 0
    many = told(n - above if under else above, n, "attends", "attend", "", kind)
    return (
        f"{capital(many)} to {a}s and {b}s {'less' if under else 'more'} than chance, in the median by a factor of "
        f"{size}; focus runs from {spread}."
    )


def none(material: Material) -> str:
    """What focus would be, where there is none to speak of."""
    return "" if material["seeds"]["focus"].notna().any() and not no_rivals(material) else NOTHING


def _fixed(material: Material) -> str | None:
    return "" if fixed_focus(material) else None


ATTENTION = Page(
    "Focus, and attention by digit",
    finding,
    (
        Row((attention.FIGURE,), 2.5),
        Row((focus.FOCUS, focus.ACCURACY), 2.3, (1, 1.15), below=0.25, absent=_fixed),
    ),
    absent=none,
)
