"""What stands for what: the colour, shape, line and hatch of everything that figures tell apart by colour.

Colours alone would merge for some readers and in grey print. In each set here, any two marks differ in colour for
every reader, and in grey either in lightness or in shape, line or hatch (tests/test_palettes.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.style import tints

__all__ = [
    "ALL",
    "FAMILIES",
    "MEASURES",
    "METHODS",
    "MILESTONES",
    "ORDERS",
    "OUTCOMES",
    "SOME",
    "Mark",
    "seed_groups",
]


@dataclass(frozen=True)
class Mark:
    """How one thing is drawn, whichever of the four its figure needs.

    Attributes
    ----------
    tint : str
        The name of its colour in `reports.palettes.Tints`.
    shape : str
        Of its dots.
    line : Any
        Dashes of its line.
    hatch : str
        Of its bars.
    """

    tint: str
    shape: str = "o"
    line: Any = "-"
    hatch: str = ""

    @property
    def colour(self) -> str:
        """Its colour in the current style."""
        return str(getattr(tints, self.tint))


ALL, SOME = Mark("ink", "o"), Mark("distractor", "s")
OUTCOMES = {
    "failed": Mark("failed", "X"),
    "some wrong": Mark("distractor", "o"),
    "certified": Mark("certified", "D"),
}
FAMILIES = {  # kinds of solution, in the order of the picture; no digit has these colours
    "attention": Mark("sky"),
    "both": Mark("violet"),
    "value": Mark("orange"),
    "unsilenced": Mark("distractor"),
    "several thresholds": Mark("brown"),
    "no threshold": Mark("pale"),
    "stuck": Mark("failed"),
    "nonfinite": Mark("ink"),
}
ORDERS = {  # what came first
    "values": Mark("brown"),
    "together": Mark("distractor"),
    "attention": Mark("sky"),
    "none": Mark("grid"),
}
MILESTONES = {
    "accuracy_0.99": Mark("distractor", line=(0, (1, 1.2))),
    "accuracy_0.999": Mark("ink", line=(0, (5, 1.5))),
    "certified": Mark("certified"),
}
METHODS = {  # intervals
    "Wilson": Mark("chance", "o"),
    "Clopper-Pearson": Mark("sky", "s"),
    "Student t": Mark("violet", "D"),
    "order statistics": Mark("brown", "v"),
    "bootstrap BCa": Mark("certified", "^"),
    "bootstrap percentile": Mark("orange", "X"),
}
MEASURES = {  # whose intervals have a width
    "share_certified": Mark("certified"),
    "share_failed": Mark("failed"),
    "accuracy_mean": Mark("ink"),
    "focus_mean": Mark("distractor"),
    "focus_median": Mark("orange"),
}


def seed_groups(seeds: pd.DataFrame) -> list[tuple[str, pd.Series, str, str]]:
    """Name, rows, colour and marker of the seeds by outcome, those that there are."""
    rows = {
        "failed": seeds["failed"],
        "some wrong": ~seeds["failed"] & ~seeds["certified"],
        "certified": seeds["certified"],
    }
    return [
        (f"{name} ({int(rows[name].sum()):,})", rows[name], mark.colour, mark.shape)
        for name, mark in OUTCOMES.items()
        if rows[name].any()
    ]
