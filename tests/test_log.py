"""``--log FILE``: structured events that are there whatever happens, and a log that never costs work."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
from commands import SMALL, argv, interruptible

import attnprobe as ap
from attnprobe.cli.log import Log
from attnprobe.events import Event


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_training_and_a_failure_in_one_log(attnprobe, here) -> None:
    words = ("run", *SMALL, "--log", "logs/a.jsonl", "-q")
    assert attnprobe("train", *words, "--seeds", "2,3").code == 0
    assert attnprobe("analyze", "run", "digits", "--log", "logs/a.jsonl", "-q").code == 0
    message = attnprobe.refused("train", *words, "--seeds", "-3")
    said = [line for line in read(here / "logs/a.jsonl") if line["event"] != "checkpoint"]  # where all takes minutes
    assert [line["event"] for line in said] == [
        *("started", "shard", "finished", "started", "table", "finished", "started", "failed")
    ]
    assert (said[1]["seeds"], said[1]["not_finite"], said[1]["seed_steps"]) == ("2:4", [], 120)
    assert (said[4]["table"], said[4]["rows"], said[4]["done"], said[4]["of"]) == ("digits", 10, 1, 1)
    assert message == f"attnprobe: {said[-1]['error']}\n"
    assert said[0]["command"][:3] == ["attnprobe", "train", "run"]
    assert said[0]["versions"]["attnprobe"] == ap.__version__
    assert {line["pid"] for line in said} == {os.getpid()}
    frame = pd.read_json(here / "logs/a.jsonl", lines=True)
    times = pd.to_datetime(frame["time"])
    assert str(times.dt.tz) == "UTC"
    assert times.is_monotonic_increasing


ACTING = """
import sqlite3, sys
from pathlib import Path
from attnprobe.cli import main, stopping
from attnprobe.cli.commands import app
from attnprobe.cli.telling import telling

@app.command()
def act():
    with telling(True, Path("log")):
        stopping.keeping("This is kept.")
        base = sqlite3.connect(":memory:")
        base.create_function("here", 0, lambda: print("here", flush=True))
        base.execute("with recursive t(n) as (select here() union all select 1 from t) select count(*) from t")

sys.argv = ["attnprobe", "act"]
main()
"""


def test_a_stop_is_told_even_where_the_process_ends_hard(here) -> None:
    with interruptible([sys.executable, "-c", ACTING], cwd=here) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (143, "Stopped. This is kept.\n")
    started, stopped = read(here / "log")
    assert (started["event"], stopped["event"], stopped["signal"]) == ("started", "stopped", "SIGTERM")
    assert stopped["kept"] == "This is kept."


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("other", "Cannot write the log other: is a directory."),
        ("/dev/full", "Cannot write the log /dev/full: no space left on device."),
        ("file/log", "Cannot write the log file/log: file exists."),
        ("file", "--log file is there and is no log of attnprobe."),
        ("run/log", "--log run/log lies in the run folder run,"),
        ("other/../run/log", "--log other/../run/log lies in the run folder run,"),
        ("fifo", "Cannot write the log fifo: no such device or address."),
        ("a" * 300, f"Cannot write the log {'a' * 300}: file name too long."),
    ],
)
def test_a_log_that_cannot_be_written_is_an_error_before_the_work(attnprobe, here, path, why) -> None:
    os.mkfifo(here / "fifo")
    assert attnprobe.refused("train", "run", "--log", path).startswith(f"attnprobe: {why}")
    assert not (here / "run").exists()
    assert (here / "file").read_text() == "mine too"


def test_a_log_that_is_lost_on_the_way_is_one_warning(tmp_path, capsys) -> None:
    log = Log(tmp_path / "log")
    os.close(log._file)
    log(Event("shard", {"seeds": "0:2"}))
    log(Event("table"))
    assert capsys.readouterr().err == (
        f"attnprobe: the log {tmp_path / 'log'} cannot be written (bad file descriptor); the work goes on.\n"
    )


def test_a_line_that_was_cut_spoils_no_other(tmp_path) -> None:
    path = tmp_path / "log"
    Log(path).finished()
    path.write_bytes(path.read_bytes() + b'{"time": "2026')
    Log(path).finished()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["event"] for line in (*lines[:2], *lines[3:])] == ["started", "finished"] * 2


def test_progress_is_no_line_and_odd_names_are_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["attnprobe", "\udcff\n\x1b"])
    log = Log(tmp_path / "log")
    log(Event("progress", {"done": 1}))
    (line,) = read(tmp_path / "log")
    assert line["command"] == ["attnprobe", "\udcff\n\x1b"]


def test_the_command_as_a_process(here) -> None:
    """Its plain lines, and nothing with -q."""
    words = ("train", "run", "--seeds", "2:4", *SMALL)
    with interruptible(argv(*words), cwd=here) as process:
        _, err = process.communicate(timeout=300)
    assert err.splitlines()[0] == "training: 0 of 2 seeds"
    assert err.splitlines()[-1].startswith("training: 2 of 2 seeds, ")
