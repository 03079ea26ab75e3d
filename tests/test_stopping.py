"""Ctrl-C and SIGTERM: any command ends soon, whatever it is doing, and says what is kept and how to go on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from commands import argv, interruptible
from snapshot import files

import attnprobe as ap
from attnprobe.cli import stopping

SOON = 15  # seconds: generous on a busy machine, and far less than what is stopped would take
SENTENCE = "This is kept; the same command goes on.\n"

# A command that does what a test needs, in a process of its own. `stuck` stays in code that is not Python, from which
# it says once that it is there.
ACTING = """
import os, signal, sqlite3, sys, threading, time
from pathlib import Path
from attnprobe.cli import main, stopping
from attnprobe.cli.commands import app

def here():
    os.write(1, b"here\\n")

def stuck():
    base = sqlite3.connect(":memory:")
    base.create_function("here", 0, here)
    base.execute("with recursive t(n) as (select here() union all select 1 from t) select count(*) from t")

def spin():
    while True:
        pass

@app.command()
def act():
    stopping.keeping("This is kept; the same command goes on.")
    {act}

{setup}
sys.argv = ["attnprobe", "act"]
main()
"""


@contextmanager
def acting(act: str, setup: str = "", **options) -> Iterator[subprocess.Popen[str]]:
    """Such a process, once it has come to the point."""
    code = ACTING.format(act=act, setup=setup)
    with interruptible([sys.executable, "-W", "error", "-c", code], **options) as process:
        assert process.stdout.readline() == "here\n"
        yield process


def ended(process: subprocess.Popen[str], number: int, within: float = SOON) -> tuple[str, str]:
    """What a process said that was sent a signal, and ended as shells expect, with no process left behind."""
    out, err = process.communicate(timeout=within)
    assert process.returncode == 128 + number, err
    assert alone(process.pid), "a helper lives on"
    return out, err


def alone(group: int, within: float = SOON) -> bool:
    """Whether all processes of a group come to their end."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def wait_for(there, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not there() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert there(), process.communicate()


# --- whatever the main thread does -------------------------------------------------------------------------

IN_PYTHON = ("here(); spin()", "here(); time.sleep(600)", "here(); threading.Event().wait()")
IN_NATIVE_CODE = ("stuck()",)
DEAF = (  # the interruption is swallowed, or cannot be passed on
    "\n    here()\n    while True:\n        try: time.sleep(600)\n        except BaseException: pass",
    "thread = threading.Thread(target=stuck); thread.start(); thread.join()",  # which the end of Python waits for too
    "\n    class Late:\n        def __del__(self): here(); spin()\n    Late()\n    time.sleep(600)",
)


@pytest.mark.parametrize(
    ("act", "number"),
    [
        *((act, signal.SIGINT) for act in (*IN_PYTHON, *IN_NATIVE_CODE, *DEAF)),
        *((act, signal.SIGTERM) for act in (IN_PYTHON[0], *IN_NATIVE_CODE)),
    ],
)
def test_it_ends_soon_with_one_sentence(act, number) -> None:
    with acting(act) as process:
        process.send_signal(number)
        assert ended(process, number) == ("", f"Stopped. {SENTENCE}")


def test_an_interruption_that_turns_into_another_error_is_still_one() -> None:
    """Such as an import that is broken off within compiled code."""
    act = "\n    try: here(); spin()\n    except BaseException: raise ImportError('numpy is not there')"
    with acting(act) as process:
        process.send_signal(signal.SIGINT)
        assert ended(process, signal.SIGINT) == ("", f"Stopped. {SENTENCE}")


def test_while_commands_are_loaded() -> None:
    setup = """
class Slow:
    def find_spec(self, name, *_):
        if name == "attnprobe.cli.commands":
            here()
            spin()
sys.meta_path.insert(0, Slow())
del sys.modules["attnprobe.cli.commands"]
"""
    with acting("pass", setup) as process:
        process.send_signal(signal.SIGINT)
        assert ended(process, signal.SIGINT) == ("", f"Stopped. {stopping.UNTOUCHED}\n")


def test_a_second_ctrl_c_ends_at_once() -> None:
    with acting("stuck()", "stopping.GRACE = 600") as process:
        deadline = time.monotonic() + SOON
        while process.poll() is None and time.monotonic() < deadline:
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert process.wait(SOON) in (130, -signal.SIGINT)  # one more may meet what is already ending
        assert process.communicate() == ("", f"Stopped. {SENTENCE}")


def test_the_same_ctrl_c_twice_is_no_second_one() -> None:
    """A parent may pass on what the terminal has sent already."""
    act = "\n    try: here(); spin()\n    finally:\n        time.sleep(0.3); print('unwound', flush=True)"
    with acting(act, "stopping.GRACE = 600; stopping.ECHO = 600") as process:
        for _ in range(5):
            process.send_signal(signal.SIGINT)
        assert ended(process, signal.SIGINT) == ("unwound\n", f"Stopped. {SENTENCE}")


def test_nobody_reads_what_it_says() -> None:
    fill = "\n    os.set_blocking(2, False)\n    try:\n        while True: os.write(2, b' ' * 4096)\n"
    with acting(f"{fill}    except BlockingIOError: os.set_blocking(2, True)\n    here(); spin()") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON) == 130
        process.communicate()


def test_nobody_can_hear_what_it_says() -> None:
    with acting("os.close(2); stuck()") as process:
        process.send_signal(signal.SIGINT)
        assert ended(process, signal.SIGINT) == ("", "")


def test_where_ctrl_c_is_switched_off_it_stays_so() -> None:
    """As by nohup, or in the background of a script."""
    with acting("here(); print(input(), flush=True)", handler=signal.SIG_IGN, stdin=subprocess.PIPE) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate("went on\n", timeout=SOON)
        assert (process.returncode, out, err) == (0, "went on\n", "")


def test_the_caller_of_main_gets_its_handlers_back(attnprobe) -> None:
    before = [signal.getsignal(number) for number in stopping.SIGNALS]
    assert attnprobe("--help").code == 0
    assert attnprobe("query", "nowhere", "seeds").code == 2
    assert [signal.getsignal(number) for number in stopping.SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


# --- the commands ------------------------------------------------------------------------------------------

LONG = {"rule": "n3 > n1", "vocab_size": 5, "length": 7, "embed_dim": 3, "att_dim": 2, "hidden": 11}
LONG |= {"steps": 20_000, "batch_size": 31, "history": 1, "snapshots": 0}
OPTIONS = [word for name, value in LONG.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def test_training_keeps_what_is_done_and_the_same_command_goes_on(here) -> None:
    command = ("train", "run", "--seeds", "0:190", "-q", *OPTIONS)
    with interruptible(argv(*command), cwd=here) as process:
        wait_for(lambda: list(here.glob("run/shards/*.safetensors")), process)
        process.send_signal(signal.SIGINT)
        out, err = ended(process, signal.SIGINT)
        kept = len(ap.open_run(here / "run").seeds)
        assert kept in (0, 64, 128)  # 0: the shard's file was there, but run.json did not name it yet
        said = re.fullmatch(
            r"Stopped\. (\d+) finished seeds are kept in run; the same command trains the rest\.\n", err
        )
        assert out == ""
        assert int(said[1]) <= kept  # it may have become true while it was said
        again = (*command[:3], "0:67", "-q", *OPTIONS)  # less than was asked for at first, to be quick
        done = subprocess.run(argv(*again), cwd=here, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        resumed = ap.open_run(here / "run")
        assert set(range(67)) <= set(resumed.seeds.tolist())
        chosen = [0, 63, 64, 66]
        whole = ap.train(ap.Config(**LONG), chosen, here / "whole")
        for name, w in whole.weights.items():
            np.testing.assert_array_equal(w, resumed.weights[name][np.searchsorted(resumed.seeds, chosen)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_compiling_is_stopped_too(here, number) -> None:
    """Where nothing is in numba's cache that takes twenty seconds, in threads that know nothing of it."""
    empty = os.environ | {"NUMBA_CACHE_DIR": str(here / "cache")}
    with interruptible(argv("train", "run", "--seeds", "0:2", *OPTIONS), cwd=here, env=empty) as process:
        assert process.stderr.readline() == "training: 0 of 2 seeds\n"
        process.send_signal(number)
        out, err = ended(process, number)
        assert (out, err) == ("", "Stopped. 0 finished seeds are kept in run; the same command trains the rest.\n")


def test_analyzing_is_stopped(here, trained_folder) -> None:
    shutil.copytree(trained_folder, here / "run")
    with interruptible(argv("analyze", "run"), cwd=here) as process:
        assert process.stderr.readline().startswith("analyzing: 0 of ")
        process.send_signal(signal.SIGTERM)
        _, err = ended(process, signal.SIGTERM)
        said = "Tables that were written are kept in run/tables; the same command computes the rest.\n"
        assert err == f"Stopped. {said}"
        ap.open_run(here / "run")


DRAWING = """
import sys
import reports.crew, reports.document
from attnprobe.cli import main

reports.document.cores = lambda: 3  # two helpers
reports.crew.START = '''
import sys
from reports.crew import help_out
def forever(name, *_):
    open(f"drawing_{name}", "w").close()
    while True: pass
help_out(forever)
'''
reports.document.draw_files = lambda *_: __import__("time").sleep(600)
sys.argv = ["attnprobe", "report", "demo", "-q"]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_helpers_that_draw_end_with_their_parent(demo, here, number) -> None:
    """Be it killed, and they in the midst of a drawing."""
    before = files(demo)
    with interruptible([sys.executable, "-c", DRAWING], cwd=here) as process:
        wait_for(lambda: len(list(here.glob("drawing_*"))) == 2, process)
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.communicate(timeout=SOON)
            assert alone(process.pid)
        else:
            said = "Stopped. Nothing was written; the same command draws the report.\n"
            assert ended(process, number) == ("", said)
        assert {name: data for name, data in files(demo).items() if not Path(name).name.startswith(".")} == before


@pytest.mark.parametrize(
    ("words", "stopped", "kept"),
    [
        (
            ("analyze", "demo", "--force"),
            "analyses.compute",
            "Tables that were written are kept in demo/tables; the same command computes the rest.",
        ),
        (
            ("report", "demo"),
            "reports.document.draw_all",
            "Nothing was written; the same command draws the report.",
        ),
        (("show", "demo"), "reports.shown.prepare", "Nothing was written; the same command draws it again."),
        (("query", "demo", "seeds"), "attnprobe.store.Run.table", stopping.UNTOUCHED),
    ],
)
def test_what_is_said_and_that_nothing_is_changed(attnprobe, demo, monkeypatch, words, stopped, kept) -> None:
    def interrupted(*_, **__):
        raise stopping.Stopped(signal.SIGTERM)

    before = files(demo)
    with monkeypatch.context() as patch:
        patch.setattr(stopped, interrupted)
        said = attnprobe(*words, "-q") if words[0] != "query" else attnprobe(*words)
    assert said == (143, "", f"Stopped. {kept}\n")
    assert files(demo) == before
