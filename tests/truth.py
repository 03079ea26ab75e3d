"""What a network answers in real arithmetic, input by input: the slow twin of what decides ties. Nothing is shared.

Each sum of exponentials is first added up by score, exactly; what does not cancel is evaluated to 300 digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

import numpy as np

from attnprobe.circuit import Circuit

PRECISE = Context(prec=300, Emax=MAX_EMAX, Emin=MIN_EMIN)


class Truth:
    """One network: scores are numbers divided by the root of ``root``; ``line(z)`` may compare z with anything."""

    def __init__(self, scores: Sequence[Fraction], root: int, values: Sequence[Fraction]) -> None:
        self.scores, self.root, self.values = scores, root, values

    def sign(self, counts: Sequence[int], slope: Fraction, intercept: Fraction) -> int:
        """The sign of slope z + intercept."""
        parts: dict[Fraction, Fraction] = {}
        for n, score, value in zip(counts, self.scores, self.values, strict=True):
            parts[score] = parts.get(score, Fraction(0)) + n * (slope * value + intercept)
        parts = {score: part for score, part in parts.items() if part}
        if not parts:
            return 0
        top, total = max(parts), Decimal(0)
        root = PRECISE.sqrt(Decimal(self.root))
        for score, part in parts.items():
            exponent = PRECISE.divide(self._decimal(score - top), root)
            drawn = PRECISE.exp(exponent) if exponent > -(10**6) else Decimal(0)
            total = PRECISE.add(total, PRECISE.multiply(drawn, self._decimal(part)))
        assert total != 0
        return 1 if total > 0 else -1

    @staticmethod
    def _decimal(number: Fraction) -> Decimal:
        return PRECISE.divide(Decimal(number.numerator), Decimal(number.denominator))


def exact(array: np.ndarray) -> list[Fraction]:
    return [Fraction(float(number)) for number in np.ravel(array)]


def of_weights(w: dict[str, np.ndarray], counts: np.ndarray) -> list[bool]:
    """Whether the answer to count vectors is yes: unit by unit, as the module has it."""
    query, value, bias = exact(w["query"]), exact(w["WV.weight"]), Fraction(float(w["WV.bias"][0]))
    keys = [
        [sum(a * b for a, b in zip(exact(row), exact(e), strict=True)) + shift for row, shift in keyed]
        for e in w["embed.weight"]
        for keyed in [list(zip(w["WK.weight"], exact(w["WK.bias"]), strict=True))]
    ]
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) for key in keys]
    values = [sum(a * b for a, b in zip(value, exact(e), strict=True)) + bias for e in w["embed.weight"]]
    truth = Truth(scores, len(query), values)
    units = list(zip(*(exact(w[name]) for name in ("nn.0.weight", "nn.0.bias", "nn.2.weight")), strict=True))
    answers = []
    for row in counts.tolist():
        on = [unit for unit in units if truth.sign(row, unit[0], unit[1]) > 0]
        slope = sum((out * w1 for w1, _, out in on), Fraction(0))
        high = sum((out * b1 for _, b1, out in on), Fraction(float(w["nn.2.bias"][0])))
        answers.append(truth.sign(row, slope, high) > 0)
    return answers


def of_circuit(circuit: Circuit, seed: int, counts: np.ndarray) -> np.ndarray:
    """The same from a circuit's own numbers, taken as they are; float64 where it cannot err for numbers below 1,000."""
    scores, values, readout = circuit.scores[seed], circuit.values[seed], circuit.readouts[seed]
    present = np.where(counts > 0, scores, -np.inf)
    with np.errstate(all="ignore"):
        draw = counts * np.exp(np.minimum(scores - present.max(axis=1, keepdims=True), 0))
        z = (draw * values).sum(axis=1) / draw.sum(axis=1)
    logit = readout.logit(z)
    yes = logit > 0
    if not all(np.isfinite(part).all() for part in (scores, values, *vars(readout).values())):
        return np.zeros(len(counts), dtype=bool)
    truth = Truth(exact(scores), 1, exact(values))
    kinks, slopes, intercepts = map(exact, (readout.kinks, readout.slopes, readout.intercepts))
    for i in np.flatnonzero(np.abs(logit) < 1e-8):
        row = counts[i].tolist()
        piece = sum(truth.sign(row, Fraction(1), -kink) > 0 for kink in kinks)
        yes[i] = truth.sign(row, slopes[piece], intercepts[piece]) > 0
    return yes


def of_numbers(readout, weights: np.ndarray, values: np.ndarray, counts: np.ndarray, bare: float) -> np.ndarray:
    """A network with these attention weights before normalisation: everything is a fraction."""
    c = counts.astype(np.float64)
    with np.errstate(all="ignore"):
        z = np.where(c @ weights == 0, bare, c @ (weights * values) / (c @ weights))
    logit = readout.logit(z)
    yes = logit > 0
    if not np.isfinite(weights.sum() + values.sum() + bare):
        return yes
    kinks, slopes, intercepts = map(exact, (readout.kinks, readout.slopes, readout.intercepts))
    drawn, told = exact(weights), exact(values)
    for i in np.flatnonzero(np.abs(logit) < 1e-8):
        mass = [int(n) * w for n, w in zip(counts[i], drawn, strict=True)]
        pooled = sum(m * v for m, v in zip(mass, told, strict=True)) / sum(mass) if any(mass) else Fraction(bare)
        piece = sum(kink < pooled for kink in kinks)
        yes[i] = slopes[piece] * pooled + intercepts[piece] > 0
    return yes
