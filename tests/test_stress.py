"""Numbers under stress: huge, tiny, tied and saturated weights; every table against arithmetic without rounding."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import planted
import pytest
import truth
from bare import BareRun
from hypothesis import given, settings
from hypothesis import strategies as st

import analyses
import attnprobe as ap
from attnprobe.circuit import Circuit, relative
from attnprobe.exact import certificates, error_probability, expected_attention, expected_loss, wrong_sequences
from attnprobe.exact.inputs import answers
from attnprobe.exact.signs import signs
from attnprobe.population import Population
from attnprobe.rules import conditions_of, rules_of

CONFIG = planted.settings(vocab_size=4, length=5, hidden=4, rule="n2 > n1")
INPUTS = Population.of(CONFIG.task)
F32 = np.float32
LINE = ((1.0, 8.0, 1.0),)  # f(z) = z + 8 + bias for |z| < 8


def circuit_of(weights: planted.Weights) -> Circuit:
    return Circuit.from_weights(CONFIG.task, {name: w[None] for name, w in weights.items()})


def assert_true(weights: planted.Weights) -> Circuit:
    """Whoever answers gives the true answers, and what is said of them fits."""
    circuit = circuit_of(weights)
    yes = np.array(truth.of_weights(weights, INPUTS.counts))
    wrong = int(INPUTS.multiplicity[yes != INPUTS.label].sum())
    assert int(wrong_sequences(circuit).sum()) == wrong
    np.testing.assert_array_equal(np.concatenate([found[0] for _, found in answers(circuit)]), yes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = certificates(circuit, conditions_of(circuit, rules_of(circuit)))
    assert (found.worst[0, 0] < 0) == (wrong == 0)
    if wrong:
        assert found.margin[0] <= 0
    return circuit


@st.composite
def weights(draw) -> planted.Weights:
    """Round numbers that tie, scaled tensor by tensor from subnormal to 1e30."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["whole", "tenths", "any"]))
    w = {}
    for name, like in planted.perfect(CONFIG).items():
        if kind == "any":
            w[name] = rng.normal(size=like.shape).astype(F32)
        else:
            w[name] = (rng.integers(-2, 3, like.shape) / (1 if kind == "whole" else 10)).astype(F32)
    for name in w:
        power = draw(st.sampled_from([0, 0, 0, 0, 1, 3, 12, 30, -12, -38, -43]))
        w[name] = (w[name] * 10.0**power).astype(F32)
    return w


@given(weights())
@settings(max_examples=40)
def test_answers_are_those_of_real_arithmetic(w) -> None:
    assert_true(w)


# --- ties -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_ties_that_rounding_would_break(direction) -> None:
    """0.1 + 0.2 - 0.3 is not 0 in float32 numbers, and the sum of a tie is: neither may rest on a last bit."""
    values = np.array([0.3, -0.1, 0.1, 0.0], dtype=F32)
    units = [(1.0, 3.3, 0.1 * direction), (-1.0, 0.7, 0.3 * direction), (1.0, 0.7, 0.3 * direction)]
    at_zero = sum(Fraction(float(F32(out))) * max(Fraction(float(F32(b))), Fraction(0)) for _, b, out in units)
    w = planted.network(CONFIG, [0.7, 0.2, 0.2, -0.3], values, units, 0.0)
    w["nn.2.bias"][:] = -float(at_zero)
    assert_true(w)


def test_a_perfect_network_whose_ties_are_exact_is_certified_and_its_mirror_is_not() -> None:
    """Threshold 0 and values +-1: each tie has logit 0 exactly, which is no. A last bit more, and ties are wrong."""
    values = [0.0, -1.0, 1.0, 0.0]
    for bias, certified in ((-8.0, True), (np.nextafter(F32(-8.0), F32(0)), False)):
        circuit = assert_true(planted.network(CONFIG, [0.3, 1.7, 1.7, 0.3], values, LINE, bias))
        assert (error_probability(circuit)[0] == 0) == certified
    found = certificates(circuit, conditions_of(circuit, rules_of(circuit)))
    assert found.undecided[0] == 0


@pytest.mark.parametrize("gap", [1e-30, 1e-7, 1e3, 1e30])
def test_scores_a_hair_apart_and_scores_worlds_apart(gap) -> None:
    """Digits 1 and 2 cancel but for the difference of their scores, threshold 0 at the value of the others."""
    w = planted.network(CONFIG, [0.0, 0.0, gap, -gap], [0.0, -1.0, 1.0, 0.0], LINE, -8.0)
    assert_true(w)
    w["WK.weight"] = -w["WK.weight"]
    assert_true(w)


def test_low_scores_keep_their_pattern() -> None:
    """Where the digit with the highest score is absent the next one takes all: nothing is below some least score."""
    scores = [0.0, -2000.0, -1000.0, -4000.0]
    circuit = assert_true(planted.network(CONFIG, scores, [0.5, -1.0, 1.0, -0.25], LINE, -8.0))
    share, entropy = expected_attention(circuit)
    top = np.array([max(np.flatnonzero(row), key=lambda d: scores[d]) for row in INPUTS.counts])
    np.testing.assert_allclose(share[0], [INPUTS.share(top == d) for d in range(4)], rtol=1e-13)
    expected = np.log(INPUTS.counts[np.arange(len(INPUTS)), top].astype(float)) @ INPUTS.probability
    assert entropy[0] == pytest.approx(expected, rel=1e-12)
    logit = np.array([0.5, -1.0, 1.0, -0.25])[top]
    loss = np.logaddexp(0, np.where(INPUTS.label, -logit, logit)) @ INPUTS.probability
    assert expected_loss(circuit)[0] == pytest.approx(loss, rel=1e-12)


def test_scores_are_drawn_together_without_moving_attention() -> None:
    rows = np.array([[0.0, -700.0, -1e30, -1e30 - 1e17], [0.0, -1.0, -599.0, -2.0], [5.0, -np.inf, -1e4, -2e4]])
    found, slack = relative(rows)
    np.testing.assert_array_equal(found[0], [0, -37, -74, -111])
    np.testing.assert_array_equal(found[1], rows[1])
    np.testing.assert_array_equal(found[2], [0, -np.inf, -37, -74])
    assert slack.tolist() == [np.exp(-37.0), 0, np.exp(-37.0)]
    stairs, slack = relative(-100.0 * np.arange(32.0))
    assert stairs.min() == pytest.approx(-600)
    assert 0 < slack < 1e-8


def test_signs_need_as_many_bits_as_they_need() -> None:
    """exp(s) - 1 - s and the like: sums that vanish to hundreds of digits, and some that vanish."""
    tiny, one = Fraction(1, 10**150), Fraction(1)
    counts = np.array([[1, 1, 1], [2, 2, 0], [0, 1, 1], [1, 0, 1]])
    assert signs(counts, [tiny, Fraction(0), Fraction(0)], 1, [one, -one, -tiny]).tolist() == [1, 1, -1, 1]
    assert signs(counts, [tiny, tiny, tiny], 2, [one, -one, Fraction(0)]).tolist() == [0, 0, -1, 1]
    assert signs(counts, [Fraction(-(10**30)), Fraction(0), Fraction(0)], 3, [one, one, -one]).tolist() == [1, 1, 0, -1]


# --- sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("b2", [0.0, -0.0, 1e-45, -1e-45, 1e38])
def test_a_network_of_nothing_but_a_bias(b2) -> None:
    """All hidden units dead: one answer to everything, no at 0 exactly."""
    w = planted.network(CONFIG, [0.0, 1.0, 2.0, 3.0], [0.1, -1.0, 1.0, 0.3], [(0.0, -1.0, 3.0), (-0.0, 0.0, 5.0)], b2)
    circuit = assert_true(w)
    assert error_probability(circuit)[0] == INPUTS.share(INPUTS.label != (b2 > 0))


def test_hidden_units_that_cancel_at_1e30() -> None:
    """Always on, without input: their sum is the bias that is left, which a sum in any order loses."""
    units = [(0.0, 1e15, 1e15), (0.0, 1e15, -1e15), (0.0, 1.0, -0.5), (1.0, 8.0, 1.0)]
    for bias, right in ((-7.5, True), (-7.625, True), (-7.375, False)):
        circuit = assert_true(planted.network(CONFIG, [0.0] * 4, [0.0, -1.0, 1.0, 0.0], units, bias))
        assert (error_probability(circuit)[0] == 0) == right


def extremes() -> list[planted.Weights]:
    """Networks of every bad kind, all finite."""
    rng = np.random.default_rng(3)
    good, some = planted.perfect(CONFIG), planted.random(CONFIG, rng)
    found = [good, planted.constant(CONFIG, 0.0), planted.constant(CONFIG, 1e-40)]
    for name in some:
        for scale in (1e30, 1e-44, 0.0, -0.0):
            found.append(some | {name: (some[name] * scale).astype(F32)})
    for scale in (1e3, 1e12, 3e37, 1e-30):
        found.append({name: (w * scale).astype(F32) for name, w in some.items()})
    found.append(planted.network(CONFIG, [0, 1e30, -1e30, 5], [1, 1, 1, 1]))
    found.append(
        planted.network(CONFIG, [0.0] * 4, [0.0] * 4, [(1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (-1.0, 0.0, 1.0)], 0.0)
    )
    return found


@pytest.fixture(scope="module")
def stressed(tmp_path_factory) -> ap.Run:
    """Them all in one run, with one that holds a single NaN and one a single infinity, and every table."""
    broken = [{name: w.copy() for name, w in planted.perfect(CONFIG).items()} for _ in range(2)]
    broken[0]["WK.weight"][0, 1], broken[1]["nn.2.weight"][0, 0] = np.nan, np.inf
    run = planted.write(tmp_path_factory.mktemp("runs") / "stressed", CONFIG, [*extremes(), *broken])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        analyses.write(run)
    return run


@pytest.fixture(scope="module")
def said() -> list[np.ndarray]:
    """What they truly answer."""
    return [np.array(truth.of_weights(w, INPUTS.counts)) for w in extremes()]


def test_tables_of_extreme_weights(stressed, said) -> None:
    """No warning on the way, and the numbers are the true ones."""
    seeds = stressed.table("seeds")
    for place, yes in enumerate(said):
        assert seeds.loc[place, "error_probability"] == INPUTS.share(yes != INPUTS.label), place
        assert seeds.loc[place, "certified"] == bool((yes == INPUTS.label).all())
    finite = seeds[seeds["status"] == "trained"]
    assert len(finite) == len(seeds) - 2
    assert np.isfinite(finite[["loss", "focus", "attention_entropy"]]).all(axis=None)
    assert (finite["focus"].between(0, 1 + 1e-12)).all()
    certified = stressed.table("certificates")
    assert (certified["disagreements"].fillna(0) == 0).all()


def test_uniform_attention_on_extreme_weights(stressed, said) -> None:
    """Decided without rounding by the twin, flips too."""
    table = stressed.table("interventions").set_index(["seed", "kind", "digit", "partner"])
    for place, w in enumerate(extremes()):
        even = w | {"query": np.zeros_like(w["query"])}
        yes = np.array(truth.of_weights(even, INPUTS.counts))
        found = table.loc[(place, "uniform_attention", -1, -1)]
        assert found["error_probability"] == INPUTS.share(yes != INPUTS.label), place
        assert found["flip_probability"] == INPUTS.share(yes != said[place]), place


@given(weights())
@settings(max_examples=10)
def test_a_copy_of_a_seed_agrees_with_it(w) -> None:
    """A transplant of the same pattern, and a swap of equals, change nothing, whatever the ties."""
    stacked = {name: np.stack([part, part]) for name, part in w.items()}
    run = BareRun(CONFIG, stacked)
    tables = {name: analyses.get(name).compute(run, {}) for name in ("seeds", "digits")}
    with np.errstate(all="ignore"):
        table = analyses.get("interventions").compute(run, tables)
    assert (table.loc[table["kind"] == "transplant", "flip_probability"] == 0).all()
