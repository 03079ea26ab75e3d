"""What a comparison of two runs says in words: never without the size of the effect, never that there is none.

An interval that holds 0 does not say that two runs are equal: what it holds is what they may differ by. So a verdict
gives the difference with its interval, and which way is better only where one is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["amount", "chance", "interval", "judged", "verdict"]

SAME = "the same weights: the difference is exactly 0, the probability exactly 0.5"


def verdict(row: Mapping[str, Any]) -> str:
    """The sentence for one row of a comparison (its columns as they are in the table)."""
    if not row["compared"]:
        return f"not compared: {row['note']}"
    if row["method"] == "exact":
        return SAME
    if math.isnan(row["difference"]):
        return f"no difference can be given ({row['method'].removeprefix('none: ')})"
    way = "higher" if row["difference"] > 0 else "lower"
    size = amount(row["difference"], row["kind"], row["unit"])
    if math.isnan(row["ci_low"]):
        here = f"{way} here, {size}" if row["difference"] else f"no difference here, {size}"
        return f"{here}; no interval ({row['method'].removeprefix('none: ')}), so nothing is said of other seeds"
    said = f"{size} {interval(row)}"
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return f"no difference seen: {said}{_yet(row)}"
    good = judged(row)
    return f"{way}, {said}{': ' if good else ''}{good}{_chance(row)}"


def judged(row: Mapping[str, Any]) -> str:
    """``better`` or ``worse``; nothing where neither way is, or where the interval holds 0 or is not known."""
    if not (row["ci_low"] > 0 or row["ci_high"] < 0) or not row["better"]:
        return ""
    return "better" if (row["difference"] > 0) == (row["better"] > 0) else "worse"


def amount(x: float, kind: str, unit: str) -> str:
    """A difference with its sign and unit: shares of seeds in percentage points."""
    if kind == "share":
        return f"{_signed(100 * x)} points"
    of = {"nats": " nats", "steps": " steps"}.get(unit, "")
    return f"{_signed(x)}{of}"


def interval(row: Mapping[str, Any]) -> str:
    """The difference's interval, without its unit."""
    factor = 100 if row["kind"] == "share" else 1
    return f"[{_signed(factor * row['ci_low'])}, {_signed(factor * row['ci_high'])}]"


def _chance(row: Mapping[str, Any]) -> str:
    """The probability, which says nothing more for a share: there it is (1 + difference) / 2."""
    if row["kind"] == "share" or math.isnan(row["probability_low"]):
        return ""
    return f"; {_probability(row)}"


def _yet(row: Mapping[str, Any]) -> str:
    """Where the middle of two runs does not differ, but their seeds do."""
    if row["kind"] == "share" or not (row["probability_low"] > 0.5 or row["probability_high"] < 0.5):
        return ""
    return f" in the {row['kind']}, yet {_probability(row)}"


def _probability(row: Mapping[str, Any]) -> str:
    p, low, high = (row[f"probability{part}"] for part in ("_higher", "_low", "_high"))
    way = "higher"
    if row["better"]:
        way = "better"
        p, low, high = (p, low, high) if row["better"] > 0 else (1 - p, 1 - high, 1 - low)
    return f"a random seed is {way} with probability {chance(p)} [{chance(low)}, {chance(high)}]"


def chance(p: float) -> str:
    """A probability with two places, never rounded to 0 or 1."""
    text = f"{p:.2f}"
    return {"0.00": "0" if p == 0 else "<0.01", "1.00": "1" if p == 1 else ">0.99"}.get(text, text)


def _signed(x: float) -> str:
    """Three significant digits, with a true minus sign, and a plus where it is above 0."""
    if x == 0:
        return "0"
    size = abs(x)
    if size >= 1e5 or size < 1e-4:
        mantissa, _, power = f"{size:.2e}".partition("e")
        text = f"{mantissa}e{int(power)}".replace("-", "−")
    else:
        text = f"{size:,.{max(0, 2 - math.floor(math.log10(size)))}f}"
    return ("+" if x > 0 else "−") + text
