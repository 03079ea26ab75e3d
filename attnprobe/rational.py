"""A network's scores, values and readout without any rounding: weights are floats, and floats are fractions.

    s_d sqrt(att_dim) = q . (WK e_d + bK)          a fraction; only the root is not one
    v_d               = WV e_d + bV                a fraction
    f(z)              = slope_j z + intercept_j    fractions, from kink j - 1 to kink j, -b1_k / w1_k each

Float64 sums are good to some 16 digits of their largest term. Where that is not enough, because terms of 1e30 cancel or
because an answer hangs on the last bit, these are the numbers that are meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import accumulate

import numpy as np

__all__ = ["collapsed", "divided_by_root", "fractions", "pieces", "scores_and_values"]

DIGITS = 40  # of a quotient by a root, before it is rounded to float64


def fractions(numbers: np.ndarray) -> list[Fraction]:
    """Finite numbers of any shape as fractions, in order."""
    return [Fraction(number) for number in numbers.ravel().tolist()]


def scores_and_values(weights: Mapping[str, np.ndarray], seed: int) -> tuple[list[Fraction], list[Fraction]]:
    """The scores of a seed's digits times sqrt(att_dim), and their values; weights are (S, *shape)."""
    query, value, key_bias = (fractions(weights[name][seed]) for name in ("query", "WV.weight", "WK.bias"))
    keys = [fractions(row) for row in weights["WK.weight"][seed]]
    embedding = [fractions(row) for row in weights["embed.weight"][seed]]
    u = [_dot(query, column) for column in zip(*keys, strict=True)]
    shift, bias = _dot(query, key_bias), Fraction(weights["WV.bias"][seed].item())
    return [_dot(e, u) + shift for e in embedding], [_dot(e, value) + bias for e in embedding]


def pieces(w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: float) -> tuple[list[Fraction], ...]:
    """Kinks, ascending, and slopes and intercepts of the pieces between them: one more of each."""
    slope, intercept = Fraction(0), Fraction(b2)
    passed = []  # kinks, and what passing one adds to slope and intercept
    for w, b, out in zip(fractions(w1), fractions(b1), fractions(w2), strict=True):
        if w > 0:  # on to the right of its kink
            passed.append((-b / w, out * w, out * b))
        elif w < 0:  # on to the left
            passed.append((-b / w, -out * w, -out * b))
            slope, intercept = slope + out * w, intercept + out * b
        else:
            intercept += out * max(b, Fraction(0))
    passed.sort(key=lambda unit: unit[0])
    slopes = list(accumulate((steep for _, steep, _ in passed), initial=slope))
    intercepts = list(accumulate((high for _, _, high in passed), initial=intercept))
    return [kink for kink, _, _ in passed], slopes, intercepts


def collapsed(weights: Mapping[str, np.ndarray], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores less the largest, scores, and values of a seed's digits (V,) each, rounded once to float64."""
    scores, values = scores_and_values(weights, seed)
    root, top = weights["query"].shape[-1], max(scores)
    relative = [divided_by_root(score - top, root) for score in scores]
    return (
        np.array(relative, dtype=np.float64),
        np.array([divided_by_root(score, root) for score in scores], dtype=np.float64),
        np.array([float(value) for value in values]),
    )


def divided_by_root(number: Fraction, root: int) -> Decimal:
    """The number over the square root of ``root``, to :data:`DIGITS` digits."""
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(number.numerator) / Decimal(number.denominator) / Decimal(root).sqrt()


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
