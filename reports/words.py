"""Numbers as people read them: sensible digits, shares as percentages, intervals in brackets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pandas as pd

__all__ = [
    "RAISED",
    "amount",
    "at_most",
    "brackets",
    "capital",
    "estimate",
    "exact_accuracy",
    "interval",
    "listed",
    "number",
    "percent",
    "places",
    "plural",
    "probability",
    "ten_to",
    "told",
]

TINY = 0.00005  # a share this near to 0 or 1 would be written as if it were there
LONG = 10**12  # a count from here on is written as a power
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(x: float, digits: int = 3) -> str:
    """A number with ``digits`` significant digits; not-a-number as a dash."""
    if math.isnan(x):
        return "–"
    if x == 0 or math.isinf(x):
        return f"{x:.0f}"
    if abs(x) >= 10**5 or abs(x) < 10**-4:
        mantissa, _, power = f"{x:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(power)}".replace("-", "−")
    places = digits - 1 - int(f"{x:.{digits - 1}e}".partition("e")[2])  # of the rounded number: 0.9999 is 1.0
    return f"{x:,.{max(0, places)}f}".replace("-", "−")


def percent(x: float) -> str:
    """A share in per cent, with more places where it is close to 0 or 100 %."""
    if math.isnan(x):
        return "–"
    if x in (0, 1):
        return f"{100 * x:.0f} %"
    if 0 < x < TINY:
        return f"below {100 * 2 * TINY:.2f} %"
    if 1 - TINY < x < 1:
        return f"above {100 * (1 - 2 * TINY):.2f} %"
    near = abs(x) < 0.01 or abs(1 - x) < 0.01
    return f"{100 * x:.{2 if near else 1}f} %".replace("-", "−")


def probability(x: float) -> str:
    """A small probability: exactly 0 stays 0, anything else keeps two digits."""
    return number(x, 2)


def ten_to(power: int) -> str:
    """A power of ten, in letters that can be selected and searched: ``10⁻⁴``."""
    return "10" + str(power).translate(RAISED)


def exact_accuracy(error: float) -> str:
    """An accuracy, written so that it is never rounded up to 1."""
    if math.isnan(error):
        return "–"
    if error == 0:
        return "1 (every input)"
    return f"1 − {number(error, 2)}" if error < 0.001 else number(1 - error, 4)


def plural(n: int, one: str, many: str | None = None) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def places(x: float, digits: int = 2) -> str:
    """A number with so many decimal places: for what lies between -1 and 1, such as correlations."""
    if math.isnan(x):
        return "–"
    text = f"{x:.{digits}f}"
    return (text if float(text) else text.removeprefix("-")).replace("-", "−")


def amount(n: int) -> str:
    """A whole number; a very large one to two digits: ``1.1 × 10³⁰``."""
    if n < LONG:
        return f"{n:,}"
    mantissa, _, power = f"{n:.1e}".partition("e")
    return f"{mantissa} × {ten_to(int(power))}"


def capital(words: str) -> str:
    """With a capital first letter."""
    return words[:1].upper() + words[1:]


def listed(parts: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)


def told(k: int, n: int, one: str, many: str, never: str, noun: str = "seed") -> str:
    """Of how many something is true, whichever number that is.

    >>> told(3, 7, "is right", "are right", "is not right")
    '3 of 7 seeds are right'

    With all 7, ``all 7 seeds are right``; with 0, ``no seed of 7 is right``; where there is one seed only,
    ``the one seed is right`` or ``the one seed is not right``.
    """
    if n == 1:
        return f"the one {noun} {one if k else never}"
    if k == 0:
        return f"no {noun} of {n:,} {one}"
    if k == n:
        return f"{'both' if n == 2 else f'all {n:,}'} {noun}s {many}"
    return f"{k:,} of {n:,} {noun}s {one if k == 1 else many}"


def interval(row: pd.Series, write: Callable[[float], str]) -> str:
    """An estimate of the table ``summary`` with its interval in brackets, if it has one."""
    text = write(row["estimate"])
    return text if math.isnan(row["ci_low"]) else f"{text} [{write(row['ci_low'])}, {write(row['ci_high'])}]"


def estimate(summary: pd.DataFrame, measure: str, write: Callable[[float], str] = number) -> str:
    """An estimate with its interval, if it has one, from the table ``summary``: ``0.65 [0.63, 0.67]``."""
    return interval(summary.set_index("measure").loc[measure], write)


def brackets(summary: pd.DataFrame, *measures: str, what: str = "95 % intervals over seeds") -> str:
    """What brackets are, where any of these measures has them: a sentence with a space before it."""
    ends = summary.set_index("measure").loc[list(measures), "ci_low"]
    return f" Brackets: {what}." if ends.notna().any() else ""


def at_most(shown: int, n: int, what: str = "") -> str:
    """How many of ``n`` are drawn, where that is not all: words in brackets with a space before them."""
    return f" (at most {shown:,} drawn{what})" if n > shown else ""
