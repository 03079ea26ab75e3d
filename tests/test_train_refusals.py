"""What ``train`` refuses: with the whole message, and with nothing on disk changed."""

from __future__ import annotations

import shutil

import pytest
import snapshot

import attnprobe as ap


def refused(folder, *args, **kwargs) -> str:
    """The message; ``folder`` is byte for byte what it was."""
    before = snapshot.files(folder), snapshot.stamps(folder)
    with pytest.raises(ap.AttnprobeError) as error:
        ap.train(*args, **kwargs)
    assert (snapshot.files(folder), snapshot.stamps(folder)) == before
    return str(error.value)


def test_a_folder_that_is_no_run(odd_config, tmp_path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear")
    out = tmp_path / "notes"
    assert refused(tmp_path, odd_config, [1], out) == (
        f"{out} is not empty and not a run folder (it has no run.json). Choose a new or empty folder."
    )


def test_a_file(odd_config, tmp_path) -> None:
    out = tmp_path / "file"
    out.write_text("not a folder")
    assert (
        refused(tmp_path, odd_config, [1], out) == f"{out} is a file, not a folder. Choose another place for the run."
    )


def test_a_place_below_a_file(odd_config, tmp_path) -> None:
    (tmp_path / "file").write_text("not a folder")
    out = tmp_path / "file" / "run"
    assert refused(tmp_path, odd_config, [1], out) == (
        f"Cannot make the folder {out}: not a directory. Choose a place where you may write."
    )


def test_another_config(odd_config, trained_folder, tmp_path) -> None:
    out = tmp_path / "run"
    shutil.copytree(trained_folder, out)
    other = odd_config.model_copy(update={"lr": 0.5, "steps": 41})
    assert refused(tmp_path, other, [2, 99], out) == (
        f"{out} already holds a run with another configuration (steps is 37 there, 41 was asked for; "
        "lr is 0.001 there, 0.5 was asked for). "
        "Choose another folder, or ask for the configuration that it holds."
    )


def test_another_rule(odd_config, trained_folder, tmp_path) -> None:
    out = tmp_path / "run"
    shutil.copytree(trained_folder, out)
    assert refused(tmp_path, odd_config.model_copy(update={"rule": "n3 > n5"}), [2], out) == (
        f"{out} already holds a run with another configuration (rule is 'n5 > n3' there, "
        "'n3 > n5' was asked for). Choose another folder, or ask for the configuration that it holds."
    )


@pytest.mark.parametrize("name", ["threads", "shard_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_sizes_that_are_no_whole_number_of_one_or_more(odd_config, tmp_path, name, value) -> None:
    assert refused(tmp_path, odd_config, [1], tmp_path / "run", **{name: value}) == (
        f"{name} = {value} is not allowed: it must be a whole number of 1 or more."
    )


def test_no_place(odd_config, tmp_path) -> None:
    assert refused(tmp_path, odd_config, [1]) == ("out is missing: name the run folder, for example out='runs/demo'.")


def test_no_seeds(odd_config, tmp_path) -> None:
    assert refused(tmp_path, odd_config, [], tmp_path / "run") == (
        "seeds is empty: there is nothing to train. "
        "Give distinct whole numbers of 0 or more, such as range(100) or [3, 5, 8]."
    )


def test_an_empty_folder_is_taken(odd_config, tmp_path) -> None:
    (tmp_path / "run").mkdir()
    assert ap.train(odd_config, [1], tmp_path / "run").seeds.tolist() == [1]
