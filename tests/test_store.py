"""A run folder: written whole or not at all, checked when read, readable without this library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors
import snapshot
import torch
from folders import damaged, damaged_manifest, flip, refusal, remedy, sealed

import attnprobe as ap
from attnprobe.model import parameter_shapes
from attnprobe.training.batch import train_shard

SEEDS = [2, 3, 5, 7, 11]
# --- opening --------------------------------------------------------------------------------------


def test_no_such_place(tmp_path) -> None:
    path = tmp_path / "absent"
    assert refusal(ap.open_run, path) == f"There is no run at {path}. Train one with: attnprobe train {path}"


def test_a_folder_without_run_json(tmp_path) -> None:
    assert refusal(ap.open_run, tmp_path) == f"{tmp_path} is not a run folder: it has no run.json."


def test_a_file_is_no_run(tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file"
    assert refusal(ap.open_run, path) == f"{path} is not a run folder: it has no run.json."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"format": "2"}',
        b'{"format": true}',
        b'{"format": -1}',
        b'{"format": 1e999}',
        b"[" * 100_000,
        b'{"format": 2, "config": 5, "shards": [], "tables": {}, "files": {}}',
    ],
)
def test_a_damaged_run_json(tmp_path, content) -> None:
    (tmp_path / "run.json").write_bytes(content)
    assert refusal(ap.open_run, tmp_path) == damaged_manifest(tmp_path)


def test_a_newer_format(folder) -> None:
    info = json.loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_text(json.dumps({**info, "format": 3}))
    expected = (
        f"{folder} has format 3; this attnprobe ({ap.__version__}) reads format 2. "
        "Open it with a newer version of attnprobe."
    )
    assert refusal(ap.open_run, folder) == expected
    assert refusal(ap.train, seeds=[1], out=folder) == expected


def test_what_is_open_says_what_it_is(trained, trained_folder, odd_config) -> None:
    assert repr(trained) == f"Run({str(trained_folder)!r}, 5 seeds, rule 'n5 > n3')"
    assert trained.config == odd_config
    assert trained.path == trained_folder
    assert trained.seeds.tolist() == SEEDS
    assert trained.seeds.dtype == trained.steps.dtype == np.int64
    assert trained.status.tolist() == ["trained"] * 5
    assert [record.name for record in trained.manifest.shards] == ["00002-37", "00007-37"]
    assert [record.seeds for record in trained.manifest.shards] == ["2:4,5", "7,11"]
    assert trained.manifest.made_with.cpu_kind
    assert trained.origin == "trained"


def test_a_run_without_seeds(odd_config, tmp_path) -> None:
    from attnprobe.store import create_run

    create_run(tmp_path / "run", odd_config)
    run = ap.open_run(tmp_path / "run")
    missing = f"{run.path} holds no trained seeds yet. Train some: attnprobe train {run.path}"
    assert run.seeds.tolist() == []
    assert run.seeds.dtype == np.int64
    for attribute in ("status", "steps", "weights", "circuit"):
        assert refusal(getattr, run, attribute) == missing
    assert refusal(run.history) == missing
    assert refusal(run.snapshots) == missing
    assert refusal(run.model, 3) == f"{run.path} has no seed 3; it has no seeds."


# --- weights --------------------------------------------------------------------------------------


def test_weights_are_read_with_safetensors_alone(trained, trained_folder, odd_config) -> None:
    shapes = parameter_shapes(odd_config)
    for shard, rows in (("00002-37", slice(0, 3)), ("00007-37", slice(3, 5))):
        with safetensors.safe_open(trained_folder / "shards" / f"{shard}.safetensors", "numpy") as file:
            about = json.loads(file.metadata()["attnprobe"])
            assert ap.Config(**about["config"]) == odd_config
            assert file.get_tensor("seed").tolist() == SEEDS[rows]
            assert file.get_tensor("status").tolist() == [0] * len(SEEDS[rows])
            assert file.get_tensor("steps").tolist() == [37] * len(SEEDS[rows])
            assert file.get_tensor("snapshot.step").tolist() == odd_config.snapshot_steps.tolist()
            for name, shape in shapes.items():
                tensor = file.get_tensor(name)
                assert tensor.shape == (len(SEEDS[rows]), *shape)
                assert tensor.dtype == np.float32
                for row, seed in zip(tensor, SEEDS[rows], strict=True):
                    assert (trained.model(seed).state_dict()[name].numpy() == row).all()
            assert (file.get_tensor("snapshot.query")[:, -1] == file.get_tensor("query")).all()


def test_a_model_is_a_copy(trained) -> None:
    model = trained.model(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert all(parameter.abs().sum() > 0 for parameter in trained.model(5).parameters())


@pytest.mark.parametrize("seed", [0, 4, 12])
def test_a_model_that_is_not_there(trained, seed) -> None:
    expected = f"{trained.path} has no seed {seed}; it has 5 seeds from 2 to 11."
    assert refusal(trained.model, seed) == expected


def test_circuit_is_in_the_order_of_the_seeds(odd_config, trained, tmp_path) -> None:
    ap.train(odd_config, [11, 5], tmp_path / "run")
    run = ap.train(odd_config, [2, 3, 7], tmp_path / "run")
    assert (run.circuit.scores == trained.circuit.scores).all()
    assert (run.circuit.values == trained.circuit.values).all()


def test_a_run_in_hand_grows_with_the_shards_that_are_added(folder, odd_config) -> None:
    run = ap.open_run(folder)
    before = [len(x) for x in (run.seeds, run.status, run.steps, run.weights["query"], run.circuit)]
    run.add_shard(train_shard(odd_config, np.array([13, 17]), threads=1))
    after = [len(x) for x in (run.seeds, run.status, run.steps, run.weights["query"], run.circuit)]
    assert (before, after) == ([5] * 5, [7] * 5)
    assert run.model(17) is not None


def test_the_same_shard_has_the_same_bytes(trained_folder, odd_config, tmp_path) -> None:
    ap.train(odd_config, SEEDS, tmp_path / "run", shard_size=3)
    assert snapshot.files(tmp_path / "run" / "shards") == snapshot.files(trained_folder / "shards")


def test_history_is_sorted_and_whole(trained, odd_config) -> None:
    history = trained.history()
    steps = odd_config.history_steps
    assert history["seed"].tolist() == np.repeat(SEEDS, steps.size).tolist()
    assert history["step"].tolist() == np.tile(steps, 5).tolist()
    assert history.dtypes.astype(str).to_dict() == {"seed": "int64", "step": "int64", "loss": "float64"}
    assert history["loss"].between(0.3, 2).all()


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 0.01, 0.5, 0.9, 1])
@pytest.mark.parametrize("name", ["00002-37.safetensors", "00007-37.safetensors"])
def test_a_flipped_bit_in_weights_is_noticed(folder, name, place) -> None:
    path = folder / "shards" / name
    flip(path, place)
    assert refusal(getattr, ap.open_run(folder), "weights") == damaged(path)


def test_a_flipped_bit_anywhere_in_run_json_is_noticed(folder) -> None:
    data = (folder / "run.json").read_bytes()
    for place in range(0, 8 * len(data), 41):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        (folder / "run.json").write_bytes(changed)
        said = refusal(ap.open_run, folder)
        assert said == damaged_manifest(folder) or "has format" in said


def test_a_number_that_was_changed_by_hand_is_noticed(folder) -> None:
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace('"lr": 0.001', '"lr": 0.002'))
    assert refusal(ap.open_run, folder) == damaged_manifest(folder)


def test_a_forged_shard_of_other_steps_is_refused(folder, odd_config, tmp_path) -> None:
    """Its seeds would have another number of losses."""
    other = ap.train(odd_config.model_copy(update={"steps": 31}), SEEDS, tmp_path / "other")
    info = json.loads((other.path / "run.json").read_bytes())
    info["config"]["steps"] = 37
    (other.path / "run.json").write_bytes(sealed(info))
    assert refusal(ap.open_run, other.path) == damaged_manifest(other.path)


def test_a_missing_or_truncated_shard_is_noticed_and_the_others_stay_usable(folder, trained) -> None:
    path = folder / "shards" / "00007-37.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    how = f"it has {len(data) - 1:,} bytes, {len(data):,} were written"
    run = ap.open_run(folder)
    assert refusal(getattr, run, "weights") == refusal(run.model, 11) == damaged(path, how)
    path.unlink()
    assert refusal(getattr, run, "weights") == f"{path} is missing. {remedy(path)}"
    assert run.seeds.tolist() == SEEDS
    for seed in (2, 3, 5):
        for name, value in run.model(seed).state_dict().items():
            assert torch.equal(value, trained.model(seed).state_dict()[name])


def test_a_shard_of_another_run_is_noticed(folder, odd_config, tmp_path) -> None:
    other = ap.train(odd_config.model_copy(update={"lr": 2e-3}), [7, 11], tmp_path / "other")
    name = other.manifest.shards[0].file
    assert (folder / name).stat().st_size == (other.path / name).stat().st_size
    (folder / name).write_bytes((other.path / name).read_bytes())
    assert refusal(getattr, ap.open_run(folder), "weights") == damaged(folder / name)


def test_a_name_that_is_too_long(odd_config, tmp_path) -> None:
    from attnprobe.store import create_run

    path = tmp_path / ("a" * 300)
    assert refusal(ap.open_run, path) == f"Cannot open {path}: file name too long."
    assert refusal(create_run, path, odd_config) == (
        f"Cannot make a run at {path}: file name too long. Choose another place."
    )
