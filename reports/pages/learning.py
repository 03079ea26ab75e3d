"""Did the seeds learn?"""

from __future__ import annotations

from reports import failed, learning
from reports.facts import every_seed_failed, imported, known, n_finite, noun, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, exact_accuracy, number, told

__all__ = ["LEARNING"]


def finding(material: Material) -> str:
    """How many seeds ended above 0.999 or failed, and the median accuracy."""
    seeds, summary = material["seeds"], known(material)["estimate"]
    n, lost = len(seeds), int(seeds["failed"].sum())
    good = int((seeds["accuracy"] > 0.999).sum())
    if not n_finite(material):
        verbs = ("is", "is not") if imported(material) else ("stayed", "did not stay")
        who = told(0, n, verbs[0], "", verbs[1], noun(material))
        over = "" if imported(material) else f" over {material.config.steps:,} steps"
        return f"{capital(who)} finite{over}, so there is no answer to judge."
    wrong = 1 - summary["accuracy_median"]
    size = exact_accuracy(wrong) if wrong else "1" if summary["share_certified"] > 0.5 else "1 to 15 digits"
    middle = f"{'its' if n == 1 else 'the median'} accuracy is {size}"
    if n == 1 and seeds["certified"].all():
        middle = "it is right on every input"
    when = "As imported," if imported(material) else f"After {material.config.steps:,} steps"
    if untrained(material) or every_seed_failed(material):
        after = "Nothing was trained" if untrained(material) else when
        who = told(lost, n, "counts as failed", "count as failed", "does not count as failed", noun(material))
        between = ":" if untrained(material) else ""
        return f"{after}{between} {who}; {middle}, and always “no” gives {number(summary['accuracy_always_no'], 4)}."
    who = told(good, n, "is", "are", "is not")
    if n == 1:
        return f"{when} {who} above 0.999 accuracy: {middle}."
    rest = f"{lost:,} failed" if lost else "none failed"
    return f"{when} {who} above 0.999 accuracy and {rest}; {middle}."


def _no_loss(material: Material) -> str | None:
    if imported(material):
        return "Weights that were trained elsewhere come without a history, so there is no loss to draw."
    return "No step was trained, so no loss was recorded." if untrained(material) else None


LEARNING = Page(
    "Learning curves and final errors",
    finding,
    (Row((learning.FIGURE,), 3.3, absent=_no_loss), Row((failed.FIGURE,), 2.7)),
)
