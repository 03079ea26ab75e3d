"""What would a sampled test set have said?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import sampled_tests
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import number, percent, probability

__all__ = ["SAMPLED_TESTS"]

NOT_ONE = 1e-6  # seeds that a test set is expected to let pass: as good as none


def finding(material: Material) -> str:
    """How many wrong seeds a sampled test set would have passed."""
    usual = material["sampled_tests"].set_index("size").loc[sampled_tests.SIZE]
    n = int((material["seeds"]["error_probability"] > 0).sum())
    if n == 0:
        return "No seed errs, so every test set gives the exact accuracy: but none could have shown that it is 1."
    passed, test = usual["passed_wrongly"], f"A test of {sampled_tests.SIZE:,} random sequences"
    if passed < NOT_ONE / n:
        who = "the one seed that errs" if n == 1 else f"each of the {n:,} seeds that err"
        return f"{test} is as good as sure to find a mistake of {who}."
    if n == 1:
        return f"{test} finds a mistake of the one seed that errs with a probability of {percent(1 - passed)}."
    return f"{test} is expected to find no mistake in {percent(passed)} of the {n:,} seeds that err."


def none(material: Material) -> str:
    """What a test set could show, where no seed errs."""
    if (material["seeds"]["error_probability"] > 0).any():
        return ""
    return "A sampled test set can only find errors. That there are none takes a check of every input, as here."


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
    absent=none,
)
