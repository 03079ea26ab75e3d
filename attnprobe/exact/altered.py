"""How do a seed's answers change when its pattern or its values are altered? Counted exactly, readout unchanged.

An altered network has other attention weights a_d >= 0 and other values u_d, but the same readout f:

    z(c) = sum_d c_d a_d u_d / sum_d c_d a_d,    answer "yes" where f(z) > 0.

Weights of 0 take digits out of attention, and the others share it anew. An input in which nothing is left to attend
to, sum_d c_d a_d = 0, has a pooled value that is given beforehand, one a seed.

The answer changes at the same few pooled values t as that of the unaltered network (:mod:`attnprobe.exact.answers`),
and z > t is again the sign of a linear form in the counts, so that a pair of halves is one addition and one
comparison. A left half whose answer is the same with every right half, which its extremes show, takes no pair at all.
Where a form is closer to 0 than its rounding, all inputs of that network are enumerated, and those that float64 cannot
decide are settled without rounding (:mod:`attnprobe.exact.decided`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from attnprobe.circuit import Circuit, quietly
from attnprobe.exact.answers import extremes
from attnprobe.exact.decided import Network, decide
from attnprobe.exact.halves import half_forms, halves
from attnprobe.exact.rounding import bound
from attnprobe.exact.seeds import EPS, TINY, each_part, one, pooled_error, reach, stack
from attnprobe.exact.steps import steps_of
from attnprobe.population import Population, cells
from attnprobe.training.compiled import exact_stage, exactly_compiled

__all__ = ["altered_sequences"]


class Forms(NamedTuple):
    """A network by halves: the parts of the forms of its M steps, and the positions that draw attention."""

    always: bool  # the answer below the first step
    left: np.ndarray  # (M, n of left)
    right: np.ndarray  # (M, n of right)
    doubt: np.ndarray  # (M,): a sum of two parts that is closer to 0 may have the wrong sign
    least: np.ndarray  # (M,): what one position of a right half can add at least, and at most
    most: np.ndarray
    left_drawn: np.ndarray  # (n of left,): positions whose weight is not 0; empty where no weight is 0
    right_drawn: np.ndarray
    bare: bool  # the answer where none is
    bare_doubt: bool  # whether that may be wrong


def altered_sequences(
    circuit: Circuit,
    weights: np.ndarray,
    values: np.ndarray,
    bare: np.ndarray,
    blur: np.ndarray | None = None,
    without_rounding: Callable[[int, int], Network] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """How many sequences are answered wrongly, and how many other than by the unaltered network.

    Parameters
    ----------
    circuit : Circuit
        S seeds, all of them finite.
    weights, values : ndarray, float64, shape (S, K, V)
        Attention that each digit draws before normalisation (0 or more) and its value, in K altered networks a seed.
    bare : ndarray, float64, shape (S,)
        The pooled value of an input whose digits all have weight 0.
    blur : ndarray, float64, shape (S, K), optional
        By how large a share the weights may be off; 0 if not given.
    without_rounding : callable, optional
        ``without_rounding(s, k)`` is network k of seed s as it is meant; the given numbers themselves if not given.

    Returns
    -------
    wrong, flipped : ndarray, shape (S, K)
        Whole numbers, exact: int64, or Python integers where vocab_size^length does not fit.

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    pairs, seeds = halves(circuit.task), stack(circuit)
    blur = np.zeros(weights.shape[:2]) if blur is None else blur
    dtype = cells(circuit.task)[1].dtype
    wrong, flipped = (np.zeros(weights.shape[:2], dtype=dtype) for _ in range(2))
    counted = np.zeros(weights.shape[:2], dtype=np.bool_)
    if dtype == np.int64:  # else there are too many sequences for it
        found = (weights, values, bare, blur, wrong, flipped, counted)
        each_part(lambda start, stop: count_altered(pairs, seeds, start, stop, *found), len(circuit))
    for seed in np.flatnonzero(~counted.all(axis=1)):
        alone = circuit.take(slice(seed, seed + 1))
        inputs = Population.of(circuit.task)
        before = decide(alone, inputs.counts)
        for k in np.flatnonzero(~counted[seed]):

            def meant(alone: Circuit = alone, seed: int = seed, k: int = k) -> Network:
                if without_rounding is not None:
                    return without_rounding(seed, k)
                return _of_numbers(alone, weights[seed, k], values[seed, k])

            numbers = (weights[seed, k], values[seed, k], bare[seed], blur[seed, k])
            after = _enumerate(alone, inputs.counts, *numbers, meant)
            wrong[seed, k] = inputs.multiplicity[after != inputs.label].sum()
            flipped[seed, k] = inputs.multiplicity[after != before].sum()
    return wrong, flipped


def _of_numbers(alone: Circuit, weights: np.ndarray, values: np.ndarray) -> Network:
    """A network with the readout of a circuit's only seed and these very weights and values."""
    draws, told = ([Fraction(number) for number in numbers.tolist()] for numbers in (weights, values))
    return replace(Network.of(alone, 0), scores=[Fraction(0)] * len(draws), draws=draws, values=told)


@quietly
def _enumerate(
    alone: Circuit,
    counts: np.ndarray,
    weights: np.ndarray,
    values: np.ndarray,
    bare: float,
    blur: float,
    meant: Callable[[], Network],
) -> np.ndarray:
    """Answers to count vectors (P, V), one by one; ``meant`` makes the network without rounding, where it is needed."""
    readout = alone.readouts[0]
    c = counts.T.astype(np.float64)
    normaliser = weights @ c
    empty = normaliser == 0
    z = np.where(empty, bare, (weights * values) @ c / normaliser)
    error = pooled_error(weights, values, blur, alone.value_error[0])
    low, high = reach(values, error)
    low, high = min(low, bare), max(high, bare)
    logit = readout.logit(z)
    yes = logit > 0
    close = np.abs(logit) <= bound(readout.kinks, readout.slopes, readout.intercepts, low, high, error)
    if close.any():
        network = meant()
        yes[close & empty] = network.answer_at(Fraction(float(bare)))
        rows = close & ~empty
        yes[rows] = network.answers(counts[rows], z[rows], error)
    return np.asarray(yes)


@exactly_compiled
def count_altered(pairs, seeds, start, stop, weights, values, bare, blur, wrong, flipped, counted):
    """Count for some seeds, into ``wrong`` and ``flipped`` (S, K), where no input is in doubt."""
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    every = np.empty(left.ways.size, dtype=np.int64)  # orders of the right halves that go with each left half
    place = np.empty(left.ways.size, dtype=np.int64)  # where its answers begin
    size, longest = 0, 0
    for k in range(length + 1):
        c, d = right.starts[length - k], right.starts[length - k + 1]
        longest = max(longest, d - c)
        for i in range(left.starts[k], left.starts[k + 1]):
            every[i] = right.ways[c:d].sum()
            place[i] = size
            size += d - c
    before = np.empty(size, dtype=np.uint8)
    yes = np.empty(left.ways.size, dtype=np.int64)  # orders of the right halves with which the unaltered one says so
    after = np.empty(longest, dtype=np.uint8)
    errors = np.empty(weights.shape[1])
    for s in range(start, stop):
        own_weights, own_values, kinks, slopes, intercepts = one(seeds, s)
        own_error = pooled_error(own_weights, own_values, seeds.blur[s], seeds.value_error[s])
        low, high = reach(own_values, own_error)
        low, high = min(low, bare[s]), max(high, bare[s])
        for k in range(weights.shape[1]):
            errors[k] = pooled_error(weights[s, k], values[s, k], blur[s, k], seeds.value_error[s])
            lowest, highest = reach(values[s, k], errors[k])
            low, high = min(low, lowest), max(high, highest)
        steps = steps_of(kinks, slopes, intercepts, low, high)
        if not steps.sure:
            continue
        forms = forms_of(pairs, length, own_weights, own_values, steps, own_error, bare[s])
        if not answer(pairs, forms, every, place, before, yes):
            continue
        for k in range(weights.shape[1]):
            forms = forms_of(pairs, length, weights[s, k], values[s, k], steps, errors[k], bare[s])
            counted[s, k], wrong[s, k], flipped[s, k] = compare(pairs, forms, every, place, before, yes, after)


@exactly_compiled
def forms_of(pairs, length, weights, values, steps, error, bare):
    """The forms of one network, for inputs of ``length`` positions; its pooled values may be off by ``error``."""
    left, right = pairs.left, pairs.right
    M = steps.at.size
    of_left, of_right = np.empty((M, left.ways.size)), np.empty((M, right.ways.size))
    doubt, least, most = np.empty(M), np.empty(M), np.empty(M)
    answer_bare, bare_doubt = steps.always, False
    for m in range(M):
        step, off = steps.at[m], error + steps.width[m]
        form = weights * (values - step)
        of_left[m], of_right[m] = half_forms(left, form), half_forms(right, form)
        largest = length * (weights * (np.abs(values) + abs(step))).max()
        doubt[m] = 2 * (weights.size + 2) * EPS * largest + length * weights.max() * off + TINY
        least[m], most[m] = extremes(form, right.digits)
        answer_bare ^= bare > step
        bare_doubt |= abs(bare - step) <= off
    some_zero = weights.min() == 0
    drawn = (weights > 0) * 1.0
    left_drawn = half_forms(left, drawn) if some_zero else np.empty(0)
    right_drawn = half_forms(right, drawn) if some_zero else np.empty(0)
    return Forms(steps.always, of_left, of_right, doubt, least, most, left_drawn, right_drawn, answer_bare, bare_doubt)


@exactly_compiled
def answer(pairs, forms, every, place, answers, yes):
    """Every answer of a network into ``answers``, and the orders that get a "yes"; whether none is in doubt."""
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    nothing = np.zeros(answers.size, dtype=np.uint8)
    for k in range(length + 1):
        n = length - k
        c, d = right.starts[n], right.starts[n + 1]
        for i in range(left.starts[k], left.starts[k + 1]):
            row = answers[place[i] : place[i] + d - c]
            whole, unsettled, _ = settled(forms, forms.left[:, i], n)
            if unsettled:
                if each_answer(forms, forms.left[:, i], c, d, row):
                    return False
                yes[i], _ = orders(right.ways[c:d], row, nothing)
            else:
                row[:] = whole
                yes[i] = every[i] if whole else 0
    return True


@exact_stage
def compare(pairs, forms, every, place, before, yes, after):
    """Whether no answer of an altered network is in doubt, its wrong sequences, and those with another answer."""
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    wrong, flipped = 0, 0
    for k in range(length + 1):
        n = length - k
        c, d = right.starts[n], right.starts[n + 1]
        for i in range(left.starts[k], left.starts[k + 1]):
            if forms.left_drawn.size and forms.left_drawn[i] == 0:
                if each_bare_answer(forms, c, d, after):
                    return False, 0, 0
                now, changed = orders(right.ways[c:d], after, before[place[i] : place[i] + d - c])
            else:
                whole, unsettled, m = settled(forms, forms.left[:, i], n)
                if unsettled == 0:
                    now = every[i] if whole else 0
                    changed = abs(now - yes[i])
                elif unsettled == 1:
                    now, changed, close = orders_above(
                        forms.left[m, i],
                        forms.doubt[m],
                        forms.right[m, c:d],
                        right.ways[c:d],
                        before[place[i] : place[i] + d - c],
                    )
                    if close:
                        return False, 0, 0
                    if whole:  # then "yes" is where the form is not positive
                        now, changed = every[i] - now, every[i] - changed
                else:
                    if each_answer(forms, forms.left[:, i], c, d, after):
                        return False, 0, 0
                    now, changed = orders(right.ways[c:d], after, before[place[i] : place[i] + d - c])
            wrong += left.ways[i] * (every[i] - now if pairs.label[i] else now)
            flipped += left.ways[i] * changed
    return True, wrong, flipped


@exact_stage
def settled(forms, parts, n):
    """Of a left half with any ``n`` more positions: the answer by the steps that are settled, how many are not.

    ``parts`` (M,) are the left half's parts of the forms; the third number is a step that is not settled.
    """
    whole, unsettled, which = forms.always, 0, 0
    for m in range(forms.doubt.size):
        form, doubt = parts[m], forms.doubt[m]
        if form + n * forms.least[m] > doubt:  # whatever the right half: so it is for most left halves
            whole = not whole
        elif form + n * forms.most[m] >= -doubt:
            unsettled += 1
            which = m
    return whole, unsettled, which


@exact_stage
def orders_above(form, doubt, forms, ways, before):
    """Orders of the halves whose form and ``form`` are positive together, and of those for which that is new.

    The third number is how many such sums are in doubt.
    """
    now, changed, close = 0, 0, 0
    for j in range(forms.size):
        g = form + forms[j]
        yes = g > 0
        now += ways[j] if yes else 0
        changed += ways[j] if yes != before[j] else 0
        close += abs(g) <= doubt
    return now, changed, close


@exact_stage
def each_answer(forms, parts, c, d, out):
    """The answers to a left half with right halves ``c`` to ``d``; how many of the sums are in doubt."""
    close = 0
    for j in range(d - c):
        out[j] = forms.always
    for m in range(forms.doubt.size):
        form, doubt, others = parts[m], forms.doubt[m], forms.right[m, c:d]
        for j in range(d - c):
            g = form + others[j]
            out[j] ^= g > 0
            close += abs(g) <= doubt
    return close


@exact_stage
def each_bare_answer(forms, c, d, out):
    """The same with a left half that draws no attention: there may be nothing left."""
    close = 0
    for j in range(c, d):
        yes = forms.bare
        if forms.right_drawn[j] == 0:
            close += forms.bare_doubt
        else:
            yes = forms.always
            for m in range(forms.doubt.size):
                g = forms.right[m, j]
                yes ^= g > 0
                close += abs(g) <= forms.doubt[m]
        out[j - c] = yes
    return close


@exact_stage
def orders(ways, after, before):
    """Orders of the halves that get a "yes", and of those whose two answers differ."""
    yes, changed = 0, 0
    for j in range(ways.size):
        yes += ways[j] if after[j] else 0
        changed += ways[j] if after[j] != before[j] else 0
    return yes, changed
