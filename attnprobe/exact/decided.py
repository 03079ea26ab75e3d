"""The answer to each of some inputs: float64 where it is sure, rational arithmetic elsewhere.

An answer is "yes" where the network's logit in real arithmetic, with the weights as they are stored, is above 0; at
exactly 0 it is "no", as p > 0.5 has it. Within a piece of the readout, logit slope z + intercept, that is the sign of

    sum_d c_d exp(s_d) (slope v_d + intercept),

and on which side of a kink an input lies is the sign of sum_d c_d exp(s_d) (v_d - kink): both are decided for good by
:mod:`attnprobe.exact.signs`. With trained weights no input needs it; where numbers are round, or nothing but a bias is
left of a network, thousands do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from attnprobe.circuit import Circuit, quietly
from attnprobe.exact.rounding import rounding_of
from attnprobe.exact.seeds import EPS, pooled_error
from attnprobe.exact.signs import signs
from attnprobe.rational import fractions, pieces, scores_and_values

__all__ = ["Network", "decide"]

ROWS = 400_000  # inputs that are looked at together


@dataclass(frozen=True, eq=False)
class Network:
    """One seed without rounding.

    Attributes
    ----------
    scores : list of Fraction, V
        Times the square root of ``root``.
    draws : list of Fraction, V
        What exp of the score is multiplied by: 1, or 0 for a digit that draws no attention.
    values : list of Fraction, V
    root : int
    kinks, slopes, intercepts : list of Fraction
        The readout: piece j lies between kink j - 1 and kink j.
    """

    scores: list[Fraction]
    draws: list[Fraction]
    values: list[Fraction]
    root: int
    kinks: list[Fraction]
    slopes: list[Fraction]
    intercepts: list[Fraction]

    @classmethod
    def of(cls, circuit: Circuit, seed: int) -> Network:
        """A finite seed of a circuit, from its weights where the circuit has them."""
        drawn = [Fraction(1)] * circuit.task.vocab_size
        w = circuit.source
        if w is None:
            readout = circuit.readouts[seed]
            scores, values, *curve = map(
                fractions,
                (circuit.scores[seed], circuit.values[seed], readout.kinks, readout.slopes, readout.intercepts),
            )
            return cls(scores, drawn, values, 1, *curve)
        units = (w["nn.0.weight"][seed, :, 0], w["nn.0.bias"][seed], w["nn.2.weight"][seed, 0])
        scores, values = scores_and_values(w, seed)
        root = w["query"].shape[-1]
        return cls(scores, drawn, values, root, *pieces(*units, float(w["nn.2.bias"][seed, 0])))

    def answer_at(self, pooled: Fraction) -> bool:
        """The answer to a pooled value."""
        piece = sum(kink < pooled for kink in self.kinks)
        return self.slopes[piece] * pooled + self.intercepts[piece] > 0

    def answers(self, counts: np.ndarray, pooled: np.ndarray, error: float) -> np.ndarray:
        """Answers to count vectors (P, V), bool (P,); some digit of each must draw attention.

        ``pooled`` (P,) are their pooled values up to ``error``.
        """
        kinks = np.array([float(kink) for kink in self.kinks])
        room = error + 4 * EPS * (np.abs(pooled) + error)
        piece, last = np.searchsorted(kinks, pooled - room), np.searchsorted(kinks, pooled + room)
        rows = np.flatnonzero(piece < last)
        while rows.size:  # those that may lie beyond the kink to the right of their piece
            beyond = self._by_piece(counts, piece, rows, lambda j: (Fraction(1), -self.kinks[j]))
            rows = rows[beyond]
            piece[rows] += 1
            rows = rows[piece[rows] < last[rows]]
        every = np.arange(len(counts))
        return self._by_piece(counts, piece, every, lambda j: (self.slopes[j], self.intercepts[j]))

    def _by_piece(self, counts, piece, rows, line) -> np.ndarray:  # type: ignore[no-untyped-def]
        """Whether slope z + intercept > 0 for some rows, where ``line`` says slope and intercept of a piece."""
        found = np.zeros(rows.size, dtype=np.bool_)
        for j in np.unique(piece[rows]):
            slope, intercept = line(j)
            here = piece[rows] == j
            form = [draw * (slope * v + intercept) for draw, v in zip(self.draws, self.values, strict=True)]
            found[here] = signs(counts[rows[here]], self.scores, self.root, form) > 0 if slope else intercept > 0
        return found


@quietly
def decide(circuit: Circuit, counts: np.ndarray) -> np.ndarray:
    """The answers of a circuit's only seed to count vectors (P, V), bool (P,).

    A seed that is not finite answers "no".
    """
    doubt = rounding_of(circuit)[0]
    yes = np.zeros(len(counts), dtype=np.bool_)
    if np.isnan(doubt):
        return yes
    exact: Network | None = None
    for start in range(0, len(counts), ROWS):
        rows = slice(start, start + ROWS)
        pooled = circuit.pool(counts[rows])[0][0]
        logit = circuit.readouts[0].logit(pooled)
        yes[rows] = logit > 0
        close = np.flatnonzero(np.abs(logit) <= doubt)
        if close.size:
            exact = exact or Network.of(circuit, 0)
            error = pooled_error(circuit.weights[0], circuit.values[0], circuit.blur[0], circuit.value_error[0])
            yes[start + close] = exact.answers(counts[start + close], pooled[close], error)
    return yes
