"""How did the seeds get there, and when?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reports import dynamics, precedence, survival
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import plural

__all__ = ["DYNAMICS", "SURVIVAL"]

NEVER = "–"
NOTHING = "No snapshots were kept, so how the seeds got there cannot be seen."


def unseen(material: Material) -> str:
    """What to do to see it, where nothing was kept."""
    return "Train with snapshots above 0 to see it." if material["dynamics"].empty else ""


def order(material: Material) -> str:
    """Whether values or attention came first."""
    shares = material["precedence_shares"]
    if shares.empty:
        return NOTHING
    half = shares[shares["fraction"] == precedence.HALF].set_index("first")["n_seeds"]
    values, attention, together, n = (int(x) for x in (*half[["values", "attention", "together"]], half.sum()))
    if values + attention + together == 0:
        return f"In none of {plural(n, 'seed')} have both values and attention moved, so neither came first."
    if values + attention == 0:
        return f"In {together:,} of {plural(n, 'seed')} values split and attention focused between the same snapshots."
    return (
        f"In {values:,} of {plural(n, 'seed')} the values split before attention focused; in {attention:,} it was the "
        "other way round."
    )


def arrival(material: Material) -> str:
    """How many seeds were seen above 0.999, by when, and how many were certified."""
    table = material["survival"]
    if table.empty:
        return NOTHING
    there, n = _there(material), int(table["n_at_risk"].iloc[0])
    high = int(there["accuracy_0.999"])
    middle = _step(material["summary"].set_index("measure").loc["steps_to_accuracy_0.999_median", "estimate"])
    return (
        f"{high:,} of {plural(n, 'seed')} {'has' if high == 1 else 'have'} been seen above 0.999 accuracy"
        f"{'' if middle == NEVER else f', in the median by step {middle}'}; {there['certified']:,} "
        f"{'has' if there['certified'] == 1 else 'have'} been certified."
    )


def _there(material: Material) -> pd.Series:
    """How many seeds were seen past each milestone."""
    milestones = material["milestones"]
    counts: pd.Series = milestones[milestones["reached"]].groupby("event").size()
    return counts.reindex(survival.LOOKS, fill_value=0)


def _milestones(sheet: Sheet, material: Material) -> None:
    """How many passed each milestone and lost it again, and when the median seed did."""
    milestones, summary = material["milestones"], material["summary"].set_index("measure")
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
        Row((precedence.FIGURE,), 1.75, (1, 1.75), gap=0.95),
    ),
    absent=unseen,
)
SURVIVAL = Page("Milestones", arrival, (Row((survival.FIGURE,), 3.6),), after=_milestones, absent=unseen)
