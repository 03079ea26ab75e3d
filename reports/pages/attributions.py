"""Does attention rank positions as attributions do, and what does permuting it change?"""

from __future__ import annotations

import math

from reports import faithfulness
from reports.facts import known, n_finite
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import interval, listed, places

__all__ = ["ATTRIBUTIONS"]

MEANINGS = (
    ("direct contribution", "a (v − t), attention times value beyond the threshold: its part of z − t"),
    ("leave-one-out", "the logit less the logit without the position, the other attention renormalised"),
    ("Shapley value", "mean effect on the logit when positions join in every order, attention renormalised"),
    ("gradient in the score", "f'(z) a (v − z), the slope of the logit in the position's score"),
    ("gradient in the embedding", "length of the logit's gradient in the embedded digit at the position"),
)


def _meanings(sheet: Sheet, material: Material) -> None:
    """What the attributions are."""
    sheet.text("What is compared with attention", weight="bold")
    sheet.table(MEANINGS, (1.6, 5), header=False)


def finding(material: Material) -> str:
    """Rank agreement of attention with two attributions, and of these two with each other; medians over seeds."""
    table = known(material)
    left_out, shapley, between = (
        table.loc[f"tau_{name}_median"] for name in ("leave_one_out", "shapley", "leave_one_out_shapley")
    )
    if why := none(material):
        return why
    n = int(max(left_out["n_seeds"], shapley["n_seeds"]))
    of = [
        f"{name} at {interval(row, places)}"
        for row, name in ((left_out, "leave-one-out"), (shapley, "Shapley values"))
        if not math.isnan(row["estimate"])
    ]
    both = "" if math.isnan(between["estimate"]) else f"; these two agree at {interval(between, places)}"
    return f"By rank ({'' if n == 1 else 'median '}tau), attention agrees with {listed(of)}{both}."


def none(material: Material) -> str:
    """Why there is nothing to rank, where that is so."""
    taus = known(material)["estimate"]
    if not taus[["tau_leave_one_out_median", "tau_shapley_median"]].isna().all():
        return ""
    if not n_finite(material):
        return "No seed is finite, so there are no positions to rank."
    if material.config.length == 1:
        return "A sequence of one digit has one position, so there is nothing to rank."
    return "No seed lets positions differ in what they do to the answer, so there is nothing to rank."


def meaning(material: Material) -> str:
    """Only what attributions are, where there is nothing to rank."""
    return "Attributions say what each position of a sequence does to the answer." if none(material) else ""


ATTRIBUTIONS = Page(
    "Attention and attributions",
    finding,
    (Row((faithfulness.TAUS,), 2.3, left=1.75), Row((faithfulness.FLIPS,), 1.1, left=1.75)),
    after=_meanings,
    absent=meaning,
)
