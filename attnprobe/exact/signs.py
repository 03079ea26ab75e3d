"""Is a sum of exponentials above, below or exactly 0? Decided for good, to the last bit and beyond.

    g(c) = sum_d c_d exp(s_d) b_d,      s_d sqrt(att_dim) and b_d fractions, c_d whole numbers.

Digits with the same score are added up first, exactly. What is left are exponentials of distinct algebraic numbers, and
these are linearly independent over the fractions (Lindemann-Weierstrass theorem; Baker 1975, Transcendental Number
Theory, theorem 1.4): g = 0 exactly if every one of these sums is 0. Otherwise g has a sign, and enough bits show it:
exponentials are taken to so many bits after the point, each off by at most one unit there, twice as many until the
sum is larger than its error. Nothing is assumed about sizes: across a gap of 1e30 the lower score counts if, and only
if, all that is above it cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np

__all__ = ["signs"]

BITS = 128  # at first


def signs(counts: np.ndarray, scores: Sequence[Fraction | None], root: int, form: Sequence[Fraction]) -> np.ndarray:
    """The sign of g for count vectors (P, V): -1, 0 or 1, int64 (P,).

    Parameters
    ----------
    counts : ndarray of whole numbers, shape (P, V)
    scores : sequence of Fraction or None
        Scores times the square root of ``root``; None for a digit that is not attended to at all.
    root : int
    form : sequence of Fraction
        The b_d.
    """
    levels = sorted({score for score in scores if score is not None}, reverse=True)
    scale = lcm(*(b.denominator for b in form))
    whole = np.array([int(b * scale) for b in form], dtype=object)
    parts = np.zeros((len(counts), len(levels)), dtype=object)
    for place, level in enumerate(levels):
        for digit, score in enumerate(scores):
            if score == level and whole[digit]:
                parts[:, place] += counts[:, digit].astype(object) * whole[digit]
    up, down = (parts > 0).any(axis=1), (parts < 0).any(axis=1)
    found: np.ndarray = np.subtract(up, down, dtype=np.int64)
    mixed = np.flatnonzero(up & down)
    top = (parts[mixed] != 0).argmax(axis=1)  # the highest score that has not cancelled
    for place in np.unique(top):
        rows = mixed[top == place]
        found[rows] = _summed(parts[rows, place:], [level - levels[place] for level in levels[place:]], root)
    return found


def _summed(parts: np.ndarray, scores: list[Fraction], root: int) -> np.ndarray:
    """The signs of sums of exp(s / sqrt(root)), s at most 0, times whole numbers (P, n), not all 0 in a row."""
    found = np.zeros(len(parts), dtype=np.int64)
    rows, bits = np.arange(len(parts)), BITS
    while rows.size:  # ends, because no sum is 0
        exponentials = np.array([_exponential(score, root, bits) for score in scores], dtype=object)
        total, error = parts[rows] @ exponentials, np.abs(parts[rows]).sum(axis=1)
        found[rows] = (total > error).astype(np.int64) - (total < -error)
        rows, bits = rows[found[rows] == 0], 2 * bits
    return found


@lru_cache(maxsize=4096)
def _exponential(score: Fraction, root: int, bits: int) -> int:
    """2^bits exp(score / sqrt(root)), off by less than 1; the score is 0 or less."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 30 + bits // 3, MAX_EMAX, MIN_EMIN  # log10(2) is less than 1/3
        exponent = Decimal(score.numerator) / Decimal(score.denominator) / Decimal(root).sqrt()
        if exponent < -bits:  # then 2^bits times its exponential is less than 1
            return 0
        return int(exponent.exp() * 2**bits)
