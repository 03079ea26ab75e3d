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
    "DIGITS",
    "FAMILIES",
    "MEASURES",
    "METHODS",
    "MILESTONES",
    "ORDERS",
    "OUTCOMES",
    "SAMPLED",
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

    @property
    def dot(self) -> dict[str, Any]:
        """Colour and shape, as plot and scatter take them."""
        return {"color": self.colour, "marker": self.shape}


ALL, SOME = Mark("ink", "o"), Mark("distractor", "o")  # whatever is no outcome
DIGITS = {"first": Mark("first"), "second": Mark("second"), "other": Mark("distractor")}
OUTCOMES = {
    "failed": Mark("failed", "X"),
    "some wrong": Mark("distractor", "o"),
    "certified": Mark("certified", "D"),
}
FAMILIES = {  # kinds of solution, in the order of the picture; no digit has these colours
    "attention": Mark("sky", "o"),
    "both": Mark("violet", "s"),
    "value": Mark("orange", "^"),
    "unsilenced": Mark("distractor", "v"),
    "several thresholds": Mark("brown", "P"),
    "no threshold": Mark("muted", "*"),
    "stuck": Mark("failed", "X"),
    "nonfinite": Mark("ink", "D"),
}
ORDERS = {  # what came first, in the colours of who does the work
    "values": Mark("orange", "^"),
    "together": Mark("violet", "s"),
    "attention": Mark("sky", "o"),
    "none": Mark("pale", "v"),
}
MILESTONES = {
    "accuracy_0.99": Mark("violet", line=(0, (1, 1.2))),
    "accuracy_0.999": Mark("ink", line=(0, (5, 1.5))),
    "certified": Mark("certified"),
}
METHODS = {  # of intervals
    "Wilson": Mark("chance", "o"),
    "Clopper-Pearson": Mark("sky", "s"),
    "Student t": Mark("violet", "D"),
    "order statistics": Mark("brown", "v"),
    "bootstrap BCa": Mark("certified", "^"),
    "bootstrap percentile": Mark("orange", "X"),
}
MEASURES = {  # whose intervals have a width
    "share_certified": Mark("certified", "D"),
    "share_failed": Mark("failed", "X"),
    "accuracy_mean": Mark("ink", "o"),
    "focus_mean": Mark("distractor", "s"),
    "focus_median": Mark("orange", "v"),
}
SAMPLED = {  # what a sampled test set gets wrong
    "passed_wrongly": Mark("failed", "X"),
    "pair_tied": Mark("ink", "o"),
    "share_certified": Mark("certified", "D"),
    "absolute_error_worst": Mark("failed", "X"),
    "absolute_error_mean": Mark("ink", "o"),
    "absolute_error_median": Mark("distractor", "s"),
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
