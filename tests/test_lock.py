"""Two at once on one run folder: one works, the other is told who does."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
import snapshot
from folders import refusal

import analyses
import attnprobe as ap
import reports
from attnprobe.errors import AttnprobeWarning
from attnprobe.store import lock

HOLD = """
import sys, pathlib
from attnprobe.store.lock import only_writer
with only_writer(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder: Path):
    """Another process that writes into the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_other_is_told_who_writes_and_changes_nothing(folder, holder, odd_config) -> None:
    before = snapshot.stamps(folder)
    for act in (
        lambda: ap.train(odd_config, [13], folder),
        lambda: analyses.write(ap.open_run(folder), ["seeds"]),
        lambda: ap.open_run(folder).write_files({"report.pdf": b"x"}),
        lambda: ap.open_run(folder).drop([]),
    ):
        said = refusal(act)
        start, end = said.split(f" ('-c {folder}', process {holder.pid} on ")
        assert start == f"{folder} is being written by another process"
        assert re.fullmatch(
            r"'[^']+', since '[^']+'\)\. Wait until it has ended, or stop it \(nothing that it finished is lost\); "
            r"looking at the run is possible meanwhile\.",
            end,
        )
    assert snapshot.stamps(folder) == before


def test_what_is_there_already_needs_no_lock(folder, holder) -> None:
    run = ap.open_run(folder)
    assert run.weights["query"].shape == (5, 1, 2)
    assert run.model(3) is not None


def test_a_report_is_refused_before_anything_is_drawn(demo, monkeypatch) -> None:
    monkeypatch.setattr("reports.document.draw_files", lambda *_: pytest.fail("drawn"))
    with lock.only_writer(demo):
        assert "is being written by another process" in refusal(reports.write, ap.open_run(demo))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_dies_with_its_owner(folder, holder, odd_config, end) -> None:
    holder.send_signal(end)
    holder.wait()
    assert (folder / ".lock").exists()  # it could not tidy up; it does not matter
    assert ap.train(odd_config, [13], folder).seeds.size == 6
    assert not (folder / ".lock").exists()


def test_the_lock_within_one_process(folder) -> None:
    with lock.only_writer(folder):
        assert f"process {os.getpid()} on" in refusal(ap.open_run(folder).drop, [])
    with ap.open_run(folder).writing():
        assert "is being written" in refusal(ap.open_run(folder).drop, [])
    run = ap.open_run(folder)
    with run.writing(), run.writing():  # the one who has it may ask again
        run.write_files({"report.pdf": b"x"})
    assert not (folder / ".lock").exists()


def test_many_at_once_one_after_another_get_it(folder) -> None:
    """A lock file that its owner removes must not be taken for the one that stands there now."""
    inside, most, refused = [0], [0], [0]
    guard = threading.Lock()

    def work() -> None:
        for _ in range(40):
            try:
                with lock.only_writer(folder):
                    with guard:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with guard:
                        inside[0] -= 1
            except ap.AttnprobeError:
                refused[0] += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert refused[0] < 8 * 40


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"process": "x"}', "[" * 1500, '{"process": 1, "host": "\\u001b"}']
)
def test_a_lock_file_that_says_nothing_of_use(folder, content) -> None:
    (folder / ".lock").write_text(content)
    descriptor = os.open(folder / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    said = refusal(ap.open_run(folder).drop, [])
    os.close(descriptor)
    assert said.startswith(f"{folder} is being written by another process. Wait")


def test_words_of_a_lock_file_are_escaped(folder) -> None:
    who = {"command": "\x1b[2Jtrain", "process": 1, "host": "\x07", "since": "\n"}
    (folder / ".lock").write_text(json.dumps(who))
    descriptor = os.open(folder / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    said = refusal(ap.open_run(folder).drop, [])
    os.close(descriptor)
    assert said.isprintable()


def test_a_lock_file_that_is_a_link_is_not_followed(folder) -> None:
    (folder / ".lock").symlink_to(folder.parent / "elsewhere")
    assert refusal(ap.open_run(folder).drop, []).startswith(f"Cannot write into {folder}: ")
    assert not (folder.parent / "elsewhere").exists()


def test_a_file_system_without_locks(folder, monkeypatch) -> None:
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(AttnprobeWarning, match="knows no locks: make sure yourself"):
        ap.open_run(folder).write_files({"report.pdf": b"x"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ap.open_run(folder)  # who only reads need not care
