"""Which seeds failed, and how?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import failed
from reports.facts import imported, known, noun, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import capital, exact_accuracy, interval, number, percent, told

__all__ = ["FAILED"]


MOST_ROWS = 14  # that leave room for the figure


def finding(material: Material) -> str:
    """How many seeds failed, or how few may have."""
    seeds, share = material["seeds"], known(material).loc["share_failed"]
    n, lost = len(seeds), int(seeds["failed"].sum())
    if untrained(material):
        who = told(lost, n, "counts as failed", "count as failed", "does not count as failed", noun(material))
        return f"{capital(who)}, but none was trained: that says nothing of training."
    if lost == n == 1:
        seed = seeds.iloc[0]
        how = (
            "it is not finite"
            if seed["status"] != "trained" and imported(material)
            else "its training became not finite"
            if seed["status"] != "trained"
            else f"its accuracy is {number(seed['accuracy'])}"
        )
        return f"The one seed failed: {how}."
    if lost:
        return f"{capital(told(lost, n, 'failed', 'failed', ''))}: {interval(share, percent)}."
    who = told(0, n, "failed", "", "did not fail")
    return f"{capital(who)}; among all seeds up to {percent(share['ci_high'])} may (95 % interval)."


def _meaning(material: Material) -> str:
    always_no = known(material).loc["accuracy_always_no", "estimate"]
    when = (
        "its weights are not finite, or when its exact accuracy is"
        if imported(material)
        else "its training became not finite, or when its exact accuracy after the last step is"
    )
    return (
        f"A seed has failed when {when} below 0.9. (Always answering “no” gives {number(always_no, 4)}.) Failed seeds "
        "stay in every rate."
    )


def none(material: Material) -> str:
    """Only what a failed seed would be, where there is none."""
    return "" if material["seeds"]["failed"].any() else _meaning(material)


def _worst(sheet: Sheet, material: Material) -> None:
    """The seeds that failed, one by one."""
    seeds = material["seeds"].sort_values("rank")
    lost = seeds[seeds["failed"]]
    sheet.text(_meaning(material))
    rows: list[Sequence[str]] = [("seed", "status", "steps", "accuracy", "loss (nats)", "focus", "thresholds")]
    for _, seed in lost.iloc[::-1].head(MOST_ROWS).iterrows():
        rows.append(
            (
                str(seed["seed"]),
                seed["status"],
                "–" if imported(material) and not seed["steps"] else f"{seed['steps']:,}",
                exact_accuracy(seed["error_probability"]),
                number(seed["loss"]),
                number(seed["focus"], 2),
                str(seed["n_thresholds"]),
            )
        )
    sheet.table(rows, (1, 1.2, 1, 1.2, 1.2, 1, 1))
    if len(lost) > MOST_ROWS:
        sheet.text(f"The {MOST_ROWS} worst of {len(lost):,}; the table seeds has them all.", size=8)


def _height(material: Material) -> float:
    """Of the figure: a line for each seed that it shows, and one for the median."""
    return min(3.4, 0.6 + 0.2 * (min(int(material["seeds"]["failed"].sum()), failed.MOST_LINES) + 1))


def _thresholds(sheet: Sheet, material: Material) -> None:
    """How many of them have not exactly one threshold, beside the others."""
    seeds = material["seeds"]
    lost, others = seeds[seeds["failed"]], seeds[~seeds["failed"]]
    several, other = (int((rows["n_thresholds"] != 1).sum()) for rows in (lost, others))
    who = told(several, len(lost), "has", "have", "does not have", "failed seed")
    rest = f"; among the other seeds it is {other:,} of {len(others):,}" if len(others) else ""
    sheet.text(f"{capital(who)} none or several thresholds{rest}.")


FAILED = Page(
    "Seeds that failed",
    finding,
    (Row((failed.DIGITS,), _height, left=0.95, right=0.7, elastic=False),),
    before=_worst,
    after=_thresholds,
    absent=none,
)
