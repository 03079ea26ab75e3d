"""Which rule does each seed compute?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports import rules
from reports.facts import known, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import RAISED, capital, number, plural, told

__all__ = ["RULES"]

LONGEST = 31  # letters of a sequence that have room in a column


def finding(material: Material) -> str:
    """Whether seeds are the rules that were read off, how many are right, and whether the rule in their middle is."""
    table = material["certificates"]
    n, finite = len(table), int(table["agreement"].notna().sum())
    if not finite:
        return "No seed is finite, so there is no rule to read off."
    changing = table[table["n_thresholds"] > 0]
    if changing.empty:
        who = told(0, n, "has a rule", "", "has no rule", noun(material))
        return f"{capital(who)}: {'each that is finite' if n > 1 else 'it'} gives one answer to every input."
    ruled, faithful = len(changing), int((changing["disagreements"] == 0).sum())
    right = int(changing["certified"].sum())
    if ruled == 1:
        whose = f"the one {noun(material)}{'' if n == 1 else f' of {n:,} that has any'}"
        holds = "give all its answers" if faithful else "do not give all its answers"
        return f"Checked on every input, the rules of {whose} {holds}; it is {'' if right else 'not '}right everywhere."
    of_them = f"the {ruled:,} {noun(material)}s of {n:,} that have any"
    if ruled == n:
        of_them = f"both {noun(material)}s" if n == 2 else f"all {n:,} {noun(material)}s"
    holds = "give all their answers" if faithful == ruled else f"give all answers of {faithful:,} of them"
    count = "all" if right == n else f"{right:,}" if right else "none"
    sound = f"{count} {'is' if right < 2 else 'are'} right everywhere"
    first = f"Checked on every input, the linear rules of {of_them} {holds}; {sound}"
    row = material["common_rule_checks"].set_index("rule").loc["median"]
    if np.isnan(row["error_probability"]) or int(known(material).loc["rule_angle_median", "n_seeds"]) < 2:
        return f"{first}."
    if right:
        return f"{first}, {'and so is' if row['certified'] else 'but not'} the median rule."
    return f"{first}, {'but the median rule is' if row['certified'] else 'nor is the median rule'}."


def _nearest(sheet: Sheet, material: Material) -> None:
    """A few seeds with their margins and the inputs that are nearest to being answered wrongly."""
    table = material["certificates"].merge(material["seeds"][["seed", "rank"]], on="seed").sort_values("rank")
    known = table.dropna(subset="margin")
    if known.empty:
        return
    right, wrong = known[known["certified"]].sort_values("margin"), known[~known["certified"]]
    chosen: dict[str, pd.Series] = {}
    if len(right):
        chosen["safest"] = right.iloc[-1]
        if len(right) > 1:
            chosen["least safe"] = right.iloc[0]
    if len(wrong):
        chosen["fewest errors"] = wrong.iloc[0]
        if len(wrong) > 1:
            chosen["most errors"] = wrong.iloc[-1]
    rows: list[Sequence[str]] = [("seed", "least margin", "right input nearest to being wrong", "worst wrong input")]
    for which, row in chosen.items():
        closest = f"{_short(row['closest'])} ({row['closest_label']}, {number(row['closest_margin'], 2)})"
        rows.append(
            (
                f"{row['seed']} ({which})",
                number(row["margin"], 3),
                closest if row["closest"] else "–",
                _short(row["worst"]) or "none is wrong",
            )
        )
    sheet.table(rows, (1.5, 1.0, 3.2, 2.4), size=7.5)
    sheet.text(_common(material), size=8)


def _short(sequence: str) -> str:
    """A sequence as it is, or, if it is long, each digit once with its count raised: ``2⁵ 4⁴ 6``."""
    if len(sequence) <= LONGEST:
        return sequence
    digits = sequence.split()
    counts = {digit: digits.count(digit) for digit in digits}
    return " ".join(digit + (str(n).translate(RAISED) if n > 1 else "") for digit, n in counts.items())


def _common(material: Material) -> str:
    """On which counts most seeds are nearest to being wrong."""
    a, b = (f"n{digit}" for digit in material.targets)
    counts = material["closest_counts"]
    parts = []
    for column, who in (("n_certified", "certified seed"), ("n_seeds", "seed")):
        n = int(counts[column].sum())
        if n:
            top = counts.loc[counts[column].idxmax()]
            parts.append(f"{a} = {top[a]}, {b} = {top[b]} ({top[column]:,} of {plural(n, who)})")
    long = " Raised: how often a digit occurs." if material.config.length > LONGEST // 2 else ""
    often = f" The right input nearest to being wrong most often has {', '.join(parts)}." if parts else ""
    return f"In brackets: the input's label, and its margin in nats.{long}{often}"


RULES = Page(
    "The rule that each seed computes",
    finding,
    (Row((rules.REGION,), 2.4, right=1.35), Row((rules.MARGINS,), 1.6, right=1.35)),
    after=_nearest,
)
