"""How many sequences does a seed answer wrongly? Counted exactly, without looking at each input's logit.

The readout's answer is a step function of the pooled value z: it changes at a few numbers t, nearly always one.
And z lies above t exactly when a linear form in the counts is positive,

    z(c) > t    <=>    g(c) = sum_d c_d exp(s_d) (v_d - t) > 0,

so that an input is one addition of two half forms (:mod:`attnprobe.exact.halves`), one comparison, and one addition
of its number of orders, a whole number. This takes microseconds a seed where the logits of all inputs take
milliseconds.

An answer is the sign of the true logit: of the network in real arithmetic. With u = 2^-53 and
A(c) = sum_d c_d exp(s_d) (|v_d| + |t|) the rounded g is off by at most (V + 3) u A (Higham 2002, Accuracy and Stability
of Numerical Algorithms, section 3.1), the true pooled value and the true t are known up to bounds of their own
(:mod:`attnprobe.exact.rounding`, :mod:`attnprobe.exact.steps`), and g moves with either by at most the normaliser times
as much. Where |g| is larger than all of this together, its sign is the answer. A seed with any |g| below, for the
largest A, is enumerated input by input (:mod:`attnprobe.exact.decided`).
"""

from __future__ import annotations

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.exact.decided import decide
from attnprobe.exact.halves import half_forms, halves
from attnprobe.exact.seeds import EPS, TINY, each_part, finite, one, pooled_error, reach, stack
from attnprobe.exact.steps import steps_of
from attnprobe.population import Population, cell_of, cells
from attnprobe.training.compiled import exactly_compiled

__all__ = ["error_probability", "exact_accuracy", "wrong_sequences"]


def exact_accuracy(circuit: Circuit) -> np.ndarray:
    """Probability of a right answer to a random sequence, float64 (S,), correctly rounded.

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    inputs = Population.of(circuit.task)
    return inputs.fraction(inputs.total - wrong_sequences(circuit).sum(axis=1))


def error_probability(circuit: Circuit) -> np.ndarray:
    """Probability of a wrong answer, float64 (S,): 1 - accuracy, without its rounding."""
    return Population.of(circuit.task).fraction(wrong_sequences(circuit).sum(axis=1))


def wrong_sequences(circuit: Circuit) -> np.ndarray:
    """How many sequences each seed answers wrongly, by the counts of the rule's two digits.

    Returns
    -------
    ndarray, shape (S, cells)
        Whole numbers, exact: int64, or Python integers where vocab_size^length does not fit. Columns are the rows
        of :func:`attnprobe.population.cells`. A seed that is not finite answers "no".
    """
    pairs, seeds = halves(circuit.task), stack(circuit)
    _, sequences = cells(circuit.task)
    wrong = np.zeros((len(circuit), sequences.size), dtype=sequences.dtype)
    counted = np.zeros(len(circuit), dtype=np.bool_)
    if wrong.dtype == np.int64:  # else there are too many sequences for it
        each_part(lambda start, stop: count_wrong(pairs, seeds, start, stop, wrong, counted), len(circuit))
    for seed in np.flatnonzero(~counted):
        _enumerate(circuit.take(slice(seed, seed + 1)), wrong[seed])
    return wrong


def _enumerate(circuit: Circuit, wrong: np.ndarray) -> None:
    """Count the wrong sequences of a circuit's only seed into ``wrong`` (cells,), from the answer to every input."""
    inputs = Population.of(circuit.task)
    rows = np.flatnonzero(decide(circuit, inputs.counts) != inputs.label)
    a, b = (inputs.counts[rows, digit] for digit in circuit.task.targets)
    np.add.at(wrong, cell_of(circuit.task, a, b), inputs.multiplicity[rows])


@exactly_compiled
def count_wrong(pairs, seeds, start, stop, wrong, counted):
    """Count the wrong sequences of some seeds into ``wrong`` (S, cells), where no input is in doubt."""
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    every = np.empty(left.ways.size, dtype=np.int64)  # orders of the right halves that go with each left half
    for k in range(length + 1):
        n = length - k
        every[left.starts[k] : left.starts[k + 1]] = right.ways[right.starts[n] : right.starts[n + 1]].sum()
    yes = np.empty(left.ways.size, dtype=np.int64)  # orders of those with which the answer is "yes"
    for s in range(start, stop):
        yes[:] = 0
        counted[s] = count_yes(pairs, seeds, s, every, yes)
        if counted[s]:
            for i in range(yes.size):
                wrong[s, pairs.cell[i]] += left.ways[i] * (every[i] - yes[i] if pairs.label[i] else yes[i])


@exactly_compiled
def count_yes(pairs, seeds, s, every, yes):
    """Add to ``yes`` the orders of right halves with which seed ``s`` says "yes"; whether no input is in doubt."""
    weights, values, kinks, slopes, intercepts = one(seeds, s)
    if not finite(seeds, s):  # "no" to everything
        return True
    error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
    low, high = reach(values, error)
    steps = steps_of(kinks, slopes, intercepts, low, high)
    if steps.always:
        yes += every
    certain = steps.sure
    for m in range(steps.at.size if certain else 0):
        off = error + steps.width[m]
        certain &= count_above(pairs, weights, values, steps.at[m], off, steps.direction[m], every, yes)
    return certain


@exactly_compiled
def count_above(pairs, weights, values, step, off, sign, every, yes):
    """Add ``sign`` times the orders of right halves with which z > ``step`` to ``yes``; whether none is in doubt.

    The step and z together may be off by ``off``.
    """
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    form = weights * (values - step)
    size = length * (weights * (np.abs(values) + abs(step))).max()  # the largest A that an input can have
    doubt = 2 * (weights.size + 2) * EPS * size + length * weights.max() * off + TINY
    left_form, right_form = half_forms(left, form), half_forms(right, form)
    least, most = extremes(form, right.digits)
    for k in range(length + 1):
        n = length - k
        c, d = right.starts[n], right.starts[n + 1]
        for i in range(left.starts[k], left.starts[k + 1]):
            if left_form[i] + n * least > doubt:  # whatever the right half: so it is for most left halves
                yes[i] += sign * every[i]
            elif left_form[i] + n * most >= -doubt:
                total, close = above(left_form[i], doubt, right_form[c:d], right.ways[c:d])
                yes[i] += sign * total
                if close:
                    return False
    return True


@exactly_compiled
def above(form, doubt, forms, ways):
    """Orders of the halves whose form and ``form`` are positive together, and how many such sums are in doubt."""
    total, close = 0, 0
    for j in range(forms.size):
        g = form + forms[j]
        total += ways[j] if g > 0 else 0
        close += abs(g) <= doubt
    return total, close


@exactly_compiled
def extremes(form, digits):
    """The least and the most that one position can add to a linear form, among some digits (0 where there are none)."""
    if digits.size == 0:
        return 0.0, 0.0
    return form[digits].min(), form[digits].max()
