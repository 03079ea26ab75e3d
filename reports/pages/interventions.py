"""Do the seeds need what they look at?"""

from __future__ import annotations

import numpy as np

from reports import focus, interventions
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import number, percent

__all__ = ["INTERVENTIONS"]


def finding(material: Material) -> str:
    """What uniform attention leaves in the median seed, and how many are right with attention on targets alone."""
    summary = material["summary"].set_index("measure")["estimate"]
    uniform, always_no = summary["accuracy_uniform_median"], summary["accuracy_always_no"]
    if np.isnan(uniform):
        return "No seed is finite, so there is no attention to take away."
    low, high = sorted(material.targets)
    right, before = (percent(summary[name]) for name in ("share_only_targets_right", "share_certified"))
    return (
        f"With uniform attention the median seed has an accuracy of {number(uniform)} (always “no”: "
        f"{number(always_no)}). With attention on {low}s and {high}s alone {right} of the seeds are right on every "
        f"input; as trained, {before} are."
    )


INTERVENTIONS = Page(
    "Other attention",
    finding,
    (
        Row((interventions.PATTERN, focus.UNIFORM), 1.9, (1.25, 1), left=1.0, gap=0.8, below=0.22),
        Row((interventions.REMOVED, interventions.MEAN), 1.9, (1, 1)),
    ),
)
