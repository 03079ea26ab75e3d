"""How many seeds are enough?"""

from __future__ import annotations

from reports import budget
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent, plural

__all__ = ["BUDGET"]

FEW = 10


def unknown(material: Material) -> str:
    """What it takes to say how many are enough, where this run cannot."""
    if not material["seed_budget"].empty:
        return ""
    return (
        "Coverage is how often an interval made from a few seeds holds the value over all of them. It takes a run "
        "that can stand for all seeds, of 20 or more."
    )


def finding(material: Material) -> str:
    """The measures whose usual interval covers least and most with few seeds."""
    table = material["seed_budget"]
    usual = table[(table["n_seeds"] == FEW) & (table["measure"].map(budget.QUOTED) == table["method"])]
    if usual.empty:
        return f"{plural(len(material['seeds']), 'seed')} cannot say how many seeds are enough."
    least, most = (usual.loc[usual["coverage"].agg(which)] for which in ("idxmin", "idxmax"))
    return (
        f"Made from {FEW} seeds, 95 % intervals hold the truth in {percent(least['coverage'])} of cases for the "
        f"{budget.WORDS[least['measure']]}, in {percent(most['coverage'])} for the {budget.WORDS[most['measure']]}."
    )


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
