"""Kill it anywhere: real processes, killed at every disk operation and at random moments; nothing is lost or doubled.

After each kill the folder opens, holds what had been finished, and the same command ends with the same bytes as one
that was never interrupted.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import snapshot

import attnprobe as ap
from attnprobe.verify import verify

CONFIG = ("--rule", "n3 > n1", "--vocab-size", "5", "--length", "7", "--embed-dim", "3", "--att-dim", "2")
CONFIG += ("--hidden", "11", "--batch-size", "31", "--lr", "0.01", "--history", "7", "--snapshots", "3")
TRAIN = ("train", "RUN", "--seeds", "0:70", "--steps", "60", "--threads", "1", *CONFIG)
EXTEND = ("train", "RUN", "--seeds", "0:70", "--steps", "90", "--threads", "1", *CONFIG)
ANALYZE = ("analyze", "RUN", "seeds", "focus")
REPORT = ("report", "RUN", "--figures", "focus", "--format", "png,svg")
STORY = {"train": TRAIN, "analyze": ANALYZE, "report": REPORT, "extend": EXTEND, "analyze again": ANALYZE}
KILLED, DONE = -9, 0


class Server:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crash_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, folder: Path, command: tuple[str, ...], **how) -> tuple[int, int]:
        """Exit code (-9: killed) and number of disk operations of a command on ``folder/run``."""
        argv = [str(folder / "run") if word == "RUN" else word for word in command]
        self.process.stdin.write(json.dumps({"argv": argv, "cwd": str(folder), **how}) + "\n")
        self.process.stdin.flush()
        code, operations = json.loads(self.process.stdout.readline())
        return code, operations


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory) -> dict[str, tuple[Path, int, float]]:
    """The folder after each command of the story, never interrupted; the disk operations and seconds that it took."""
    place, stages = tmp_path_factory.mktemp("whole"), {}
    for name, command in STORY.items():
        began = time.monotonic()
        code, operations = server(place, command)
        seconds = time.monotonic() - began
        assert code == DONE, name
        shutil.copytree(place / "run", place / name / "run")
        stages[name] = (place / name, operations, seconds)
    return stages


def before(whole, name: str, place: Path) -> Path:
    """A folder as it was before a command of the story."""
    names = list(STORY)
    place.mkdir(exist_ok=True)
    if name != names[0]:
        shutil.copytree(whole[names[names.index(name) - 1]][0] / "run", place / "run")
    return place


def sound(run: Path) -> None:
    """The folder opens, every file is as recorded, and nothing is there that nobody knows."""
    if (run / "run.json").exists():
        assert [finding for finding in verify(run).findings if finding.kind != "old"] == []


def state(run: Path) -> tuple[int, set[str], int]:
    if not (run / "run.json").exists():
        return 0, set(), 0
    opened = ap.open_run(run)
    return len(opened.seeds), set(opened.tables), opened.config.steps


def files(run: Path) -> dict[str, bytes]:
    """All but a lock file that its owner could not remove any more: it means nothing when nobody holds it."""
    return {name: data for name, data in snapshot.files(run).items() if name != ".lock"}


@pytest.mark.parametrize("name", list(STORY))
def test_killed_at_every_operation_on_the_disk(server, whole, tmp_path, name) -> None:
    operations = whole[name][1]
    assert operations > 5
    for number in range(0, operations, 3 if name == "analyze again" else 1):
        place = before(whole, name, tmp_path / str(number))
        had = state(place / "run")
        code, begun = server(place, STORY[name], operation=number)
        assert (code, begun) == (KILLED, number)
        sound(place / "run")
        now = state(place / "run")
        assert now[0] >= had[0]
        assert now[1] >= had[1] or now[2] > had[2]  # new weights: tables of the old ones are out of date
        assert server(place, STORY[name])[0] == DONE
        assert files(place / "run") == files(whole[name][0] / "run"), number
        shutil.rmtree(place)


@pytest.mark.parametrize("trial", range(6))
def test_killed_at_random_moments_again_and_again(server, whole, tmp_path, trial) -> None:
    rng, kills = np.random.default_rng(trial), 0
    for name, command in STORY.items():
        longest, code = whole[name][2], KILLED  # about as long as it takes
        while code != DONE:
            code, _ = server(tmp_path, command, after=rng.uniform(0.0, longest))
            assert code in (KILLED, DONE)
            kills += code == KILLED
            longest *= 1.2  # at last there is time enough
            sound(tmp_path / "run")
        assert files(tmp_path / "run") == files(whole[name][0] / "run")
    assert kills > 0


@pytest.mark.parametrize("largest", [0, 1_000, 10_000, 30_000])
def test_a_disk_that_is_full(server, whole, tmp_path, largest) -> None:
    """Writing fails in the midst of a file: one message, exit code 2, and with room again the same command goes on."""
    refused = 0
    for name, command in STORY.items():
        place = before(whole, name, tmp_path / name)
        code, _ = server(place, command, largest=largest)
        assert code in (DONE, 2)
        refused += code == 2
        sound(place / "run")
        assert server(place, command)[0] == DONE
        assert files(place / "run") == files(whole[name][0] / "run")
    assert refused
