"""How often does an answer change when one digit of the input becomes another? Counted exactly.

Take a random sequence and a random position of it that holds digit d, and write digit e there. All positions are
alike, so the other length - 1 digits are again uniformly random: with their counts y,

    P(answer turns from "no" to "yes") = sum_y m(y) [no to y + d] [yes to y + e] / vocab_size^(length - 1),

where m(y) is the number of orders of y. One pass over all y, as pairs of halves, gives this for all d and e: one
more position adds the same to the linear form of every y (:mod:`attnprobe.exact.altered`), and where all V answers
to a left half are the same with every right half, nothing is to be counted.
"""

from __future__ import annotations

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.exact.altered import each_answer, forms_of, settled
from attnprobe.exact.decided import decide
from attnprobe.exact.halves import halves
from attnprobe.exact.seeds import each_part, one, pooled_error, reach, stack
from attnprobe.exact.steps import steps_of
from attnprobe.population import check_size, compositions, multiplicity
from attnprobe.task import Task
from attnprobe.training.compiled import exactly_compiled

__all__ = ["turned_by_substitution"]


def turned_by_substitution(circuit: Circuit) -> np.ndarray:
    """In how many sequences of the other positions an answer turns from "no" to "yes".

    Parameters
    ----------
    circuit : Circuit
        S seeds, all of them finite.

    Returns
    -------
    ndarray, shape (S, V, V)
        Entry [s, d, e]: of vocab_size^(length - 1) sequences, those with which seed s says "no" if digit d is added
        and "yes" if digit e is. Whole numbers, exact: int64, or Python integers where int64 is too small.

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    task = circuit.task
    check_size(task)
    wide = task.vocab_size ** (task.length - 1) > np.iinfo(np.int64).max
    turned = np.zeros((len(circuit), task.vocab_size, task.vocab_size), dtype=object if wide else np.int64)
    counted = np.zeros(len(circuit), dtype=np.bool_)
    if task.length > 1 and not wide:
        others = Task(rule=task.rule, vocab_size=task.vocab_size, length=task.length - 1)
        pairs, seeds = halves(others), stack(circuit)
        each_part(lambda start, stop: count_turned(pairs, seeds, start, stop, turned, counted), len(circuit))
    for seed in np.flatnonzero(~counted):
        turned[seed] = _enumerate(circuit.take(slice(seed, seed + 1)))
    return turned


def _enumerate(circuit: Circuit) -> np.ndarray:
    """The same (V, V) of a circuit's only seed, from the answer to every input."""
    task = circuit.task
    others = compositions(task.length - 1, task.vocab_size)
    orders = multiplicity(others, task.length - 1)
    yes = []
    for digit in np.eye(task.vocab_size, dtype=others.dtype):
        yes.append(decide(circuit, others + digit))
    return np.array([[orders[~before & after].sum() for after in yes] for before in yes])


@exactly_compiled
def count_turned(pairs, seeds, start, stop, turned, counted):
    """Count for some seeds, into ``turned`` (S, V, V), where no input is in doubt."""
    right = pairs.right
    longest = 0
    for k in range(right.starts.size - 1):
        longest = max(longest, right.starts[k + 1] - right.starts[k])
    answers = np.empty((seeds.weights.shape[1], longest), dtype=np.uint8)
    for s in range(start, stop):
        weights, values, kinks, slopes, intercepts = one(seeds, s)
        error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
        steps = steps_of(kinks, slopes, intercepts, *reach(values, error))
        if not steps.sure:
            continue
        forms = forms_of(pairs, pairs.left.starts.size - 1, weights, values, steps, error, 0.0)
        added = np.empty((values.size, steps.at.size))  # by one more position that holds the digit
        for digit in range(values.size):
            for m in range(steps.at.size):
                added[digit, m] = weights[digit] * (values[digit] - steps.at[m])
        counted[s] = count_one(pairs, forms, added, answers, turned[s])
        if not counted[s]:
            turned[s] = 0


@exactly_compiled
def count_one(pairs, forms, added, answers, turned):
    """Count for one seed; whether no input is in doubt."""
    left, right = pairs.left, pairs.right
    length = left.starts.size - 2
    parts = np.empty(added.shape)
    vocab = added.shape[0]
    for k in range(length + 1):
        n = length - k
        c, d = right.starts[n], right.starts[n + 1]
        for i in range(left.starts[k], left.starts[k + 1]):
            said = 0
            all_settled = True
            for digit in range(vocab):
                for m in range(added.shape[1]):
                    parts[digit, m] = forms.left[m, i] + added[digit, m]
                whole, unsettled, _ = settled(forms, parts[digit], n)
                all_settled &= unsettled == 0
                said += whole
            if all_settled and said in (0, vocab):  # so it is for most left halves
                continue
            for digit in range(vocab):
                if each_answer(forms, parts[digit], c, d, answers[digit]):
                    return False
            for digit in range(vocab):
                for other in range(vocab):
                    turned[digit, other] += left.ways[i] * turns(right.ways[c:d], answers[digit], answers[other])
    return True


@exactly_compiled
def turns(ways, before, after):
    """Orders of the halves whose answer is "no" before and "yes" after."""
    total = 0
    for j in range(ways.size):
        total += ways[j] if before[j] < after[j] else 0
    return total
