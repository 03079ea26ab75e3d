"""What snapshots say of training: against walks through all inputs, plain loops, and sequences planted by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import planted
import pytest
import safetensors.numpy
from exhaustive import Inputs, Network
from hypothesis import given, settings
from hypothesis import strategies as st

import analyses
import attnprobe as ap
from analyses.survival import curve
from attnprobe.separator import hard_margin

TABLES = ("dynamics", "milestones", "survival", "precedence", "precedence_shares", "dynamics_spread")
EVENTS = ["accuracy_0.99", "accuracy_0.999", "certified", "focus", "value_split"]


@pytest.fixture(scope="module", params=["small_run", "ten digits"])
def case(request, tmp_path_factory):
    """A run, all of its inputs, and the weights of each seed and snapshot, from the shard files alone."""
    if request.param == "small_run":
        run = request.getfixturevalue("small_run")
    else:
        config = ap.Config(hidden=23, steps=200, batch_size=101, lr=0.01, history=5, snapshots=4)
        run = ap.train(config, [2, 16], tmp_path_factory.mktemp("runs") / "ten")
        analyses.write(run, [*TABLES, "summary"])
    more, fewer = run.config.task.targets
    kept = {}
    for path in (run.path / "shards").glob("*.safetensors"):
        tensors = safetensors.numpy.load_file(path)
        for i, seed in enumerate(tensors["seed"].tolist()):
            for k, step in enumerate(tensors["snapshot.step"].tolist()):
                kept[seed, step] = {
                    name.removeprefix("snapshot."): w[i, k].astype(np.float64)
                    for name, w in tensors.items()
                    if name.startswith("snapshot.") and name != "snapshot.step"
                }
    return run, Inputs.all(run.config.vocab_size, run.config.length, more, fewer), dict(sorted(kept.items()))


def degrees(network: Network, inputs: Inputs, task: ap.Task) -> float:
    """The angle of the network's only rule to that of the largest margin, by the arc cosine."""
    reachable = network.reachable()
    if len(reachable) != 1:
        return math.nan
    (t,) = reachable
    rising = network.logit(np.array([t + 1e-6]))[0] > 0
    b = np.exp(network.scores - network.scores.max()) * (network.values - t) * (1 if rising else -1)
    best = hard_margin(task)
    return math.degrees(math.acos(b @ best / math.sqrt((b @ b) * (best @ best))))


def test_dynamics(case) -> None:
    run, inputs, kept = case
    a, b = inputs.more, inputs.fewer
    others = [d for d in range(inputs.vocab_size) if d not in (a, b)]
    history = run.history().set_index(["seed", "step"])["loss"]
    rows = []
    for (seed, step), w in kept.items():
        network = Network.of(w)
        wrong = (network.logits(inputs.sequences) > 0) != inputs.label
        attention = network.attention(inputs.sequences) * np.isin(inputs.sequences, [a, b])
        record = min((s for _, s in history.index if s >= step))
        v, s = network.values, network.scores
        rows.append(
            {
                "seed": seed,
                "step": step,
                "loss": history[seed, record] if step else math.nan,
                "accuracy": inputs.share(~wrong),
                "focus": inputs.mean(attention.sum(axis=1)),
                "score_gap": (s[a] + s[b]) / 2 - sum(s[d] for d in others) / len(others),
                "value_gap": abs(v[a] - v[b]) / (max(v) - min(v)),
                "error_probability": inputs.share(wrong),
                "n_thresholds": len(network.reachable()),
                "rule_angle": degrees(network, inputs, run.config.task),
                "certified": not wrong.any(),
                "finite": True,
            }
        )
    expected = pd.DataFrame(rows)
    found = run.table("dynamics")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, atol=1e-11)
    assert found["step"].nunique() == run.config.snapshot_steps.size > 2
    assert found["rule_angle"].isna().nunique() == 2, "some have a rule, some do not"
    assert found["error_probability"].nunique() > len(found) / 3


def test_the_last_snapshot_is_the_trained_seed(small_run) -> None:
    last = small_run.table("dynamics").groupby("seed").last().reset_index()
    columns = ["seed", "accuracy", "error_probability", "certified", "focus", "n_thresholds"]
    pd.testing.assert_frame_equal(last[columns], small_run.table("seeds")[columns], rtol=1e-14)


# --- milestones and what came first -----------------------------------------------------------------------


def slow_milestones(dynamics: pd.DataFrame) -> pd.DataFrame:
    """Seed by seed and snapshot by snapshot, of those that are finite."""
    rows = []
    for seed, of_seed in dynamics.groupby("seed"):
        looks = [row for row in of_seed.to_dict("records") if row["finite"]]
        for event in EVENTS:
            holds = [slow_holds(event, looks, row) for row in looks]
            steps = [row["step"] for row in looks]
            if any(holds):
                first = holds.index(True)
                before = steps[first - 1] if first else 0
                rows.append((seed, event, steps[first], True, before, all(holds[first:])))
            else:
                last = steps[-1] if steps else 0
                rows.append((seed, event, last, False, last, False))
    return pd.DataFrame(rows, columns=["seed", "event", "step", "reached", "since", "kept"])


def slow_holds(event: str, looks: list[dict], row: dict, fraction: float = 0.5) -> bool:
    if event.startswith("accuracy"):
        return row["accuracy"] > float(event.removeprefix("accuracy_"))
    if event == "certified":
        return row["error_probability"] == 0
    name = {"focus": "focus", "value_split": "value_gap"}[event]
    start, end = looks[0][name], looks[-1][name]
    if not abs(end - start) > 1e-9:
        return False
    return (
        row[name] >= start + fraction * (end - start) if end > start else row[name] <= start + fraction * (end - start)
    )


def test_milestones(case) -> None:
    run, _, _ = case
    expected = slow_milestones(run.table("dynamics"))
    pd.testing.assert_frame_equal(run.table("milestones"), expected, check_dtype=False)


def test_precedence(case) -> None:
    run, _, _ = case
    rows = []
    for seed, of_seed in run.table("dynamics").groupby("seed"):
        looks = of_seed.to_dict("records")
        for fraction in (0.25, 0.5, 0.75):
            at = {}
            for event in ("value_split", "focus"):
                steps = [row["step"] for row in looks if slow_holds(event, looks, row, fraction)]
                at[event] = min(steps) if steps else math.nan
            v, f = at["value_split"], at["focus"]
            first = "values" if v < f else "attention" if f < v else "together" if v == f else "none"
            rows.append((seed, fraction, v, f, first))
    expected = pd.DataFrame(rows, columns=["seed", "fraction", "values_step", "attention_step", "first"])
    found = run.table("precedence")
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected, check_dtype=False)
    counts = run.table("precedence_shares").set_index(["fraction", "first"])["n_seeds"]
    for (fraction, first), n in counts.items():
        assert n == ((expected["fraction"] == fraction) & (expected["first"] == first)).sum()
    assert counts.sum() == len(expected)


SETTINGS = planted.settings(steps=80, snapshots=8)  # kept at 0, 12, 16, 24, 32, 48, 64 and 80


def partly(score: float, split: float) -> planted.Weights:
    """Attention on the targets that grows with ``score``; their values a share ``split`` of the others' range apart."""
    return planted.network(SETTINGS, [0, score, 0, score, 0], [1, -split, -1, split, 0])


def sequence(*networks: planted.Weights) -> list[planted.Weights]:
    return list(networks)


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> ap.Run:
    """Six seeds whose way is known."""
    good, bad = planted.perfect(SETTINGS), planted.constant(SETTINGS)
    dead = planted.broken(good)
    low, values, both, attention = partly(0, 0.125), partly(0, 0.75), partly(1.5, 0.75), partly(1.5, 0.125)
    ways = {
        2: sequence(low, low, values, values, both, good, bad, good),  # values first; certified, lost, certified again
        3: sequence(low, attention, attention, both, both, both, both, both),  # attention first
        5: sequence(low, low, low, both, both, both, both, both),  # together
        7: sequence(good, good, good, good, good, good, good, good),  # certified from the start, nothing moves
        11: sequence(low, low, values, values, dead, dead, dead, dead),  # stopped between steps 24 and 32
        13: sequence(dead, dead, dead, dead, dead, dead, dead, dead),
    }
    path = tmp_path_factory.mktemp("runs") / "story"
    run = planted.write(path, SETTINGS, [way[-1] for way in ways.values()], list(ways), list(ways.values()))
    analyses.write(run)
    return run


def test_the_planted_steps() -> None:
    assert SETTINGS.snapshot_steps.tolist() == [0, 12, 16, 24, 32, 48, 64, 80]


def test_planted_gaps(story) -> None:
    dynamics = story.table("dynamics").set_index(["seed", "step"])
    assert dynamics.loc[3, "value_gap"].tolist() == [0.125] * 3 + [0.75] * 5
    assert dynamics.loc[3, "score_gap"].tolist() == [0.0] + [1.5] * 7
    assert dynamics.loc[(3, 0), "focus"] == pytest.approx(2 / 5, rel=1e-13)
    assert dynamics.loc[7, "value_gap"].tolist() == [1.0] * 8
    assert dynamics.loc[11, "finite"].tolist() == [True] * 4 + [False] * 4
    stopped = dynamics.loc[(11, 32)]
    assert stopped[["focus", "score_gap", "value_gap", "rule_angle", "loss"]].isna().all()
    assert stopped["accuracy"] == story.table("seeds").set_index("seed").loc[11, "accuracy"]  # it answers "no"
    assert not stopped["certified"]


def test_planted_milestones(story) -> None:
    found = story.table("milestones")
    pd.testing.assert_frame_equal(found, slow_milestones(story.table("dynamics")), check_dtype=False)
    at = found.set_index(["seed", "event"])
    columns = ["step", "reached", "since", "kept"]
    assert at.loc[(2, "value_split"), columns].tolist() == [16, True, 12, True]
    assert at.loc[(2, "focus"), columns].tolist() == [32, True, 24, True]
    assert at.loc[(2, "certified"), columns].tolist() == [48, True, 32, False]  # lost at step 64
    assert at.loc[(3, "focus"), columns].tolist() == [12, True, 0, True]
    assert at.loc[(3, "value_split"), columns].tolist() == [24, True, 16, True]
    assert at.loc[(3, "certified"), columns].tolist() == [80, False, 80, False]
    assert at.loc[(7, "certified"), columns].tolist() == [0, True, 0, True]
    assert at.loc[(7, "focus"), columns].tolist() == [80, False, 80, False]  # it never moves
    assert at.loc[(11, "value_split"), columns].tolist() == [16, True, 12, True]
    assert at.loc[(11, "certified"), columns].tolist() == [24, False, 24, False]  # last seen finite
    assert at.loc[(13, "certified"), columns].tolist() == [0, False, 0, False]


def test_planted_precedence(story) -> None:
    found = story.table("precedence")
    half = found[found["fraction"] == 0.5].set_index("seed")["first"].to_dict()
    assert half == {2: "values", 3: "attention", 5: "together", 7: "none", 11: "none", 13: "none"}
    summary = story.table("summary").set_index("measure")
    for measure in ("share_values_first", "share_attention_first", "share_values_with_attention"):
        assert summary.loc[measure, "estimate"] == 1 / 6
        assert summary.loc[measure, "n_seeds"] == 6


def test_planted_survival(story) -> None:
    found = story.table("survival")
    certified = found[found["event"] == "certified"].reset_index(drop=True)
    assert certified["step"].tolist() == SETTINGS.snapshot_steps.tolist()
    assert certified["n_at_risk"].tolist() == [6, 4, 4, 4, 3, 3, 2, 2]  # 7 has it at 0, 13 leaves then, 11 after 24
    assert certified["n_events"].tolist() == [1, 0, 0, 0, 0, 1, 0, 0]
    np.testing.assert_allclose(certified["surviving"], [5 / 6] * 5 + [5 / 6 * 2 / 3] * 3, rtol=1e-14)
    summary = story.table("summary").set_index("measure")
    assert math.isnan(summary.loc["steps_to_certified_median", "estimate"])
    assert summary.loc["steps_to_certified_median", "n_seeds"] == 6


# --- Kaplan and Meier -------------------------------------------------------------------------------------


def slow_curve(time, reached, steps):
    """The product over snapshots in whole numbers, and Greenwood's interval on the scale of log(-log S)."""
    found = []
    surviving, variance = 1.0, 0.0
    for step in steps:
        risk = sum(t >= step for t in time)
        events = sum(t == step and r for t, r in zip(time, reached, strict=True))
        if events:
            surviving *= 1 - events / risk
            variance += events / (risk * (risk - events)) if risk > events else math.inf
        low = high = math.nan
        if 0 < surviving < 1:
            half = 1.959963984540054 * math.sqrt(variance) / abs(math.log(surviving))
            low, high = surviving ** math.exp(half), surviving ** math.exp(-half)
        found.append((risk, events, surviving, low, high))
    return np.array(found, dtype=float)


@given(st.lists(st.tuples(st.sampled_from([0, 1, 3, 7, 20]), st.booleans()), min_size=1, max_size=30))
@settings(max_examples=150)
def test_kaplan_meier_is_the_product_over_snapshots(seeds) -> None:
    time, reached = (np.array(column) for column in zip(*seeds, strict=True))
    steps = np.array([0, 1, 2, 3, 7, 20])
    found = curve(time, reached, steps)
    expected = slow_curve(time.tolist(), reached.tolist(), steps)
    columns = np.column_stack([found[name] for name in ("n_at_risk", "n_events", "surviving", "ci_low", "ci_high")])
    np.testing.assert_allclose(columns, expected, rtol=1e-9, atol=1e-12)


def test_medians_and_their_intervals(case) -> None:
    run, _, _ = case
    summary = run.table("summary").set_index("measure")
    for event, rows in run.table("survival").groupby("event"):
        found = summary.loc[f"steps_to_{event}_median"]
        for end, column in (("estimate", "surviving"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
            below = rows.loc[(rows[column] <= 0.5) | ((rows["surviving"] == 0) & rows["ci_low"].notna().any()), "step"]
            expected = below.min() if len(below) else math.nan
            np.testing.assert_equal(found[end], expected)


# --- runs with little to look at --------------------------------------------------------------------------


def test_without_snapshots_the_tables_are_empty_and_of_their_dtypes(planted_run, small_run) -> None:
    for name in TABLES:
        empty, full = planted_run.table(name), small_run.table(name)
        assert len(empty) == 0
        assert empty.dtypes.to_dict() == full.dtypes.to_dict(), name
    assert not planted_run.table("summary")["measure"].str.contains("steps_to|_first").any()


@pytest.mark.parametrize(("steps", "kept"), [(0, 1), (0, 40), (11, 1)])
def test_one_snapshot(tmp_path, steps, kept) -> None:
    config = planted.settings(steps=steps, snapshots=kept)
    networks = [planted.perfect(config), planted.constant(config)]
    run = planted.write(tmp_path / "run", config, networks, [3, 5], [[network] for network in networks])
    assert analyses.write(run) == analyses.names()
    dynamics = run.table("dynamics")
    assert dynamics["step"].tolist() == [steps, steps]
    assert dynamics["certified"].tolist() == [True, False]
    assert dynamics["loss"].isna().all() == (steps == 0)
    at = run.table("milestones").set_index(["seed", "event"])[["step", "reached", "since", "kept"]]
    assert at.loc[(3, "certified")].tolist() == [steps, True, 0, True]
    assert at.loc[(5, "certified")].tolist() == [steps, False, steps, False]
    assert not at.xs("focus", level="event")["reached"].any()
    assert (run.table("precedence")["first"] == "none").all()
    survival = run.table("survival")
    assert survival["surviving"].tolist() == [0.5] * 3
    assert run.table("summary").set_index("measure").loc["steps_to_certified_median", "estimate"] == steps


def test_two_digits_leave_no_distractors(tmp_path) -> None:
    config = ap.Config(
        vocab_size=2, length=5, rule="n1 > n0", steps=9, batch_size=7, hidden=3, embed_dim=2, att_dim=2, snapshots=3
    )
    run = ap.train(config, [2, 3, 5], tmp_path / "run")
    analyses.write(run)
    dynamics = run.table("dynamics")
    assert dynamics["score_gap"].isna().all()
    np.testing.assert_allclose(dynamics["value_gap"], 1, rtol=1e-14)
    np.testing.assert_allclose(dynamics["focus"], 1, rtol=1e-12)
    assert (run.table("precedence")["first"] == "none").all()
