"""Expected loss and expected attention, against sums over every input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from circuits import circuit_of, circuits, enumerated_loss
from hypothesis import given, settings

import attnprobe as ap
from attnprobe.circuit import Circuit, Readout
from attnprobe.exact import expected_attention, expected_loss, expected_share
from attnprobe.exact.loss import to_losses
from attnprobe.population import Population

TASK = ap.Task(rule="n3 > n1", vocab_size=5, length=7)


def random_circuit(task: ap.Task, seeds: int, units: int = 30, key: int = 0) -> Circuit:
    rng = np.random.default_rng(key)
    vocab = task.vocab_size
    return circuit_of(
        task,
        [
            (rng.normal(size=vocab), rng.normal(size=vocab), rng.normal(size=(units, 3)), rng.normal())
            for _ in range(seeds)
        ],
    )


# --- loss -----------------------------------------------------------------------------------------


def test_the_loss_of_one_logit_is_good_to_the_last_place() -> None:
    """log(1 + exp(-m)): against log1p where that is exact, on both sides of 0 and far out."""
    one = np.ones(1)
    for margin in [*np.linspace(-750, 750, 3001), *np.logspace(-320, 3, 400), 0.0, -0.0, 1e300, -1e300]:
        expected = max(-margin, 0.0) + math.log1p(math.exp(-abs(margin)))
        for sign in (1.0, -1.0):
            found = np.array([sign * margin])
            to_losses(sign, one, found)
            assert found[0] == pytest.approx(expected, rel=1e-15, abs=5e-324)


@given(circuits())
@settings(max_examples=120)
def test_loss_is_the_mean_over_every_input(circuit) -> None:
    expected = [enumerated_loss(circuit, seed) for seed in range(len(circuit))]
    np.testing.assert_allclose(expected_loss(circuit), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("gain", [1e-3, 1, 1e3, 1e6])
def test_small_and_large_losses(gain) -> None:
    """From log 2 to many thousands, and a seed whose margins are so large that hardly any loss is left."""
    circuit = random_circuit(TASK, 5, units=200)
    readouts = tuple(Readout(r.kinks, gain * r.slopes, gain * r.intercepts, r.rounding) for r in circuit.readouts)
    scaled = Circuit(TASK, circuit.scores, circuit.values, readouts)
    expected = [enumerated_loss(scaled, seed) for seed in range(5)]
    np.testing.assert_allclose(expected_loss(scaled), expected, rtol=1e-12)
    certain = circuit_of(TASK, [([0, 9, 0, 9, 0], [-1, -1, -1, 1, -1], [(1, 64, 40)], -40 * 63.5)])
    assert 0 < expected_loss(certain)[0] == pytest.approx(enumerated_loss(certain, 0), rel=1e-12)


@pytest.mark.parametrize(("vocab_size", "length"), [(2, 63), (3, 41), (32, 3), (13, 1), (10, 6)])
def test_loss_of_other_tasks(vocab_size, length) -> None:
    task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
    circuit = random_circuit(task, 3)
    expected = [enumerated_loss(circuit, seed) for seed in range(3)]
    np.testing.assert_allclose(expected_loss(circuit), expected, rtol=1e-12)


def test_values_that_are_all_equal() -> None:
    for value in (0.0, 0.3, -1e6):
        circuit = circuit_of(TASK, [([0.1, 0.2, 0.3, 0.4, 0.5], [value] * 5, [(1.0, -value, 2.0), (-1, 9, 0.1)], 0.5)])
        assert expected_loss(circuit)[0] == pytest.approx(enumerated_loss(circuit, 0), rel=1e-9)


def test_loss_of_a_seed_does_not_know_its_company(monkeypatch) -> None:
    circuit = random_circuit(TASK, 53)
    together = expected_loss(circuit)
    assert np.unique(together).size == 53
    alone = [expected_loss(circuit.take(slice(s, s + 1)))[0] for s in range(53)]
    assert together.tolist() == alone
    monkeypatch.setattr("attnprobe.exact.seeds.cores", lambda: 1)
    assert together.tolist() == expected_loss(circuit).tolist()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_broken_seed_has_no_loss_and_breaks_no_other(broken) -> None:
    good = ([0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1], [(1.0, 0.1, 1.0)], 0.2)
    with np.errstate(all="ignore"):
        circuit = circuit_of(TASK, [good, ([broken] * 5, [broken] * 5, [(broken,) * 3], broken), good])
    loss = expected_loss(circuit)
    share, entropy = expected_attention(circuit)
    for found in (loss, share.sum(axis=1), entropy):
        assert np.isnan(found).tolist() == [False, True, False]
        assert found[0] == found[2]


# --- attention ------------------------------------------------------------------------------------


def enumerated_attention(circuit: Circuit, seed: int) -> tuple[list[float], float]:
    inputs = Population.of(circuit.task)
    score = circuit.scores[seed]
    top = np.where(inputs.counts > 0, score, -np.inf).max(axis=1, keepdims=True)
    mass = inputs.counts * np.exp(np.minimum(score - top, 0))
    normaliser = mass.sum(axis=1)
    each = mass / normaliser[:, None]  # on all positions with the digit together
    per_position = np.where(inputs.counts > 0, each / np.maximum(inputs.counts, 1), 1)
    entropy = -(each * np.log(np.maximum(per_position, 1e-320))).sum(axis=1)
    share = [math.fsum(inputs.probability * column) for column in each.T]
    return share, math.fsum(inputs.probability * entropy)


@given(circuits())
@settings(max_examples=120)
def test_attention_is_the_mean_over_every_input(circuit) -> None:
    share, entropy = expected_attention(circuit)
    for seed in range(len(circuit)):
        expected, expected_entropy = enumerated_attention(circuit, seed)
        np.testing.assert_allclose(share[seed], expected, rtol=1e-12)
        assert entropy[seed] == pytest.approx(expected_entropy, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("vocab_size", "length"), [(10, 10), (2, 63), (3, 41), (32, 3), (13, 1)])
def test_attention_of_other_tasks(vocab_size, length) -> None:
    circuit = random_circuit(ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length), 3)
    share, entropy = expected_attention(circuit)
    for seed in range(3):
        expected, expected_entropy = enumerated_attention(circuit, seed)
        np.testing.assert_allclose(share[seed], expected, rtol=1e-12)
        assert entropy[seed] == pytest.approx(expected_entropy, rel=1e-12, abs=1e-13)


def test_attention_where_no_enumeration_would_end() -> None:
    """Equal scores look at every position alike; with one digit far ahead, all attention is on it once it is there."""
    task = ap.Task(rule="n31 > n17", vocab_size=32, length=63)
    ahead = [60.0] + [0.0] * 31
    circuit = circuit_of(task, [([1.5] * 32, [0.0] * 32, [], 0.0), (ahead, [0.0] * 32, [], 0.0)])
    share, entropy = expected_attention(circuit)
    np.testing.assert_allclose(share[0], 1 / 32, rtol=1e-13)
    assert entropy[0] == pytest.approx(math.log(63), rel=1e-13)
    absent = (31 / 32) ** 63
    np.testing.assert_allclose(share[1], [1 - absent, *[absent / 31] * 31], rtol=1e-13)


@given(circuits(seeds=7))
@settings(max_examples=60)
def test_shares_of_many_seeds_are_those_of_each(circuit) -> None:
    """From all scores equal to far apart: points that only others need add nothing."""
    share = expected_share(circuit)
    np.testing.assert_allclose(share, expected_attention(circuit)[0], rtol=1e-13, atol=1e-300)
    alone = [expected_share(circuit.take(slice(seed, seed + 1)))[0] for seed in range(len(circuit))]
    np.testing.assert_allclose(share, alone, rtol=1e-13, atol=1e-300)


def test_shares_of_scores_that_are_not_finite() -> None:
    circuit = random_circuit(TASK, 3)
    circuit.scores[1, 2] = np.nan
    share = expected_share(circuit)
    assert np.isnan(share).all(axis=1).tolist() == [False, True, False]
