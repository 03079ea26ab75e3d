"""What was asked and trained, with the key numbers; the exercise's own picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from reports import exercise
from reports.facts import ENOUGH, fixed_focus, imported, known, n_finite, no_rivals, noun, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import amount, capital, exact_accuracy, interval, number, percent, places, plural, probability, told

__all__ = ["EXERCISE", "SUMMARY", "setting"]


def _fine(x: float) -> str:
    return number(x, 4)


TEXT, NUMBERS = 9.5, 8.5  # sizes of type


class Key(NamedTuple):
    """A key number: its words for many seeds and for one, its row of the table ``summary``, how it is written."""

    words: str
    of_one: str  # none where it is about many
    measure: str
    write: Callable[[float], str]
    of_error: bool = False  # whether the probability of an error is written in place of an accuracy

    def row(self, table: pd.DataFrame) -> pd.Series:
        """What is written."""
        row = table.loc[self.measure]
        if not self.of_error:
            return row
        ends = 1 - row[["estimate", "ci_high", "ci_low"]].to_numpy(dtype=float)
        return pd.Series({**row, "estimate": ends[0], "ci_low": ends[1], "ci_high": ends[2]})


QUESTIONS: dict[str, tuple[Key, ...]] = {
    "Does it work?": (
        Key("right on every input (certified)", "right on every input (certified)", "share_certified", percent),
        Key("accuracy above 0.999", "accuracy above 0.999", "share_above_0.999", percent),
        Key("failed: not finite, or accuracy below 0.9", "failed: accuracy below 0.9", "share_failed", percent),
        Key(
            "probability of an error, median", "probability of an error", "accuracy_median", probability, of_error=True
        ),
        Key("accuracy, mean", "", "accuracy_mean", number),
    ),
    "What does it look at?": (
        Key("focus, median", "focus", "focus_median", number),
        Key("focus over its chance value, median", "focus over its chance value", "focus_lift_median", number),
        Key(
            "focus where a digit of the rule is present, median",
            "focus where a digit of the rule is present",
            "focus_given_target_median",
            number,
        ),
    ),
    "What does it compute?": (
        Key("one threshold, so one linear rule", "one threshold, so one linear rule", "share_one_threshold", percent),
        Key(
            "the rules read off give all answers",
            "the rules read off give all answers",
            "share_rules_faithful",
            percent,
        ),
        Key(
            "the rule’s weight of the second digit, median",
            "the rule’s weight of the second digit",
            "rule_weight_second_median",
            _fine,
        ),
        Key(
            "distractors’ silence by attention, median",
            "distractors’ silence by attention",
            "silence_by_attention_median",
            percent,
        ),
    ),
    "Does attention explain it?": (
        Key(
            "accuracy with uniform attention, median",
            "accuracy with uniform attention",
            "accuracy_uniform_median",
            number,
        ),
        Key(
            "certified when it attends to the rule’s digits alone",
            "certified when it attends to the rule’s digits alone",
            "share_only_targets_right",
            percent,
        ),
        Key(
            "tau of attention and leave-one-out, median",
            "tau of attention and leave-one-out",
            "tau_leave_one_out_median",
            places,
        ),
        Key("rank correlation of focus and accuracy", "", "focus_accuracy_correlation", places),
    ),
}
NEEDS_RIVALS = ("accuracy_uniform_median", "share_only_targets_right")
NEEDS_FREE_FOCUS = (
    "focus_median",
    "focus_lift_median",
    "focus_given_target_median",
    "share_only_targets_right",
    "focus_accuracy_correlation",
)


def finding(material: Material) -> str:
    """What was asked of how many seeds, how many are right, and where they look."""
    a, b = material.targets
    seeds, table = material["seeds"], known(material)["estimate"]
    n = len(seeds)
    asked = f"Are there more {a}s than {b}s in {plural(material.config.length, 'digit')}?"
    if not n_finite(material):
        return f"{asked} {capital(told(0, n, 'is', '', 'is not'))} finite, so none gives an answer."
    who = told(int(seeds["certified"].sum()), n, "is", "are", "is not", noun(material))
    right = f"{asked} {capital(who)} right on every input"
    if fixed_focus(material):
        return f"{right}."
    share, chance = percent(table["focus_median"]), percent(seeds["focus_chance"].iloc[0])
    subject = "; it" if n == 1 else "; the median seed"
    return f"{right}{subject} puts {share} of its attention on {a}s and {b}s (uniform attention: {chance})."


def setting(material: Material) -> str:
    """What was trained, and what of it is exact."""
    n, config = len(material["seeds"]), material.config
    V, L = config.vocab_size, config.length
    seeds = plural(n, "random seed")
    done = (
        f"with weights that were trained elsewhere ({plural(n, 'file')}),"
        if imported(material)
        else f"as {seeds} begin{'s' if n == 1 else ''} it, untrained,"
        if untrained(material)
        else (f"trained from {seeds} for {plural(config.steps, 'step')},")
    )
    varies = (
        "Only the variation over seeds is estimated; brackets are 95 % intervals for it."
        if n > 1
        else "One seed says nothing of how seeds vary."
    )
    return (
        f"One small attention network, {done} answers the rule “{config.rule}” for sequences of {plural(L, 'digit')} "
        f"from 0 to {V - 1}. The network ignores order, so all {amount(V**L)} sequences are covered exactly by their "
        f"digit counts: accuracy, focus and errors below are computed, not estimated. {varies}"
    )


def _summary(sheet: Sheet, material: Material) -> None:
    """What was asked and trained, the key numbers, what focus means, seeds that stand for the run."""
    sheet.text(setting(material), size=TEXT)
    sheet.space(0.12)
    if len(material["seeds"]) == 1:
        _numbers_of_one(sheet, material)
    else:
        _numbers(sheet, material)
    if n_finite(material) and not fixed_focus(material):
        sheet.text("What focus means", size=TEXT, weight="bold")
        sheet.text(_focus(material), size=TEXT)
        sheet.space(0.08)
    _stand_for(sheet, material)


def _numbers(sheet: Sheet, material: Material) -> None:
    """The key numbers by the question that they answer."""
    table = known(material)
    widths = (4.2, 2.5, 2.1, 0.6)
    sheet.table([("over seeds", "estimate [95 % interval]", "interval", "seeds")], widths, size=NUMBERS)
    sheet.space(-0.1)
    for question, keys in QUESTIONS.items():
        asked = [(key, key.row(table)) for key in keys if _has_meaning(key, material)]
        told_ = [(key, row) for key, row in asked if not math.isnan(row["estimate"])]
        if told_:
            _question(
                sheet,
                question,
                [
                    (key.words, interval(row, key.write), _method(row["method"]), f"{row['n_seeds']:,}")
                    for key, row in told_
                ],
                widths,
            )
    sheet.space(0.06)


def _numbers_of_one(sheet: Sheet, material: Material) -> None:
    """The same of a single seed, which are exact and of which no shares are made."""
    table = known(material)
    for question, keys in QUESTIONS.items():
        rows = [
            (key.of_one, _yes(row["estimate"]) if key.measure.startswith("share_") else key.write(row["estimate"]))
            for key in keys
            if key.of_one and _has_meaning(key, material)
            for row in (key.row(table),)
            if not math.isnan(row["estimate"])
        ]
        if rows:
            _question(sheet, question, rows, (4.6, 4.1))
    sheet.space(0.06)


def _question(sheet: Sheet, question: str, rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
    sheet.text(question, size=NUMBERS, weight="bold")
    sheet.space(-0.05)
    sheet.table(rows, widths, size=NUMBERS, header=False)


def _has_meaning(key: Key, material: Material) -> bool:
    """Whether it can differ from seed to seed, in an alphabet and at a length like these."""
    if key.measure in NEEDS_FREE_FOCUS and fixed_focus(material):
        return False
    return not (key.measure in NEEDS_RIVALS and no_rivals(material))


def _method(method: str) -> str:
    """How an interval was made; in few words where there is none."""
    return method if not method.startswith("none") else f"none below {ENOUGH} seeds" if "6 seeds" in method else "none"


def _yes(share: float) -> str:
    return "yes" if share == 1 else "no"


def _focus(material: Material) -> str:
    """What it is, and what it is not."""
    a, b = material.targets
    V = material.config.vocab_size
    return (
        f"Focus is the expected share of attention that falls on the digits that the rule names ({a} and {b}), over "
        f"all inputs. With uniform attention it would be 2 / {V} = {number(2 / V, 2)}: that is chance. Inputs without "
        "any such digit count with focus 0, unless only those with one are meant. Focus says where attention goes, "
        "not what the answer depends on."
    )


def _stand_for(sheet: Sheet, material: Material) -> None:
    """The seeds that are shown on the next page."""
    standing = exercise.standing(material)
    title = {1: "The seed", 2: "The two seeds"}.get(len(standing), "Three seeds that stand for the run")
    sheet.text(title, size=TEXT, weight="bold")
    rows: list[Sequence[str]] = [("seed", "rank", "accuracy", "loss (nats)", "focus", "thresholds")]
    for which, seed in standing.items():
        rows.append(
            (
                f"{seed['seed']}" if len(standing) == 1 else f"{seed['seed']} ({which})",
                f"{seed['rank']:,}",
                exact_accuracy(seed["error_probability"]) if seed["status"] == "trained" else "not finite",
                number(seed["loss"], 2),
                number(seed["focus"], 2),
                str(seed["n_thresholds"]),
            )
        )
    sheet.table(rows, (2, 1, 2, 1.4, 1, 1), size=NUMBERS)


def exercise_finding(material: Material) -> str:
    """What the one plot that the exercise asks for says of a seed, and how much it depends on which."""
    a, b = material.targets
    if not n_finite(material):
        return "The exercise’s plot shows one seed, but none is finite: there is no attention to plot."
    if fixed_focus(material):
        return f"The exercise’s plot shows where attention goes. {fixed_focus(material)}"
    chance = percent(material["seeds"]["focus_chance"].iloc[0])
    standing = exercise.standing(material)
    if len(standing) == 1:
        share = percent(standing["typical"]["focus"])
        return f"In the one seed that there is to plot, {a}s and {b}s get {share} of attention (uniform: {chance})."
    finite = {which: percent(seed["focus"]) for which, seed in standing.items() if seed["status"] == "trained"}
    (first, share), *rest = finite.items()
    said = [f"the {first} one puts {share} of attention on {a}s and {b}s", *(f"the {which} {x}" for which, x in rest)]
    said += [f"the {which} is not finite" for which in standing if which not in finite]
    return f"One plot shows one seed: {', '.join(said)} (uniform attention: {chance})."


def _nothing(material: Material) -> str:
    return "" if n_finite(material) else "It shows attention, values where attention exceeds 0.1, and the loss."


def _stands(which: str) -> Callable[[Material], str | None]:
    """A row is left out, without a word, where its seed is shown already or has nothing to show."""

    def absent(material: Material) -> str | None:
        seed = exercise.standing(material).get(which)
        if seed is None:
            return ""
        return None if seed["status"] == "trained" else f"The {which} seed, {seed['seed']}, is not finite."

    return absent


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
    [
        Row(
            (figure,),
            1.65,
            (1.25, 1.25, 0.66),
            gap=1.05,
            left=0.42,
            elastic=False,
            absent=_stands(figure.name.removeprefix("exercise_")),
        )
        for figure in exercise.FIGURES
    ],
    after=_panels,
    absent=_nothing,
)
