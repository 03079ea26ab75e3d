"""How did the seeds get there, and when?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports import dynamics, precedence, survival
from reports.figure import Material
from reports.pages.stack import stack
from reports.sheet import Sheet
from reports.words import plural

__all__ = ["dynamics_page", "survival_page"]

NEVER = "–"
NOTHING = "No snapshots were kept, so how the seeds got there cannot be seen."


def dynamics_page(sheet: Sheet, material: Material) -> None:
    """Answers, attention and values over steps, and which of the last two comes first."""
    sheet.heading("How it got there", _order(material))
    if material["dynamics"].empty:
        sheet.text("Train with snapshots above 0 to see it.")
        return
    for figure, letter in ((dynamics.ANSWER, "a"), (dynamics.CIRCUIT, "b")):
        axes = sheet.axes(1.3, (1, 1, 1), gap=0.72)
        figure.on(material, axes)
        sheet.letter(axes[0], letter)
        sheet.caption(letter, figure.caption(material))
        sheet.space(0.05)
    axes = sheet.axes(1.75, (1, 1.75), gap=0.95)
    precedence.FIGURE.on(material, axes)
    sheet.letter(axes[0], "c")
    sheet.caption("c", precedence.FIGURE.caption(material))


def _order(material: Material) -> str:
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


def survival_page(sheet: Sheet, material: Material) -> None:
    """Curves of those not there yet, medians, and who got there and lost it again."""
    table = material["survival"]
    if table.empty:
        sheet.heading("When it got there", NOTHING)
        return
    milestones, summary = material["milestones"], material["summary"].set_index("measure")
    there = milestones[milestones["reached"]].groupby("event").size().reindex(survival.LOOKS, fill_value=0)
    high, n = int(there["accuracy_0.999"]), int(table["n_at_risk"].iloc[0])
    middle = _step(summary.loc["steps_to_accuracy_0.999_median", "estimate"])
    sheet.heading(
        "When it got there",
        f"{high:,} of {plural(n, 'seed')} {'has' if high == 1 else 'have'} been seen above 0.999 accuracy"
        f"{'' if middle == NEVER else f', in the median by step {middle}'}; {there['certified']:,} "
        f"{'has' if there['certified'] == 1 else 'have'} been certified.",
    )
    stack(sheet, material, (survival.FIGURE,), (3.6,))
    sheet.space(0.1)
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
