"""How does a pooled value become an answer?"""

from __future__ import annotations

from reports import readout
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import plural

__all__ = ["READOUT"]


def finding(material: Material) -> str:
    """How many seeds answer by a single threshold."""
    seeds = material["seeds"]
    one = int((seeds["n_thresholds"] == 1).sum())
    return f"{one:,} of {plural(len(seeds), 'seed')} turn the pooled value into an answer by a single threshold" + (
        "." if one == len(seeds) else f"; {len(seeds) - one:,} by none or several."
    )


READOUT = Page("The readout curve", finding, (Row((readout.FIGURE,), 3.5), Row((readout.THRESHOLDS,), 2.6)))
