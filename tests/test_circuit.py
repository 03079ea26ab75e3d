"""A trained seed as scores, values and one curve: against torch, exact fractions and brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import attnprobe as ap
from attnprobe.circuit import Circuit, Readout
from attnprobe.model import initial_weights, split

CONFIG = ap.Config(rule="n5 > n3", vocab_size=7, length=11, embed_dim=3, att_dim=2, hidden=13)
SEEDS = np.array([2, 3, 5, 8])


def stacked(config: ap.Config = CONFIG, seeds: np.ndarray = SEEDS) -> dict[str, np.ndarray]:
    return {name: w.copy() for name, w in split(config, initial_weights(config, seeds)).items()}


def sequences(n: int) -> torch.Tensor:
    return CONFIG.task.make_batch(n, seed=1, step=0)[0]


# --- scores, values, pooled value, logit ----------------------------------------------------------


def test_circuit_is_the_torch_model_in_float64() -> None:
    weights = stacked()
    circuit = Circuit.from_weights(CONFIG.task, weights)
    X = sequences(29)
    z, normaliser = circuit.pool(CONFIG.task.counts(X.numpy()))
    logit = circuit.logit(z)
    assert circuit.scores.shape == circuit.values.shape == (4, 7)
    assert z.shape == normaliser.shape == logit.shape == (4, 29)
    assert len(circuit) == len(circuit.readouts) == 4
    for s in range(4):
        model = ap.AttentionModel.from_weights(CONFIG, {k: w[s] for k, w in weights.items()}).double()
        with torch.no_grad():
            e = model.embed(X)
            pattern, values = model.attention(e)[:, 0], model.values(e)[:, :, 0]
            pooled = (pattern * values).sum(1, keepdim=True)
            expected_logit = model.nn[:3](pooled)[:, 0]
        draw = circuit.weights[s][X.numpy()]
        np.testing.assert_allclose(circuit.values[s][X.numpy()], values, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(draw / normaliser[s][:, None], pattern, rtol=1e-12)
        np.testing.assert_allclose(z[s], pooled[:, 0], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(logit[s], expected_logit, rtol=1e-11, atol=1e-13)


def test_circuit_is_the_naive_loop() -> None:
    weights = stacked()
    circuit = Circuit.from_weights(CONFIG.task, weights)
    X = sequences(5)
    z, _ = circuit.pool(CONFIG.task.counts(X.numpy()))
    for s in range(4):
        one = {name: w[s] for name, w in weights.items()}
        expected = [naive.forward(one, sequence)[1] for sequence in X.tolist()]
        np.testing.assert_allclose(circuit.logit(z)[s], expected, rtol=1e-11)


def test_scores_are_those_before_the_softmax_shift_included() -> None:
    weights = stacked()
    scores = Circuit.from_weights(CONFIG.task, weights).scores
    for s in range(4):
        w = {name: value[s].astype(float) for name, value in weights.items()}
        for d in range(7):
            key = w["WK.weight"] @ w["embed.weight"][d] + w["WK.bias"]
            assert scores[s, d] == pytest.approx(key @ w["query"][0] / 2**0.5, rel=1e-12)


def test_take_and_blocks_keep_seeds_together() -> None:
    circuit = Circuit.from_weights(CONFIG.task, stacked())
    blocks = list(circuit.blocks(3))
    assert [rows for rows, _ in blocks] == [slice(0, 3), slice(3, 4)]
    for rows, block in blocks:
        assert (block.scores == circuit.scores[rows]).all()
        assert (block.values == circuit.values[rows]).all()
        assert block.readouts == circuit.readouts[rows]
        assert block.task == CONFIG.task
    assert [len(block) for _, block in blocks] == [3, 1]


@pytest.mark.parametrize("gain", [1e4, 1e6, 1e30])
def test_extreme_scores_stay_finite(gain) -> None:
    weights = stacked()
    weights["query"] *= np.float32(gain)
    circuit = Circuit.from_weights(CONFIG.task, weights)
    assert np.ptp(circuit.scores, axis=1).min() > 700, "the scores are not extreme: nothing is tested"
    only_one_digit = 11 * np.eye(7, dtype=np.uint8)
    z, normaliser = circuit.pool(only_one_digit)
    assert (normaliser > 0).all()
    np.testing.assert_allclose(z, circuit.values, rtol=1e-12)
    loudest = circuit.scores.argmax(axis=1)
    z, _ = circuit.pool(np.array([[5, 1, 1, 1, 1, 1, 1]]) + np.zeros((1, 7), dtype=int))
    np.testing.assert_allclose(z[:, 0], circuit.values[np.arange(4), loudest], rtol=1e-6)


def test_relative_scores_do_not_know_the_shift() -> None:
    a, b = stacked(), stacked()
    b["WK.bias"] += np.float32(1.5)
    a, b = (Circuit.from_weights(CONFIG.task, w) for w in (a, b))
    assert abs(a.scores - b.scores).min() > 1e-3
    np.testing.assert_allclose(a.relative_scores, b.relative_scores, atol=1e-13)
    assert (a.relative_scores.max(axis=1) == 0).all()


# --- the gauge ------------------------------------------------------------------------------------


@given(
    factor=st.floats(0.01, 100).flatmap(lambda size: st.sampled_from([size, -size])), shift=st.floats(-50, 50)
)
@settings(max_examples=50)
def test_gauge_undoes_any_affine_map_of_the_values(factor, shift) -> None:
    weights = {name: w.astype(np.float64) for name, w in stacked().items()}
    moved = {name: w.copy() for name, w in weights.items()}
    moved["WV.weight"] = factor * weights["WV.weight"]
    moved["WV.bias"] = factor * weights["WV.bias"] + shift
    moved["nn.0.weight"] = weights["nn.0.weight"] / factor
    moved["nn.0.bias"] = weights["nn.0.bias"] - weights["nn.0.weight"][:, :, 0] * shift / factor
    a, b = (Circuit.from_weights(CONFIG.task, w) for w in (weights, moved))
    counts = CONFIG.task.counts(sequences(17).numpy())
    scale = 1 + abs(shift / factor)  # what the shift costs in rounding
    np.testing.assert_allclose(a.logit(a.pool(counts)[0]), b.logit(b.pool(counts)[0]), atol=1e-11 * scale)

    (centre_a, half_a), (centre_b, half_b) = a.gauge(), b.gauge()
    gauged_a = (a.values - centre_a[:, None]) / half_a[:, None]
    gauged_b = (b.values - centre_b[:, None]) / half_b[:, None]
    np.testing.assert_allclose(gauged_b, gauged_a, atol=1e-10 * scale)
    np.testing.assert_allclose(gauged_a[:, [5, 3]], [[1, -1]] * 4, atol=1e-12)  # the rule is n5 > n3
    for s in range(4):
        roots_a, roots_b = (np.sort(c.readouts[s].thresholds()[0]) for c in (a, b))
        gauged = np.sort((roots_a - centre_a[s]) / half_a[s])
        np.testing.assert_allclose(
            np.sort((roots_b - centre_b[s]) / half_b[s]), gauged, rtol=1e-8, atol=1e-8 * scale
        )


def test_gauge_is_nan_where_both_target_digits_have_one_value() -> None:
    weights = stacked()
    weights["embed.weight"][1, 5] = weights["embed.weight"][1, 3]
    centre, half = Circuit.from_weights(CONFIG.task, weights).gauge()
    assert np.isnan(half).tolist() == [False, True, False, False]
    assert np.isfinite(centre).all()


# --- the readout ----------------------------------------------------------------------------------

# w1 a power of two and everything else in quarters: kinks, slopes and intercepts are exact in float64
EXACT_UNIT = st.tuples(
    st.sampled_from([-2, -1, -0.5, 0, 0.5, 1, 2]),
    st.integers(-8, 8).map(lambda n: n / 4),
    st.integers(-4, 4).map(float),
)
ANY_UNIT = st.tuples(
    st.integers(-7, 7).map(float), st.integers(-9, 9).map(float), st.integers(-30, 30).map(lambda n: n / 10)
)


def columns(units: list[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    w1, b1, w2 = (np.array(column, dtype=np.float64) for column in zip(*units, strict=True))
    return w1, b1, w2


@given(st.lists(EXACT_UNIT, min_size=1, max_size=12), st.integers(-8, 8).map(lambda n: n / 4))
@settings(max_examples=200)
def test_logit_is_the_sum_over_units(units, b2) -> None:
    w1, b1, w2 = columns(units)
    readout = Readout.from_weights(w1, b1, w2, b2)
    assert (np.diff(readout.kinks) >= 0).all()
    assert len(readout.kinks) == np.count_nonzero(w1)
    assert len(readout.slopes) == len(readout.intercepts) == len(readout.kinks) + 1
    z = np.unique([*readout.kinks, *np.linspace(-20, 20, 41)])  # points exactly on a kink among them
    expected = [naive.readout(w1, b1, w2, b2, point) for point in z]
    assert readout.logit(z).tolist() == expected
    assert readout.logit(z.reshape(1, -1, 1)).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([(0, 2, 3)], 6.5),  # no input weight, on
        ([(0, -2, 3)], 0.5),  # no input weight, off
        ([(0, 0, 3)], 0.5),
        ([(0, 0, 0)], 0.5),
        ([(1, -9, 5), (-1, -9, 5)], 0.5),  # dead in this range
        ([(1, 0, 2)], 2.5),
        ([(1, 0, 2), (1, 0, -2)], 0.5),  # equal kinks
    ],
)
def test_logit_at_one(units, expected) -> None:
    assert Readout.from_weights(*columns(units), 0.5).logit(np.array(1.0)) == expected


def changes(units, b2) -> list[tuple[Fraction, Fraction]]:
    """Every change of the answer and the slope there, in exact fractions, point by point along the line."""

    def f(z: Fraction) -> Fraction:
        return Fraction(b2) + sum(
            Fraction(w2) * max(Fraction(w1) * z + Fraction(b1), Fraction(0)) for w1, b1, w2 in units
        )

    def slope(z: Fraction) -> Fraction:
        return sum(
            (Fraction(w2) * Fraction(w1) for w1, b1, w2 in units if Fraction(w1) * z + Fraction(b1) > 0),
            Fraction(0),
        )

    kinks = sorted({-Fraction(b1) / Fraction(w1) for w1, b1, _ in units if w1})
    inside = [(a + b) / 2 for a, b in pairwise(kinks)]
    inside = [kinks[0] - 1, *inside, kinks[-1] + 1] if kinks else [Fraction(0)]
    zeros = {z - f(z) / slope(z) for z in inside if slope(z)}
    points = sorted({*kinks, *(zero for zero in zeros if f(zero) == 0)})
    found = []
    for i, point in enumerate(points):
        before = (points[i - 1] + point) / 2 if i else point - 1
        after = (point + points[i + 1]) / 2 if i + 1 < len(points) else point + 1
        for near in (before, after):
            if (f(near) > 0) != (f(point) > 0):
                found.append((point, slope(near)))
    return found


@given(st.lists(EXACT_UNIT, min_size=1, max_size=8), st.integers(-8, 8).map(lambda n: n / 4))
@settings(max_examples=300)
def test_thresholds_are_where_the_answer_changes(units, b2) -> None:
    roots, slopes = Readout.from_weights(*columns(units), b2).thresholds()
    expected = changes(units, b2)
    np.testing.assert_allclose(roots, [float(root) for root, _ in expected], rtol=1e-14, atol=1e-15)
    assert slopes.tolist() == [float(slope) for _, slope in expected]


@given(st.lists(ANY_UNIT, min_size=1, max_size=8), st.integers(-9, 9).map(float))
@settings(max_examples=300)
def test_thresholds_with_kinks_that_round(units, b2) -> None:
    """No warning, ascending, inside the pieces; every change that dense evaluation shows is found."""
    w1, b1, w2 = columns(units)
    roots, slopes = Readout.from_weights(w1, b1, w2, b2).thresholds()
    assert np.isfinite(roots).all()
    assert (np.diff(roots) >= 0).all()
    assert slopes.all()
    grid = np.linspace(-40.123, 40.456, 997)
    logit = np.array([naive.readout(w1, b1, w2, b2, z) for z in grid])
    clear = abs(logit) > 1e-9
    grid, logit = grid[clear], logit[clear]
    for i in np.flatnonzero((logit[1:] > 0) != (logit[:-1] > 0)):
        low, high = grid[i], grid[i + 1]
        while high - low > 1e-10:
            middle = (low + high) / 2
            same = (naive.readout(w1, b1, w2, b2, middle) > 0) == (logit[i] > 0)
            low, high = (middle, high) if same else (low, middle)
        assert abs(roots - low).min(initial=np.inf) < 1e-8


@pytest.mark.parametrize(
    ("units", "b2", "roots", "slopes"),
    [
        ([(1, 0, 1), (-1, 0, -1)], -0.75, [0.75], [1]),  # z - 0.75
        ([(1, 0, -3), (-1, 0, 3)], 0.75, [0.25], [-3]),
        ([(1, 0, 1), (-1, 0, 1)], -1.5, [-1.5, 1.5], [-1, 1]),  # |z| - 1.5
        ([(1, 0, 1), (-1, 0, 1)], 0.5, [], []),
        ([(1, 0, 1)], -2.0, [2.0], [1]),
        ([(-1, 0, 1)], -2.0, [-2.0], [-1]),
        ([(0, 1, 1)], -2.0, [], []),  # a constant
        ([(1, 0, 1), (-1, 0, 1)], 0.0, [0.0, 0.0], [-1, 1]),  # |z| touches zero: "no" in that point alone
        ([(1, 0, -1), (-1, 0, -1)], 0.0, [], []),  # -|z| touches zero from below
        ([(1, 0, -1), (1, -1, 1)], 1.0, [1.0], [-1]),  # falls to zero and stays there
    ],
)
def test_planted_thresholds(units, b2, roots, slopes) -> None:
    found = Readout.from_weights(*columns(units), b2).thresholds()
    assert found[0].tolist() == roots
    assert found[1].tolist() == slopes


@pytest.mark.parametrize(
    "units", [[(-6, -9, 0.2)], [(-7, 5, -0.2), (1, 40, 0)], [(-6, -9, 0.2), (-6, -9, 0.2)]]
)
def test_a_piece_that_is_zero_throughout_makes_no_threshold_out_of_rounding(units) -> None:
    """0.2 relu(-6 z - 9) is 1e-16 at its kink in floating point, and 0 ever after."""
    roots, slopes = Readout.from_weights(*columns(units), 0.0).thresholds()
    expected = changes(units, 0.0)
    np.testing.assert_allclose(roots, [float(root) for root, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(slopes, [float(slope) for _, slope in expected], rtol=1e-12)
