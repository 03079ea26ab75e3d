"""How did the seeds get there, and when?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reports import dynamics, precedence, survival
from reports.facts import imported, known, n_finite, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import capital, told

__all__ = ["DYNAMICS", "SURVIVAL"]

NEVER = "–"
ATTENTION_FIRST = "attention had gone half of its way before values in {:,} of {:,} seeds"


def unseen(material: Material) -> str:
    """Why the way cannot be seen, and what to do to see it."""
    if imported(material):
        return "Seeds that are trained here keep snapshots, which show how focus, values and accuracy change."
    if untrained(material):
        return "A run of one step or more would show how focus, values and accuracy change."
    if material["dynamics"].empty:
        return "Train with snapshots above 0 to see it."
    return "" if n_finite(material) else "The last step that each seed took before it broke is in the table seeds."


def _why_unseen(material: Material) -> str:
    if imported(material):
        return "Weights that were trained elsewhere come without a history, so the way to them cannot be seen."
    if untrained(material):
        return "Nothing was trained, so there is no way that the seeds went."
    if material["dynamics"].empty:
        return "No snapshots were kept, so how the seeds got there cannot be seen."
    return "No seed stayed finite, so none got anywhere."


def order(material: Material) -> str:
    """Whether values or attention moved first."""
    if unseen(material):
        return _why_unseen(material)
    shares = material["precedence_shares"]
    half = shares[shares["fraction"] == precedence.HALF].set_index("first")["n_seeds"]
    values, attention, together, n = (int(x) for x in (*half[["values", "attention", "together"]], half.sum()))
    if values + attention + together == 0:
        who = "The one seed did not move" if n == 1 else f"No seed of {n:,} moved"
        return f"{who} both values and attention, so neither came first."
    if values + attention == 0:
        who = capital(told(together, n, "moved", "moved", ""))
        return f"{who} values and attention half of their way between the same two snapshots: neither came first."
    if n == 1:
        first, second = ("Values", "attention") if values else ("Attention", "values")
        whose = "their" if values else "its"
        return f"{first} had gone half of {whose} way before {second}, in the one seed."
    said = (
        (values, f"values had gone half of their way before attention in {values:,} of {n:,} seeds"),
        (attention, f"attention before values in {attention:,}" if values else ATTENTION_FIRST.format(attention, n)),
        (together, f"both between the same two snapshots in {together:,}"),
    )
    return f"{capital(', '.join(words for count, words in said if count))}."


def _no_order(material: Material) -> str | None:
    """What came first is drawn where something came."""
    return None if (material["precedence"]["first"] != "none").any() else ""


def arrival(material: Material) -> str:
    """How many seeds were seen above 0.999, by when, and how many were certified."""
    if unseen(material):
        return _why_unseen(material)
    there, n = _there(material), int(material["survival"]["n_at_risk"].iloc[0])
    high, right = int(there["accuracy_0.999"]), int(there["certified"])
    middle = known(material).loc["steps_to_accuracy_0.999_median", "estimate"]
    by = "" if math.isnan(middle) or n == 1 else f", the median seed by step {_step(middle)}"
    who = told(high, n, "was", "were", "was not")
    if n == 1:
        also = "and right on every input" if right else "but not right on every input"
        return f"{capital(who)} seen above 0.999 accuracy{f' {also}' if high else ' at any snapshot'}."
    if not high:
        return f"{capital(who)} seen above 0.999 accuracy at any snapshot."
    count = "all" if right == n else f"{right:,}" if right else "none"
    also = f"{count} {'was' if right < 2 else 'were'} seen right on every input"
    return f"{capital(who)} seen above 0.999 accuracy at a snapshot{by}; {also}."


def _there(material: Material) -> pd.Series:
    """How many seeds were seen past each milestone."""
    milestones = material["milestones"]
    counts: pd.Series = milestones[milestones["reached"]].groupby("event").size()
    return counts.reindex(survival.LOOKS, fill_value=0)


def _milestones(sheet: Sheet, material: Material) -> None:
    """How many passed each milestone and lost it again, and when the median seed did."""
    milestones, summary = material["milestones"], known(material)
    there, n = _there(material), int(material["survival"]["n_at_risk"].iloc[0])
    rows: list[Sequence[str]] = [("milestone", "seeds that were there", "of them lost it again", "median step")]
    for event, label in survival.LOOKS.items():
        seen, median = milestones[milestones["event"] == event], summary.loc[f"steps_to_{event}_median"]
        rows.append(
            (
                label,
                f"{there[event]:,} of {n:,}",
                f"{int((seen['reached'] & ~seen['kept']).sum()):,}",
                f"{_step(median['estimate'])} [{_step(median['ci_low'])}, {_step(median['ci_high'])}]",
            )
        )
    sheet.table(rows, (1.8, 1.8, 1.9, 2.2))
    sheet.text(
        "Medians are Kaplan-Meier's, with 95 % intervals in brackets (a dash: not reached within these steps); they "
        "are steps of snapshots, and the event came since the snapshot before. A seed that is right on every input at "
        "one snapshot need not be so at the next.",
        size=8,
    )


def _step(step: float) -> str:
    return NEVER if math.isnan(step) else f"{step:,.0f}"


DYNAMICS = Page(
    "Values and attention over steps",
    order,
    (
        Row((dynamics.ANSWER,), 1.3, (1, 1, 1), gap=0.72),
        Row((dynamics.CIRCUIT,), 1.3, (1, 1, 1), gap=0.72),
        Row((precedence.FIGURE,), 1.75, (1, 1.75), gap=0.95, absent=_no_order),
    ),
    absent=unseen,
)
SURVIVAL = Page("Milestones", arrival, (Row((survival.FIGURE,), 3.6),), after=_milestones, absent=unseen)
