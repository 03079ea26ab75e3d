"""How far can a pattern be permuted before the answer changes?

Values stay where they are, attention is permuted: z_pi = sum_i a_pi(i) v_i (the experiment of Jain & Wallace 2019,
arXiv:1902.10186, section 4.2.1). Three sets of permutations are tried:

    swaps      all L (L - 1) / 2 exchanges of two positions' attention: exact, z + (a_j - a_i)(v_i - v_j)
    shuffles   some uniformly random permutations, the same for every seed
    extremes   the two that give the largest and the smallest pooled value of all L! permutations, by the
               rearrangement inequality: both sorted alike, or one against the other

Where at most one threshold is within reach, some permutation changes the answer exactly if one of the extremes does,
because every pooled value lies between theirs. With several thresholds a permutation between the two may change it
although neither extreme does: then what is found here is a lower bound. The distance of a permuted pattern is the total
variation distance sum_i |a_i - a_pi(i)| / 2; the smallest one found with another answer bounds the smallest of all
permutations from above. Of permutations that give the same pooled value up to rounding, none changes the answer, and a
logit that is 0 up to rounding counts as 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.attribution.sample import Sample
from attnprobe.circuit import Circuit
from attnprobe.exact.curve import curve_of, to_logits
from attnprobe.exact.rounding import bound
from attnprobe.exact.seeds import each_part, finite, one, pooled_error, reach, stack
from attnprobe.training.compiled import exactly_compiled

__all__ = ["Permuted", "permuted"]

SAME = 1e-12  # of the largest value: pooled values that are closer are equal up to rounding


class Permuted(NamedTuple):
    """Each (S, n); not-a-number for seeds that are not finite, swaps also where there are no two positions."""

    swap_flips: np.ndarray  # share of the exchanges of two positions' attention that change the answer
    shuffle_flips: np.ndarray  # share of the random permutations that do
    some_flips: np.ndarray  # 1 where some permutation was found that does, else 0
    distance: np.ndarray  # smallest total variation distance of one that does; not-a-number where there is none


def permuted(circuit: Circuit, sample: Sample, shuffles: np.ndarray) -> Permuted:
    """Permute the patterns of all seeds on the sequences of a sample.

    Parameters
    ----------
    shuffles : ndarray, int64, shape (n, R, L)
        Random permutations of the positions of each sequence.
    """
    seeds = stack(circuit)
    sources = np.take_along_axis(sample.places[:, None, :], shuffles, axis=2)  # whose attention each position gets
    found = np.full((4, len(circuit), sample.kinds.size), np.nan)
    each_part(lambda start, stop: permute(sample, sources, seeds, start, stop, found), len(circuit))
    return Permuted(*found)


@exactly_compiled
def permute(sample, sources, seeds, start, stop, found):
    """The four numbers of some seeds, into ``found`` (4, S, n)."""
    for s in range(start, stop):
        if finite(seeds, s):
            weights, values, kinks, slopes, intercepts = one(seeds, s)
            curve = curve_of(values, kinks, slopes, intercepts)
            orders = sorted_digits(weights, values)
            same = SAME * np.abs(values).max()
            error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
            doubt = bound(kinks, slopes, intercepts, *reach(values, error), error)
            for q in range(sample.kinds.size):
                found[:, s, q] = one_sequence(sample, sources[q], q, weights, values, orders, curve, same, doubt)


@exactly_compiled
def sorted_digits(weights, values):
    """Digits by attention, by value and by value from above; equal values by attention."""
    by_weight = np.argsort(weights, kind="mergesort")
    rising = by_weight[np.argsort(values[by_weight], kind="mergesort")]
    falling = by_weight[np.argsort(-values[by_weight], kind="mergesort")]
    return by_weight, rising, falling


@exactly_compiled
def one_sequence(sample, sources, q, weights, values, orders, curve, same, doubt):
    """The four numbers of one seed and sequence."""
    kinds = sample.kinds[q]
    present, counts, places = sample.digits[q, :kinds], sample.counts[q], sample.places[q]
    v, a = values[present], weights[present].copy()
    total = 0.0
    for d in range(kinds):
        total += counts[d] * a[d]
    a /= total
    rounds, length = sources.shape
    pairs = kinds * (kinds - 1) // 2
    z, distance, ways = np.empty(1 + pairs + rounds + 2), np.zeros(1 + pairs + rounds + 2), np.ones(pairs)
    z[0] = 0.0
    for d in range(kinds):
        z[0] += counts[d] * a[d] * v[d]
    swap(counts, a, v, z, distance, ways)
    shuffle(places, sources, a, v, z[1 + pairs :], distance[1 + pairs :])
    dense = np.zeros(values.size)
    dense[present] = counts[:kinds]
    for k in range(2):  # rising, falling
        place = z.size - 2 + k
        z[place], distance[place] = matched(orders[1 + k], orders[0], dense, weights, values, total)
    for i in range(1, z.size):
        if abs(z[i] - z[0]) <= same:
            z[i] = z[0]
    to_logits(curve, z)
    flips = (z > doubt) != (z[0] > doubt)
    swaps = length * (length - 1) / 2
    changed = 0.0
    for i in range(pairs):
        changed += ways[i] if flips[1 + i] else 0.0
    shuffled = flips[1 + pairs : 1 + pairs + rounds].sum() / rounds
    nearest = distance[flips].min() if flips.any() else np.nan
    return changed / swaps if swaps else np.nan, shuffled, 1.0 if flips.any() else 0.0, nearest


@exactly_compiled
def swap(counts, a, v, z, distance, ways):
    """Exchange two positions with different digits: pooled values, distances, and how many pairs of positions it is."""
    i = 0
    for d in range(a.size):
        for e in range(d):
            z[1 + i] = z[0] + (a[e] - a[d]) * (v[d] - v[e])
            distance[1 + i] = abs(a[e] - a[d])
            ways[i] = counts[d] * counts[e]
            i += 1


@exactly_compiled
def shuffle(places, sources, a, v, z, distance):
    """Pooled values and distances of random permutations, into the first of ``z`` and ``distance``."""
    for r in range(sources.shape[0]):
        pooled, moved = 0.0, 0.0
        for i in range(places.size):
            attention = a[sources[r, i]]
            pooled += attention * v[places[i]]
            moved += abs(attention - a[places[i]])
        z[r], distance[r] = pooled, moved / 2


@exactly_compiled
def matched(to, by_weight, counts, weights, values, total):
    """Pooled value and distance where positions in the order ``to`` get attention in ascending order."""
    pooled, moved = 0.0, 0.0
    source = 0
    left = counts[by_weight[0]]
    for digit in to:
        need = counts[digit]
        while need > 0:
            while left == 0:
                source += 1
                left = counts[by_weight[source]]
            taken = min(need, left)
            weight = weights[by_weight[source]]
            pooled += taken * weight * values[digit]
            moved += taken * abs(weight - weights[digit])
            need -= taken
            left -= taken
    return pooled / total, moved / total / 2
