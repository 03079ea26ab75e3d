"""From pooled values to logits, many at a time: a grid finds the piece of the readout that each lies in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.exact.seeds import reach
from attnprobe.training.compiled import compiled, exactly_compiled

__all__ = ["Curve", "curve_of", "pool", "to_logits"]

CELLS = 2048  # of the grid


class Curve(NamedTuple):
    """A readout, and a grid that finds the piece of a pooled value."""

    kinks: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    low: float
    scale: float
    first: np.ndarray


@exactly_compiled
def curve_of(values, kinks, slopes, intercepts):
    """The part of a seed's readout that its inputs can reach."""
    low, high = reach(values, 0.0)
    pieces = slice(np.searchsorted(kinks, low), np.searchsorted(kinks, high) + 1)  # the others hold no input
    kinks = kinks[pieces.start : pieces.stop - 1]
    return Curve(kinks, slopes[pieces], intercepts[pieces], *grid(kinks, low, high))


@exactly_compiled
def grid(kinks, low, high):
    """Even cells from ``low`` to ``high``: the end, cells a unit, and how many kinks lie in cells before each."""
    scale = CELLS / (high - low)  # reach() leaves room between the two
    first = np.zeros(CELLS + 2, dtype=np.int64)
    for kink in kinks:
        first[cell(kink, low, scale) + 1] += 1
    for i in range(1, first.size):
        first[i] += first[i - 1]
    return low, scale, first


@exactly_compiled
def cell(z, low, scale):
    """The grid's cell of a pooled value; it does not fall as z grows."""
    return min(max(np.int64((z - low) * scale), 0), CELLS)


@compiled
def pool(s, t, other_s, other_t, z):
    """Pooled values of one half with some others, into ``z``."""
    for j in range(z.size):
        z[j] = (t + other_t[j]) / (s + other_s[j])


@exactly_compiled
def to_logits(curve, z):
    """Pooled values to logits, in place: look the cell up, then step over the kinks inside it."""
    kinks, slopes, intercepts, low, scale, first = curve
    for j in range(z.size):
        piece = first[cell(z[j], low, scale)]
        while piece < kinks.size and kinks[piece] < z[j]:
            piece += 1
        z[j] = slopes[piece] * z[j] + intercepts[piece]
