"""Do the seeds need what they look at?"""

from __future__ import annotations

import numpy as np

from reports import focus, interventions
from reports.facts import known, n_finite, no_rivals, noun, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import exact_accuracy, number, told

__all__ = ["INTERVENTIONS"]

HARDLY = 0.005  # a change of the accuracy that is none to speak of


def finding(material: Material) -> str:
    """What uniform attention does to the median accuracy, and how many are right with attention on targets alone."""
    summary = known(material)
    n, uniform = len(material["seeds"]), summary.loc["accuracy_uniform_median", "estimate"]
    if np.isnan(uniform):
        return "No seed is finite, so there is no attention to change."
    if no_rivals(material):
        return no_rivals(material)
    before, always_no = summary.loc["accuracy_median", "estimate"], summary.loc["accuracy_always_no", "estimate"]
    which = "an accuracy" if n == 1 else "a median accuracy"
    trained = "as they are" if untrained(material) else "as trained"
    was = f", {trained}" if abs(uniform - before) < HARDLY else ""
    change = f"Uniform attention leaves {which} of {_accuracy(uniform)}{was} (always “no”: {number(always_no)})"
    if material.config.vocab_size == 2:
        return f"{change}."
    low, high = sorted(material.targets)
    right, certified = (
        round(summary.loc[name, "estimate"] * n) for name in ("share_only_targets_right", "share_certified")
    )
    who = told(right, n, "is", "are", "is not", noun(material))
    rest = "" if n == 1 or not right + certified else f" ({trained}: {f'{certified:,}' if certified else 'none'})"
    return f"{change}; with attention on {low}s and {high}s alone {who} right everywhere{rest}."


def _accuracy(accuracy: float) -> str:
    return exact_accuracy(1 - accuracy) if 0.999 < accuracy < 1 else number(accuracy)


def none(material: Material) -> str:
    """Why there is no pattern to change, where that is so."""
    if not n_finite(material):
        return "Changing the pattern shows what a seed needs of what it attends to."
    return "A change of the pattern would change nothing." if no_rivals(material) else ""


INTERVENTIONS = Page(
    "Other attention",
    finding,
    (
        Row((interventions.PATTERN, focus.UNIFORM), 1.9, (1.25, 1), left=1.0, gap=0.8, below=0.22),
        Row((interventions.REMOVED, interventions.MEAN), 1.9, (1, 1)),
    ),
    absent=none,
)
