"""Drawing in several processes: the same bytes, each thing once, and nothing is left behind."""

from __future__ import annotations

import shutil
import sys
from threading import Event

import pytest
from folders import refusal
from snapshot import files

import attnprobe as ap
import reports
from reports.crew import Helper, draw_all, helpers
from reports.document import draw_files as draw
from reports.figure import Material
from reports.options import DEFAULT


class Fake:
    """Helps in this process, so that tests can say when; perhaps it is lost with the first thing it should draw."""

    def __init__(self, lost: bool = False) -> None:
        self.lost, self.begun = lost, Event()
        self.drew: list[str] = []

    def draw(self, name: str) -> dict[str, bytes]:
        self.drew.append(name)
        self.begun.set()
        if self.lost:
            raise OSError("lost")
        return {name: b"by the helper"}


NAMES = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("lost", [False, True])
def test_each_thing_is_drawn_once_by_whoever_is_free(lost) -> None:
    helper, told, here = Fake(lost), [], []

    def draw_here(name: str) -> dict[str, bytes]:
        assert helper.begun.wait(60)
        here.append(name)
        return {name: b"here"}

    drawn = draw_all(NAMES, draw_here, [helper], told.append)
    assert helper.drew
    assert sorted(here if lost else [*here, *helper.drew]) == NAMES  # what was lost is drawn here
    assert sorted(told) == NAMES
    assert drawn == {name: {name: b"here" if name in here else b"by the helper"} for name in NAMES}


def test_an_error_here_is_not_swallowed() -> None:
    def fails(name: str) -> dict[str, bytes]:
        raise IndexError(name)

    with pytest.raises(IndexError, match="a"):
        draw_all(NAMES, fails, [], lambda name: None)


def test_a_helper_draws_the_same_bytes(small_run) -> None:
    with helpers(small_run, DEFAULT, 1) as crew:
        for name in ("exercise_best", "errors_by_count"):
            assert crew[0].draw(name) == draw(name, Material(small_run))
    assert crew[0].process.poll() is not None


def test_a_lost_helper_says_so(small_run) -> None:
    helper = Helper(small_run)
    helper.process.kill()
    with pytest.raises((OSError, ValueError)):
        helper.draw("focus")
    helper.end()


def test_helpers_end_with_an_interruption(small_run) -> None:
    context = helpers(small_run, DEFAULT, 2)
    crew = context.__enter__()
    assert not context.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert len(crew) == 2
    assert all(helper.process.poll() is not None for helper in crew)


@pytest.mark.parametrize("python", ["", "/nowhere/python"])
def test_where_no_process_can_be_started_there_is_no_help(small_run, monkeypatch, python) -> None:
    monkeypatch.setattr(sys, "executable", python)
    with helpers(small_run, DEFAULT, 2) as crew:
        assert crew == []


def test_the_number_of_processes_changes_no_byte(small_run, tmp_path) -> None:
    told = {}
    for number in (1, 2):
        shutil.copytree(small_run.path, tmp_path / str(number) / "run")
        told[number] = []
        reports.write(ap.open_run(tmp_path / str(number) / "run"), told[number].append, processes=number)
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert told[1] == ["report.pdf", *reports.figures()]
    assert sorted(told[2]) == sorted(told[1])


def test_no_process_at_all_is_refused(small_run) -> None:
    assert refusal(reports.write, small_run, processes=0) == (
        "processes = 0 is not allowed: it must be a whole number of 1 or more."
    )
