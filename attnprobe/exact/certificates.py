"""Is a rule on counts what a seed computes, and how far is the seed from a wrong answer? Every input is looked at.

Two computations meet in each input c, by halves (:mod:`attnprobe.exact.halves`):

    the network   f(z(c)) > 0,  z(c) = sum_d c_d exp(s_d) v_d / sum_d c_d exp(s_d),  f the readout
    the rule      at least ``needed`` of the sums  sum_d c_d weight_d  are positive

The rule (:class:`attnprobe.rules.Conditions`) never sees z: their agreement is a check of both. The margin of an input
is the logit in favour of its label, f where that is "yes" and -f where it is "no": the least margin of all says, in
nats, how far the seed is from being wrong (below 0: how wrong it is), and the right input with the least margin is the
one nearest to being wrong. Of inputs whose margins are equal up to rounding, the first in the population is named.

The logit of most inputs is not needed: a grid over z holds, cell by cell, less than any margin in it, and inputs whose
cell promises more than the least margin so far, and on which the rule gives the label, are passed over.

Rounding. A logit that is not larger in size than its bound (:mod:`attnprobe.exact.rounding`) is undecided: rounding
may have given it its sign. Of such inputs the network's answer is settled without rounding
(:mod:`attnprobe.exact.decided`), their margin is 0 where its float64 sign is the wrong one, and the rule, itself made
of rounded numbers, is not compared with the network on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attnprobe.circuit import Circuit, quietly
from attnprobe.exact.curve import Curve, cell, curve_of, pool, to_logits
from attnprobe.exact.decided import ROWS, decide
from attnprobe.exact.halves import Halves, half_forms, halves
from attnprobe.exact.rounding import bound
from attnprobe.exact.seeds import Seeds, each_part, finite, one, pooled_error, reach, stack
from attnprobe.population import Population, multiplicity
from attnprobe.rules import Conditions
from attnprobe.task import Task
from attnprobe.training.compiled import exactly_compiled

__all__ = ["Certificates", "certificates"]


@dataclass(frozen=True, eq=False)
class Certificates:
    """What a walk over all inputs found, for each of S seeds.

    A seed whose numbers are not finite has no disagreement, nothing undecided, margins that are not a number, and no
    nearest input.

    Attributes
    ----------
    finite : ndarray, bool, shape (S,)
    disagreements, undecided : ndarray, shape (S,)
        Sequences on which rule and network differ, of those that are decided; sequences whose logit is not larger than
        ``doubt``. Exact: int64, or Python integers where vocab_size^length does not fit.
    doubt : ndarray, shape (S,)
        Bound on the rounding of a logit, in nats.
    margin, nearest_margin : ndarray, shape (S,)
        Least margin of all inputs, and of those that are answered right; nats, up to ``doubt``.
    nearest, worst : ndarray, int64, shape (S, V)
        Counts of the right input with the least margin, and of the wrong one; -1 where there is none.
    """

    finite: np.ndarray
    disagreements: np.ndarray
    undecided: np.ndarray
    doubt: np.ndarray
    margin: np.ndarray
    nearest_margin: np.ndarray
    nearest: np.ndarray
    worst: np.ndarray


class Asked(NamedTuple):
    """:class:`attnprobe.rules.Conditions` for compiled code."""

    weights: np.ndarray
    starts: np.ndarray
    needed: np.ndarray


class Found(NamedTuple):
    """What the compiled walk fills in, by seed."""

    finite: np.ndarray  # bool (S,)
    marked: np.ndarray  # int64 (S,): inputs that are undecided, or on which rule and network differ
    doubt: np.ndarray  # (S,)
    right: np.ndarray  # (S,): least margin of the inputs that are answered right; infinite without any
    wrong: np.ndarray  # (S,): of those that are answered wrongly
    nearest: np.ndarray  # int64 (S, V)
    worst: np.ndarray  # int64 (S, V)


class Walk(NamedTuple):
    """One seed on both halves: parts of the two sums in z, and of each inequality."""

    curve: Curve
    left_s: np.ndarray
    left_t: np.ndarray
    left_forms: np.ndarray  # (C, n of left)
    right_s: np.ndarray
    right_t: np.ndarray
    right_forms: np.ndarray
    needed: int
    doubt: float
    least: np.ndarray  # (2, cells of the grid): no input in a cell has less margin; label "no", label "yes"


class Row(NamedTuple):
    """Room for one left half with its right halves: pooled values, then logits; how many inequalities hold."""

    z: np.ndarray
    holding: np.ndarray


def certificates(circuit: Circuit, conditions: Conditions) -> Certificates:
    """Compare each seed with its conditions on every input, and measure its margins.

    The same bits on any number of threads.

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    n, vocab = circuit.scores.shape
    pairs, seeds = halves(circuit.task), stack(circuit)
    asked = Asked(np.ascontiguousarray(conditions.weights), conditions.starts, conditions.needed)
    found = Found(
        finite=np.zeros(n, dtype=np.bool_),
        marked=np.zeros(n, dtype=np.int64),
        doubt=np.full(n, np.nan),
        right=np.full(n, np.nan),
        wrong=np.full(n, np.nan),
        nearest=np.full((n, vocab), -1, dtype=np.int64),
        worst=np.full((n, vocab), -1, dtype=np.int64),
    )
    each_part(lambda start, stop: walk_seeds(pairs, seeds, asked, start, stop, found), n)
    disagreements, undecided = _sequences(circuit.task, pairs, seeds, asked, found)
    for s in np.flatnonzero(undecided):
        _settle(circuit, int(s), found)
    return Certificates(
        finite=found.finite,
        disagreements=disagreements,
        undecided=undecided,
        doubt=found.doubt,
        margin=np.fmin(found.right, found.wrong),
        nearest_margin=np.where(np.isfinite(found.right), found.right, np.nan),
        nearest=found.nearest,
        worst=found.worst,
    )


def _sequences(task: Task, pairs: Halves, seeds: Seeds, asked: Asked, found: Found) -> tuple[np.ndarray, np.ndarray]:
    """Sequences on which rule and network differ, and undecided ones (S,): the marked inputs, one by one."""
    wide = task.vocab_size**task.length > np.iinfo(np.int64).max
    differ, undecided = np.zeros((2, found.marked.size), dtype=object if wide else np.int64)
    for s in np.flatnonzero(found.marked):
        counts, differs, doubted = list_marked(pairs, seeds, asked, s, found.marked[s])
        orders = multiplicity(counts, task.length)
        differ[s], undecided[s] = orders[differs & ~doubted].sum(), orders[doubted].sum()
    return differ, undecided


@quietly
def _settle(circuit: Circuit, s: int, found: Found) -> None:
    """Least margins of a seed with undecided inputs, from the answers that these have without rounding."""
    inputs, alone = Population.of(circuit.task), circuit.take(slice(s, s + 1))
    logit = np.concatenate([alone.logit(alone.pool(counts)[0])[0] for counts in _blocks(inputs.counts)])
    right = decide(alone, inputs.counts) == inputs.label
    margin = np.where(inputs.label, logit, -logit)
    margin = np.where(right, np.maximum(margin, 0.0), np.minimum(margin, 0.0))
    for least, named, of in ((found.right, found.nearest, right), (found.wrong, found.worst, ~right)):
        least[s] = margin[of].min(initial=np.inf)
        first = np.flatnonzero(of & (margin <= least[s] + 2 * found.doubt[s]))[:1]
        named[s] = inputs.counts[first[0]] if first.size else -1


def _blocks(counts: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(counts), ROWS):
        yield counts[start : start + ROWS]


@exactly_compiled
def walk_seeds(pairs, seeds, asked, start, stop, found):
    """Fill in what some seeds do."""
    for s in range(start, stop):
        found.finite[s] = finite(seeds, s)
        if found.finite[s]:
            walk_one(pairs, seeds, asked, s, found)


@exactly_compiled
def walk_one(pairs, seeds, asked, s, found):
    """Once over all inputs; then again over those rows in which the least margins lie."""
    walk, row = prepare(pairs, seeds, asked, s)
    starts, length = pairs.left.starts, pairs.left.starts.size - 2
    right, wrong = np.full(pairs.label.size, np.inf), np.full(pairs.label.size, np.inf)
    limit = np.inf  # margins above it are of no interest: larger than the least one found, and than rounding
    for k in range(length + 1):
        for i in range(starts[k], starts[k + 1]):
            used = to_pooled(pairs, walk, row, k, i)
            if of_interest(walk, row, used, pairs.label[i], limit) > 0:
                to_logits(walk.curve, row.z[:used])
                right[i], wrong[i], marks = sum_up(walk, row, used, pairs.label[i])
                found.marked[s] += marks
                limit = min(limit, right[i] + 2 * walk.doubt)
    found.doubt[s], found.right[s], found.wrong[s] = walk.doubt, right.min(), wrong.min()
    for wanted in range(2):
        least, counts = (right, found.nearest[s]) if wanted else (wrong, found.worst[s])
        first_of(pairs, walk, row, least, wanted, counts)


@exactly_compiled
def prepare(pairs, seeds, asked, s):
    """Seed ``s`` on both halves, and room for a row."""
    weights, values, kinks, slopes, intercepts = one(seeds, s)
    curve = curve_of(values, kinks, slopes, intercepts)
    form = weights * values
    a, b = asked.starts[s], asked.starts[s + 1]
    left_forms = np.empty((b - a, pairs.label.size))
    right_forms = np.empty((b - a, pairs.right.counts.shape[1]))
    for c in range(a, b):
        left_forms[c - a] = half_forms(pairs.left, asked.weights[c])
        right_forms[c - a] = half_forms(pairs.right, asked.weights[c])
    error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
    doubt = bound(kinks, slopes, intercepts, *reach(values, error), error)
    walk = Walk(
        curve,
        half_forms(pairs.left, weights),
        half_forms(pairs.left, form),
        left_forms,
        half_forms(pairs.right, weights),
        half_forms(pairs.right, form),
        right_forms,
        asked.needed[s],
        doubt,
        least_margins(curve, 2 * doubt),
    )
    room = pairs.right.counts.shape[1]
    return walk, Row(np.empty(room), np.empty(room, dtype=np.int64))


@exactly_compiled
def least_margins(curve, safety):
    """For each cell of the grid, less than any margin of an input in it: label "no" (row 0) and "yes" (row 1).

    A piecewise linear function is least and greatest at a cell's ends or at a kink inside. ``safety`` is for rounding,
    of the cells' ends too.
    """
    kinks, slopes, intercepts, low, scale, first = curve
    least = np.empty((2, first.size - 1))
    for c in range(first.size - 1):
        lowest, highest = np.inf, -np.inf
        for piece in range(first[c], first[c + 1] + 1):  # from the piece at the cell's start to that at its end
            start = low + c / scale if piece == first[c] else kinks[piece - 1]
            end = low + (c + 1) / scale if piece == first[c + 1] else kinks[piece]
            for z in (start, end):
                logit = slopes[piece] * z + intercepts[piece]
                lowest, highest = min(lowest, logit), max(highest, logit)
        least[0, c], least[1, c] = -highest - safety, lowest - safety
    return least


@exactly_compiled
def to_pooled(pairs, walk, row, k, i):
    """Pooled values, and inequalities that hold, of left half ``i`` with its right halves; how many these are."""
    starts = pairs.right.starts
    length = pairs.left.starts.size - 2
    c, d = starts[length - k], starts[length - k + 1]
    pool(walk.left_s[i], walk.left_t[i], walk.right_s[c:d], walk.right_t[c:d], row.z[: d - c])
    holding = row.holding[: d - c]
    holding[:] = 0
    for f in range(walk.left_forms.shape[0]):
        form, forms = walk.left_forms[f, i], walk.right_forms[f, c:d]
        for j in range(d - c):
            holding[j] += form + forms[j] > 0
    return d - c


@exactly_compiled
def of_interest(walk, row, used, label, limit):
    """How many of a row's inputs may have a margin up to ``limit``, or are answered otherwise by the rule."""
    least, low, scale = walk.least[np.int64(label)], walk.curve.low, walk.curve.scale
    z, holding, needed = row.z, row.holding, walk.needed
    n = 0
    for j in range(used):
        n += (least[cell(z[j], low, scale)] <= limit) | ((holding[j] >= needed) != label)
    return n


@exactly_compiled
def sum_up(walk, row, used, label):
    """Least margin of a row's inputs that are answered right, of those answered wrongly, and how many are marked."""
    sign = 1.0 if label else -1.0
    right, wrong = np.inf, np.inf
    marks = 0
    for j in range(used):
        logit = row.z[j]
        yes = logit > 0
        if yes == label:
            right = min(right, sign * logit)
        else:
            wrong = min(wrong, sign * logit)
        marks += (abs(logit) <= walk.doubt) | (yes != (row.holding[j] >= walk.needed))
    return right, wrong, marks


@exactly_compiled
def first_of(pairs, walk, row, least, wanted, counts):
    """The first, in lexicographic order, of the inputs with the least margin up to rounding, into ``counts`` (V,).

    ``wanted`` is 1 for inputs that are answered right, 0 for the others.
    """
    starts, length = pairs.left.starts, pairs.left.starts.size - 2
    limit = least.min() + 2 * walk.doubt
    if limit == np.inf:
        return
    candidate = np.empty(counts.size, dtype=np.int64)
    for k in range(length + 1):
        for i in range(starts[k], starts[k + 1]):
            if least[i] > limit:
                continue
            used, label = to_pooled(pairs, walk, row, k, i), pairs.label[i]
            to_logits(walk.curve, row.z[:used])
            for j in range(used):
                logit = row.z[j]
                if ((logit > 0) == label) == wanted and (logit if label else -logit) <= limit:
                    counts_of(pairs, k, i, j, candidate)
                    if counts[0] < 0 or precedes(candidate, counts):
                        counts[:] = candidate


@exactly_compiled
def counts_of(pairs, k, i, j, counts):
    """The count vector of left half ``i`` with the ``j``-th of its right halves."""
    left, right = pairs.left, pairs.right
    at = right.starts[left.starts.size - 2 - k] + j
    for place in range(left.digits.size):
        counts[left.digits[place]] = np.int64(left.counts[place, i])
    for place in range(right.digits.size):
        counts[right.digits[place]] = np.int64(right.counts[place, at])


@exactly_compiled
def precedes(a, b):
    """Whether vector ``a`` comes before ``b`` in lexicographic order."""
    for d in range(a.size):
        if a[d] != b[d]:
            return a[d] < b[d]
    return False


@exactly_compiled
def list_marked(pairs, seeds, asked, s, marked):
    """Counts (marked, V) of the marked inputs of seed ``s``; where rule and network differ; which are undecided."""
    walk, row = prepare(pairs, seeds, asked, s)
    starts, length = pairs.left.starts, pairs.left.starts.size - 2
    counts = np.empty((marked, pairs.left.digits.size + pairs.right.digits.size), dtype=np.int64)
    differs, undecided = np.zeros(marked, dtype=np.bool_), np.zeros(marked, dtype=np.bool_)
    n = 0
    for k in range(length + 1):
        for i in range(starts[k], starts[k + 1]):
            used = to_pooled(pairs, walk, row, k, i)
            to_logits(walk.curve, row.z[:used])
            for j in range(used):
                apart = (row.z[j] > 0) != (row.holding[j] >= walk.needed)
                close = abs(row.z[j]) <= walk.doubt
                if apart or close:
                    counts_of(pairs, k, i, j, counts[n])
                    differs[n], undecided[n] = apart, close
                    n += 1
    return counts, differs, undecided
