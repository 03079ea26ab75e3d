"""Does attention rank positions as attributions do, and what does permuting it change?"""

from __future__ import annotations

import math

from reports import faithfulness
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import number

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
    known = material["summary"].set_index("measure")["estimate"]
    left_out, shapley, between = (
        known[f"tau_{name}_median"] for name in ("leave_one_out", "shapley", "leave_one_out_shapley")
    )
    if math.isnan(left_out + shapley + between):
        return "Attention, leave-one-out and Shapley values cannot all be compared: too few positions or seeds differ."
    return (
        f"By rank, attention agrees with leave-one-out by a median tau of {number(left_out, 2)} and with Shapley "
        f"values by {number(shapley, 2)}; these two agree with each other by {number(between, 2)}."
    )


ATTRIBUTIONS = Page(
    "Attention and attributions",
    finding,
    (Row((faithfulness.TAUS,), 2.3, left=1.75), Row((faithfulness.FLIPS,), 1.1, left=1.75)),
    after=_meanings,
)
