"""Wrong answers counted by halves: the very numbers that come out input by input, ties and broken seeds included."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from circuits import NUMBERS, circuit_of, circuits, enumerated, tasks
from hypothesis import given, settings
from hypothesis import strategies as st

import attnprobe as ap
from attnprobe.circuit import Circuit, Readout
from attnprobe.exact import error_probability, exact_accuracy, wrong_sequences
from attnprobe.exact.answers import count_wrong
from attnprobe.exact.halves import halves
from attnprobe.exact.seeds import stack
from attnprobe.exact.steps import find_steps
from attnprobe.population import Population, cells
from attnprobe.rules import rules_of

TASK = ap.Task(rule="n3 > n1", vocab_size=5, length=7)
LINE = [(1.0, 8.0, 1.0)]  # f(z) = z + 8 + bias wherever |z| < 8


def by_cell(circuit: Circuit) -> list[dict[tuple[int, int], int]]:
    counts, _ = cells(circuit.task)
    return [dict(zip(map(tuple, counts.tolist()), row, strict=True)) for row in wrong_sequences(circuit).tolist()]


def without_enumeration(circuit: Circuit) -> list[bool]:
    """Which seeds the halves settle alone."""
    counted = np.zeros(len(circuit), dtype=np.bool_)
    wrong = np.zeros((len(circuit), len(cells(circuit.task)[0])), dtype=np.int64)
    count_wrong(halves(circuit.task), stack(circuit), 0, len(circuit), wrong, counted)
    return counted.tolist()


# --- the halves -----------------------------------------------------------------------------------


@given(tasks(most_digits=7, longest=5))
@settings(max_examples=40)
def test_pairs_of_halves_are_the_population(task) -> None:
    pairs, inputs = halves(task), Population.of(task)
    left, right = pairs.left, pairs.right
    counts, _ = cells(task)
    assert sorted([*left.digits, *right.digits]) == list(range(task.vocab_size))
    found = {}
    for k in range(task.length + 1):
        for i in range(left.starts[k], left.starts[k + 1]):
            for j in range(right.starts[task.length - k], right.starts[task.length - k + 1]):
                row = np.zeros(task.vocab_size, dtype=int)
                row[left.digits], row[right.digits] = left.counts[:, i], right.counts[:, j]
                assert tuple(row) not in found
                found[tuple(row.tolist())] = left.ways[i] * right.ways[j]
                more, fewer = (row[digit] for digit in task.targets)
                assert pairs.label[i] == (more > fewer)
                assert counts[pairs.cell[i]].tolist() == [more, fewer]
                probability = left.ways[i] * right.ways[j] / inputs.total
                assert left.weight[i] * right.weight[j] == pytest.approx(probability, rel=1e-15)
    rows = map(tuple, inputs.counts.tolist())
    assert found == dict(zip(rows, inputs.multiplicity.tolist(), strict=True))


@pytest.mark.parametrize(("vocab_size", "length"), [(2, 1), (2, 5), (3, 4), (7, 3), (2, 63), (3, 41)])
def test_cells_are_the_counts_of_the_targets(vocab_size, length) -> None:
    task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
    inputs = Population.of(task)
    counts, sequences = cells(task)
    expected: dict[tuple[int, int], int] = {}
    for row, ways in zip(inputs.counts.tolist(), inputs.multiplicity, strict=True):
        expected[row[1], row[0]] = expected.get((row[1], row[0]), 0) + int(ways)
    assert dict(zip(map(tuple, counts.tolist()), map(int, sequences), strict=True)) == expected
    assert list(map(tuple, counts.tolist())) == sorted(expected)


# --- the steps of the answer ----------------------------------------------------------------------


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=12), NUMBERS, st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_steps_are_those_of_the_rounded_logit(units, bias, key) -> None:
    """Between -5 and 5, on numbers next to every kink and every step, and on some anywhere."""
    w1, b1, w2 = np.array(units, dtype=np.float64).reshape(-1, 3).T
    readout = Readout.from_weights(w1, b1, w2, bias)
    always, steps, direction = find_steps(readout.kinks, readout.slopes, readout.intercepts, -5.0, 5.0)
    assert (np.diff(steps) > 0).all()
    assert (direction == np.where((np.arange(steps.size) % 2 == 0) ^ always, 1, -1)).all()
    special = np.concatenate([readout.kinks, steps, [-5.0, 5.0]])
    near = [special, np.nextafter(special, -np.inf), np.nextafter(special, np.inf)]
    z = np.concatenate([*near, np.random.default_rng(key).uniform(-5, 5, 100)])
    z = z[(z >= -5) & (z <= 5)]
    yes = (np.searchsorted(steps, z) % 2 == 1) ^ always  # an odd number of steps lies below
    np.testing.assert_array_equal(yes, readout.logit(z) > 0)


def test_a_step_inside_a_piece_is_the_last_number_before_it() -> None:
    readout = Readout.from_weights(np.array([3.0]), np.array([300.0]), np.array([1.0]), -300.1)  # zero at 1/30
    always, steps, direction = find_steps(readout.kinks, readout.slopes, readout.intercepts, -5.0, 5.0)
    assert (always, steps.size, direction.tolist()) == (False, 1, [1])
    assert steps[0] == pytest.approx(1 / 30, rel=1e-12)
    assert (readout.logit(np.array([steps[0], np.nextafter(steps[0], 1)])) > 0).tolist() == [False, True]


# --- the count ------------------------------------------------------------------------------------


@given(circuits())
@settings(max_examples=120)
def test_wrong_sequences_are_those_of_every_input(circuit) -> None:
    assert by_cell(circuit) == enumerated(circuit)


@given(circuits(seeds=1, most_digits=10, longest=8), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_larger_alphabets(circuit, key) -> None:
    """Values and scores that no tie is in, so that hardly a seed is enumerated."""
    rng = np.random.default_rng(key)
    shape = circuit.scores.shape
    moved = Circuit(circuit.task, circuit.scores + rng.normal(size=shape), rng.normal(size=shape), circuit.readouts)
    assert by_cell(moved) == enumerated(moved)


def wave(teeth: int) -> list[tuple[float, float, float]]:
    """Units whose sum goes up and down between 0 and 1/4 over [-1, 1], as often as there are teeth."""
    width = 1 / teeth
    units = [(1.0, 1.0, 1 / (4 * width))]
    return units + [(1.0, 1 - k * width, (-1) ** k / (2 * width)) for k in range(1, 2 * teeth)]


@pytest.mark.parametrize("teeth", [1, 2, 3, 7])
def test_several_thresholds(teeth) -> None:
    rng = np.random.default_rng(teeth)
    values = [[-1.0, 1.0, *rng.uniform(-1, 1, 3)] for _ in range(5)]
    circuit = circuit_of(TASK, [(rng.normal(size=5), rng.permutation(v), wave(teeth), -0.1) for v in values])
    rules = rules_of(circuit)
    assert np.bincount(rules.seed[rules.reachable]).tolist() == [2 * teeth] * 5
    assert all(without_enumeration(circuit))
    assert by_cell(circuit) == enumerated(circuit)


def test_always_yes_and_always_no() -> None:
    values = [0.1, 0.2, -0.3, 0.4, 0.5]
    circuit = circuit_of(
        TASK, [([0.0] * 5, values, [], 1.0), ([0.0] * 5, values, [], -1.0), ([0.0] * 5, values, [], 0.0)]
    )
    inputs = Population.of(TASK)
    yes = inputs.share(inputs.label)
    assert without_enumeration(circuit) == [True, True, False], "a logit of 0 everywhere is always a tie"
    assert error_probability(circuit).tolist() == [inputs.share(~inputs.label), yes, yes]
    assert exact_accuracy(circuit).tolist() == [yes, inputs.share(~inputs.label), inputs.share(~inputs.label)]


def test_a_tie_at_the_threshold_is_enumerated() -> None:
    """One digit has no value, and the threshold lies where it is on its own: exactly, above by an ulp, further up."""
    values = [0.7, -1.0, 0.3, 1.0, 0.0]
    scores = [0.1, 1.3, -0.4, 1.1, 0.2]
    gaps = [0.0, 8 * 2.0**-52, 1e-9, -1e-9]
    circuit = circuit_of(TASK, [(scores, values, LINE, -8.0 - gap) for gap in gaps])
    assert without_enumeration(circuit) == [False, False, True, True]
    assert by_cell(circuit) == enumerated(circuit)
    assert [seed[0, 0] for seed in by_cell(circuit)] != [by_cell(circuit)[3][0, 0]] * 4


@pytest.mark.parametrize("key", range(20))
def test_a_threshold_at_the_pooled_value_of_some_input_is_enumerated(key) -> None:
    """Whatever the rounding of this input's pooled value, its answer is the enumeration's."""
    rng = np.random.default_rng(key)
    scores, values = rng.normal(size=5), rng.normal(size=5)
    row = Population.of(TASK).counts[rng.integers(330)]
    weight = row * np.exp(scores)
    z = math.fsum(weight * values) / math.fsum(weight)
    near = [z, *(z * (1 + n * 2.0**-52) for n in (-3, -2, -1, 1, 2, 3))]
    circuit = circuit_of(TASK, [(scores, values, [(1.0, 0.0, 1.0), (-1.0, 0.0, -1.0)], -t) for t in near])  # f = z - t
    assert not any(without_enumeration(circuit))
    assert by_cell(circuit) == enumerated(circuit)


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_seeds_that_are_not_finite(infinite) -> None:
    nan, good = np.nan, [0.7, -1.0, 0.3, 1.0, 0.0]
    flat, some = [0.0] * 5, [0.0, infinite, 0.0, 0.0, 0.0]
    seeds = [
        ([nan] * 5, [nan] * 5, [(nan, nan, nan)], nan),
        ([0.0, nan, 0.0, 0.0, 0.0], good, LINE, -8.1),
        (flat, [0.7, nan, 0.3, 1.0, 0.0], LINE, 1.0),
        (some, good, LINE, -8.1),
        (flat, some, LINE, -8.1),
        (flat, [infinite, -infinite, 0.0, 0.0, 0.0], LINE, 1.0),
        (flat, good, [(1.0, infinite, 1.0)], -8.1),
        (flat, good, [(nan, 1.0, 1.0)], 1.0),
        (flat, good, [(1.0, 8.0, infinite)], -8.1),
        (flat, good, LINE, infinite),
        (flat, good, LINE, nan),
    ]
    with np.errstate(all="ignore"):
        circuit = circuit_of(TASK, seeds)
    found = by_cell(circuit)
    assert found == enumerated(circuit)
    inputs = Population.of(TASK)
    assert {sum(seed.values()) for seed in found} == {inputs.multiplicity[inputs.label].sum()}, "no to everything"
    assert all(without_enumeration(circuit))


@pytest.mark.parametrize(("vocab_size", "length"), [(2, 53), (2, 62), (2, 63), (3, 39), (3, 40)])
def test_whole_numbers_stay_exact(vocab_size, length) -> None:
    """On both sides of 2^53, where float64 stops counting, and of 2^63, where int64 does."""
    task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
    rng = np.random.default_rng(length)
    seeds = [
        (rng.normal(size=vocab_size), rng.normal(size=vocab_size), LINE, -8 - 0.1 * rng.normal()) for _ in range(5)
    ]
    circuit = circuit_of(task, seeds)
    expected = enumerated(circuit)
    assert by_cell(circuit) == expected
    wrong = [sum(seed.values()) for seed in expected]
    assert len(set(wrong)) > 2
    assert error_probability(circuit).tolist() == [float(Fraction(n, vocab_size**length)) for n in wrong]


def test_many_digits() -> None:
    task = ap.Task(rule="n31 > n17", vocab_size=32, length=3)
    rng = np.random.default_rng(5)
    circuit = circuit_of(task, [(rng.normal(size=32), rng.normal(size=32), LINE, -8.0 + 0.1 * s) for s in range(3)])
    assert by_cell(circuit) == enumerated(circuit)


def test_a_seed_does_not_know_its_company(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    circuit = circuit_of(TASK, [(rng.normal(size=5), rng.normal(size=5), LINE, -8 - rng.normal()) for _ in range(53)])
    together = wrong_sequences(circuit)
    alone = [wrong_sequences(circuit.take(slice(s, s + 1)))[0] for s in range(53)]
    assert len(np.unique(together, axis=0)) > 30
    np.testing.assert_array_equal(together, alone)
    monkeypatch.setattr("attnprobe.exact.seeds.cores", lambda: 1)
    np.testing.assert_array_equal(together, wrong_sequences(circuit))


def test_no_seeds() -> None:
    nothing = circuit_of(TASK, [([0.0] * 5, [0.0] * 5, LINE, 0.0)]).take(slice(0, 0))
    assert error_probability(nothing).shape == (0,)


def test_a_population_that_is_too_large_is_refused() -> None:
    task = ap.Task(vocab_size=10, length=20)
    with pytest.raises(ap.AttnprobeError) as error:
        exact_accuracy(circuit_of(task, [([0.0] * 10, [0.0] * 10, LINE, 0.0)]))
    assert "vocab_size = 10 with length = 20 has 10,015,005 distinct count vectors" in str(error.value)
