"""Did the seeds learn?"""

from __future__ import annotations

from reports import failed, learning
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import plural

__all__ = ["LEARNING"]


def finding(material: Material) -> str:
    """How many seeds ended above 0.999, and how many failed."""
    seeds = material["seeds"]
    n_failed = int(seeds["failed"].sum())
    rest = f"{n_failed} of {len(seeds):,} failed" if n_failed else "none failed"
    good = int((seeds["accuracy"] > 0.999).sum())
    return (
        f"After {material.config.steps:,} steps {good:,} of {plural(len(seeds), 'seed')} "
        f"{'is' if good == 1 else 'are'} above 0.999 accuracy; {rest}."
    )


LEARNING = Page("Learning curves and final errors", finding, (Row((learning.FIGURE,), 3.3), Row((failed.FIGURE,), 2.7)))
