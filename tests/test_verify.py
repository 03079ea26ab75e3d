"""Damage of every kind to a run folder: found, named exactly, and made good where that can be."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import snapshot
from folders import damaged, flip, refusal, sealed

import analyses
import attnprobe as ap
from attnprobe.files import sha256
from attnprobe.repair import repair
from attnprobe.verify import retrain, verify

SHARD = "shards/00007-37.safetensors"
TABLE = "tables/seeds.parquet"


@pytest.fixture
def folder(trained_folder: Path, tmp_path: Path) -> Path:
    """A run with some tables and a file of a report."""
    shutil.copytree(trained_folder, tmp_path / "run")
    run = ap.open_run(tmp_path / "run")
    analyses.write(run, ["seeds", "digits"])
    run.write_files({"report.pdf": b"%PDF", "figures/focus.png": b"PNG"})
    return tmp_path / "run"


def found(path: Path) -> list[tuple[str, str]]:
    return [(finding.kind, finding.file) for finding in verify(path).findings]


def edit(folder: Path, change) -> None:
    """Change what run.json says, with a checksum that fits."""
    info = json.loads((folder / "run.json").read_text())
    change(info)
    (folder / "run.json").write_bytes(sealed(info))


def shard_of(folder: Path, **tensors: np.ndarray) -> None:
    """Other tensors in the shard, and a run.json that records just these bytes."""
    with safetensors.safe_open(folder / SHARD, "numpy") as file:
        metadata = file.metadata()
    data = safetensors.numpy.save({**safetensors.numpy.load_file(folder / SHARD), **tensors}, metadata=metadata)
    (folder / SHARD).write_bytes(data)
    record(folder, SHARD)


def record(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    edit(folder, lambda info: info["files"].update({name: {"size": len(data), "sha256": sha256(data)}}))


def test_a_sound_folder(folder) -> None:
    before = snapshot.stamps(folder)
    verified = verify(folder)
    assert verified.findings == ()
    assert verified.sound
    assert verified.files == 1 + 2 + len(ap.open_run(folder).tables) + 2 == len(snapshot.stamps(folder))
    assert verified.bytes == sum(len(data) for name, data in snapshot.files(folder).items() if name != "run.json")
    assert repair(folder) == []
    assert snapshot.stamps(folder) == before


# --- what is found --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [SHARD, TABLE, "report.pdf", "figures/focus.png"])
@pytest.mark.parametrize("how", ["flipped", "cut", "longer", "empty", "gone", "folder", "link", "pipe"])
def test_a_file_that_is_not_what_was_written(folder, name, how) -> None:
    path, data = folder / name, (folder / name).read_bytes()
    if how == "flipped":
        flip(path)
    elif how in ("cut", "longer", "empty"):
        path.write_bytes({"cut": data[:-1], "longer": data + b"x", "empty": b""}[how])
    else:
        path.rename(folder.parent / "away")
        if how == "folder":
            path.mkdir()
        elif how == "link":
            path.symlink_to(folder.parent / "away")  # to the very bytes: still none is followed
        elif how == "pipe":
            os.mkfifo(path)
    assert found(folder) == [("missing" if how == "gone" else "damaged", name)]
    assert str(path) in verify(folder).findings[0].what


def test_the_words(folder) -> None:
    flip(folder / SHARD)
    (finding,) = verify(folder).findings
    assert finding.what == damaged(folder / SHARD)


@pytest.mark.parametrize(
    "name", ["shards/00099-37.safetensors", "tables/mine.parquet", "notes.txt", "a/b/c", ".hidden"]
)
def test_a_file_that_nobody_recorded(folder, name) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("mine")
    assert found(folder) == [("extra", name)]


def test_a_shard_of_another_run_under_its_name(folder, odd_config, tmp_path) -> None:
    other = ap.train(odd_config.model_copy(update={"lr": 2e-3}), [7, 11], tmp_path / "other")
    (folder / SHARD).write_bytes((other.path / SHARD).read_bytes())
    assert found(folder) == [("damaged", SHARD)]
    record(folder, SHARD)  # and with its checksum
    (finding,) = [finding for finding in verify(folder).findings if finding.kind == "damaged"]
    assert finding.file == SHARD
    assert "belongs to a run with other settings" in finding.what
    assert '"lr": 0.002' in finding.what


def test_tables_and_figures_older_than_the_weights(folder, odd_config) -> None:
    ap.train(odd_config, [13], folder)
    kinds = found(folder)
    assert {kind for kind, _ in kinds} == {"old"}
    assert {"tables/seeds.parquet", "tables/digits.parquet", "report.pdf", "figures/focus.png"} <= {f for _, f in kinds}
    analyses.write(ap.open_run(folder), ["seeds", "digits"])
    assert {f for _, f in found(folder)} == {"report.pdf", "figures/focus.png"}


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"seed": np.array([7, 12])}, "it holds other seeds than run.json says"),
        ({"seed": np.array([7, 7])}, "its seeds are not distinct, ascending and 0 or more"),
        ({"status": np.array([0, 9], np.uint8)}, "it has a status 9, which means nothing"),
        ({"steps": np.array([37, 38])}, "it has a seed with 38 of 37 steps"),
        ({"steps": np.array([37, -1])}, "it has a seed with"),
        ({"query": np.zeros((2, 1, 3), np.float32)}, "its tensor 'query' is F32 (2, 1, 3), not F32 (2, 1, 2)"),
        ({"query": np.zeros((2, 1, 2))}, "its tensor 'query' is F64 (2, 1, 2), not F32 (2, 1, 2)"),
        (
            {"query": np.full((2, 1, 2), np.nan, np.float32)},
            "says that seed 7 is trained, but its weights are not finite",
        ),
        ({"spy": np.zeros(2, np.float32)}, "it has an unknown tensor 'spy'"),
        ({"history.step": np.arange(5)}, "its history.step are not those of the run's settings"),
    ],
)
def test_a_shard_that_lies_with_the_right_checksum(folder, tensors, said) -> None:
    shard_of(folder, **tensors)
    (finding,) = [finding for finding in verify(folder).findings if finding.kind != "old"]
    assert (finding.file, finding.kind) == (SHARD, "damaged")
    assert said in finding.what


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "shards/../../x", "a/b", ".x", "tables/", "run.json", "x\n"])
def test_names_that_leave_the_folder_are_refused(folder, name) -> None:
    for part in ("files", "writing"):
        shutil.copytree(folder, folder.parent / part)
        edit(folder.parent / part, lambda info, part=part: info[part].update({name: {"size": 1, "sha256": "0" * 64}}))
        assert "is damaged: it is not what attnprobe wrote" in refusal(ap.open_run, folder.parent / part)


def test_a_folder_of_the_run_that_is_a_link_is_not_followed(folder) -> None:
    (folder / "shards").rename(folder.parent / "away")
    (folder / "shards").symlink_to(folder.parent / "away")
    said = refusal(getattr, ap.open_run(folder), "weights")
    assert said == f"{folder / 'shards'} is a link, and none is followed out of a run folder."
    assert ("extra", "shards") in found(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda info: info["shards"][1].update(seeds="0:9000000000"),
        lambda info: info["shards"][1].update(seeds="2,3"),  # those of the other
        lambda info: info["shards"][1].update(seeds="11,7"),
        lambda info: info["shards"][1].update(seeds="7,,11"),
    ],
    ids=["too many", "twice", "order", "form"],
)
def test_an_impossible_list_of_seeds(folder, change) -> None:
    edit(folder, change)
    assert refusal(ap.open_run, folder) == (
        f"{folder / 'run.json'} is not what attnprobe wrote: its list of seeds is impossible."
    )


def test_a_shard_that_is_listed_without_its_file(folder) -> None:
    edit(folder, lambda info: info["files"].pop(SHARD))
    assert "is damaged: it is not what attnprobe wrote" in refusal(ap.open_run, folder)


# --- repair ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["flipped", "gone", "link", "folder"])
def test_a_bad_shard_is_trained_again_to_the_same_bytes(folder, how) -> None:
    before = snapshot.files(folder)
    path, away = folder / SHARD, folder.parent / "away"
    if how == "flipped":
        flip(path)
    else:
        path.rename(away)
        if how == "link":
            path.symlink_to(away)
        elif how == "folder":
            path.mkdir()
    bad = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    said = repair(folder)
    assert said[-1] == f"{SHARD}: its 2 seeds were trained again."
    after = snapshot.files(folder)
    assert {name: data for name, data in after.items() if not name.startswith("set_aside")} == before
    if bad is not None:
        assert after[f"set_aside/{SHARD}"] == bad
    assert verify(folder).sound


def test_bad_tables_and_figures_are_set_aside_and_made_again(folder) -> None:
    before = (folder / TABLE).read_bytes()
    flip(folder / TABLE)
    (folder / "report.pdf").unlink()
    said = repair(folder)
    assert f"{TABLE} is no part of the run any more. Have it again: attnprobe analyze {folder}" in said
    assert f"report.pdf is no part of the run any more. Have it again: attnprobe report {folder}" in said
    assert verify(folder).sound
    assert analyses.write(ap.open_run(folder), ["seeds"]) == ["seeds"]
    assert (folder / TABLE).read_bytes() == before


def test_a_damaged_table_is_computed_again_without_being_told(folder) -> None:
    before = (folder / TABLE).read_bytes()
    flip(folder / TABLE)
    assert refusal(ap.open_run(folder).table, "seeds") == damaged(folder / TABLE)
    assert analyses.write(ap.open_run(folder), ["seeds"]) == ["seeds"]
    assert (folder / TABLE).read_bytes() == before


def test_what_others_put_there_is_set_aside_and_nothing_is_overwritten(folder) -> None:
    for words in ("one", "two", "three"):
        (folder / "notes.txt").write_text(words)
        assert repair(folder) == [f"Moved to {str(folder / 'set_aside')!r}: 'notes.txt'."]
    assert [(folder / "set_aside" / f"notes.txt{end}").read_text() for end in ("", ".1", ".2")] == [
        "one",
        "two",
        "three",
    ]


@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_a_lost_run_json_is_written_anew_from_the_shards(folder, trained, how) -> None:
    before = snapshot.files(folder)
    if how == "flipped":
        flip(folder / "run.json")
    else:
        (folder / "run.json").unlink()
    assert found(folder) == [("damaged" if how == "flipped" else "missing", "run.json")]
    assert "run.json was written anew, of 5 seeds whose shards are whole." in repair(folder)[0]
    run = ap.open_run(folder)
    assert (run.config, run.state, run.seeds.tolist()) == (trained.config, trained.state, trained.seeds.tolist())
    assert verify(folder).sound
    analyses.write(run, ["seeds", "digits"])
    run.write_files({"report.pdf": b"%PDF", "figures/focus.png": b"PNG"})
    after = snapshot.files(folder)
    assert {name: data for name, data in after.items() if not name.startswith("set_aside")} == before


def test_a_bad_shard_does_not_come_into_a_run_json_written_anew(folder, odd_config) -> None:
    (folder / "run.json").unlink()
    flip(folder / SHARD, 0.9)
    other = ap.train(odd_config.model_copy(update={"lr": 2e-3}), [17], folder.parent / "other")
    shutil.copy(other.path / other.manifest.shards[0].file, folder / "shards")
    repair(folder)
    assert ap.open_run(folder).seeds.tolist() == [2, 3, 5]
    assert (folder / "set_aside" / SHARD).exists()
    assert (folder / "set_aside" / other.manifest.shards[0].file).exists()
    assert ap.train(odd_config, [2, 3, 5, 7, 11], folder).seeds.size == 5


def test_nothing_to_build_on(folder) -> None:
    (folder / "run.json").write_text("{")
    shutil.rmtree(folder / "shards")
    assert refusal(repair, folder) == (
        f"{folder / 'run.json'} is damaged, and no shard is there from which it could be written anew. Put back a copy."
    )
    assert (folder / "run.json").read_text() == "{"


# --- trained again --------------------------------------------------------------------------------


def test_seeds_trained_again_are_the_same(trained) -> None:
    assert retrain(trained, trained.seeds) == []


def test_a_changed_weight_with_the_right_checksum_is_found_by_training_again(folder) -> None:
    weights = safetensors.numpy.load_file(folder / SHARD)["WK.bias"].copy()
    weights.view(np.uint32)[1, 0] ^= 1  # the last bit of one weight of seed 11
    shard_of(folder, **{"WK.bias": weights})
    run = ap.open_run(folder)
    assert {finding.kind for finding in verify(folder).findings} == {"old"}
    assert retrain(run, [2, 3, 5, 7]) == []
    (finding,) = retrain(run, [7, 11])
    assert finding.what == (
        f"Seed 11 of {SHARD}, trained again, differs in WK.bias. Both were trained on this kind of processor: the file "
        "was changed, or another version trained it."
    )


# --- the command line -----------------------------------------------------------------------------


def test_the_command(attnprobe, folder) -> None:
    said = attnprobe("verify", folder, "--retrain", "2")
    assert said.code == 0
    assert "Trained again, the same to the last bit: seed " in said.out
    assert f"{folder} is sound: 5 seeds, {verify(folder).files} files," in said.out
    flip(folder / SHARD)
    said = attnprobe("verify", folder, "-q")
    assert said == (1, f"damaged: {damaged(folder / SHARD)}\n{folder} is not sound: 1 finding.\n", "")
    said = attnprobe("verify", folder, "--repair")
    assert said.code == 0
    assert f"{SHARD}: its 2 seeds were trained again." in said.out
    assert attnprobe("verify", folder, "-q") == (0, "", "")


def test_what_is_no_run(attnprobe, here) -> None:
    assert attnprobe.refused("verify", "nowhere") == (
        "attnprobe: There is no run at nowhere. Train one with: attnprobe train nowhere\n"
    )
    assert attnprobe.refused("verify", "other", "--repair").startswith("attnprobe: other is not a run folder")
    assert attnprobe.refused("verify", "other", "--retrain", "-1").startswith("attnprobe: --retrain -1 is not allowed")
