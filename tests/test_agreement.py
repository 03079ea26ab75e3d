"""Pairs of seeds: divergence of patterns, disagreement over all inputs, and estimates that resample seeds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import planted
import pytest
import truth
from circuits import circuit_of, circuits
from exhaustive import Inputs, Network, stored
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

import analyses
import attnprobe as ap
from analyses import agreement
from attnprobe import pairs
from attnprobe.attribution import pattern_divergence, sample_of
from attnprobe.exact import disagreement
from attnprobe.population import Population


@pytest.mark.parametrize("name", ["small_run", "ten_run"])
def test_the_table_is_that_of_an_enumeration(request, name) -> None:
    """From the shard files: patterns by scipy, answers input by input, rules by the definition of an angle."""
    run = request.getfixturevalue(name)
    config = run.config
    more, fewer = (int(part) for part in config.rule.replace("n", "").split(" > "))
    inputs = Inputs.all(config.vocab_size, config.length, more, fewer)
    networks = {seed: Network.of(w) for seed, w in stored(run.path).items()}
    maps = run.table("attention_maps")
    sequences = maps.loc[maps["seed"] == run.seeds[0], "digit"].to_numpy().reshape(-1, config.length)
    patterns = {seed: network.attention(sequences) for seed, network in networks.items()}
    answers = {seed: network.logits(inputs.sequences) > 0 for seed, network in networks.items()}
    rules = run.table("digits").pivot(index="seed", columns="digit", values="rule_weight")
    focus = run.table("seeds").set_index("seed")["focus"]
    table = run.table("agreement")
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == list(itertools.combinations(run.seeds, 2))
    for row in table.itertuples():
        a, b = row.seed_a, row.seed_b
        divergence = np.mean([jensenshannon(p, q) ** 2 for p, q in zip(patterns[a], patterns[b], strict=True)])
        assert row.pattern_divergence == pytest.approx(divergence, rel=1e-6, abs=1e-12)
        assert row.disagreement == pytest.approx(inputs.share(answers[a] != answers[b]), rel=1e-12, abs=1e-15)
        one, other = rules.loc[a].to_numpy(), rules.loc[b].to_numpy()
        cosine = one @ other / math.sqrt((one @ one) * (other @ other))
        assert row.rule_angle == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-6, abs=1e-6, nan_ok=True)
        assert row.focus_difference == pytest.approx(abs(focus[a] - focus[b]), rel=1e-12)
    assert table["disagreement"].max() > 0.01, "the problem is trivial"
    assert table["rule_angle"].isna().nunique() == 2


@given(circuits(seeds=4))
@settings(max_examples=80)
def test_disagreement_is_that_of_all_inputs(circuit) -> None:
    inputs = Population.of(circuit.task)
    answers = [truth.of_circuit(circuit, seed, inputs.counts) for seed in range(4)]
    found = disagreement(circuit)
    for s, r in itertools.product(range(4), repeat=2):
        assert found[s, r] == inputs.share(answers[s] != answers[r])


def test_disagreement_does_not_depend_on_blocks(ten_run, monkeypatch) -> None:
    expected = disagreement(ten_run.circuit)
    monkeypatch.setattr("attnprobe.exact.inputs.BLOCK", 12_347)
    np.testing.assert_array_equal(disagreement(ten_run.circuit), expected)


def test_disagreement_where_sequences_are_too_many_for_whole_numbers() -> None:
    """2^63 sequences: always yes, always no, and yes where there are more 0s than 1s."""
    task = ap.Task(rule="n0 > n1", vocab_size=2, length=63)
    seeds = [([0, 0], [1, -1], [], 1.0), ([0, 0], [1, -1], [], -1.0), ([0, 0], [1, -1], [(1.0, 2.0, 1.0)], -2.0)]
    found = disagreement(circuit_of(task, seeds))
    np.testing.assert_allclose(found, [[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]], rtol=1e-12)
    assert (np.diag(found) == 0).all()


@given(circuits(seeds=3), st.integers(0, 2**32 - 1))
@settings(max_examples=80)
def test_divergence_is_symmetric_and_bounded(circuit, seed) -> None:
    sequences = np.random.default_rng(seed).integers(circuit.task.vocab_size, size=(5, circuit.task.length))
    found = pattern_divergence(circuit, sample_of(sequences))
    np.testing.assert_array_equal(found, found.T)
    assert (np.diag(found) == 0).all()
    assert ((found >= 0) & (found <= math.log(2) + 1e-12)).all()


def test_patterns_that_share_no_position_are_log_2_apart() -> None:
    task = ap.Task(rule="n0 > n1", vocab_size=2, length=4)
    circuit = circuit_of(task, [([50, 0], [1, 0], [], 1.0), ([0, 50], [1, 0], [], 1.0)])
    found = pattern_divergence(circuit, sample_of(np.array([[0, 1, 1, 0]])))
    assert found[0, 1] == pytest.approx(math.log(2), rel=1e-12)


def test_only_the_first_finite_seeds_are_paired(monkeypatch, tmp_path) -> None:
    config = planted.settings()
    good = planted.perfect(config)
    networks = [planted.perfect(config, score=score) for score in (0.5, 1, 1.5, 2)]
    monkeypatch.setattr(agreement, "FIRST_SEEDS", 3)
    run = planted.write(tmp_path / "run", config, [planted.broken(good), *networks])
    table = analyses.compute("agreement", run)
    assert table[["seed_a", "seed_b"]].to_numpy().tolist() == [[1, 2], [1, 3], [2, 3]]
    assert (table["disagreement"] == 0).all(), "all of them follow the rule"
    assert (table["pattern_divergence"] > 0.001).all(), "and attend differently"
    assert table["focus_difference"].iloc[1] == table["focus_difference"].max()


def test_a_lone_finite_seed_has_no_pair(tmp_path) -> None:
    config = planted.settings()
    good = planted.perfect(config)
    run = planted.write(tmp_path / "run", config, [good, planted.broken(good)])
    assert analyses.compute("agreement", run).empty
    summary = analyses.compute("summary", run).set_index("measure")
    assert summary.loc["disagreement_median", ["estimate", "ci_low"]].isna().all()
    assert summary.loc["disagreement_median", "method"] == "none: needs 2 seeds"
    assert summary.loc["divergence_disagreement_correlation", "method"] == "none: all pairs are equal"


# --- estimates over pairs --------------------------------------------------------------------------------


def of_seeds(n: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Two numbers a pair that both depend on how far apart the seeds are."""
    place = rng.normal(size=n)
    a, b = np.triu_indices(n, 1)
    apart = np.abs(place[a] - place[b])
    return np.round(apart, 1), apart + noise * rng.normal(size=a.size), a + 11, b + 11


def test_estimates_over_pairs_are_the_plain_ones() -> None:
    x, y, a, b = of_seeds(13, 1.0, np.random.default_rng(5))
    found = pairs.correlation(x, y, a, b)
    assert found.estimate == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
    assert found.n_seeds == 13
    assert pairs.median(x, a, b).estimate == np.median(x)
    assert pairs.median(x[:-1], a[:-1], b[:-1]).estimate == np.median(x[:-1])
    gaps = np.where(np.arange(x.size) % 7 == 3, np.nan, y)
    known = np.isfinite(gaps)
    assert pairs.correlation(x, gaps, a, b).estimate == pytest.approx(stats.spearmanr(x[known], y[known]).statistic)
    assert pairs.median(gaps, a, b).estimate == np.median(y[known])


def test_a_resample_is_that_of_seeds_written_out() -> None:
    """Each statistic with weights is the statistic of the list in which a pair stands so often."""
    x, y, a, b = of_seeds(7, 0.5, np.random.default_rng(3))
    drawn = np.array([2, 0, 1, 3, 0, 0, 1])
    pair = np.repeat(np.arange(x.size), drawn[a - 11] * drawn[b - 11])
    weights = (drawn[a - 11] * drawn[b - 11]).astype(float)[None]
    group = np.unique(x, return_inverse=True)[1]
    ranks = pairs._mid_ranks(group, weights)[0]
    np.testing.assert_allclose(ranks[pair] + 0.5, stats.rankdata(x[pair]))
    order = np.argsort(y)
    assert pairs._weighted_median(y[order], weights[:, order])[0] == np.median(y[pair])


def test_the_interval_is_that_of_seeds_drawn_anew() -> None:
    """Each resample as a list of pairs: every draw of one seed with every draw of another."""
    x, _, a, b = of_seeds(7, 0.5, np.random.default_rng(3))
    value = {frozenset(pair): each for *pair, each in zip(a, b, x, strict=True)}
    drawn = np.random.default_rng(0).multinomial(7, np.full(7, 1 / 7), size=pairs.RESAMPLES)
    medians = []
    for counts in drawn:
        seeds = np.repeat(np.arange(11, 18), counts)
        medians.append(np.median([value[frozenset(p)] for p in itertools.combinations(seeds, 2) if p[0] != p[1]]))
    found = pairs.median(x, a, b)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(np.quantile(medians, [0.025, 0.975])), rel=1e-12)


def test_intervals_over_pairs_are_wider_than_if_pairs_were_independent() -> None:
    x, y, a, b = of_seeds(31, 0.3, np.random.default_rng(2))
    found = pairs.correlation(x, y, a, b)
    assert found.ci_low < found.estimate < found.ci_high
    assert found.method == "bootstrap over seeds of pairs"
    naive = stats.median_abs_deviation(x) / math.sqrt(x.size)
    middle = pairs.median(x, a, b)
    assert middle.ci_high - middle.ci_low > 4 * naive
    again = pairs.correlation(x, y, a, b)
    assert again == found


@pytest.mark.parametrize("n", [2, 5])
def test_few_seeds_have_no_interval(n) -> None:
    x, _, a, b = of_seeds(n, 0.3, np.random.default_rng(2))
    found = pairs.median(x, a, b)
    assert found.estimate == np.median(x)
    assert math.isnan(found.ci_low)
    assert found.method == "none: needs 6 seeds"
