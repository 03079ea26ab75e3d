"""A run of weights that were trained elsewhere: everything works on it, and what is not known is not claimed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import students
import torch
from folders import flip, refusal
from test_foreign import saved

import analyses
import attnprobe as ap
from analyses.measures import Side
from analyses.pairing import Pairing
from attnprobe.foreign import importing
from attnprobe.foreign.importing import import_weights
from attnprobe.foreign.weights import TAKEN_FOR
from attnprobe.repair import repair
from attnprobe.verify import verify
from reports.pages import PAGES, dynamics, learning, methods, overview

OF_THE_WAY = {
    *("history", "history_spread", "dynamics", "dynamics_spread"),
    *("milestones", "survival", "precedence", "precedence_shares"),
}
WITH_A_START = {"geometry": "stage", "geometry_similarity": "stage", "geometry_spread": "stage"}
START = "start|initial|gain|change|steps_to|first|together|values_with_attention"  # what speaks of the way, in names


@pytest.fixture(scope="module")
def exported(small_run, tmp_path_factory) -> dict[str, list[Path]]:
    """The seeds of a run with every table, in both formats."""
    place = tmp_path_factory.mktemp("exported")
    return {kind: ap.export_weights(small_run, place / kind, format=kind) for kind in ("pt", "safetensors")}


@pytest.fixture(scope="module", params=["pt", "safetensors"])
def back(request, exported, tmp_path_factory) -> ap.Run:
    """The exported seeds, imported again and analysed."""
    options = {"rule": "n3 > n1", "length": 7, "steps": 60} if request.param == "pt" else {}
    done = import_weights(exported[request.param], tmp_path_factory.mktemp("back") / "run", **options)
    assert (done.added, done.there, done.notes) == (7, 0, ())
    analyses.write(done.run)
    return done.run


# --- there and back --------------------------------------------------------------------------------------


def test_every_bit_of_every_seed_comes_back(back, small_run) -> None:
    np.testing.assert_array_equal(back.seeds, small_run.seeds)
    np.testing.assert_array_equal(back.status, small_run.status)
    np.testing.assert_array_equal(back.steps, small_run.steps)
    for name, value in small_run.weights.items():
        assert back.weights[name].tobytes() == value.tobytes()
    for name, value in small_run.model(5).state_dict().items():
        assert torch.equal(back.model(5).state_dict()[name], value)
    np.testing.assert_array_equal(back.circuit.scores, small_run.circuit.scores)


def test_every_table_but_those_of_the_way_comes_back(back, small_run) -> None:
    """Not only close: the same frames. Initial weights are part of the way too."""
    assert set(back.tables) == set(small_run.tables) == set(analyses.names())
    same = 0
    for name in analyses.names():
        found, expected = back.table(name), small_run.table(name)
        if name in OF_THE_WAY:
            assert len(expected) > 0
            assert found.empty
            continue
        if name in WITH_A_START:
            assert (found["stage"] == "trained").all()
            expected = expected[expected["stage"] == "trained"].reset_index(drop=True)
            columns = [column for column in found if not re.search(START, column)]
            found, expected = found[columns], expected[columns]
            if name == "geometry_spread":
                found, expected = (t[~t["measure"].str.contains(START)] for t in (found, expected))
        elif name == "summary":
            found, expected = (frame.set_index("measure") for frame in (found, expected))
            of_the_way = expected.index.str.contains(START)
            assert 20 > of_the_way.sum() > 10
            assert found[found.index.str.contains(START)]["estimate"].isna().all()
            found, expected = found[~found.index.str.contains(START)], expected[~of_the_way]
        else:
            same += 1
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert same > 30


def test_a_seed_that_failed_comes_back_as_it_was(planted_run, tmp_path) -> None:
    """Its status and steps too, where the format has room for them."""
    for kind in ("pt", "safetensors"):
        paths = ap.export_weights(planted_run, tmp_path / kind, format=kind)
        options = (
            {} if kind == "safetensors" else {"rule": planted_run.config.rule, "length": planted_run.config.length}
        )
        said = refusal(import_weights, paths, tmp_path / f"{kind} run", **options)
        assert "infinite or not a number" in said
        assert not (tmp_path / f"{kind} run").exists()
        back = import_weights(paths, tmp_path / f"{kind} run", keep_nonfinite=True, **options).run
        np.testing.assert_array_equal(back.status, planted_run.status)
        for name, value in planted_run.weights.items():
            assert back.weights[name].tobytes() == value.tobytes()
    np.testing.assert_array_equal(back.steps, planted_run.steps)


def test_exports_are_the_same_bytes_every_time(exported, small_run, tmp_path) -> None:
    for kind, paths in exported.items():
        again = ap.export_weights(small_run, tmp_path / kind, [3, 11], format=kind)
        assert [path.name for path in again] == [f"seed3.{kind}", f"seed11.{kind}"]
        for path in again:
            assert path.read_bytes() == (paths[0].parent / path.name).read_bytes()


def test_an_export_is_what_plain_torch_and_safetensors_read(exported, small_run) -> None:
    """Without this library: torch's own loader, into the exercise's module as a student wrote it."""
    theirs = students.Plain(vocab=5, dim=3, att=2, hidden=11)
    x = torch.randint(0, 5, (100, 7), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = small_run.model(5)(x)
        for read in (
            torch.load(exported["pt"][2], weights_only=True),
            safetensors.torch.load_file(exported["safetensors"][2]),
        ):
            theirs.load_state_dict(read)
            torch.testing.assert_close(theirs(x), expected, rtol=0, atol=1e-6)


def test_exports_that_are_refused(small_run, tmp_path) -> None:
    paths = ap.export_weights(small_run, tmp_path, [2, 3])
    before = paths[0].read_bytes()
    assert refusal(ap.export_weights, small_run, tmp_path, [3, 5]) == (
        f"{tmp_path / 'seed3.pt'} is there already. Choose another folder with --out, or replace it with --force."
    )
    assert not (tmp_path / "seed5.pt").exists()
    paths[1].write_bytes(b"spoilt")
    ap.export_weights(small_run, tmp_path, [2, 3, 5], force=True)
    assert paths[0].read_bytes() == before
    assert paths[1].read_bytes() != b"spoilt"
    assert "has no seed 4" in refusal(ap.export_weights, small_run, tmp_path, [4])
    assert refusal(ap.export_weights, small_run, tmp_path, format="onnx").startswith("Format 'onnx' is unknown.")


# --- adding to a run -------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """Four networks that a student trained."""
    made = []
    for i in range(4):
        torch.manual_seed(i)
        made.append(saved(tmp_path / f"net{i}.pt", students.Plain(vocab=5, dim=3, att=2, hidden=7).state_dict()))
    return made


def contents(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_same_command_again_changes_nothing(files, tmp_path) -> None:
    first = import_weights(files, tmp_path / "run")
    before = contents(tmp_path / "run")
    again = import_weights(files, tmp_path / "run")
    assert (first.added, first.there, again.added, again.there) == (4, 0, 0, 4)
    assert contents(tmp_path / "run") == before


def test_more_files_join(files, tmp_path) -> None:
    import_weights(files[2:], tmp_path / "run")
    done = import_weights(files, tmp_path / "run")
    assert (done.added, done.there, list(done.run.seeds)) == (2, 2, [0, 1, 2, 3])
    assert [source.name for source in done.run.manifest.sources] == [file.name for file in files]
    for seed, file in enumerate(files):
        state = torch.load(file, weights_only=True)
        for name, value in done.run.model(seed).state_dict().items():
            assert torch.equal(value, state[name])


def test_files_without_numbers_keep_those_that_they_got(files, tmp_path) -> None:
    named = [shutil.copy(file, tmp_path / f"{word}.pt") for file, word in zip(files, "abcd", strict=True)]
    import_weights(named[:2], tmp_path / "run")
    done = import_weights([named[3], named[1], named[2], named[0]], tmp_path / "run")
    assert (done.added, done.numbered) == (2, "Numbered in the order given.")
    assert {source.name: source.seed for source in done.run.manifest.sources} == {
        "a.pt": 0,
        "b.pt": 1,
        "d.pt": 2,
        "c.pt": 3,
    }


def test_an_import_that_stops_between_two_shards_goes_on_to_the_same_bytes(files, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(importing, "SHARD_SIZE", 2)
    import_weights(files, tmp_path / "whole")
    add = ap.Run.add_shard
    calls = []

    def once(run, *args):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        add(run, *args)

    monkeypatch.setattr(ap.Run, "add_shard", once)
    with pytest.raises(KeyboardInterrupt):
        import_weights(files, tmp_path / "broken")
    monkeypatch.setattr(ap.Run, "add_shard", add)
    assert len(ap.open_run(tmp_path / "broken").seeds) == 2
    assert import_weights(files, tmp_path / "broken").added == 2
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_number_that_is_taken(files, tmp_path) -> None:
    run = import_weights(files[:2], tmp_path / "run").run
    before = contents(run.path)
    assert refusal(import_weights, [files[2]], run.path, seeds=[1]) == (
        f"{files[2]} would be seed 1, but {run.path} has other weights under that number: those of 'net1.pt'. "
        "Give other numbers with --seeds, or import into another run."
    )
    assert "those of 'net0.pt' with other options. Give" in refusal(import_weights, files[:1], run.path, scale="none")
    assert contents(run.path) == before


def test_the_same_weights_in_another_file_are_there_already(files, tmp_path) -> None:
    run = import_weights(files, tmp_path / "run").run
    copies = ap.export_weights(run, tmp_path / "copies", format="safetensors")
    assert import_weights(copies, run.path).there == 4


def test_what_is_lost_can_be_imported_again(files, tmp_path, monkeypatch) -> None:
    """A damaged shard is set aside, and its networks come from their files: to the same bytes."""
    monkeypatch.setattr(importing, "SHARD_SIZE", 2)
    run = import_weights(files, tmp_path / "run").run
    before = contents(run.path)
    flip(run.path / "shards/00002-0.safetensors")
    done = repair(run.path)
    assert any("Import its weights again." in said for said in done)
    assert [source.seed for source in ap.open_run(run.path).manifest.sources] == [0, 1]
    assert import_weights(files, run.path).added == 2
    assert {name: data for name, data in contents(run.path).items() if not name.startswith("set_aside")} == before
    assert verify(run.path).sound


def test_networks_of_other_sizes(files, tmp_path) -> None:
    other = saved(tmp_path / "other9.pt", students.Plain(vocab=5, dim=3, att=4, hidden=7).state_dict())
    assert refusal(import_weights, [*files, other], tmp_path / "run") == (
        f"{files[0]} and {other} are networks of different sizes: vocab_size 5, embed_dim 3, att_dim 2, hidden 7; "
        "vocab_size 5, embed_dim 3, att_dim 4, hidden 7. A run holds networks of the same sizes: import them into two "
        "runs."
    )
    assert not (tmp_path / "run").exists()
    import_weights(files, tmp_path / "run")
    assert refusal(import_weights, [other], tmp_path / "run") == (
        f"{other} is a network of vocab_size 5, embed_dim 3, att_dim 4, hidden 7; the run has vocab_size 5, embed_dim "
        "3, att_dim 2, hidden 7. Import it into another run."
    )


def test_one_bad_file_and_nothing_is_changed(files, tmp_path) -> None:
    files[3].write_bytes(files[3].read_bytes()[:-1])
    assert "damaged" in refusal(import_weights, files, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rule": "n3 > n1"}, "rule is 'n2 > n4' there, 'n3 > n1' was asked for"),
        ({"length": 5}, "length is 10 there, 5 was asked for"),
        ({"steps": 7}, "holds networks after 0 steps; 7 were asked for"),
        ({"rule": "n9 > n1"}, "digit 9 is outside the alphabet 0..4"),
        ({"scale": "half"}, "scale = 'half' is not allowed: it must be one of sqrt, none."),
        ({"seeds": [1, 2]}, "There are 4 files and 2 seeds"),
    ],
)
def test_options_that_do_not_fit_the_run(options, said, files, tmp_path) -> None:
    import_weights(files, tmp_path / "run")
    before = contents(tmp_path / "run")
    assert said in refusal(import_weights, files, tmp_path / "run", **options)
    assert contents(tmp_path / "run") == before


def test_trained_and_imported_do_not_mix(files, small_run, tmp_path) -> None:
    run = import_weights(files, tmp_path / "run").run
    said = refusal(ap.train, run.config, [7], run.path)
    assert said.startswith(f"{run.path} holds weights that were trained elsewhere; seeds that were trained here ")
    exported = ap.export_weights(small_run, tmp_path / "out")
    options = {"rule": "n3 > n1", "length": 7, "steps": small_run.config.steps}
    assert "holds seeds that were trained here" in refusal(import_weights, exported, small_run.path, **options)


def test_exports_of_two_questions(small_run, planted_run, tmp_path) -> None:
    first = ap.export_weights(small_run, tmp_path / "a", [2], format="safetensors")
    second = tmp_path / "b.safetensors"
    said = json.dumps({**EXPORTED, "rule": "n0 > n1"})
    safetensors.torch.save_file(safetensors.torch.load_file(first[0]), second, metadata={"attnprobe": said})
    assert refusal(import_weights, [*first, second], tmp_path / "run") == (
        f"{first[0]} and {second} are exports of runs with another rule: 'n3 > n1' and 'n0 > n1'. Import them into two "
        "runs, or give --rule."
    )
    run = import_weights([*first, second], tmp_path / "run", rule="n0 > n1").run
    assert (run.config.rule, run.config.length, list(run.seeds)) == ("n0 > n1", 7, [2, 4])


EXPORTED = {"seed": 4, "rule": "", "vocab_size": 5, "length": 7, "steps": 60, "steps_done": 60, "status": "trained"}


# --- what is said of them --------------------------------------------------------------------------------


def test_the_report_claims_nothing_of_their_training(edge) -> None:
    material = edge("trained elsewhere")
    assert material.manifest.origin == "imported"
    for page in (dynamics.DYNAMICS, dynamics.SURVIVAL):
        assert page.finding(material) == (
            "Weights that were trained elsewhere come without a history, so the way to them cannot be seen."
        )
    assert learning.finding(material).startswith("As imported, ")
    assert overview.setting(material).startswith(
        "One small attention network, with weights that were trained elsewhere (4 files), answers "
    )
    assert methods.command(material) == f"attnprobe import {material.path.name} FILES... --seeds 1:5 --length 6"
    words = [page.finding(material) for page in PAGES]
    assert not [said for said in words if re.search(r"untrained|Nothing was trained|After \d+ step|Trained with", said)]


def test_imported_seeds_are_not_paired_by_number(small_run, files, exported, tmp_path) -> None:
    """Seed 3 elsewhere is another start and other data than seed 3 here; the same weights are the same."""
    options = {"rule": "n3 > n1", "length": 7, "steps": small_run.config.steps}
    back = import_weights(exported["pt"], tmp_path / "back", **options).run
    other = import_weights(exported["pt"], tmp_path / "other", seeds=[13, 11, 9, 7, 5, 3, 2], **options).run
    same = Pairing(Side(back, "back"), Side(small_run, "here"))
    assert (same.paired, same.words) == (True, "7 seeds in both, with the same trained weights: paired")
    mixed = Pairing(Side(other, "other"), Side(small_run, "here"))
    assert (mixed.paired, mixed.words) == (
        False,
        "7 seeds in both by number only, which says nothing of imported weights: compared as independent",
    )


# --- the commands ----------------------------------------------------------------------------------------


def test_the_commands_go_there_and_back(attnprobe, demo, here) -> None:
    said = attnprobe("export", "demo", "--seeds", "2:4", "--out", "weights")
    assert said.code == 0
    command = "attnprobe import NEWRUN weights/seed*.pt --rule 'n3 > n1' --length 7 --steps 60"
    assert said.out.splitlines()[1] == f"To import: {command}"
    words = shlex.split(
        command.replace("NEWRUN", "back").replace("weights/seed*.pt", "weights/seed2.pt weights/seed3.pt")
    )
    said = attnprobe(*words[1:])
    assert said.code == 0
    first, second, taken, following = said.out.splitlines()
    assert re.fullmatch(r"2 imported in [\d.]+ s; back holds 2\.", first)
    assert second == (
        "Rule 'n3 > n1', sequences of 7 of 5 digits; embed_dim 3, att_dim 2, hidden 11. "
        "Numbered by the ends of the file names."
    )
    assert taken == TAKEN_FOR
    assert following == "Next: attnprobe analyze back"
    theirs, ours = ap.open_run("demo"), ap.open_run("back")
    for seed in (2, 3):
        for name, value in ours.model(seed).state_dict().items():
            assert torch.equal(value, theirs.model(seed).state_dict()[name])


def test_options_of_the_command(attnprobe, here) -> None:
    state = students.Renamed().state_dict()
    state = {name.replace("to_v", "mystery"): value for name, value in state.items()} | {"unused": torch.zeros(2)}
    saved(here / "w.pt", {"best": state, "last": students.Renamed().state_dict()})
    options = ["--rename", "mystery.weight=WV.weight", "--ignore", "unused"]
    options += ["--key", "best", "--seeds", "7", "--scale", "none"]
    said = attnprobe("import", "run", "w.pt", *options, "--length", "4")
    assert said.code == 0
    assert "w.pt: The state dict is its 'best'." in said.out
    assert "w.pt: It has no WK.bias: zero." in said.out
    assert "w.pt: Scores without 1/sqrt(att_dim): the query was multiplied by sqrt(4), exactly." in said.out
    assert list(ap.open_run("run").seeds) == [7]
    assert attnprobe.refused("import", "r", "w.pt", "--rename", "x") == (
        "attnprobe: --rename 'x' is not allowed: write THEIRS=OURS, such as to_v.weight=WV.weight.\n"
    )
    assert "names 'x' twice" in attnprobe.refused("import", "r", "w.pt", "--rename", "x=query", "--rename", "x=query")
    assert "those of 'w.pt' with other options. Give" in attnprobe.refused(
        "import", "run", "w.pt", "--key", "last", "--seeds", "7"
    )
    assert not (here / "r").exists()


def test_files_in_the_order_of_their_numbers(attnprobe, here, files) -> None:
    assert attnprobe("import", "run", *files, "--seeds", "9,2,5,1", "-q") == (0, "", "")
    assert {source.seed: source.name for source in ap.open_run("run").manifest.sources} == {
        9: "net0.pt",
        2: "net1.pt",
        5: "net2.pt",
        1: "net3.pt",
    }
