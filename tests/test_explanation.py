"""The pages on attention as an explanation: what they say is what the tables hold."""

from __future__ import annotations

import numpy as np
import planted
import pytest

import analyses
from attnprobe.population import Population
from reports import agreement, faithfulness
from reports.figure import Material
from reports.pages import attributions, explanation
from reports.words import number, percent, places, probability


def material(path, networks, **sizes) -> Material:
    config = planted.settings(**sizes)
    run = planted.write(path, config, [make(config) for make in networks])
    analyses.write(run)
    return Material(run)


def looking(score: float):
    """A perfect network whose targets draw more or less attention."""
    return lambda config: planted.perfect(config, score=score)


@pytest.fixture(scope="module")
def alike(tmp_path_factory) -> Material:
    """Three perfect networks that attend differently, and one that failed and attends as nobody else."""
    networks = [looking(1.5), looking(0.5), looking(3.0), lambda config: planted.constant(config)]
    return material(tmp_path_factory.mktemp("alike") / "run", networks)


def test_the_pair_is_the_sound_one_that_differs_most(alike) -> None:
    pair = agreement.farthest(alike)
    focus = alike["seeds"].set_index("seed")["focus"]
    assert (pair["low"], pair["high"]) == (1, 2)
    assert pair["focus_low"] == focus[1] < pair["focus_high"] == focus[2]
    assert pair["disagreement"] == 0
    assert agreement.data_patterns(alike)["seed"].unique().tolist() == [1, 2]
    ringed = agreement.data_pairs(alike).query("ringed")
    assert ringed[["seed_a", "seed_b"]].to_numpy().tolist() == [[1, 2]]
    assert agreement.data_pairs(alike)["failed"].tolist() == [False, False, True, False, True, True]


def test_the_finding_says_so(alike) -> None:
    focus = alike["seeds"].set_index("seed")["focus"]
    differ = alike["agreement"]["disagreement"].median()
    assert explanation.finding(alike) == (
        f"With {percent(focus[1])} and {percent(focus[2])} of attention on 3s and 1s, seeds 1 and 2 answer every input "
        f"alike; the median of 6 pairs disagrees with probability {probability(differ)}."
    )
    label = Population.of(alike.config.task)
    assert differ == pytest.approx(label.share(label.label) / 2), "3 of 6 pairs hold the seed that says no"


def test_a_pair_that_differs_is_not_called_the_same(tmp_path) -> None:
    """Both are sound; one says no beyond a second threshold."""
    two = lambda config: planted.perfect(config, score=2.0, units=planted.TWO_THRESHOLDS)  # noqa: E731
    found = material(tmp_path / "run", [looking(1.0), two])
    (pair,) = found["agreement"].to_dict("records")
    assert 0 < pair["disagreement"] < 0.1
    said = explanation.finding(found)
    assert f"seeds 0 and 1 disagree with probability {probability(pair['disagreement'])}" in said
    assert "every input" not in said
    assert "their rules lie" not in agreement.PATTERNS.caption(found), "one of them has no rule"


def test_without_two_sound_seeds_there_is_no_pair(tmp_path) -> None:
    found = material(tmp_path / "run", [looking(1.0), lambda config: planted.constant(config)])
    assert agreement.farthest(found) is None
    assert (
        explanation.finding(found)
        == "Fewer than two seeds are finite and did not fail, so there are no two ways of attending to compare."
    )
    assert agreement.PATTERNS.caption(found) == "Of 2 seeds there are no two that are finite and did not fail."
    assert "ring" not in agreement.PAIRS.caption(found)


def test_captions_hold_the_medians_of_the_table(small_run) -> None:
    found = Material(small_run)
    table = small_run.table("faithfulness").pivot(index="seed", columns="measure", values="value")
    assert f"Shapley value {places(table['tau_shapley'].median())}" in faithfulness.TAUS.caption(found)
    assert percent(table["permutation_flips"].median()) in faithfulness.FLIPS.caption(found)
    said = attributions.finding(found)
    for name in ("tau_leave_one_out", "tau_shapley", "tau_leave_one_out_shapley"):
        assert places(table[name].median()) in said
    divergence = small_run.table("agreement")["pattern_divergence"]
    assert number(np.median(divergence)) in agreement.PAIRS.caption(found)


def test_one_position_is_said_to_have_no_order(tmp_path) -> None:
    found = material(tmp_path / "run", [looking(1.0), looking(2.0)], length=1)
    assert attributions.finding(found) == "A sequence of one digit has one position, so there is nothing to rank."
    assert faithfulness.TAUS.caption(found).startswith("No seed orders positions")
    assert "swaps" not in faithfulness.FLIPS.caption(found)
