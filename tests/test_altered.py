"""Answers of altered networks counted by halves: the very numbers that come out input by input, ties included."""

from __future__ import annotations

import numpy as np
import pytest
import truth
from circuits import circuit_of, circuits
from hypothesis import given, settings
from hypothesis import strategies as st

import attnprobe as ap
from attnprobe.circuit import Circuit
from attnprobe.exact import altered_sequences, finite_seeds, turned_by_substitution, wrong_sequences
from attnprobe.exact.altered import count_altered
from attnprobe.exact.halves import halves
from attnprobe.exact.seeds import stack
from attnprobe.exact.substituted import count_turned
from attnprobe.population import Population, compositions, multiplicity

TASK = ap.Task(rule="n3 > n1", vocab_size=5, length=7)
LINE = [(1.0, 8.0, 1.0)]  # f(z) = z + 8 + bias wherever |z| < 8


def enumerated(circuit: Circuit, weights, values, bare) -> tuple[list[list[int]], list[list[int]]]:
    """Wrong and flipped sequences (S, K) in Python integers, input by input."""
    inputs = Population.of(circuit.task)
    ways = [int(n) for n in inputs.multiplicity]
    wrong, flipped = [], []
    for s, readout in enumerate(circuit.readouts):
        before = truth.of_circuit(circuit, s, inputs.counts)
        answers = [
            truth.of_numbers(readout, w, v, inputs.counts, bare[s]) for w, v in zip(weights[s], values[s], strict=True)
        ]
        wrong.append([sum(n for n, hit in zip(ways, now != inputs.label, strict=True) if hit) for now in answers])
        flipped.append([sum(n for n, hit in zip(ways, now != before, strict=True) if hit) for now in answers])
    return wrong, flipped


def changes(circuit: Circuit, rng: np.random.Generator, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Networks that are like the seed, like it but for some digits without weight, like another, and like nothing."""
    shape = (len(circuit), k, circuit.task.vocab_size)
    weights, values = (np.broadcast_to(x[:, None], shape).copy() for x in (circuit.weights, circuit.values))
    weights[:, 1::3] = np.roll(circuit.weights, 1, axis=0)[:, None]
    values[:, 2::5] = rng.permuted(values[:, 2::5], axis=2)
    weights[rng.random(shape) < 0.3] = 0
    weights[:, 0], weights[:, -1] = circuit.weights, 0
    values[:, -2] = rng.normal(size=(len(circuit), shape[2]))
    return weights, values, rng.uniform(circuit.values.min(axis=1) - 0.1, circuit.values.max(axis=1) + 0.1)


@given(circuits(), st.integers(0, 2**32 - 1))
@settings(max_examples=120)
def test_counts_are_those_of_every_input(circuit, key) -> None:
    networks = changes(circuit, np.random.default_rng(key), 11)
    wrong, flipped = altered_sequences(circuit, *networks)
    assert (wrong.tolist(), flipped.tolist()) == enumerated(circuit, *networks)
    assert (flipped[:, 0] == 0).all()
    assert wrong[:, 0].tolist() == wrong_sequences(circuit).sum(axis=1).tolist()


def wave(teeth: int) -> list[tuple[float, float, float]]:
    """Units whose sum goes up and down between 0 and 1/4 over [-1, 1], as often as there are teeth."""
    units = [(1.0, 1.0, teeth / 4)]
    return units + [(1.0, 1 - k / teeth, (-1) ** k * teeth / 2) for k in range(1, 2 * teeth)]


@pytest.mark.parametrize("teeth", [1, 2, 5])
def test_several_thresholds_without_enumeration(teeth) -> None:
    rng = np.random.default_rng(teeth)
    circuit = circuit_of(
        TASK, [(rng.normal(size=5), rng.permutation([-1.0, 1, *rng.uniform(-1, 1, 3)]), wave(teeth), -0.1)] * 7
    )
    networks = changes(circuit, rng, 13)
    wrong, flipped, counted = (np.zeros((7, 13), dtype=kind) for kind in (np.int64, np.int64, np.bool_))
    count_altered(halves(TASK), stack(circuit), 0, 7, *networks, np.zeros((7, 13)), wrong, flipped, counted)
    assert counted.all()
    assert (wrong.tolist(), flipped.tolist()) == enumerated(circuit, *networks)
    assert np.unique(flipped).size > 10
    turned, settled = np.zeros((7, 5, 5), dtype=np.int64), np.zeros(7, dtype=np.bool_)
    shorter = ap.Task(rule="n3 > n1", vocab_size=5, length=6)
    count_turned(halves(shorter), stack(circuit), 0, 7, turned, settled)
    assert settled.all()
    assert turned.tolist() == [substituted(circuit, s) for s in range(7)]


def test_a_tie_at_the_threshold_gets_the_answer_of_its_logit() -> None:
    """Uniform attention over +1, -1 and 0, yes above 0: a tie is no, and just below 0 it is yes."""
    values = [0.0, -1.0, 0.0, 1.0, 0.0]
    scores = [0.3, 1.7, -0.2, 0.9, 0.1]
    circuit = circuit_of(TASK, [(scores, values, LINE, -8.0), (scores, values, LINE, -8.0 + 1e-9)])
    inputs = Population.of(TASK)
    uniform, same = np.ones((2, 1, 5)), np.tile(values, (2, 1, 1))
    wrong, _ = altered_sequences(circuit, uniform, same, np.zeros(2))
    ties = inputs.multiplicity[inputs.counts[:, 3] == inputs.counts[:, 1]].sum()
    assert wrong.ravel().tolist() == [0, ties]


def test_nothing_left_pools_what_it_is_told() -> None:
    """Without any attention the answer is that of one pooled value to everything."""
    values = [0.4, -1.0, 0.2, 1.0, -0.3]
    circuit = circuit_of(TASK, [([0.3, 1.7, -0.2, 0.9, 0.1], values, LINE, -8.1)] * 2)
    inputs = Population.of(TASK)
    yes, total = int(inputs.multiplicity[inputs.label].sum()), 5**7
    wrong, _ = altered_sequences(circuit, np.zeros((2, 1, 5)), np.tile(values, (2, 1, 1)), np.array([0.05, 0.15]))
    assert wrong.ravel().tolist() == [yes, total - yes]


@pytest.mark.parametrize(
    ("vocab_size", "length"), [(2, 1), (2, 13), (2, 53), (2, 63), (3, 41), (13, 1), (13, 2), (32, 3)]
)
def test_other_tasks_and_whole_numbers_stay_exact(vocab_size, length) -> None:
    task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
    rng = np.random.default_rng(length)
    circuit = circuit_of(
        task, [(rng.normal(size=vocab_size), rng.normal(size=vocab_size), LINE, -8 - 0.1 * s) for s in (-1, 0, 1)]
    )
    networks = changes(circuit, rng, 7)
    wrong, flipped = altered_sequences(circuit, *networks)
    assert (wrong.tolist(), flipped.tolist()) == enumerated(circuit, *networks)
    assert turned_by_substitution(circuit).tolist() == [substituted(circuit, s) for s in range(3)]


def test_a_seed_does_not_know_its_company(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    circuit = circuit_of(TASK, [(rng.normal(size=5), rng.normal(size=5), LINE, -8 - rng.normal()) for _ in range(37)])
    weights, values, bare = changes(circuit, rng, 5)
    together = altered_sequences(circuit, weights, values, bare)
    turned = turned_by_substitution(circuit)
    for s in range(37):
        alone = circuit.take(np.array([s]))
        found = altered_sequences(alone, weights[s : s + 1], values[s : s + 1], bare[s : s + 1])
        assert [part[0].tolist() for part in found] == [part[s].tolist() for part in together]
        assert turned_by_substitution(alone)[0].tolist() == turned[s].tolist()
    monkeypatch.setattr("attnprobe.exact.seeds.cores", lambda: 1)
    np.testing.assert_array_equal(altered_sequences(circuit, weights, values, bare), together)


def test_which_seeds_are_finite() -> None:
    good, flat = [0.7, -1.0, 0.3, 1.0, 0.0], [0.0] * 5
    with np.errstate(all="ignore"):
        circuit = circuit_of(
            TASK,
            [
                (flat, good, LINE, -8.0),
                ([0.0, np.nan, 0.0, 0.0, 0.0], good, LINE, -8.0),
                ([0.0, np.inf, 0.0, 0.0, 0.0], good, LINE, -8.0),
                (flat, [*good[:4], np.inf], LINE, -8.0),
                (flat, good, [(np.nan, 1.0, 1.0)], -8.0),
                (flat, good, LINE, np.inf),
                (flat, good, [], 1.0),
            ],
        )
    assert finite_seeds(circuit).tolist() == [True, False, False, False, False, False, True]
    nothing = circuit.take(slice(0, 0))
    assert altered_sequences(nothing, np.ones((0, 3, 5)), np.ones((0, 3, 5)), np.ones(0))[0].shape == (0, 3)
    assert turned_by_substitution(nothing).shape == (0, 5, 5)


# --- substitutions --------------------------------------------------------------------------------


def substituted(circuit: Circuit, seed: int) -> list[list[int]]:
    """Sequences of the other positions with which the answer is no with one digit and yes with another."""
    task = circuit.task
    others = compositions(task.length - 1, task.vocab_size)
    ways = [int(n) for n in multiplicity(others, task.length - 1)]
    assert sum(ways) == task.vocab_size ** (task.length - 1)
    yes = [truth.of_circuit(circuit, seed, others + digit) for digit in np.eye(task.vocab_size, dtype=others.dtype)]
    return [[sum(n for n, hit in zip(ways, ~a & b, strict=True) if hit) for b in yes] for a in yes]


@given(circuits())
@settings(max_examples=120)
def test_turned_answers_are_those_of_every_input(circuit) -> None:
    assert turned_by_substitution(circuit).tolist() == [substituted(circuit, s) for s in range(len(circuit))]


@pytest.mark.parametrize("function", [turned_by_substitution, lambda circuit: altered_sequences(circuit, *[None] * 3)])
def test_a_population_that_is_too_large_is_refused(function) -> None:
    task = ap.Task(vocab_size=10, length=20)
    with pytest.raises(ap.AttnprobeError, match="10,015,005 distinct count vectors"):
        function(circuit_of(task, [([0.0] * 10, [0.0] * 10, LINE, 0.0)]))
