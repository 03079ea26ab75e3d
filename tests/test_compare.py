"""Comparing runs: what is paired, what is not compared, what is said, on planted runs and runs at the edges."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import planted
import pytest
from edges import TINY
from folders import refusal

import analyses
import attnprobe as ap
from analyses import comparison
from analyses.comparison_columns import COMPARISON, OVERVIEW, SEEDS, SETTINGS
from analyses.measures import MEASURES, TABLES
from analyses.verdicts import verdict
from attnprobe import schedule, stats

Make = Callable[..., ap.Run]
NUMBERS = [column.name for column in COMPARISON.columns if column.dtype == "float64"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """``made(name, networks, seeds=..., **settings)``: a run with every table, in a folder of its own."""

    def make(name: str, networks, seeds=None, **settings) -> ap.Run:
        path = tmp_path_factory.mktemp("runs") / name
        config = planted.settings(**settings)
        ready = [network(config) if callable(network) else network for network in networks]
        ways = [[planted.constant(config)] * 2 + [network] * (config.snapshot_steps.size - 2) for network in ready]
        run = planted.write(path, config, ready, seeds, ways if config.snapshots else ())
        analyses.write(run, TABLES)
        return run

    return make


def broken(config: ap.Config) -> planted.Weights:
    return planted.broken(planted.perfect(config))


GOOD, BAD = planted.perfect, planted.constant


@pytest.fixture(scope="module")
def pair(made: Make) -> tuple[ap.Run, ap.Run]:
    """Seeds 0..11 of which 3 are right, and seeds 4..11 of which 6 are, one of the others not finite."""
    first = made("first", [GOOD] * 3 + [BAD] * 9)
    return first, made("other", [GOOD] * 6 + [BAD, broken], range(4, 12), lr=0.01)


@pytest.fixture(scope="module")
def compared(pair: tuple[ap.Run, ap.Run]) -> dict[str, pd.DataFrame]:
    return comparison.tables(pair)


def by_measure(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("measure")


# --- the tables ---------------------------------------------------------------------------------------


def test_the_tables_keep_their_promises(compared) -> None:
    for schema in (COMPARISON, OVERVIEW, SEEDS, SETTINGS):
        frame = compared[schema.name]
        assert list(frame.columns) == schema.names
        for column in schema.columns:
            column.check(frame[column.name], schema.name)
        assert not frame.duplicated(list(schema.key)).any()
    SEEDS.table(compared[SEEDS.name])


def test_estimates_are_those_of_the_runs_own_summaries(small_run, planted_run) -> None:
    rows = by_measure(analyses.compare([small_run, planted_run]))
    first, other = (run.table("summary").set_index("measure") for run in (small_run, planted_run))
    known = [name for name in rows.index if name in first.index]
    assert len(known) == 10
    for name in known:
        for run, table in (("run", other), ("baseline", first)):
            if name != "loss_median":  # there a seed that is not finite is worse than any, the summary leaves it out
                assert rows.loc[name, f"estimate_{run}"] == pytest.approx(table.loc[name, "estimate"], nan_ok=True), (
                    name
                )
                assert rows.loc[name, f"{run}_low"] == pytest.approx(table.loc[name, "ci_low"], nan_ok=True), name


def test_differences_follow_from_the_estimates(compared) -> None:
    rows = compared["comparison"]
    assert rows["difference"].dropna().size >= 6
    whole = rows["difference"].notna()
    assert np.allclose((rows["estimate_run"] - rows["estimate_baseline"])[whole], rows["difference"][whole])
    assert np.allclose(rows["cliffs_delta"], 2 * rows["probability_higher"] - 1, equal_nan=True)
    lower = rows[rows["better"] == -1]
    assert np.allclose(lower["improvement"], 1 - lower["probability_higher"], equal_nan=True)
    assert np.allclose(lower["improvement_low"], 1 - lower["probability_high"], equal_nan=True)
    assert rows.loc[rows["better"] == 0, "improvement"].isna().all()
    shares = rows[rows["kind"] == "share"]
    assert np.allclose(shares["cliffs_delta"], shares["difference"], equal_nan=True)


def test_seeds_that_are_not_finite_stay_in_the_denominators(compared) -> None:
    rows = by_measure(compared["comparison"])
    assert rows.loc["share_certified", "estimate_run"] == 6 / 8
    assert rows.loc["share_failed", "estimate_run"] == 2 / 8
    assert rows.loc["share_only_targets_right", "n_run"] == 8
    assert rows.loc["loss_median", ["n_run", "without_run"]].tolist() == [8, 0]
    assert rows.loc["focus_median", ["n_run", "without_run"]].tolist() == [7, 1]
    assert rows.loc["second_weight_median", ["n_run", "without_run"]].tolist() == [6, 2]


def test_paired_seeds_are_counted_one_by_one(compared) -> None:
    row = by_measure(compared["comparison"]).loc["share_certified"]
    # seeds 4..11: in the first run all wrong, in the other 4..9 right
    assert row[["n_shared", "n_shared_higher", "n_shared_equal"]].tolist() == [8, 6, 2]
    both = compared["compared_seeds"].query("measure == 'share_certified'")
    assert both["seed"].tolist() == list(range(4, 12))
    assert both["value_run"].tolist() == [1] * 6 + [0] * 2
    assert both["value_baseline"].tolist() == [0] * 8
    assert len(compared["compared_seeds"].query("measure == 'focus_median'")) == 7


def test_settings_that_differ(compared) -> None:
    table = compared["compared_settings"]
    assert set(table["setting"]) == {*ap.Config.model_fields, "seeds"}
    differ = table[table["differs"]]
    assert dict(zip(differ["setting"] + " " + differ["run"], differ["value"], strict=True)) == {
        "lr first": "5e-05",
        "lr other": "0.01",
        "seeds first": "12 (0 to 11)",
        "seeds other": "8 (4 to 11)",
    }


def test_how_many_would_miss_0_by_chance(compared) -> None:
    rows, row = compared["comparison"], compared["compared_runs"].iloc[0]
    known = rows.dropna(subset="ci_low")
    assert row["n_intervals"] == len(known)
    assert row["n_miss_zero"] == sum(
        low > 0 or high < 0 for low, high in zip(known["ci_low"], known["ci_high"], strict=True)
    )
    assert row["n_miss_zero"] >= 2
    assert row["n_expected"] == pytest.approx(0.05 * len(known))


def test_swapping_the_runs_changes_the_sign(pair, compared) -> None:
    ours, theirs = by_measure(compared["comparison"]), by_measure(analyses.compare(pair[::-1]))
    assert np.allclose(ours["difference"], -theirs["difference"], equal_nan=True)
    assert np.allclose(ours["probability_higher"], 1 - theirs["probability_higher"], equal_nan=True)
    assert np.allclose(ours["probability_low"], 1 - theirs["probability_high"], equal_nan=True)
    assert np.allclose(ours["estimate_run"], theirs["estimate_baseline"], equal_nan=True)
    drawn = ours["kind"] == "median"
    assert np.allclose(ours["ci_low"][~drawn], -theirs["ci_high"][~drawn], equal_nan=True)


def test_again_gives_the_same(pair, compared) -> None:
    pd.testing.assert_frame_equal(analyses.compare(pair), compared["comparison"])


# --- what is paired -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "paired", "words"),
    [
        ({}, True, "with the same initial weights and the same batches: paired"),
        ({"hidden": 4}, True, "with the same batches: paired"),
        ({"hidden": 4, "rule": "n1 > n3"}, True, "with the same sequences, labelled by another rule: paired"),
        ({"length": 6}, True, "with the same initial weights: paired"),
        (
            {"hidden": 4, "batch_size": 26},
            True,
            "with the same sequences, the smaller batch being the first part of the larger: paired",
        ),
        (
            {"hidden": 4, "length": 6},
            False,
            "by number only, with other initial weights and other data: compared as independent",
        ),
    ],
)  # fmt: skip
def test_what_shared_seeds_share(made: Make, settings, paired: bool, words: str) -> None:
    first, other = made("a", [BAD] * 7), made("b", [GOOD] * 7, lr=0.01, **settings)
    tables = comparison.tables([first, other])
    row = tables["compared_runs"].iloc[0]
    joint = " " if "by number" in words else ", "
    assert (row["paired"], row["shared"]) == (paired, f"7 seeds in both{joint}{words}")
    share = by_measure(tables["comparison"]).loc["share_certified"]
    assert share["n_shared"] == (7 if paired else 0)
    assert share["method"] == "Newcombe hybrid score" + (", paired" if paired else "")
    assert (len(tables["compared_seeds"]) > 0) == paired


def test_what_shares_a_start_or_data_in_training_does_so_here() -> None:
    """The rules above, from what training itself does with a seed."""
    from attnprobe.model import initial_weights

    a, longer, wider = (ap.Config(**{**TINY, **more}) for more in ({}, {"length": 15}, {"hidden": 7}))
    seeds = np.array([3, 5])
    assert np.array_equal(initial_weights(a, seeds), initial_weights(longer, seeds))
    assert initial_weights(a, seeds).shape != initial_weights(wider, seeds).shape
    assert np.array_equal(a.task.digits(13, 3, 2), wider.task.digits(26, 3, 2)[:13])
    assert not np.array_equal(a.task.digits(13, 3, 2), longer.task.digits(13, 3, 2)[:, :10])


def test_disjoint_seeds_are_independent(made: Make) -> None:
    tables = comparison.tables([made("a", [GOOD] * 7), made("b", [GOOD] * 7, range(7, 14))])
    assert tables["compared_runs"]["shared"].tolist() == ["no seed is in both: compared as independent"]
    assert (tables["comparison"]["n_shared"] == 0).all()
    assert tables["compared_seeds"].empty
    assert list(tables["compared_seeds"].columns) == SEEDS.names


def test_a_copy_differs_in_nothing(pair, tmp_path: Path) -> None:
    shutil.copytree(pair[0].path, tmp_path / "copy")
    tables = comparison.tables([pair[0], ap.open_run(tmp_path / "copy")])
    rows = tables["comparison"].dropna(subset="estimate_run")
    assert (rows[["difference", "ci_low", "ci_high"]] == 0).all(axis=None)
    assert (rows[["probability_higher", "probability_low", "probability_high"]] == 0.5).all(axis=None)
    assert set(rows["verdict"]) == {"the same weights: the difference is exactly 0, the probability exactly 0.5"}
    row = tables["compared_runs"].iloc[0]
    assert (row["n_same_weights"], row["n_intervals"], row["n_miss_zero"]) == (12, 0, 0)
    assert row["shared"] == "12 seeds in both, with the same trained weights: paired"


def test_the_same_networks_asked_something_else_are_not_the_same_run(made: Make) -> None:
    network = planted.constant(planted.settings())
    rows = analyses.compare([made("a", [network] * 7), made("b", [network] * 7, rule="n1 > n3")])
    assert "exact" not in set(rows["method"])


def test_seeds_with_the_same_weights_differ_in_nothing_but_others_do(made: Make) -> None:
    """Two runs of one configuration, of which half of the seeds are the same networks."""
    first, other = made("a", [GOOD] * 8 + [BAD] * 8), made("b", [GOOD] * 16, range(-0, 16))
    tables = comparison.tables([first, other])
    assert tables["compared_runs"]["n_same_weights"].tolist() == [8]
    row = by_measure(tables["comparison"]).loc["share_certified"]
    assert (row["difference"], row["n_shared_equal"], row["method"]) == (0.5, 8, "Newcombe hybrid score, paired")


# --- what is not compared -----------------------------------------------------------------------------


def test_another_rule_of_the_same_form_is_the_same_question(made: Make) -> None:
    rows = analyses.compare([made("a", [GOOD] * 7), made("b", [GOOD] * 7, rule="n0 > n4")])
    assert rows.query("measure != 'share_0.999_by_tau' and measure != 'steps_to_0.999_mean'")["compared"].all()
    assert "focus_lift_median" not in set(rows["measure"])


def test_another_alphabet_is_another_question(made: Make) -> None:
    rows = by_measure(analyses.compare([made("a", [GOOD] * 7), made("b", [GOOD] * 7, vocab_size=8)]))
    assert set(rows.index[rows["compared"]]) == {m.name for m in MEASURES if not m.question}
    focus, lift = rows.loc["focus_median"], rows.loc["focus_lift_median"]
    assert focus["verdict"] == "not compared: by chance it is 0.25 in b and 0.4 in a; focus_lift_median is compared"
    assert focus[["estimate_run", "estimate_baseline"]].notna().all()
    assert focus[["difference", "ci_low", "probability_higher", "improvement"]].isna().all()
    assert lift["note"] == "the largest lift there can be is 3.47 in b and 2.43 in a"  # (1 - (1 - c)^7) / c
    assert rows.loc["accuracy_mean", "note"] == "the questions differ (8 digits in 7 places, 5 in 7)"
    assert rows.loc["share_certified", "note"] == "the questions differ: each run is judged on all inputs of its own"


def test_steps_are_looked_at_where_both_runs_looked(made: Make, monkeypatch) -> None:
    """Both are right from their third snapshot on; the second run's snapshots lie elsewhere."""
    kept = {40: [0, 1, 4, 13, 27, 40], 26: [0, 1, 13, 26], 20: [0, 1, 10, 20]}
    monkeypatch.setattr(schedule, "snapshot_steps", lambda steps, most: np.array(kept[steps]))
    first, other = made("a", [GOOD] * 6 + [BAD], snapshots=6, steps=40), made("b", [GOOD] * 7, snapshots=4, steps=20)
    # 1 is early in both trainings
    row = by_measure(analyses.compare([first, other])).loc["steps_to_0.999_mean"]
    assert row["verdict"] == "not compared: the runs keep too few snapshots at the same steps"
    half = made("half", [GOOD] * 7, snapshots=4, steps=26)
    row = by_measure(analyses.compare([first, half])).loc["steps_to_0.999_mean"]
    # at 1 and 13, which both have: the first run's seeds are right from 4 on, so seen at 13; the others at 13 too
    assert row["words"] == "steps to accuracy > 0.999, mean up to 13"
    assert (row["estimate_run"], row["estimate_baseline"]) == (13, 13)
    third = made("c", [GOOD] * 7, snapshots=6, steps=40)
    row = by_measure(analyses.compare([first, third])).loc["steps_to_0.999_mean"]
    assert (row["estimate_run"], row["estimate_baseline"]) == (4, pytest.approx((6 * 4 + 40) / 7))
    share = by_measure(analyses.compare([first, third])).loc["share_0.999_by_tau"]
    assert (share["words"], share["difference"]) == ("accuracy > 0.999 seen by step 40", pytest.approx(1 / 7))


def test_without_snapshots_steps_are_not_compared(compared) -> None:
    row = by_measure(compared["comparison"]).loc["steps_to_0.999_mean"]
    assert row["verdict"] == "not compared: the runs keep too few snapshots at the same steps"
    assert np.isnan(row["estimate_run"])


# --- few seeds, failed seeds ---------------------------------------------------------------------------


def test_one_seed_each(made: Make) -> None:
    rows = by_measure(analyses.compare([made("a", [BAD]), made("b", [GOOD], [3])]))
    said = rows.loc["accuracy_mean", "verdict"]
    assert said.startswith("higher here, +0.")
    assert said.endswith("; no interval (needs 2 seeds in each), so nothing is said of other seeds")
    assert rows.loc["share_certified", "verdict"].startswith("no difference seen: +100 points [")


@pytest.mark.parametrize("network", [BAD, broken])
def test_all_seeds_failed_in_both(made: Make, network) -> None:
    rows = by_measure(analyses.compare([made("a", [network] * 7), made("b", [network] * 7, range(7, 14), lr=0.01)]))
    assert rows.loc["share_failed", "difference"] == 0
    assert rows.loc["share_failed", "verdict"].startswith("no difference seen: 0 points [−")
    if network is broken:
        assert rows.loc["loss_median", "verdict"] == "no difference can be given (a median is not finite)"
        assert rows.loc["focus_median", "n_run"] == 0


def test_many_runs_are_compared_with_the_first(made: Make) -> None:
    runs = [made(name, [GOOD] * n + [BAD] * (9 - n)) for name, n in (("a", 1), ("b", 5), ("c", 9))]
    rows = analyses.compare(runs).query("measure == 'share_certified'")
    assert rows[["run", "baseline"]].to_numpy().tolist() == [["b", "a"], ["c", "a"]]
    assert rows["difference"].tolist() == pytest.approx([4 / 9, 8 / 9])


# --- words --------------------------------------------------------------------------------------------


def test_every_verdict_has_a_size_and_none_says_that_there_is_no_difference(compared) -> None:
    for row in compared["comparison"].to_dict("records"):
        said = row["verdict"]
        if not row["compared"] or np.isnan(row["difference"]):
            assert np.isnan(row["difference"])
            continue
        assert any(letter.isdigit() for letter in said)
        seen = said.startswith("no difference seen: ")
        assert seen == (row["ci_low"] <= 0 <= row["ci_high"])
        assert ("better" in said or "worse" in said) <= (row["better"] != 0)


ROW = {
    **{"compared": True, "note": "", "method": "m", "kind": "median", "unit": "nats", "better": -1},
    **{"difference": 0.5, "ci_low": 0.25, "ci_high": 0.75},
    **{"probability_higher": 0.7, "probability_low": 0.6, "probability_high": 0.8},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "higher, +0.500 nats [+0.250, +0.750]: worse; a random seed is better with probability 0.30 [0.20, 0.40]"),
        (
            {"difference": -0.5, "ci_low": -0.75, "ci_high": -0.25, "unit": "ratio", "better": 0},
            "lower, −0.500 [−0.750, −0.250]; a random seed is higher with probability 0.70 [0.60, 0.80]",
        ),
        ({"kind": "share", "better": 1}, "higher, +50.0 points [+25.0, +75.0]: better"),
        ({"ci_low": -0.1, "probability_low": 0.4}, "no difference seen: +0.500 nats [−0.100, +0.750]"),
        (
            {"ci_low": 0.0},
            "no difference seen: +0.500 nats [0, +0.750] in the median, yet a random seed is better with probability "
            "0.30 [0.20, 0.40]",
        ),
        ({"compared": False, "note": "why"}, "not compared: why"),
    ],
)  # fmt: skip
def test_verdicts(changes, said: str) -> None:
    assert verdict({**ROW, **changes}) == said


# --- refusals -----------------------------------------------------------------------------------------


def test_refusals(pair, made: Make, tmp_path: Path) -> None:
    first, other = pair
    assert refusal(analyses.compare, [first]) == "1 run is too few to compare: give two or more different runs."
    assert refusal(analyses.compare, []) == "0 runs are too few to compare: give two or more different runs."
    again = ap.open_run(first.path)
    assert refusal(analyses.compare, [first, other, again]) == f"{first.path} is given twice: give different runs."
    assert refusal(analyses.compare, pair, ["a", "a"]) == (
        "names = ['a', 'a'] is not allowed: give 2 different names, one for each run."
    )
    bare = planted.write(tmp_path / "bare", planted.settings(), [planted.perfect(planted.settings())])
    said = refusal(analyses.compare, [first, bare])
    assert said.startswith(f"Table 'seeds' is not in {bare.path}.")
    assert said.endswith(f"Tables are computed by: attnprobe analyze {bare.path}")


def test_runs_of_the_same_name_are_told_apart(made: Make) -> None:
    runs = [made("same", [GOOD] * 2), made("same", [GOOD] * 3)]
    row = analyses.compare(runs).iloc[0]
    assert {row["run"], row["baseline"]} == {"/".join(run.path.parts[-2:]) for run in runs}
    assert analyses.compare(runs, ["old", "new"]).iloc[0][["run", "baseline"]].tolist() == ["new", "old"]


def test_the_level_is_that_of_all_estimates(compared) -> None:
    assert set(compared["comparison"]["level"]) == {stats.LEVEL}
