"""How many seeds are enough?"""

from __future__ import annotations

import pandas as pd

from reports import budget
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, percent, plural

__all__ = ["BUDGET"]

FEW = 10
ROUNDING = 1e-12


def unknown(material: Material) -> str:
    """What it takes to say how many are enough, where this run cannot."""
    if not _usual(material).empty:
        return ""
    return (
        "Coverage is how often an interval made from a few seeds holds the value over all of them. It takes a run "
        "that can stand for all seeds, of 20 or more, and seeds that differ."
    )


def finding(material: Material) -> str:
    """The measures whose usual interval covers least and most with few seeds."""
    if material["seed_budget"].empty:
        return f"{capital(plural(len(material['seeds']), 'seed'))} cannot say how many seeds are enough."
    varying = _usual(material)
    if varying.empty:
        return (
            f"These {len(material['seeds']):,} seeds agree in all that is estimated: they cannot say how many it takes."
        )
    least, most = (varying.loc[varying["coverage"].agg(which)] for which in ("idxmin", "idxmax"))
    said = [
        f"{percent(row['coverage'])} of cases for the {budget.WORDS[row['measure']]}"
        for row in (least, most)[: 1 if least["measure"] == most["measure"] else 2]
    ]
    return f"95 % intervals from {FEW} seeds hold the truth in {' and '.join(said)}."


def _usual(material: Material) -> pd.DataFrame:
    """The usual interval from few seeds of each measure in which the seeds of this run differ."""
    table = material["seed_budget"]
    usual = table[(table["n_seeds"] == FEW) & (table["measure"].map(budget.QUOTED) == table["method"])]
    return usual[(usual["width_mean"] > ROUNDING) & ~usual["truth"].isin([0, 1])]


BUDGET = Page(
    "How many seeds are enough",
    finding,
    (
        Row((budget.COVERAGE,), 1.35, (1, 1, 1), gap=0.4, below=0.22),
        Row((budget.COVERAGE_OTHERS,), 1.35, (1, 1, 1), gap=0.4, below=0.22),
        Row((budget.WIDTH,), 1.5, right=2.1),
    ),
    absent=unknown,
)
