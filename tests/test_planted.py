"""Networks that were built by hand are found as they were built, and what cannot matter does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import planted
import pytest
from bare import BareRun, stack, table
from exhaustive import Inputs
from hypothesis import given
from hypothesis import strategies as st

import analyses

PERFECT, TWO, CONSTANT, BROKEN, INFINITE = range(5)
THRESHOLD = 1 / 16


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return Inputs.all(5, 7, 3, 1)


def of(run, table: str, seed: int) -> pd.DataFrame:
    frame = run.table(table)
    return frame[frame["seed"] == seed].reset_index(drop=True)


def seed_row(run, seed: int) -> dict:
    return of(run, "seeds", seed).iloc[0].to_dict()


def test_a_perfect_network_is_certified(planted_run, inputs) -> None:
    row = seed_row(planted_run, PERFECT)
    assert (row["accuracy"], row["error_probability"]) == (1, 0)
    assert row["certified"]
    assert not row["failed"]
    assert row["n_thresholds"] == 1
    weight = np.exp(1.5) * (inputs.counts[:, 3] + inputs.counts[:, 1])
    others = inputs.counts[:, [0, 2, 4]].sum(axis=1)
    assert row["focus"] == pytest.approx(inputs.mean(weight / (weight + others)), rel=1e-12)


def test_its_rule_and_threshold_are_the_planted_ones(planted_run) -> None:
    digits = of(planted_run, "digits", PERFECT)
    other = -THRESHOLD / (1 - THRESHOLD) * np.exp(-1.5)
    expected = [other, -(1 + THRESHOLD) / (1 - THRESHOLD), other, 1, other]
    np.testing.assert_allclose(digits["rule_weight"], expected, rtol=1e-14)
    np.testing.assert_array_equal(digits["value_gauged"], [0, -1, 0, 1, 0])
    np.testing.assert_array_equal(digits["score"], [0, 1.5, 0, 1.5, 0])
    expected = pd.DataFrame(
        {
            "seed": [PERFECT],
            "index": [0],
            "threshold": [THRESHOLD],
            "slope": [4.0],
            "direction": [1],
            "reachable": [True],
            "threshold_gauged": [THRESHOLD],
            "slope_gauged": [4.0],
        }
    )
    pd.testing.assert_frame_equal(of(planted_run, "thresholds", PERFECT), expected)


def test_a_readout_with_two_thresholds(planted_run, inputs) -> None:
    found = of(planted_run, "thresholds", TWO)
    assert found["threshold"].tolist() == [1 / 16, 15 / 16]
    assert found["slope"].tolist() == [4, -4]
    assert found["direction"].tolist() == [1, -1]
    assert found["index"].tolist() == [0, 1]
    assert of(planted_run, "digits", TWO)["rule_weight"].isna().all()
    row = seed_row(planted_run, TWO)
    assert row["n_thresholds"] == 2
    assert not row["certified"]
    attention = inputs.counts * np.exp([0, 1.5, 0, 1.5, 0])
    z = (attention[:, 3] - attention[:, 1]) / attention.sum(axis=1)
    assert row["error_probability"] == pytest.approx(inputs.share(z >= 15 / 16), rel=1e-12)
    assert 0 < row["error_probability"] < 0.01


def test_a_network_that_always_says_no(planted_run, inputs) -> None:
    row = seed_row(planted_run, CONSTANT)
    summary = planted_run.table("summary").set_index("measure")
    assert row["error_probability"] == pytest.approx(inputs.share(inputs.label), rel=1e-14)
    assert row["accuracy"] == summary.loc["accuracy_always_no", "estimate"]
    assert row["loss"] == pytest.approx(np.log1p(np.exp(-1)) + inputs.share(inputs.label), rel=1e-12)
    assert row["n_thresholds"] == 0
    assert row["failed"]
    assert of(planted_run, "thresholds", CONSTANT).empty
    failures = of(planted_run, "failures", CONSTANT)
    wrong = failures["n3"] > failures["n1"]
    np.testing.assert_array_equal(failures["error_probability"], failures["probability"].where(wrong, 0))


@pytest.mark.parametrize("seed", [BROKEN, INFINITE])
def test_a_seed_that_is_not_finite_is_a_row(planted_run, inputs, seed) -> None:
    row = seed_row(planted_run, seed)
    assert row["status"] == "nonfinite"
    assert row["steps"] == 5
    assert row["error_probability"] == pytest.approx(inputs.share(inputs.label), rel=1e-14), "p > 0.5 says no"
    assert row["failed"]
    assert not row["certified"]
    assert row["n_thresholds"] == 0
    assert np.isnan([row["loss"], row["focus"], row["attention_entropy"]]).all()
    for name in ("digits", "failures", "readout", "embedding", "embedding_pairs", "attention_maps"):
        assert len(of(planted_run, name, seed)) == len(of(planted_run, name, PERFECT)), name
    assert planted_run.table("seeds")["rank"].tolist()[:3] == [1, 2, 3]


def test_a_seed_that_is_not_finite_leaves_the_others_alone(planted_run, tmp_path) -> None:
    """Each value of the other seeds is what it is without that seed."""
    config = planted_run.config
    good = planted.perfect(config)
    networks = [good, planted.perfect(config, units=planted.TWO_THRESHOLDS), planted.constant(config)]
    alone = planted.write(tmp_path / "run", config, networks)
    for name in ("seeds", "digits", "thresholds", "readout", "failures", "embedding", "embedding_pairs", "history"):
        together = planted_run.table(name)
        together = together[together["seed"] < BROKEN].reset_index(drop=True)
        pd.testing.assert_frame_equal(together, analyses.compute(name, alone), rtol=1e-13, obj=name)


def test_rates_keep_failed_seeds_in_the_denominator(planted_run) -> None:
    summary = planted_run.table("summary").set_index("measure")
    shares = {name: summary.loc[name, "estimate"] for name in summary.index if name.startswith("share_")}
    assert shares == {
        "share_certified": 1 / 5,
        "share_above_0.999": 1 / 5 + (seed_row(planted_run, TWO)["accuracy"] > 0.999) / 5,
        "share_above_0.99": 2 / 5,
        "share_failed": 3 / 5,
        "share_nonfinite": 2 / 5,
        "share_one_threshold": 1 / 5,
        "share_focus_above_chance": 3 / 5,
        "share_separated": pytest.approx(float("nan"), nan_ok=True),  # ten choices have no p of 0.05
        "share_rules_faithful": 3 / 5,
        "share_uniform_above_always_no": 2 / 5,
        "share_only_targets_right": 1 / 5,
        "share_substitutions_as_label": 1 / 5,
    }
    assert (summary.loc[list(shares), "n_seeds"] == 5).all()
    assert summary.loc["focus_mean", "n_seeds"] == 3


def rotations(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    return np.stack([np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(n)])


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 5]))
def test_turning_embeddings_changes_no_answer_and_no_aligned_coordinate(seed, size) -> None:
    rng = np.random.default_rng(seed)
    config = planted.settings(hidden=2).model_copy(update={"embed_dim": size, "att_dim": 3})
    shapes = {
        "query": (1, 3),
        "embed.weight": (5, size),
        "WK.weight": (3, size),
        "WK.bias": (3,),
        "WV.weight": (1, size),
        "WV.bias": (1,),
        "nn.0.weight": (2, 1),
        "nn.0.bias": (2,),
        "nn.2.weight": (1, 2),
        "nn.2.bias": (1,),
    }
    before = {name: rng.normal(size=(7, *shape)) for name, shape in shapes.items()}
    common = 3 * rng.normal(size=(5, size))  # seeds hold about the same geometry, so that alignment has one answer
    turn = rotations(rng, 7, size)
    before["embed.weight"] = (common + 0.3 * before["embed.weight"]) @ rotations(rng, 7, size)
    after = before | {name: before[name] @ turn for name in ("embed.weight", "WK.weight", "WV.weight")}
    one, other = table("embedding", BareRun(config, before)), table("embedding", BareRun(config, after))
    pd.testing.assert_frame_equal(one, other, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(BareRun(config, before).circuit.scores, BareRun(config, after).circuit.scores, atol=1e-9)


def test_the_same_geometry_in_other_axes_aligns_perfectly() -> None:
    rng = np.random.default_rng(17)
    config = planted.settings()
    before = stack([planted.random(config, rng) for _ in range(7)])
    plane = np.zeros((5, 5))
    plane[:, :2] = rng.normal(size=(5, 2))
    before["embed.weight"] = plane @ rotations(rng, 7, 5) + rng.normal(size=(7, 1, 5))  # turned, and moved
    found = table("embedding", BareRun(config, before))
    for _, digit in found.groupby("digit"):
        np.testing.assert_allclose(np.ptp(digit[["aligned_1", "aligned_2"]], axis=0), 0, atol=1e-9)
    aligned = found.loc[found["seed"] == 0, ["aligned_1", "aligned_2"]].to_numpy()
    distances = np.linalg.norm(aligned[:, None] - aligned[None], axis=2)
    np.testing.assert_allclose(distances, np.linalg.norm(plane[:, None] - plane[None], axis=2), atol=1e-9)
    assert np.ptp(aligned) > 1


@pytest.mark.parametrize("seed", range(11))
def test_weights_that_are_not_finite_or_huge_raise_no_warning(seed, tmp_path) -> None:
    """Some weights of one kind are replaced: what a run that diverged can look like when it was stopped."""
    rng = np.random.default_rng(seed)
    config = planted.settings(hidden=3)
    networks = [planted.random(config, rng) for _ in range(3)]
    for weights in networks[1:]:
        name = rng.choice(sorted(weights))
        extreme = rng.choice(np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0], dtype=np.float32))
        weights[name][rng.random(weights[name].shape) < 0.5] = extreme
    run = planted.write(tmp_path / "run", config, networks, seeds=[2, 3, 5])
    assert analyses.write(run) == analyses.names()
    assert run.table("seeds")["seed"].tolist() == [2, 3, 5]
    assert np.isfinite(run.table("seeds")[["accuracy", "error_probability"]]).all(axis=None)


def test_focus_that_cannot_differ_from_chance_is_not_above_it(tmp_path) -> None:
    """With one position, whatever the scores: here some seeds are above it by the last bit of a sum."""
    config, rng = planted.settings(length=1), np.random.default_rng(3)
    run = planted.write(tmp_path / "run", config, [planted.random(config, rng) for _ in range(40)])
    analyses.write(run)
    summary = run.table("summary").set_index("measure")
    assert summary.loc["share_focus_above_chance", "estimate"] == 0
