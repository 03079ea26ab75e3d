"""At which pooled values does an answer change, and how surely?

Between two kinks, slope * z + intercept as it is rounded is monotone, so bisection on floating-point numbers finds the
last one before the logit passes a level. With E the bound on a logit's rounding (:mod:`attnprobe.exact.rounding`),
a logit above E is a sure "yes" and one below -E a sure "no". Where both levels are passed equally often, one after the
other, each pair of passages is one step, and encloses the true place at which the answer changes: a number and a
half-width. Elsewhere the logit comes near 0 without a clear passage, and nothing is promised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.exact.rounding import bound
from attnprobe.exact.seeds import EPS
from attnprobe.training.compiled import exactly_compiled

__all__ = ["Steps", "find_steps", "steps_of"]


class Steps(NamedTuple):
    """Where a readout's answer changes, M times, within reach."""

    sure: bool  # else nothing below holds
    always: bool  # the answer below the first
    at: np.ndarray  # (M,): ascending
    width: np.ndarray  # (M,): the true place is within this
    direction: np.ndarray  # int64 (M,): +1 where the answer turns to "yes", else -1


@exactly_compiled
def steps_of(kinks, slopes, intercepts, low, high):
    """The steps between ``low`` and ``high``."""
    doubt = bound(kinks, slopes, intercepts, low, high, EPS * max(abs(low), abs(high)))
    always, surely, direction = find_steps(kinks, slopes, intercepts, low, high, doubt)
    before, perhaps, other = find_steps(kinks, slopes, intercepts, low, high, -doubt)
    sure = always == before and surely.size == perhaps.size
    at, width = np.zeros(surely.size), np.zeros(surely.size)
    if sure:
        end = -np.inf  # of the step before
        for m in range(surely.size):
            first, last = min(surely[m], perhaps[m]), max(surely[m], perhaps[m])
            sure &= direction[m] == other[m] and first > end
            end = last
            at[m] = first + (last - first) / 2
            width[m] = (last - first) / 2 + 2 * EPS * (abs(first) + abs(last))
    return Steps(sure, always, at, width, direction)


@exactly_compiled
def find_steps(kinks, slopes, intercepts, low, high, level=0.0):
    """Whether the logit is above ``level`` at ``low``; the numbers t up to ``high`` after which that changes, +1 or -1.

    Piece j of the readout holds from the number after kink j - 1 up to kink j, that one included, as
    :meth:`Readout.logit` has it.
    """
    steps = np.empty(2 * kinks.size + 2)
    direction = np.empty(steps.size, dtype=np.int64)
    found = 0
    first = np.searchsorted(kinks, low)
    always = slopes[first] * low + intercepts[first] > level
    before = always
    start = low
    for j in range(first, kinks.size + 1):
        end = min(kinks[j], high) if j < kinks.size else high
        if end < start:  # two units with one kink
            continue
        for z in (start, end):
            now = slopes[j] * z + intercepts[j] > level
            if now != before:
                at_kink = z == start  # the piece before it had another answer, up to the last number before this one
                inside = start if at_kink else last_before(slopes[j], intercepts[j], start, end, level)
                steps[found] = np.nextafter(start, -np.inf) if at_kink else inside
                direction[found] = 1 if now else -1
                found += 1
                before = now
        if end == high:
            break
        start = np.nextafter(end, np.inf)
    return always, steps[:found], direction[:found]


@exactly_compiled
def last_before(slope, intercept, start, end, level):
    """The last number from ``start`` on that is on the same side of ``level`` as ``start``; ``end`` is on the other."""
    before = slope * start + intercept > level
    while True:
        middle = start + (end - start) / 2
        if middle <= start or middle >= end:
            following = np.nextafter(start, np.inf)
            if following >= end:
                return start
            middle = following
        if (slope * middle + intercept > level) == before:
            start = middle
        else:
            end = middle
