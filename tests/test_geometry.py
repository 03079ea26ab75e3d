"""The geometry of embeddings: against loops over raw weights, against planted points, under what cannot matter."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import planted
import pytest
import safetensors.numpy
import torch
from bare import BareRun, stack, table
from exhaustive import ASIDE
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

import analyses
import attnprobe as ap
from analyses import geometry, geometry_pairs
from attnprobe import pairs as over_pairs
from attnprobe.schema import Schema

RUNS = ("small_run", "ten_run", "planted_run")
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
NAN = float("nan")


# --- against loops ---------------------------------------------------------------------------------------


def stored(run) -> dict[str, dict[int, dict[str, np.ndarray]]]:
    """Weights in float64 by stage and seed, from the shard files alone; only of seeds that are finite then."""
    found: dict[str, dict[int, dict[str, np.ndarray]]] = {"initial": {}, "trained": {}}
    for path in (run.path / "shards").glob("*.safetensors"):
        tensors = safetensors.numpy.load_file(path)
        names = [name for name in tensors if not name.startswith(ASIDE)]
        for place, seed in enumerate(tensors["seed"].tolist()):
            found["trained"][seed] = {name: tensors[name][place].astype(float) for name in names}
            if tensors.get("snapshot.step", [1])[0] == 0:
                found["initial"][seed] = {name: tensors[f"snapshot.{name}"][place, 0].astype(float) for name in names}
    return {
        stage: {seed: w for seed, w in sorted(seeds.items()) if all(np.isfinite(value).all() for value in w.values())}
        for stage, seeds in found.items()
        if seeds
    }


def distances(points: np.ndarray, among) -> list[float]:
    return [math.dist(points[i], points[j]) for i, j in itertools.combinations(among, 2)]


def ratio(points: np.ndarray, chosen: tuple[int, int]) -> float:
    """Mean distance of pairs that hold one of two digits over that of the others."""
    every = range(len(points))
    touching = [math.dist(points[i], points[j]) for i, j in itertools.combinations(every, 2) if {i, j} & set(chosen)]
    rest = distances(points, [k for k in every if k not in chosen])
    return np.mean(touching) / np.mean(rest) if rest else NAN


def cka(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y)) with linear kernels and the centring matrix H, as it is defined."""
    h = np.eye(len(x)) - 1 / len(x)

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.trace(a @ a.T @ h @ b @ b.T @ h)) / (len(x) - 1) ** 2

    return hsic(x, y) / math.sqrt(hsic(x, x) * hsic(y, y))


def correlation(x: list[float], y: list[float]) -> float:
    constant = min(np.ptp(x), np.ptp(y)) < 1e-9 if len(x) else True
    return NAN if len(x) < 3 or constant else float(np.corrcoef(x, y)[0, 1])


def shape_of(w: dict[str, np.ndarray], targets: tuple[int, int]) -> dict[str, float]:
    points = w["embed.weight"]
    V, D = points.shape
    covariance = np.atleast_2d(np.cov(points.T))
    variances = np.sort(np.linalg.eigvalsh(covariance))[::-1]
    query, value = w["query"][0] @ w["WK.weight"], w["WV.weight"][0]
    read = np.stack([query, value], axis=1)

    def share(directions: np.ndarray) -> float:
        projection = directions @ np.linalg.pinv(directions)
        return float(np.trace(projection @ covariance) / np.trace(covariance))

    cosine = abs(query @ value) / math.sqrt((query @ query) * (value @ value))
    choices = list(itertools.combinations(range(V), 2))
    rest = [k for k in range(V) if k not in targets]
    inner = np.mean(distances(points, rest)) if V > 3 else NAN
    apart = math.dist(points[targets[0]], points[targets[1]])
    rank = sum(ratio(points, choice) >= ratio(points, targets) - 1e-9 for choice in choices) if V > 3 else NAN
    return {
        "pc1_share": variances[0] / variances.sum(),
        "pc2_share": variances[1] / variances.sum() if D > 1 else 0.0,
        "effective_dimension": np.trace(covariance) ** 2 / np.trace(covariance @ covariance),
        "plane_share": share(read),
        "query_share": share(read[:, :1]),
        "value_share": share(read[:, 1:]),
        "plane_share_chance": 1.0 if D == 1 else 2 / D,
        "direction_angle": math.degrees(math.acos(min(1, cosine))),
        "separation": ratio(points, targets),
        "separation_rank": rank,
        "separation_choices": len(choices),
        "separation_p": rank / len(choices),
        "pair_ratio": apart / inner,
        "pair_rank": sum(d >= apart - 1e-9 for d in distances(points, range(V))),
    }


def since(start: dict[str, np.ndarray], end: dict[str, np.ndarray]) -> dict[str, float]:
    x, y = start["embed.weight"], end["embed.weight"]
    moved = y - x
    covariance = np.atleast_2d(np.cov(moved.T))
    read = np.stack([end["query"][0] @ end["WK.weight"], end["WV.weight"][0]], axis=1)
    return {
        "start_correlation": correlation(distances(x, range(len(x))), distances(y, range(len(y)))),
        "start_cka": cka(x, y),
        "change": math.sqrt(np.var(moved, axis=0).sum() / np.var(x, axis=0).sum()),
        "change_plane_share": np.trace(read @ np.linalg.pinv(read) @ covariance) / np.trace(covariance),
    }


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    return request.getfixturevalue(request.param)


def test_geometry_is_what_loops_over_the_weights_find(run) -> None:
    weights, targets = stored(run), run.config.task.targets
    assert set(weights) == ({"initial", "trained"} if run.config.snapshots else {"trained"})
    nothing = dict.fromkeys(("start_correlation", "start_cka", "change", "change_plane_share"), NAN)
    rows = []
    for seed, stage in itertools.product(run.seeds.tolist(), weights):
        row = {"seed": seed, "stage": stage}
        if seed in weights[stage]:
            row |= shape_of(weights[stage][seed], targets) | nothing
            if stage == "trained" and "initial" in weights:
                row |= since(weights["initial"][seed], weights["trained"][seed])
        rows.append(row)
    found, expected = run.table("geometry"), pd.DataFrame(rows)
    for name in ("plane_share_chance", "separation_choices"):  # facts of the run, there for failed seeds too
        expected[name] = expected[name].max()
    assert list(found.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, **CLOSE)


def test_similarity_is_what_its_definitions_say(run) -> None:
    weights, targets = stored(run), run.config.task.targets
    digits = range(run.config.vocab_size)
    rest = [k for k in digits if k not in targets]
    rows = []
    for stage in weights:
        for a, b in itertools.combinations(weights["trained"], 2):
            x, y = (weights[stage][seed]["embed.weight"] for seed in (a, b))
            rows.append(
                {
                    "stage": stage,
                    "seed_a": a,
                    "seed_b": b,
                    "distance_correlation": correlation(distances(x, digits), distances(y, digits)),
                    "cka": cka(x, y),
                    "distance_correlation_rest": correlation(distances(x, rest), distances(y, rest)),
                }
            )
    pd.testing.assert_frame_equal(
        run.table("geometry_similarity"), pd.DataFrame(rows), check_dtype=False, rtol=1e-9, atol=1e-11
    )


def test_the_runs_are_not_trivial(small_run, ten_run) -> None:
    for run in (small_run, ten_run):
        trained = run.table("geometry").query("stage == 'trained'")
        assert trained["separation_rank"].nunique() >= 3
        assert trained["plane_share"].between(0.1, 0.995).all()
        assert trained["direction_angle"].between(1, 89).any()
    assert small_run.table("geometry")["start_cka"].dropna().between(0.1, 0.99).any()


def test_the_initial_stage_is_torchs_own_start(small_run) -> None:
    points = []
    for seed in small_run.seeds.tolist():
        torch.manual_seed(seed)
        model = ap.AttentionModel(embed_dim=3, att_dim=2, hidden=11, vocab_size=5)
        points.append(model.embed.weight.detach().numpy().astype(float))
    found = small_run.table("geometry").query("stage == 'initial'")["separation"]
    np.testing.assert_allclose(found, [ratio(p, (3, 1)) for p in points], rtol=1e-12)


def test_centred_cosines(small_run) -> None:
    pairs = small_run.table("embedding_pairs")
    for seed, w in stored(small_run)["trained"].items():
        x = w["embed.weight"] - w["embed.weight"].mean(axis=0)
        for row in pairs[pairs["seed"] == seed].itertuples():
            u, v = x[row.digit_a], x[row.digit_b]
            expected = u @ v / math.sqrt((u @ u) * (v @ v))
            assert row.cosine_centred == pytest.approx(expected, rel=1e-9, abs=1e-12)


# --- against planted points ------------------------------------------------------------------------------

SIZES = {"vocab_size": 10, "rule": "n7 > n3", "length": 2}


def bare(points: np.ndarray, query=None, value=None, snapshots: np.ndarray | None = None, **sizes) -> BareRun:
    """A run whose seeds have these embeddings (S, V, D), read along ``query`` and ``value`` (S, D)."""
    S, V, D = points.shape
    config = planted.settings(**{**SIZES, "vocab_size": V, **sizes}).model_copy(
        update={"embed_dim": D, "att_dim": D, "snapshots": 0 if snapshots is None else 2}
    )
    weights = stack([planted.perfect(planted.settings(**SIZES))] * S)
    rng = np.random.default_rng(5)
    weights |= {
        "embed.weight": points,
        "query": np.ones((S, 1, D)),
        "WK.weight": (rng.normal(size=(S, D)) if query is None else query)[:, None] / D * np.ones((D, 1)),
        "WK.bias": np.zeros((S, D)),
        "WV.weight": (rng.normal(size=(S, D)) if value is None else value)[:, None],
    }
    kept = None
    if snapshots is not None:
        kept = {name: np.stack([w, w], axis=1) for name, w in weights.items()}
        kept["embed.weight"] = np.stack([snapshots, points], axis=1)
    return BareRun(config, weights, kept)


def rotation(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def test_two_digits_far_out_in_the_plane_that_is_read() -> None:
    rng = np.random.default_rng(3)
    turn = rotation(rng, 5)
    query, value = turn[0], turn[1] * math.cos(1) + turn[0] * math.sin(1)  # 90 degrees - 1 radian apart
    points = 0.01 * rng.normal(size=(10, 2)) @ turn[:2]
    points[7], points[3] = 9 * query + 9 * turn[1], 9 * query - 9 * turn[1]
    found = table("geometry", bare(points[None] + 4, query[None], -2 * value[None])).iloc[0]
    assert found["plane_share"] == pytest.approx(1, abs=1e-12)
    assert found["direction_angle"] == pytest.approx(90 - math.degrees(1), abs=1e-9)
    assert (found["separation_rank"], found["separation_choices"], found["pair_rank"]) == (1, 45, 1)
    assert found["separation_p"] == 1 / 45
    assert found["separation"] > 100
    assert found["query_share"] < found["plane_share"]
    # the same seen by directions across that plane
    unread = table("geometry", bare(points[None] + 4, turn[2:3], turn[3:4])).iloc[0]
    assert unread["plane_share"] == pytest.approx(0, abs=1e-12)


def test_a_plane_of_two_equal_variances_has_two_dimensions() -> None:
    square = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=float)
    run = bare(square[None], np.array([[1.0, 0, 0]]), np.array([[0, 0, 1.0]]), vocab_size=4, rule="n0 > n1")
    row = table("geometry", run).iloc[0]
    assert row[["pc1_share", "pc2_share", "effective_dimension"]].tolist() == pytest.approx([0.5, 0.5, 2])
    assert row[["query_share", "value_share", "plane_share"]].tolist() == pytest.approx([0.5, 0, 0.5], abs=1e-15)
    assert row["plane_share_chance"] == 2 / 3
    # d(0,1) = d(2,3) = 2, the other four sqrt(2): the sides are far apart and so is what is left without them
    assert row["separation"] == pytest.approx((2 + 4 * math.sqrt(2)) / 5 / 2)
    assert row[["separation_rank", "pair_ratio", "pair_rank"]].tolist() == pytest.approx([6, 1, 2])


def test_parallel_directions_span_a_line_and_a_direction_without_length_nothing() -> None:
    rng = np.random.default_rng(11)
    points = rng.normal(size=(3, 10, 5))
    query = rng.normal(size=(3, 5))
    found = table("geometry", bare(points, query, query * np.array([[-3.0], [0.1], [0]])))
    np.testing.assert_allclose(found["plane_share"], found["query_share"], rtol=1e-12)
    np.testing.assert_allclose(found["value_share"], found["query_share"] * [1, 1, 0], rtol=1e-12)
    np.testing.assert_allclose(found["direction_angle"], [0, 0, NAN], atol=1e-6)


def test_points_without_structure_give_every_rank_equally_often_and_share_what_chance_says() -> None:
    S = 9000
    points = np.random.default_rng(17).normal(size=(S, 10, 5))
    found = table("geometry", bare(points))
    for name in ("separation_rank", "pair_rank"):
        counts = np.bincount(found[name].astype(int), minlength=46)
        assert counts[0] == 0
        assert len(counts) == 46
        assert reference.chisquare(counts[1:]).pvalue > 1e-3, name
    error = found["plane_share"].std() / math.sqrt(S)
    assert abs(found["plane_share"].mean() - 2 / 5) < 4 * error < 0.01


def test_seeds_that_share_the_place_of_two_digits_agree_in_nothing_else() -> None:
    rng = np.random.default_rng(23)
    points = rng.normal(size=(60, 10, 5))
    points[:, 7, 0] += 6
    points[:, 3, 1] += 6
    points = points @ np.stack([rotation(rng, 5) for _ in range(60)])
    found = table("geometry_similarity", bare(points))
    assert found["distance_correlation"].mean() > 0.5
    assert abs(found["distance_correlation_rest"].mean()) < 0.05


# --- what cannot matter ----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 5]), st.floats(0.01, 100))
@settings(max_examples=15)
def test_turned_moved_and_scaled_embeddings_are_the_same_geometry(seed, size, scale) -> None:
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(7, 10, size))
    end = start + rng.normal(size=start.shape)
    query, value = rng.normal(size=(2, 7, size))
    turn = np.stack([rotation(rng, size) for _ in range(7)])

    def changed(points: np.ndarray) -> np.ndarray:
        return scale * points @ turn + 3 * rng.normal(size=(7, 1, size))

    turned = [(direction[:, None] @ turn)[:, 0] for direction in (query, value)]
    one = bare(end, query, value, snapshots=start)
    other = bare(changed(end), *turned, snapshots=changed(start))
    for name in ("geometry", "geometry_similarity"):
        pd.testing.assert_frame_equal(table(name, one), table(name, other), rtol=1e-8, atol=1e-6)
    stretched = table("geometry", bare(end * np.linspace(1, 5, size), query, value, snapshots=start))
    if size > 1:
        assert not np.allclose(stretched["effective_dimension"], table("geometry", one)["effective_dimension"])


def test_the_names_of_the_other_digits_do_not_matter() -> None:
    rng = np.random.default_rng(29)
    points, query, value = rng.normal(size=(7, 10, 5)), *rng.normal(size=(2, 7, 5))
    order = np.array([9, 1, 0, 3, 8, 2, 4, 7, 6, 5])  # 3 and 7 stay
    one, other = (table("geometry", bare(p, query, value)) for p in (points, points[:, order]))
    pd.testing.assert_frame_equal(one, other, rtol=1e-10)
    swapped = table("geometry", bare(points, query, value, rule="n3 > n7"))
    pd.testing.assert_frame_equal(one, swapped)


# --- at the edges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("vocab", [2, 3, 4])
@pytest.mark.parametrize("size", [1, 2])
def test_small_alphabets_and_flat_embeddings(vocab, size) -> None:
    points = np.random.default_rng(31).normal(size=(5, vocab, size))
    run = bare(points, vocab_size=vocab, rule="n1 > n0")
    found, alike = table("geometry", run), table("geometry_similarity", run)
    assert (found["plane_share_chance"] == 1).all()
    np.testing.assert_allclose(found["plane_share"], 1, rtol=1e-12)
    assert (found["separation_choices"] == vocab * (vocab - 1) // 2).all()
    for name in ("separation", "separation_rank", "separation_p", "pair_ratio"):
        assert found[name].isna().all() == (vocab < 4), name
    assert found["pair_rank"].between(1, 6).all()
    if min(size, vocab - 1) == 1:
        np.testing.assert_allclose(found[["pc1_share", "effective_dimension"]], 1, rtol=1e-12)
        np.testing.assert_allclose(found["pc2_share"], 0, atol=1e-12)
    if size == 1:
        np.testing.assert_allclose(found["direction_angle"], 0, atol=1e-9)
    assert alike["distance_correlation"].isna().all() == (vocab == 2)
    assert alike["distance_correlation_rest"].isna().all()
    assert alike["cka"].between(0, 1).all()


def test_a_seed_that_diverged_has_a_start_and_no_end() -> None:
    points = np.random.default_rng(37).normal(size=(3, 2, 10, 5))
    points[1, 1, 4] = np.inf
    run = bare(points[:, 1], snapshots=points[:, 0])
    run.status = np.array(["trained", "nonfinite", "trained"])
    found = table("geometry", run).set_index(["seed", "stage"])
    measured = [name for name in found if not name.startswith(("start", "change"))]
    assert np.isfinite(found.loc[[(1, "initial"), (0, "trained"), (2, "trained")], measured]).all(axis=None)
    facts = ["plane_share_chance", "separation_choices"]
    assert found.loc[(1, "trained")].drop(facts).isna().all()
    alone = bare(points[[0, 2], 1], run.weights["WK.weight"][[0, 2], 0] * 5, run.weights["WV.weight"][[0, 2], 0])
    kept = found.loc[[(0, "trained"), (2, "trained")], measured].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, table("geometry", alone)[measured], rtol=1e-10)
    pairs = table("geometry_similarity", run)
    assert pairs[["stage", "seed_a", "seed_b"]].to_numpy().tolist() == [["initial", 0, 2], ["trained", 0, 2]]


def test_points_that_coincide_have_no_shape_and_raise_no_warning() -> None:
    found = table("geometry", bare(np.ones((2, 10, 5))))
    assert found[["pc1_share", "pc2_share", "effective_dimension", "plane_share", "separation"]].isna().all(axis=None)
    assert (found["separation_p"] == 1).all()
    assert table("geometry_similarity", bare(np.ones((2, 10, 5)))).iloc[0, 3:].isna().all()


@pytest.mark.parametrize(("snapshots", "steps"), [(0, 11), (1, 11), (2, 11)])
def test_the_initial_stage_is_there_where_it_is_kept(snapshots, steps, tmp_path) -> None:
    config = ap.Config(vocab_size=5, length=3, rule="n3 > n1", hidden=2, steps=steps, snapshots=snapshots)
    run = ap.train(config, [2, 3], tmp_path / "run")
    for name in ("geometry", "geometry_similarity"):
        stages = analyses.compute(name, run)["stage"].unique().tolist()
        assert stages == (["initial", "trained"] if snapshots == 2 else ["trained"]), name


def test_one_seed_has_no_pairs_and_a_table_all_the_same() -> None:
    run = bare(np.random.default_rng(41).normal(size=(1, 10, 5)))
    frame = table("geometry_similarity", run)
    assert frame.empty
    schema: Schema = analyses.get("geometry_similarity").schema
    assert schema.table(frame).column_names == schema.names


def test_only_the_first_finite_seeds_are_compared(monkeypatch) -> None:
    monkeypatch.setattr(geometry_pairs, "MOST_SEEDS", 3)
    points = np.random.default_rng(43).normal(size=(6, 10, 5))
    points[1] = np.nan
    found = table("geometry_similarity", bare(points))
    assert found[["seed_a", "seed_b"]].to_numpy().tolist() == [[0, 2], [0, 3], [2, 3]]


# --- estimates over seeds --------------------------------------------------------------------------------


def test_the_mean_over_pairs_is_jackknifed_over_seeds() -> None:
    rng = np.random.default_rng(47)
    seeds = np.array([2, 3, 5, 7, 11, 13, 17])
    pairs = np.array(list(itertools.combinations(seeds, 2)))
    values = rng.normal(size=len(pairs)) + pairs[:, 0]
    found = over_pairs.mean(values, pairs[:, 0], pairs[:, 1])
    without = [values[(pairs != seed).all(axis=1)].mean() for seed in seeds]
    error = math.sqrt((len(seeds) - 1) / len(seeds) * sum((m - np.mean(without)) ** 2 for m in without))
    half = reference.t.ppf(0.975, len(seeds) - 1) * error
    assert found.estimate == pytest.approx(values.mean())
    assert (found.ci_low, found.ci_high) == pytest.approx((values.mean() - half, values.mean() + half))
    assert (found.n_seeds, found.level, found.method) == (7, 0.95, "jackknife over seeds")
    unknown = np.where((pairs == 5).any(axis=1), NAN, values)
    kept = ~np.isnan(unknown)
    assert over_pairs.mean(unknown, *pairs.T) == over_pairs.mean(values[kept], *pairs[kept].T)


def test_its_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Each seed's own effect is in all of its pairs: an interval that took pairs for independent would be too short."""
    rng = np.random.default_rng(53)
    a, b = np.triu_indices(8, k=1)
    found = []
    for _ in range(400):
        effect = rng.normal(size=8)
        found.append(over_pairs.mean(effect[a] + effect[b] + rng.normal(size=a.size), a, b))
    held = np.mean([e.ci_low <= 0 <= e.ci_high for e in found])
    assert 0.92 < held < 0.98


@pytest.mark.parametrize(("n", "why"), [(0, "none: needs 3 seeds"), (2, "none: needs 3 seeds")])
def test_too_few_seeds_have_no_interval_for_pairs(n, why) -> None:
    a, b = np.triu_indices(n, k=1)
    found = over_pairs.mean(np.full(a.size, 0.5), a, b)
    assert (found.method, found.n_seeds) == (why, n)
    assert np.isnan([found.ci_low, found.ci_high]).all()


def test_the_summary_speaks_of_all_seeds() -> None:
    rng = np.random.default_rng(59)
    start, end = rng.normal(size=(2, 8, 10, 5))
    end[:5, [3, 7], :2] += 30 * np.array([[1, 0], [0, 1]])
    end[7] = np.nan
    run = bare(end, snapshots=start)
    run.status = np.where(np.arange(8) == 7, "nonfinite", "trained")
    tables = {name: table(name, run) for name in ("geometry", "geometry_similarity")}
    found = geometry.summary_rows(tables) | geometry_pairs.summary_rows(tables)
    trained = tables["geometry"].query("stage == 'trained'")
    assert found["share_separated"][0].estimate == (trained["separation_rank"] <= 2).sum() / 8 >= 5 / 8
    assert found["share_separated"][0].n_seeds == 8
    assert found["separation_rank_trained_mean"][0].estimate == trained["separation_rank"].mean()
    assert found["separation_rank_trained_mean"][0].n_seeds == 7
    assert found["separation_rank_initial_mean"][0].n_seeds == 8
    assert found["separation_rank_chance"][0].estimate == 23
    assert found["target_distance_ratio_median"][0].estimate == trained["separation"].median()
    pairs = tables["geometry_similarity"].set_index("stage")
    for name in geometry_pairs.MEASURES:
        means = [pairs.loc[stage, name].mean() for stage in ("initial", "trained")]
        assert found[f"{name}_trained_mean"][0].estimate == pytest.approx(means[1])
        assert found[f"{name}_gain_mean"][0].estimate == pytest.approx(means[1] - means[0])
    assert found["cka_gain_mean"][0].n_seeds == 7


def test_a_p_that_cannot_be_small_is_not_counted() -> None:
    points = np.random.default_rng(61).normal(size=(5, 6, 3))
    row = geometry.summary_rows({"geometry": table("geometry", bare(points, vocab_size=6, rule="n1 > n0"))})
    share = row["share_separated"][0]
    assert np.isnan(share.estimate)
    assert share.method == "none: the smallest p is 1/15"
