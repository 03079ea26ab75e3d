"""How far can float64 be off? A bound on the logit of any input.

Truth is the network in real arithmetic, with the weights as they are stored. With u = 2^-53, V digits, K kinks, M the
largest |v_d|, D the steepest slope within reach, and P and Q the sums over hidden units of |w2 w1| and of |w2 b1| (Q
with |b2|), first-order bounds (Higham 2002, Accuracy and Stability of Numerical Algorithms, chapters 3 and 4) are

    of z, from its two sums and their quotient:          (2V + 6) u M
          from scores, which move attention by shares:   2 blur (max v - min v)       (:attr:`Circuit.blur`)
          from values:                                   :attr:`Circuit.value_error`
    of slopes and intercepts, each a sum of K terms:     (K + 8) u P  and  (K + 8) u Q
    of the logit, together:   doubt = D (error of z) + u (K + 8) (P M + Q).

A logit that is larger than this in size has the right sign. An answer that float64 leaves in doubt is settled in
rational arithmetic (:mod:`attnprobe.exact.decided`).
"""

from __future__ import annotations

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.exact.seeds import EPS, TINY, finite, one, pooled_error, reach, stack
from attnprobe.training.compiled import exactly_compiled

__all__ = ["bound", "rounding_of"]


def rounding_of(circuit: Circuit) -> np.ndarray:
    """Bound on the rounding of a logit of each seed, in nats (S,); not-a-number for seeds that are not finite."""
    seeds, found = stack(circuit), np.full(len(circuit), np.nan)
    for s in range(len(circuit)):
        if finite(seeds, s):
            weights, values, kinks, slopes, intercepts = one(seeds, s)
            error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
            found[s] = bound(kinks, slopes, intercepts, *reach(values, error), error)
    return found


@exactly_compiled
def bound(kinks, slopes, intercepts, low, high, error):
    """The bound on a logit's rounding, for pooled values from ``low`` to ``high`` that are off by ``error``."""
    largest, steepest, steep, high_sum = max(abs(low), abs(high)), 0.0, 0.0, abs(intercepts[0])
    for j in range(np.searchsorted(kinks, low), np.searchsorted(kinks, high) + 1):
        steepest = max(steepest, abs(slopes[j]))
    for j in range(1, slopes.size):  # neighbouring pieces differ by one hidden unit
        steep += abs(slopes[j] - slopes[j - 1])
        high_sum += 2 * abs(intercepts[j] - intercepts[j - 1])  # |b2| is at most the first intercept and these again
    return steepest * error + EPS / 2 * (slopes.size + 7) * (steep * largest + high_sum) + TINY
