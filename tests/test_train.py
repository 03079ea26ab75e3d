"""Many seeds into a run folder: the same bits however they are trained, and nothing lost on the way."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import safetensors.numpy
import snapshot
from kernel_runs import kernel_run

import attnprobe as ap
from attnprobe.store.folder import Folder
from attnprobe.training import batch, course
from attnprobe.training.kernel import train_seed
from attnprobe.training.spec import Spec, slots_of

SEEDS = [2, 3, 5, 7, 11]


def assert_same_bits(a: ap.Run, b: ap.Run, seeds: list[int] | None = None) -> None:
    """Weights, snapshots, status, steps and history of seeds (all of them if not given) agree bit for bit."""
    if seeds is None:
        assert a.seeds.tolist() == b.seeds.tolist()
        seeds = a.seeds.tolist()
    rows_a, rows_b = np.searchsorted(a.seeds, seeds), np.searchsorted(b.seeds, seeds)
    assert a.seeds[rows_a].tolist() == b.seeds[rows_b].tolist() == seeds
    assert (a.status[rows_a] == b.status[rows_b]).all()
    assert (a.steps[rows_a] == b.steps[rows_b]).all()
    for name, weights in a.weights.items():
        assert weights[rows_a].tobytes() == b.weights[name][rows_b].tobytes(), name
    for name, kept in a.snapshots()[1].items():
        assert kept[rows_a].tobytes() == b.snapshots()[1][name][rows_b].tobytes(), name
    histories = [run.history() for run in (a, b)]
    one, other = (frame[frame["seed"].isin(seeds)].reset_index(drop=True) for frame in histories)
    assert one.equals(other)


# --- the same bits --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_alone_is_the_seed_in_company(trained, odd_config, tmp_path, seed) -> None:
    assert_same_bits(trained, ap.train(odd_config, [seed], tmp_path / "run"), [seed])


@pytest.mark.parametrize("shard_size", [1, 2, 5, 64])
def test_any_shard_size_gives_the_same_bits(trained, odd_config, tmp_path, shard_size) -> None:
    run = ap.train(odd_config, SEEDS, tmp_path / "run", shard_size=shard_size)
    assert len(run.manifest.shards) == -(-5 // shard_size)
    assert_same_bits(trained, run)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads_gives_the_same_bits(trained, odd_config, tmp_path, threads) -> None:
    assert_same_bits(trained, ap.train(odd_config, SEEDS, tmp_path / "run", threads=threads))


def test_order_of_seeds_changes_nothing(trained, odd_config, tmp_path) -> None:
    run = ap.train(odd_config, iter([11, 2, 7, 3, 5]), tmp_path / "run", shard_size=2)
    assert run.seeds.tolist() == SEEDS
    assert_same_bits(trained, run)


def test_seeds_differ(trained) -> None:
    assert len({row.tobytes() for row in trained.weights["embed.weight"]}) == 5


def test_progress_bar_changes_no_bit(trained, odd_config, tmp_path, capsys) -> None:
    assert_same_bits(trained, ap.train(odd_config, SEEDS, tmp_path / "run", progress=True))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "5 of 5 seeds" in captured.err


# --- going on -------------------------------------------------------------------------------------


def test_more_seeds_join_those_that_are_there(odd_config, tmp_path) -> None:
    ap.train(odd_config, range(3), tmp_path / "grown")
    first = snapshot.stamps(tmp_path / "grown" / "shards")
    grown = ap.train(odd_config, range(7), tmp_path / "grown")
    at_once = ap.train(odd_config, range(7), tmp_path / "at once")
    assert_same_bits(grown, at_once)
    now = snapshot.stamps(tmp_path / "grown" / "shards")
    assert {name: now[name] for name in first} == first  # the old shards were left alone
    assert sorted(set(now) - set(first)) == ["00003-37.safetensors"]
    assert_same_bits(grown, ap.open_run(tmp_path / "grown"))


def test_seeds_below_those_that_are_there_are_sorted_in(odd_config, trained, tmp_path) -> None:
    ap.train(odd_config, [5, 11], tmp_path / "run")
    run = ap.train(odd_config, [2, 3, 7], tmp_path / "run")
    assert_same_bits(trained, run)


def test_the_same_command_twice_touches_no_file(odd_config, tmp_path) -> None:
    ap.train(odd_config, SEEDS, tmp_path / "run")
    before = snapshot.stamps(tmp_path)
    run = ap.train(odd_config, [3, 7], tmp_path / "run")
    assert run.seeds.tolist() == SEEDS
    assert snapshot.stamps(tmp_path) == before


def test_ctrl_c_keeps_finished_shards_and_the_same_call_goes_on(odd_config, trained, tmp_path, monkeypatch) -> None:
    calls = []

    def interrupted(seed, *rest):
        calls.append(seed)
        if len(calls) == 4:  # in the second shard
            raise KeyboardInterrupt
        return train_seed(seed, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(course, "train_seed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ap.train(odd_config, SEEDS, tmp_path / "run", shard_size=2, threads=1)
    assert ap.open_run(tmp_path / "run").seeds.tolist() == [2, 3]
    assert sorted(snapshot.files(tmp_path / "run")) == [
        "run.json",
        "shards/",
        "shards/00002-37.safetensors",
    ]
    assert_same_bits(trained, ap.train(odd_config, SEEDS, tmp_path / "run", shard_size=2))


def test_ctrl_c_between_looks_ends_the_running_seeds(odd_config, tmp_path, monkeypatch) -> None:
    long = odd_config.model_copy(update={"steps": 2_000_000, "snapshots": 0})
    done = []

    def noted(*arguments):
        finite = train_seed(*arguments)
        done.append(int(arguments[2].step[0]))
        return finite

    def look(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "train_seed", noted)
    monkeypatch.setattr(batch, "_watch", look)
    with pytest.raises(KeyboardInterrupt):
        ap.train(long, range(7), tmp_path / "run", threads=2)
    assert len(done) < 7  # those that wait are not started
    assert max(done, default=0) < 2_000_000  # those that run are ended
    assert ap.open_run(tmp_path / "run").seeds.tolist() == []


def test_a_crash_before_run_json_leaves_a_run_that_goes_on(odd_config, trained, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        write = Folder._write

        def crash(self, manifest):
            if manifest.shards:
                raise MemoryError
            write(self, manifest)

        patch.setattr(Folder, "_write", crash)
        with pytest.raises(MemoryError):
            ap.train(odd_config, SEEDS, tmp_path / "run")
    assert (tmp_path / "run" / "shards" / "00002-37.safetensors").exists()
    assert ap.open_run(tmp_path / "run").seeds.size == 0
    assert_same_bits(trained, ap.train(odd_config, SEEDS, tmp_path / "run"))


# --- seeds that fail ------------------------------------------------------------------------------


def test_seeds_that_blow_up_are_rows_with_their_status(odd_config, tmp_path) -> None:
    run = ap.train(odd_config.model_copy(update={"lr": 1e30}), SEEDS, tmp_path / "run", shard_size=2)
    assert run.seeds.tolist() == SEEDS
    assert run.status.tolist() == ["nonfinite"] * 5
    assert (run.steps < 37).all()
    assert np.isfinite(run.history()["loss"]).all()


def test_some_seeds_fail_and_the_others_go_on(odd_config, trained, tmp_path, monkeypatch) -> None:
    """Two of five seeds start from weights that overflow at once."""
    initial = course.initial_weights

    def planted(config, seeds):
        weights = initial(config, seeds)
        weights[np.isin(seeds, [3, 7])] *= np.float32(1e30)
        return weights

    monkeypatch.setattr(course, "initial_weights", planted)
    run = ap.train(odd_config, SEEDS, tmp_path / "run", shard_size=3)
    assert run.status.tolist() == ["trained", "nonfinite", "trained", "nonfinite", "trained"]
    assert run.steps.tolist() == [37, 0, 37, 0, 37]
    assert run.history()["seed"].unique().tolist() == [2, 5, 11]
    assert_same_bits(trained, run, [2, 5, 11])


def test_a_weight_that_overflows_in_the_last_update_is_nonfinite(odd_config, tmp_path) -> None:
    """One update of this size makes every weight with a gradient infinite; no loss is computed after it."""
    config = odd_config.model_copy(update={"lr": 1e300, "steps": 1})
    run = ap.train(config, [2, 3], tmp_path / "run")
    assert run.steps.tolist() == [1, 1]
    assert not np.isfinite(run.weights["nn.2.bias"]).any()
    assert run.status.tolist() == ["nonfinite", "nonfinite"]


def test_the_circuit_of_failed_seeds_can_be_looked_at_without_a_warning(odd_config, tmp_path) -> None:
    config = odd_config.model_copy(update={"lr": 1e300, "steps": 1})
    run = ap.train(config, SEEDS, tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run.circuit.scores.shape == run.circuit.values.shape == (5, 7)
        for readout in run.circuit.readouts:
            roots, slopes = readout.thresholds()
            assert roots.shape == slopes.shape


# --- what is kept ---------------------------------------------------------------------------------


def test_shards_are_the_bare_kernel(trained, odd_config) -> None:
    for row, seed in enumerate(SEEDS):
        run = kernel_run(odd_config, seed)
        for name, weights in run.weights.items():
            assert trained.weights[name][row].tobytes() == weights.tobytes()
        losses = trained.history().set_index("seed").loc[seed, "loss"].to_numpy()
        assert losses.tobytes() == run.losses.tobytes()
        steps, kept = trained.snapshots()
        assert steps.tolist() == odd_config.snapshot_steps.tolist()
        flat = np.concatenate([kept[name][row].reshape(steps.size, -1) for name in kept], axis=1)
        assert flat.tobytes() == run.snapshots.tobytes()


def test_no_snapshots_no_tensors(odd_config, tmp_path) -> None:
    run = ap.train(odd_config.model_copy(update={"snapshots": 0}), [1], tmp_path / "run")
    stored = safetensors.numpy.load_file(tmp_path / "run" / "shards" / "00001-37.safetensors")
    assert not [name for name in stored if name.startswith("snapshot.")]
    with pytest.raises(ap.AttnprobeError) as error:
        run.snapshots()
    assert str(error.value) == f"{tmp_path / 'run'} keeps no snapshots: it was trained with snapshots = 0."


def test_no_steps_keep_the_initial_weights(odd_config, tmp_path) -> None:
    run = ap.train(odd_config.model_copy(update={"steps": 0}), [1, 2], tmp_path / "run")
    assert run.status.tolist() == ["trained", "trained"]
    assert run.steps.tolist() == [0, 0]
    assert len(run.history()) == 0
    assert (run.snapshots()[1]["query"][:, 0] == run.weights["query"]).all()


def test_spec_holds_the_config(odd_config) -> None:
    spec = Spec.of(odd_config)
    for name in (
        "vocab_size",
        "length",
        "embed_dim",
        "att_dim",
        "hidden",
        "batch_size",
        "lr",
        "eps",
    ):
        assert getattr(spec, name) == getattr(odd_config, name)
    assert (spec.beta1, spec.beta2) == odd_config.betas
    assert slots_of(7)[[5, 3]].tolist() == [spec.more, spec.fewer]
