"""A trained seed as scores, values and one curve, for all seeds at once.

The network acts on a sequence only through three things:

    scores   s_d = q . (WK e_d + bK) / sqrt(att_dim)                         the QK circuit, digit -> score
    values   v_d = WV e_d + bV                                               the OV circuit, digit -> value
    readout  f(z) = b2 + sum_k w2_k relu(w1_k z + b1_k)                      pooled value -> logit

    z(c) = sum_d c_d exp(s_d) v_d / sum_d c_d exp(s_d),    answer "yes" where f(z) > 0.

f is piecewise linear with a kink at -b1_k / w1_k for each hidden unit. Sorted by kink and with prefix
sums over the units that are on, it is a table of slopes and intercepts (:class:`Readout`), and its zeros
are exact. All of this is float64, from the float32 weights as they were trained.

Two gauge freedoms change none of the answers: a common shift of all scores, and an affine map of the
values that the readout undoes. :meth:`Circuit.gauge` fixes the second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attnprobe.rational import collapsed
from attnprobe.task import Task

__all__ = ["Circuit", "Readout", "relative"]

# A seed whose training became not finite has results that are not finite; they are data, not a warning.
quietly = np.errstate(all="ignore")

EPS = float(np.finfo(np.float64).eps)
WIDEST = 600.0  # range of scores in one seed: exp of more than 700 leaves float64's normal range
WIDEST_GAP = 37.0  # between neighbouring scores: exp(-37) is below float64's rounding
ROUGH = 1e-10  # scores and values that are less certain than this are collapsed again, in rational arithmetic
COLLAPSED = ("query", "embed.weight", "WK.weight", "WK.bias", "WV.weight", "WV.bias")
SEEDS_A_BLOCK = 64  # whose units fit into the processor's cache


@dataclass(frozen=True, eq=False)
class Readout:
    """One seed's readout as a piecewise linear function of z.

    Attributes
    ----------
    kinks : ndarray, shape (K,)
        Sorted positions at which hidden units switch (units without input weight have none).
    slopes, intercepts : ndarray, shape (K + 1,)
        Interval j lies between kink j - 1 and kink j.
    rounding : ndarray, shape (K,)
        How far the logit at each kink may be off by rounding: less than this is no sign.
    """

    kinks: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    rounding: np.ndarray

    @classmethod
    @quietly
    def from_weights(cls, w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: float) -> Readout:
        """Sort the units by kink and add up, interval by interval, those that are on."""
        moving = w1 != 0
        constant = _sum([float(b2), *(w2[~moving] * np.maximum(b1[~moving], 0)).tolist()])
        w1, b1, w2 = (part[None, moving] for part in (w1, b1, w2))
        return cls._of_moving(w1, b1, w2, np.array([constant]))[0]

    @classmethod
    @quietly
    def of_seeds(cls, w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: np.ndarray) -> tuple[Readout, ...]:
        """:meth:`from_weights` of each seed, bit for bit: units (S, H) and constants (S,), a block of seeds at once."""
        blocks = (slice(start, start + SEEDS_A_BLOCK) for start in range(0, len(b2), SEEDS_A_BLOCK))
        found = [cls._of_moving(w1[block], b1[block], w2[block], b2[block] + 0.0) for block in blocks]
        readouts = [readout for block in found for readout in block]
        for seed in np.flatnonzero((w1 == 0).any(axis=1)):  # each has its own number of kinks
            readouts[seed] = cls.from_weights(w1[seed], b1[seed], w2[seed], b2[seed])
        return tuple(readouts)

    @classmethod
    def _of_moving(cls, w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, constant: np.ndarray) -> list[Readout]:
        """The readouts of some seeds (S, H) none of whose units is without input weight."""
        seeds, units = w1.shape
        kinks = -b1 / w1
        order = np.argsort(kinks, axis=1, kind="stable")
        kinks, steep, high, w1 = (np.take_along_axis(part, order, axis=1) for part in (kinks, w1 * w2, b1 * w2, w1))
        rising = w1 > 0  # on to the right of the kink; the others are on to its left

        def table(per_unit: np.ndarray) -> np.ndarray:
            on = np.zeros((seeds, units + 1))
            np.cumsum(np.where(rising, per_unit, 0.0), axis=1, out=on[:, 1:])
            on[:, :-1] += np.cumsum(np.where(rising, 0.0, per_unit)[:, ::-1], axis=1)[:, ::-1]
            return on

        slopes, intercepts = table(steep), constant[:, None] + table(high)
        size = np.abs(steep).sum(axis=1, keepdims=True) * np.abs(kinks)
        size = size + np.abs(high).sum(axis=1, keepdims=True) + np.abs(constant)[:, None]
        rounding = 4 * np.finfo(np.float64).eps * size
        return [cls(*of_seed) for of_seed in zip(kinks, slopes, intercepts, rounding, strict=True)]

    @quietly
    def logit(self, z: np.ndarray) -> np.ndarray:
        """The logit at pooled values z, any shape."""
        interval = np.searchsorted(self.kinks, z)
        return np.asarray(self.slopes[interval] * z + self.intercepts[interval])

    def thresholds(self) -> tuple[np.ndarray, np.ndarray]:
        """Every z at which the answer changes, ascending, and the logit's slope there.

        f is monotone between kinks, so the answer at the kinks and at both infinities shows in which
        intervals it changes; there the zero of the linear piece is exact up to rounding. Where f only
        touches zero at a kink, the answer is "no" in that point alone and it is listed twice.
        """
        return self._thresholds

    @cached_property
    @quietly
    def _thresholds(self) -> tuple[np.ndarray, np.ndarray]:
        slopes, intercepts = self.slopes, self.intercepts
        left = slopes[0] < 0 or (slopes[0] == 0 and intercepts[0] > 0)
        right = slopes[-1] > 0 or (slopes[-1] == 0 and intercepts[-1] > 0)
        yes = np.concatenate([[left], self.logit(self.kinks) > self.rounding, [right]])
        piece = np.flatnonzero(yes[1:] != yes[:-1])
        ends = np.concatenate([[-np.inf], self.kinks, [np.inf]])
        root = np.clip(-intercepts[piece] / slopes[piece], ends[piece], ends[piece + 1])
        return root, slopes[piece]


def _sum(parts: list[float]) -> float:
    """Their sum, rounded once where they are finite: constants may cancel, and no later bound knows their sizes."""
    return math.fsum(parts) if all(map(math.isfinite, parts)) else float(np.sum(parts))


@quietly
def relative(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (..., V) less the largest, and how much attention that may move by (...); -infinity draws none.

    Scores that span more than :data:`WIDEST` are drawn together: a gap between neighbouring scores counts as at most
    :data:`WIDEST_GAP`, or as less where even such gaps were too many (more than 17 digits, each far above the next).
    Across a gap g an input attends by at most length exp(-g) to all digits below, so that nothing changes but what
    rounding would, and inputs that hold low scores alone keep their pattern.
    """
    shifted = np.asarray(scores - scores.max(axis=-1, keepdims=True))
    slack = np.zeros(shifted.shape[:-1])
    lowest = np.where(shifted == -np.inf, 0.0, shifted).min(axis=-1, initial=0.0)
    for place in map(tuple, np.argwhere(lowest < -WIDEST)):
        row = shifted[place]
        drawn = np.flatnonzero(row > -np.inf)
        drawn = drawn[np.argsort(-row[drawn], kind="stable")]
        gaps = -np.diff(row[drawn])
        widest = WIDEST_GAP if np.minimum(gaps, WIDEST_GAP).sum() <= WIDEST else WIDEST / gaps.size
        row[drawn] = -np.cumsum([0.0, *np.minimum(gaps, widest)])
        slack[place] = math.exp(-widest)
    return shifted, slack


@dataclass(frozen=True, eq=False)
class Circuit:
    """Scores, values and readouts of S seeds.

    Attributes
    ----------
    scores : ndarray, float64, shape (S, V)
        s_d as the network computes it (free up to a shift common to all digits of a seed).
    values : ndarray, float64, shape (S, V)
        v_d as the network computes it (free up to an affine map that the readout undoes).
    readouts : tuple of Readout
    source : mapping of str to ndarray, optional
        The weights, state dict names, each (S, *shape): what an answer is that float64 cannot decide. Without them the
        numbers above are taken as they are.
    """

    task: Task
    scores: np.ndarray
    values: np.ndarray
    readouts: tuple[Readout, ...]
    source: Mapping[str, np.ndarray] | None = None

    @classmethod
    @quietly
    def from_weights(cls, task: Task, weights: Mapping[str, np.ndarray]) -> Circuit:
        """Collapse stacked weights, each of shape (S, *shape), in float64."""
        w = {name: value.astype(np.float64) for name, value in weights.items()}
        keys = np.einsum("sad,svd->sva", w["WK.weight"], w["embed.weight"]) + w["WK.bias"][:, None]
        scores = np.einsum("sva,sa->sv", keys, w["query"][:, 0]) / np.sqrt(keys.shape[-1])
        values = np.einsum("svd,sd->sv", w["embed.weight"], w["WV.weight"][:, 0]) + w["WV.bias"]
        readouts = Readout.of_seeds(
            w["nn.0.weight"][:, :, 0], w["nn.0.bias"], w["nn.2.weight"][:, 0], w["nn.2.bias"][:, 0]
        )
        circuit = cls(task, scores, values, readouts, weights)
        for seed in circuit._rough:  # their scores and values are the arrays made here
            _, scores[seed], values[seed] = collapsed(weights, int(seed))
        return circuit

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, seeds: slice | np.ndarray) -> Circuit:
        """The circuit of some of the seeds: a slice, or their places."""
        places = np.arange(len(self))[seeds]
        source = None if self.source is None else {name: w[seeds] for name, w in self.source.items()}
        readouts = tuple(self.readouts[k] for k in places)
        return Circuit(self.task, self.scores[seeds], self.values[seeds], readouts, source)

    @cached_property
    @quietly
    def _collapse_errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on the rounding of scores and of values (S,) each, as sums in float64 make it."""
        if self.source is None:
            return np.zeros(len(self)), np.zeros(len(self))
        w = {name: np.abs(self.source[name].astype(np.float64)) for name in COLLAPSED}
        u = np.einsum("sa,sad->sd", w["query"][:, 0], w["WK.weight"])
        scores = np.einsum("svd,sd->sv", w["embed.weight"], u).max(axis=1)
        scores = (scores + (w["query"][:, 0] * w["WK.bias"]).sum(axis=1)) / np.sqrt(u.shape[1])
        values = np.einsum("svd,sd->sv", w["embed.weight"], w["WV.weight"][:, 0]).max(axis=1) + w["WV.bias"][:, 0]
        terms = w["embed.weight"].shape[2]
        return EPS / 2 * (terms + w["query"].shape[2] + 6) * scores, EPS / 2 * (terms + 2) * values

    @cached_property
    @quietly
    def _rough(self) -> np.ndarray:
        """Seeds whose scores or values float64 sums leave too uncertain: weights are large, or nearly cancel."""
        of_scores, of_values = self._collapse_errors
        largest = np.abs(self.values).max(axis=1)
        uncertain = (of_scores > ROUGH) | (of_values > ROUGH * largest)
        return np.flatnonzero(uncertain & np.isfinite(of_scores + of_values + largest))

    @cached_property
    @quietly
    def _relative(self) -> tuple[np.ndarray, np.ndarray]:
        """Relative scores (S, V), and a bound on their error (S,): attention may be off by so large a share."""
        scores, error = self.scores.copy(), self._collapse_errors[0].copy()
        if self.source is not None:
            for seed in self._rough:
                scores[seed], _, _ = collapsed(self.source, int(seed))
                error[seed] = 0.0
        scores[~np.isfinite(scores).all(axis=1)] = np.nan  # then no digit's attention is known
        found, slack = relative(scores)
        return found, error + EPS * (2 - found.min(axis=1)) + 2 * self.task.length * slack

    @property
    def relative_scores(self) -> np.ndarray:
        """Scores less each seed's largest (S, V): at most 0, and the shift is gone. See :func:`relative`."""
        return self._relative[0]

    @property
    def blur(self) -> np.ndarray:
        """By how large a share the attention that a digit draws may be off (S,)."""
        return self._relative[1]

    @cached_property
    @quietly
    def value_error(self) -> np.ndarray:
        """Bound on the rounding of values (S,)."""
        error = self._collapse_errors[1].copy()
        error[self._rough] = EPS * np.abs(self.values[self._rough]).max(axis=1)
        return error

    @cached_property
    def weights(self) -> np.ndarray:
        """Attention that one digit draws before normalisation, exp of the relative scores (S, V)."""
        return np.asarray(np.exp(self.relative_scores))

    @quietly
    def pool(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pooled values z and normalisers sum_d c_d exp(s_d) for count vectors (P, V): both (S, P)."""
        c = counts.T.astype(np.float64)
        normaliser = self.weights @ c
        return (self.weights * self.values) @ c / normaliser, normaliser

    @quietly
    def logit(self, z: np.ndarray) -> np.ndarray:
        """Logits (S, ...) at pooled values z (S, ...)."""
        return np.stack([readout.logit(row) for readout, row in zip(self.readouts, z, strict=True)])

    @quietly
    def gauge(self) -> tuple[np.ndarray, np.ndarray]:
        """The affine map of values that every seed can be compared in: gauged = (v - centre) / half.

        It sends the value of the rule's first digit to +1 and that of its second to -1 (sign included).
        Returns centre and half, each (S,); half is NaN where the two values are equal.
        """
        first, second = (self.values[:, digit] for digit in self.task.targets)
        half = (first - second) / 2
        return (first + second) / 2, np.where(half == 0, np.nan, half)
