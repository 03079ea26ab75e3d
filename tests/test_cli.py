"""The command line: what it does, what it says, and that bad input changes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from commands import SMALL
from snapshot import files

import analyses
import attnprobe as ap
import reports
from attnprobe import cli
from attnprobe.cli import making

COMMANDS = ("study", "train", "analyze", "report", "compare", "query", "show")
HOW = "Give distinct whole numbers of 0 or more, such as range(100) or [3, 5, 8]."
TABLES = "Tables are computed by: attnprobe analyze"


# --- help and options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), *((command,) for command in COMMANDS)])
def test_help(attnprobe, words, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    said = attnprobe(*words, "--help")
    assert (said.code, said.err) == (0, "")
    assert attnprobe(*words, "-h") == said
    assert said.out.split()[0] == "Usage:"
    assert max(map(len, said.out.splitlines())) <= 100
    if words:
        assert re.search(r"attnprobe \w+ runs/demo", said.out), "an example that can be copied"
    else:
        assert all(re.search(rf"│ {command} ", said.out) for command in COMMANDS)


def test_options_are_the_settings_and_name_their_defaults() -> None:
    for name in ("train", "study"):
        function = next(c.callback for c in cli.app.registered_commands if c.callback.__name__ == name)
        annotations = dict(function.__annotations__)
        assert set(annotations) - {"run", "seeds", "threads", "log", "quiet"} == set(ap.Config.model_fields)
        for field, default in ap.Config().model_dump().items():
            said = re.search(r"\(default (.+)\)$", annotations[field].__metadata__[0].help)[1]
            if isinstance(default, str):
                assert said == default
            else:
                assert tuple(map(float, said.split())) == tuple(np.atleast_1d(default)), field


# --- the main job ---------------------------------------------------------------------------------------


def test_study_does_it_all(studied) -> None:
    folder, said = studied
    assert said.returncode == 0
    ends = {line.partition(", ")[0] for line in said.stderr.splitlines()}
    n = len(analyses.names())
    assert {"training: 3 of 3 seeds", f"analyzing: {n} of {n} tables"} < ends
    lines = [re.sub(r"\b\d+\.\d s\b", "# s", line) for line in said.stdout.splitlines()]
    assert lines == [
        "3 seeds trained in # s; demo holds 3.",
        f"{len(analyses.names())} tables written in # s: demo/tables",
        f"Report of {len(reports.figures())} figures drawn in # s.",
        "Time:    trained # s, tables # s, report # s",
        "Report:  demo/report.pdf",
        "Figures: demo/figures    Tables: demo/tables",
        "Next:    attnprobe query demo seeds --where 'accuracy < 0.99'",
    ]
    assert {path.stem for path in (folder / "tables").iterdir()} == set(analyses.names())
    expected = {f"{name}.{kind}" for name in reports.figures() for kind in ("pdf", "png", "csv")}
    assert {path.name for path in (folder / "figures").iterdir()} == expected
    assert ap.open_run(folder).seeds.tolist() == [2, 3, 5]


def test_the_times_of_a_study_are_those_between_its_phases() -> None:
    assert making._spent([10.0, 41.04, 44.0, 49.25]) == "Time:    trained 31.0 s, tables 3.0 s, report 5.2 s"


def test_the_same_study_again_changes_no_byte(studied, attnprobe, tmp_path, monkeypatch) -> None:
    """In another process too: this one."""
    folder, _ = studied
    shutil.copytree(folder, tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    said = attnprobe("study", "demo", "--seeds", "2,3,5", *SMALL, "--quiet")
    assert said == (0, "", "")
    assert files(tmp_path / "demo") == files(folder)


def test_train_again_trains_nothing_and_remembers_its_settings(attnprobe, demo) -> None:
    before = files(demo)
    said = attnprobe("train", "demo", "--seeds", "2,3")
    assert (said.code, said.err) == (0, "")  # nor is there progress where there is nothing to do
    assert re.sub(r"[\d.]+ s;", "# s;", said.out) == (
        "0 seeds trained in # s; demo holds 7.\nNext: attnprobe analyze demo\n"
    )
    assert files(demo) == before
    assert attnprobe("train", "demo", "--seeds", "17", "-q") == (0, "", "")
    run = ap.open_run(demo)
    assert run.seeds.tolist() == [2, 3, 5, 7, 9, 11, 13, 17]
    assert run.tables == []
    assert run.config.steps == 60


def test_analyze_computes_what_is_asked_and_out_of_date(attnprobe, demo) -> None:
    ap.train(ap.open_run(demo).config, [17], demo)
    said = attnprobe("analyze", "demo", "thresholds", "failures_spread")
    tables = ap.open_run(demo).tables
    assert {"failures", "failures_spread", "seeds", "thresholds"} <= set(tables)
    assert "digits" not in tables
    assert re.sub(r"\d+\.\d s", "# s", said.out) == (
        f"{len(tables)} tables written in # s: demo/tables\n"
        "Next: attnprobe report demo    or: attnprobe query demo thresholds\n"
    )
    said = attnprobe("analyze", "demo", "digits", "seeds", "failures_spread", "thresholds")
    assert said.out.startswith("1 table written in ")
    assert "(3 up to date)" in said.out
    before = files(demo)
    assert attnprobe("analyze", "demo", "digits").out.startswith("0 tables written in ")
    assert files(demo) == before
    assert attnprobe("analyze", "demo", "digits", "--force").out.startswith("1 table written in ")
    assert files(demo) == before, "the same table has the same bytes"


def test_analyze_of_an_unknown_table(attnprobe, demo) -> None:
    before = files(demo)
    assert attnprobe.refused("analyze", "demo", "digits", "failure") == (
        "attnprobe: There is no analysis 'failure'. Did you mean 'failures'? "
        f"Analyses are: {', '.join(analyses.names())}.\n"
    )
    assert files(demo) == before


def test_analyze_again_changes_no_byte(attnprobe, demo) -> None:
    before = files(demo)
    said = attnprobe("analyze", "demo")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1] == "Next: attnprobe report demo    or: attnprobe query demo seeds"
    assert files(demo) == before


# --- bad input: one message, exit code 2, nothing changed -------------------------------------------------

SEEDS_COLUMNS = "seed, status, steps, loss, accuracy"
REFUSED = [
    ("train x --seeds -1", f"seed -1 is not allowed: seeds run from 0 to 2^63 - 1. {HOW}"),
    ("train x --seeds 3,5,3", f"seed 3 is given twice: each seed is one training run. {HOW}"),
    (
        "train x --rule n12>n4",
        "rule = 'n12>n4' is not allowed: digit 12 is outside the alphabet 0..9; name digits below vocab_size or "
        "raise vocab_size.",
    ),
    (
        "study x --rule n4>n4",
        "rule = 'n4>n4' is not allowed: it compares digit 4 with itself; name two different digits.",
    ),
    (
        "train x --rule 2>4",
        "rule = '2>4' is not allowed: it must have the form 'nA > nB' for two digits A and B, for example 'n2 > n4'.",
    ),
    ("train x --length 0", "length = 0 is not allowed: it must be a whole number from 1 to 63."),
    ("train x --lr 0", "lr = 0.0 is not allowed: it must be a finite number above 0."),
    ("train x --lr -1", "lr = -1.0 is not allowed: it must be a finite number above 0."),
    ("train x --lr nan", "lr = nan is not allowed: it must be a finite number above 0."),
    ("study x --betas 0.9 1", "betas = (0.9, 1.0) is not allowed: it must be two numbers from 0 up to, but not, 1."),
    ("train x --threads 0", "threads = 0 is not allowed: it must be a whole number of 1 or more."),
    (
        "train other",
        "other is not empty and not a run folder (it has no run.json). Choose a new or empty folder.",
    ),
    ("train file", "file is a file, not a folder. Choose another place for the run."),
    (
        "study file/run",
        "Cannot make the folder file/run: not a directory. Choose a place where you may write.",
    ),
    (
        "train demo --steps 59",
        "demo has been trained for 60 steps; 59 were asked for. A run can be given more steps, not fewer: choose "
        "another folder, or ask for the configuration that it holds.",
    ),
    (
        "study big --vocab-size 32 --length 9",
        "vocab_size = 32 with length = 9 has 273,438,880 distinct count vectors; exact analyses take up to "
        "10,000,000. Training works at this size; for the analyses choose a smaller vocab_size or length.",
    ),
    ("analyze no", "There is no run at no. Train one with: attnprobe train no"),
    ("report no", "There is no run at no. Train one with: attnprobe train no"),
    ("query no seeds", "There is no run at no. Train one with: attnprobe train no"),
    ("analyze other", "other is not a run folder: it has no run.json."),
    ("query demo seeds --format yaml", "--format 'yaml' is not allowed: it must be one of table, csv, json, parquet."),
    (
        "query demo seeds --out seeds.txt",
        "--out 'seeds.txt': the ending says no format. Give --format csv, json or parquet.",
    ),
    (
        "query demo digits --by digit --stat mode",
        "--stat 'mode' is not allowed: it must be one of mean, median, min, max, std, sum.",
    ),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[words for words, _ in REFUSED])
def test_bad_input(attnprobe, demo, here, words: str, message: str) -> None:
    before = files(here)
    assert attnprobe.refused(*words.split()) == f"attnprobe: {message}\n"
    assert files(here) == before


USAGE = [
    ("train x --nope", "No such option: --nope"),
    ("trian x", "No such command 'trian'. Did you mean 'train'?"),
    ("train x --lr abc", "Invalid value for '--lr'"),
    ("train x --steps 1.5", "Invalid value for '--steps'"),
    ("train", "Missing argument 'RUN'."),
    ("query demo", "Missing argument 'TABLE'."),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=[words for words, _ in USAGE])
def test_bad_usage(attnprobe, demo, here, words: str, message: str) -> None:
    before = files(here)
    said = attnprobe.refused(*words.split())
    assert message in said
    assert said.count("Error") == 1
    assert len(said.splitlines()) <= 7
    assert files(here) == before


def test_unknown_tables_and_columns(attnprobe, demo, here) -> None:
    before = files(here)
    columns = ", ".join(ap.open_run(demo).table("seeds").columns)
    assert columns.startswith(SEEDS_COLUMNS)
    assert attnprobe.refused("query", "demo", "sedes") == (
        f"attnprobe: There is no table 'sedes'. Did you mean 'seeds'? Tables are: {', '.join(analyses.names())}.\n"
    )
    for words in (("--by", "accurcy"), ("--columns", "seed,accurcy"), ("--where", "accurcy < 1")):
        assert attnprobe.refused("query", "demo", "seeds", *words) == (
            "attnprobe: There is no column 'accurcy' in this table. Did you mean 'accuracy'? "
            f"Its columns are: {columns}.\n"
        )
    assert attnprobe.refused("query", "demo", "seeds", "--where", "seed.max() > 1") == (
        "attnprobe: --where 'seed.max() > 1' is not allowed: only columns, numbers, text, comparisons, arithmetic "
        "and and/or/not may stand there, not '.', at character 5. Write a comparison of columns such as "
        "'accuracy < 0.99 and focus > 0.5'.\n"
    )
    assert files(here) == before


def test_what_comes_too_early(attnprobe, here, trained_folder) -> None:
    """Report and query before analyze."""
    shutil.copytree(trained_folder, here / "early")
    before = files(here)
    message = f"attnprobe: Table 'seeds' is not in early. Computed so far: none. {TABLES} early\n"
    assert attnprobe.refused("report", "early", "-q") == message
    assert attnprobe.refused("query", "early", "seeds") == message
    assert files(here) == before


def test_analyze_of_too_many_inputs_changes_nothing(attnprobe, here) -> None:
    words = ("train", "big", "--vocab-size", 32, "--length", 9, "--steps", 2, "--hidden", 3, "--seeds", "0:1", "-q")
    assert attnprobe(*words) == (0, "", "")
    before = files(here)
    assert "273,438,880 distinct count vectors" in attnprobe.refused("analyze", "big")
    assert files(here) == before


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numba', 'matplotlib', 'pandas'}"
    code = f"import sys, attnprobe.cli.commands; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout == "[]\n"
