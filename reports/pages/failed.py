"""Which seeds failed, and how?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import failed
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import estimate, exact_accuracy, number, plural

__all__ = ["FAILED"]


MOST_ROWS = 20  # that leave room for the figure


def finding(material: Material) -> str:
    """How many seeds failed, or how few may have."""
    seeds = material["seeds"]
    lost, share = int(seeds["failed"].sum()), estimate(material["summary"], "share_failed", share=True)
    if lost:
        return f"{lost:,} of {plural(len(seeds), 'seed')} failed: {share} of all seeds."
    return f"No seed of {len(seeds):,} failed; a share of {share} is what {plural(len(seeds), 'seed')} can say."


def _meaning(material: Material) -> str:
    always_no = material["summary"].set_index("measure").loc["accuracy_always_no", "estimate"]
    return (
        "A seed has failed when its training became not finite, or when its exact accuracy after the last "
        f"step is below 0.9. (Always answering “no” gives {number(always_no, 4)}.) Failed seeds stay in every rate."
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
                f"{seed['steps']:,}",
                exact_accuracy(seed["error_probability"]),
                number(seed["loss"]),
                number(seed["focus"], 2),
                str(seed["n_thresholds"]),
            )
        )
    sheet.table(rows, (1, 1.2, 1, 1.2, 1.2, 1, 1))
    if len(lost) > MOST_ROWS:
        sheet.text(f"The {MOST_ROWS} worst of {len(lost):,}; the table seeds has them all.", size=8)


def _thresholds(sheet: Sheet, material: Material) -> None:
    """How many of them have not exactly one threshold, beside the others."""
    seeds = material["seeds"]
    lost = seeds[seeds["failed"]]
    several = int((lost["n_thresholds"] != 1).sum())
    sheet.text(
        f"{several} of {plural(len(lost), 'failed seed')} have not exactly one threshold; among the other seeds it is "
        f"{int((seeds.loc[~seeds['failed'], 'n_thresholds'] != 1).sum())} of {int((~seeds['failed']).sum()):,}."
    )


FAILED = Page(
    "Seeds that failed",
    finding,
    (Row((failed.DIGITS,), 2.8, left=0.95, right=0.7, elastic=False),),
    before=_worst,
    after=_thresholds,
    absent=none,
)
