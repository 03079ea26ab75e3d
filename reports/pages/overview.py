"""What was asked and trained, with the key numbers; the exercise's own picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports import exercise
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import estimate, exact_accuracy, number, percent, plural

__all__ = ["EXERCISE", "SUMMARY"]

KEY_NUMBERS = (
    ("right on every input (certified)", "share_certified", True),
    ("accuracy above 0.999", "share_above_0.999", True),
    ("failed: not finite, or accuracy below 0.9", "share_failed", True),
    ("accuracy, mean", "accuracy_mean", False),
    ("focus, median", "focus_median", False),
    ("focus over its chance value, median", "focus_lift_median", False),
    ("focus given that a target digit is present, median", "focus_given_target_median", False),
    ("entropy of attention, median (nats)", "attention_entropy_median", False),
    ("one threshold, so one linear rule", "share_one_threshold", True),
    ("its rule is right about it on every input", "share_rules_faithful", True),
    ("distractors’ silence by attention, median", "silence_by_attention_median", True),
    ("accuracy with uniform attention, median", "accuracy_uniform_median", False),
    ("certified when it attends to targets alone", "share_only_targets_right", True),
    ("rank correlation of focus and accuracy", "focus_accuracy_correlation", False),
)


def finding(material: Material) -> str:
    """What was asked of how many seeds, how many are right, and where they look."""
    a, b = material.targets
    seeds, table = material["seeds"], material["summary"].set_index("measure")["estimate"]
    asked = f"{plural(len(seeds), 'seed')} asked whether a sequence holds more {a}s than {b}s"
    if np.isnan(table["focus_median"]):
        return f"{asked}: none is finite."
    n = int(seeds["certified"].sum())
    right = (
        f"{percent(table['share_certified'])} are right on every input"
        if len(seeds) > 1
        else f"it is {'right on every input' if n else 'not right on every input'}"
    )
    return (
        f"{asked}: {right}, and attention on {a}s and {b}s has a median of {number(table['focus_median'], 2)}, "
        f"where chance is {number(seeds['focus_chance'].iloc[0], 2)}."
    )


def setting(material: Material) -> str:
    """What was trained, and what of it is exact."""
    n, config = len(material["seeds"]), material.config
    return (
        f"One small attention network, trained from {plural(n, 'random seed')} for {config.steps:,} steps, answers the "
        f"rule “{config.rule}” for sequences of {plural(config.length, 'digit')} from 0 to {config.vocab_size - 1}. "
        f"The network ignores order, so all {config.vocab_size**config.length:,} sequences are covered exactly by "
        "their digit counts: accuracy, focus and errors below are computed, not estimated. Only the variation over "
        "seeds is estimated; brackets are 95 % intervals for it."
    )


def _summary(sheet: Sheet, material: Material) -> None:
    """What was asked and trained, the key numbers, what focus means, three seeds."""
    a, b = material.targets
    table = material["summary"].set_index("measure")
    sheet.text(setting(material))
    sheet.space(0.08)
    rows: list[Sequence[str]] = [("over seeds", "estimate [95 % interval]", "method")]
    for words, measure, share in KEY_NUMBERS:
        row = table.loc[measure]
        rows.append(
            (words, estimate(material["summary"], measure, share, why=False), f"{row['method']}, n = {row['n_seeds']}")
        )
    sheet.table(rows, (3.6, 2.6, 2.0))
    sheet.text("What focus means", weight="bold")
    sheet.text(
        f"Focus is the expected share of attention that falls on the digits that the rule names ({a} and "
        f"{b}), over all inputs. "
        f"With uniform attention it would be 2 / {material.config.vocab_size} = "
        f"{number(2 / material.config.vocab_size, 2)}: that is chance, and "
        "lift is focus divided by chance. Inputs without any such digit count with focus 0; “given that a "
        "target digit is "
        "present” leaves them out. Focus says where attention goes, not what the answer depends on."
    )
    sheet.text("Three seeds that stand for the run", weight="bold")
    rows = [("seed", "rank", "accuracy", "loss (nats)", "focus", "thresholds")]
    for which, seed in exercise.chosen(material).items():
        rows.append(
            (
                f"{seed['seed']} ({which})",
                str(seed["rank"]),
                exact_accuracy(seed["error_probability"]),
                number(seed["loss"], 2),
                number(seed["focus"], 2),
                str(seed["n_thresholds"]),
            )
        )
    sheet.table(rows, (2, 1, 2, 1.4, 1, 1))


def exercise_finding(material: Material) -> str:
    """How the one plot that the exercise asks for looks in three seeds."""
    a, b = material.targets
    invited = f"One attention plot invites “it looks at the {a}s and {b}s”"
    share = {which: percent(seed["focus"]) for which, seed in exercise.chosen(material).items()}
    if len(material["seeds"]) == 1:
        return f"{invited}: the one seed does so with {share['typical']} of its attention."
    return (
        f"{invited}: the typical seed does so with {share['typical']} of its attention, the best with {share['best']}, "
        f"the worst with {share['worst']}."
    )


def _panels(sheet: Sheet, material: Material) -> None:
    """What the three panels of each row are."""
    a, b = material.targets
    sheet.text(
        f"Left: attention on each position of the same eight sequences, from 0 to 1; {a}s and {b}s in red. "
        f"Middle: the digits' values where attention exceeds 0.1, on the scale where {a} has +1 and {b} has −1 (grey: "
        "too little attention). Right: mean batch loss between records.",
        size=8,
    )


SUMMARY = Page("Summary", finding, before=_summary)
EXERCISE = Page(
    "The exercise's picture",
    exercise_finding,
    [Row((figure,), 1.65, (1.25, 1.25, 0.66), gap=1.05, left=0.42, elastic=False) for figure in exercise.FIGURES],
    after=_panels,
)
