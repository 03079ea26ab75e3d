"""How does a pooled value become an answer?"""

from __future__ import annotations

from reports import readout
from reports.facts import n_finite, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, listed, told

__all__ = ["READOUT"]


def finding(material: Material) -> str:
    """How many seeds answer by a single threshold, and what the others do."""
    seeds = material["seeds"]
    n, finite = len(seeds), n_finite(material)
    if not finite:
        return "No seed is finite, so there is no readout to describe."
    of_finite = seeds.loc[seeds["status"] == "trained", "n_thresholds"]
    one, none, several = (int(x.sum()) for x in (of_finite == 1, of_finite == 0, of_finite > 1))
    if one == 0 and several == 0:
        who = told(finite, n, "gives", "give", "", noun(material))
        return f"{capital(who)} one answer to every input: no pooled value that an input can have changes it."
    parts = []
    if none:
        parts.append(f"{none:,} {'gives' if none == 1 else 'give'} one answer to every input")
    if several:
        parts.append(f"{several:,} {'answers' if several == 1 else 'answer'} by several")
    if n > finite:
        parts.append(f"{n - finite:,} {'is' if n - finite == 1 else 'are'} not finite")
    who = told(one, n, "answers", "answer", "does not answer", noun(material))
    rest = f"; {listed(parts)}" if parts and n > 1 else ""
    return f"{capital(who)} by a single threshold of the pooled value{rest}."


def none(material: Material) -> str:
    """Only what a readout is, where no seed has one."""
    return "" if n_finite(material) else "The readout is the curve from the pooled value to the answer."


def _no_threshold(material: Material) -> str | None:
    if material["thresholds"]["reachable"].any():
        return None
    return "No seed has a threshold that an input could reach: each gives one answer to everything."


READOUT = Page(
    "The readout curve",
    finding,
    (Row((readout.FIGURE,), 3.5), Row((readout.THRESHOLDS,), 2.6, absent=_no_threshold)),
    absent=none,
)
