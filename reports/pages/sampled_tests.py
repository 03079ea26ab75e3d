"""What would a sampled test set have said?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import sampled_tests
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import number, percent, probability

__all__ = ["SAMPLED_TESTS"]


def finding(material: Material) -> str:
    """How many wrong seeds a sampled test set would have passed."""
    usual = material["sampled_tests"].set_index("size").loc[sampled_tests.SIZE]
    if usual["share_certified"] == 1:
        return "Every seed is right on every input, which no sampled test set could have shown."
    return (
        f"A test set of {sampled_tests.SIZE:,} random sequences finds no mistake in {percent(usual['passed_wrongly'])} "
        "of the seeds that make some."
    )


def _sizes(sheet: Sheet, material: Material) -> None:
    """Verdicts of test sets by their size."""
    table = material["sampled_tests"]
    rows: list[Sequence[str]] = [
        ("sequences", "seeds that pass", "of seeds that err", "certified if passed", "mean error", "pairs misranked")
    ]
    for row in table.itertuples():
        rows.append(
            (
                f"{row.size:,}",
                percent(row.share_passed),
                percent(row.passed_wrongly),
                percent(row.certified_given_passed),
                probability(row.absolute_error_mean),
                number(row.pair_misranked, 2),
            )
        )
    sheet.table(rows, (1, 1.2, 1.3, 1.4, 1, 1.2))


SAMPLED_TESTS = Page(
    "What a sampled test set says",
    finding,
    (Row((sampled_tests.TESTS,), 2.0, right=1.55), Row((sampled_tests.ERROR,), 2.0, right=1.55)),
    after=_sizes,
)
