"""More seeds, more steps: the folder of a run that grew is, byte for byte, that of one that was asked for at once."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import snapshot
from folders import refusal, sealed

import attnprobe as ap
from attnprobe.errors import AttnprobeWarning
from attnprobe.training import batch

SEEDS = [2, 3, 5, 7, 11]
LONG, LONGER = 83, 211  # steps, after the 37 of ``odd_config``


def longer(config: ap.Config, steps: int = LONG) -> ap.Config:
    return config.model_copy(update={"steps": steps})


@pytest.fixture
def at_once(odd_config, tmp_path):
    """Files of the run with more steps, trained from the start in one go."""
    ap.train(longer(odd_config), SEEDS, tmp_path / "once", shard_size=3)
    return snapshot.files(tmp_path / "once")


def test_more_steps_give_the_bytes_of_a_run_that_had_them_at_once(folder, odd_config, at_once) -> None:
    run = ap.train(longer(odd_config), SEEDS, folder)
    assert run.config.steps == LONG
    assert run.steps.tolist() == [LONG] * 5
    assert snapshot.files(folder) == at_once


def test_more_steps_concern_all_seeds_of_the_run_and_more_seeds_join(folder, odd_config, tmp_path) -> None:
    run = ap.train(longer(odd_config), [3, 13], folder)
    assert run.seeds.tolist() == [*SEEDS, 13]
    assert set(run.steps.tolist()) == {LONG}
    alone = ap.train(longer(odd_config), [13], tmp_path / "alone")
    assert (run.weights["query"][5] == alone.weights["query"][0]).all()


def test_steps_in_many_stages(folder, odd_config, tmp_path) -> None:
    for steps in (38, 64, 83, 128, LONGER):
        ap.train(longer(odd_config, steps), [2], folder)
    ap.train(longer(odd_config, LONGER), SEEDS, tmp_path / "once", shard_size=3)
    assert snapshot.files(folder) == snapshot.files(tmp_path / "once")


def test_a_run_of_no_steps_is_trained_on(odd_config, tmp_path) -> None:
    ap.train(longer(odd_config, 0), SEEDS, tmp_path / "run", shard_size=3)
    ap.train(odd_config, SEEDS, tmp_path / "run")
    ap.train(odd_config, SEEDS, tmp_path / "once", shard_size=3)
    assert snapshot.files(tmp_path / "run") == snapshot.files(tmp_path / "once")


def test_seeds_that_failed_stay_as_they_are(odd_config, tmp_path) -> None:
    config = odd_config.model_copy(update={"lr": 1e30})
    ap.train(config, SEEDS, tmp_path / "run")
    run = ap.train(longer(config), SEEDS, tmp_path / "run")
    once = ap.train(longer(config), SEEDS, tmp_path / "once")
    assert run.status.tolist() == ["nonfinite"] * 5
    assert snapshot.files(run.path) == snapshot.files(once.path)


def stopped_after(shards: int):
    """Training that Ctrl-C ends while shard number ``shards`` is in work."""
    patch, real, done = pytest.MonkeyPatch(), batch.train_shard, []

    def train_shard(*arguments, **options):
        if len(done) == shards:
            raise KeyboardInterrupt
        done.append(1)
        return real(*arguments, **options)

    patch.setattr(batch, "train_shard", train_shard)
    return patch


@contextmanager
def watched(monkeypatch):
    """What each shard is begun from."""
    begun_from, real = [], batch.train_shard

    def train_shard(*arguments, **options):
        begun_from.append(options["begun"])
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(batch, "train_shard", train_shard)
        yield begun_from


def test_until_the_last_seed_has_more_steps_the_run_is_as_it_was(folder, odd_config, at_once, monkeypatch) -> None:
    before = ap.open_run(folder)
    patch = stopped_after(1)
    with pytest.raises(KeyboardInterrupt):
        ap.train(longer(odd_config), SEEDS, folder)
    patch.undo()
    run = ap.open_run(folder)
    assert run.config == odd_config
    assert run.state == before.state
    assert [record.name for record in run.manifest.unfinished] == ["00002-83"]
    more = ap.train(odd_config, [13], folder)  # and can be worked with
    assert more.seeds.tolist() == [*SEEDS, 13]
    with watched(monkeypatch) as begun:
        ap.train(longer(odd_config), SEEDS, folder)
    assert [what.shard.seeds.tolist() for what in begun] == [[7, 11], [13]]  # what was done is not done again
    assert not ap.open_run(folder).manifest.unfinished
    shards = {name: data for name, data in snapshot.files(folder).items() if name.startswith("shards/000")}
    assert {name: data for name, data in at_once.items() if name in shards} == {
        name: data for name, data in shards.items() if not name.startswith("shards/00013")
    }


def test_an_extension_that_was_stopped_ends_with_the_same_bytes(folder, odd_config, at_once, monkeypatch) -> None:
    patch = stopped_after(1)
    with pytest.raises(KeyboardInterrupt):
        ap.train(longer(odd_config), SEEDS, folder)
    patch.undo()
    ap.train(longer(odd_config), SEEDS, folder)
    assert snapshot.files(folder) == at_once


def test_what_was_begun_for_fewer_steps_serves_more(folder, odd_config, tmp_path, monkeypatch) -> None:
    patch = stopped_after(1)
    with pytest.raises(KeyboardInterrupt):
        ap.train(longer(odd_config), SEEDS, folder)
    patch.undo()
    with watched(monkeypatch) as begun:
        ap.train(longer(odd_config, LONGER), SEEDS, folder)
    assert [what.config.steps for what in begun] == [LONG, 37]
    ap.train(longer(odd_config, LONGER), SEEDS, tmp_path / "once", shard_size=3)
    assert snapshot.files(folder) == snapshot.files(tmp_path / "once")


# --- inside a shard -------------------------------------------------------------------------------


def test_a_shard_that_takes_long_is_kept_on_the_way(odd_config, tmp_path, monkeypatch) -> None:
    kept, real, keep = [], batch.train_shard, ap.Run.keep

    def stopping(self, shard, steps):
        keep(self, shard, steps)
        kept.append(shard.steps.copy())
        if len(kept) == 3:
            raise KeyboardInterrupt

    config = longer(odd_config, 30_011)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "train_shard", lambda *a, **k: real(*a, **k, checkpoint=0))
        patch.setattr(ap.Run, "keep", stopping)
        with pytest.raises(KeyboardInterrupt):
            ap.train(config, SEEDS, tmp_path / "run", threads=2)
    run = ap.open_run(tmp_path / "run")
    assert run.seeds.size == 0
    (record,) = run.manifest.unfinished
    assert record.name == "00002-30011-unfinished"
    assert run.file(record).tensor("steps").tolist() == kept[-1].tolist()
    assert 0 < kept[-1].sum() < 5 * 30_011
    with watched(monkeypatch) as begun:
        ap.train(config, SEEDS, tmp_path / "run")
    assert [what.shard.steps.tolist() for what in begun] == [kept[-1].tolist()]
    ap.train(config, SEEDS, tmp_path / "once")
    assert snapshot.files(tmp_path / "run") == snapshot.files(tmp_path / "once")


def test_fewer_seeds_than_were_begun(odd_config, tmp_path, monkeypatch) -> None:
    """Those that are wanted go on; of the others nothing is kept that would be in the way."""
    real, keep = batch.train_shard, ap.Run.keep

    def stopping(self, shard, steps):
        keep(self, shard, steps)
        raise KeyboardInterrupt

    config = longer(odd_config, 30_011)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "train_shard", lambda *a, **k: real(*a, **k, checkpoint=0))
        patch.setattr(ap.Run, "keep", stopping)
        with pytest.raises(KeyboardInterrupt):
            ap.train(config, SEEDS, tmp_path / "run")
    run = ap.train(config, [3, 7], tmp_path / "run")
    once = ap.train(config, [3, 7], tmp_path / "once")
    assert snapshot.files(run.path) == snapshot.files(once.path)


# --- what is refused ------------------------------------------------------------------------------


def test_fewer_steps_are_refused(folder, odd_config) -> None:
    before = snapshot.stamps(folder)
    assert refusal(ap.train, longer(odd_config, 36), SEEDS, folder) == (
        f"{folder} has been trained for 37 steps; 36 were asked for. A run can be given more steps, not fewer: choose "
        "another folder, or ask for the configuration that it holds."
    )
    assert snapshot.stamps(folder) == before


def test_more_steps_with_another_setting_are_refused_with_the_difference(folder, odd_config) -> None:
    before = snapshot.stamps(folder)
    said = refusal(ap.train, odd_config.model_copy(update={"steps": LONG, "lr": 0.5}), SEEDS, folder)
    assert "lr is 0.001 there, 0.5 was asked for" in said
    assert snapshot.stamps(folder) == before


def test_the_command_line(attnprobe, demo, small_run) -> None:
    said = attnprobe("train", "demo", "--steps", "77", "--seeds", "2,17")
    assert said.code == 0
    assert said.out.startswith("7 seeds trained on to 77 steps, 1 new ones in ")
    assert "s; demo holds 8.\n" in said.out
    run = ap.open_run(demo)
    assert (run.config.steps, run.seeds.tolist()) == (77, [*small_run.seeds.tolist(), 17])
    assert np.isin(run.steps, [77]).all()
    assert attnprobe.refused("query", "demo", "seeds").startswith("attnprobe: Table 'seeds' is older than the weights")
    assert json.loads((demo / "run.json").read_text())["config"]["steps"] == 77


def test_another_kind_of_processor_is_told_of(folder, odd_config) -> None:
    info = json.loads((folder / "run.json").read_text())
    info["made_with"]["cpu_kind"] = "abacus"
    (folder / "run.json").write_bytes(sealed(info))
    ap.train(odd_config, SEEDS, folder)  # nothing to do, nothing to say
    command = [sys.executable, "-m", "attnprobe.cli", "train", str(folder), "--seeds", "17", "-q"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (said.returncode, said.stdout) == (0, "")
    assert said.stderr.startswith(
        f"attnprobe: note: {folder} was begun on another kind of processor ('abacus'; this is "
    )
    assert said.stderr.count("\n") == 1
    with pytest.warns(AttnprobeWarning, match="was begun on another kind of processor"):
        ap.train(odd_config, [13], folder)
