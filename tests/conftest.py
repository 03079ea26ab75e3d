"""Shared fixtures: a quiet, repeatable hypothesis, and small runs that are trained once."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import planted
import pytest
import torch
from commands import SMALL, Commands, process
from edges import EDGES
from hypothesis import HealthCheck, settings

import analyses
import attnprobe as ap
from reports.figure import Material

settings.register_profile(
    "attnprobe",
    deadline=None,  # the first example may compile
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("attnprobe")
torch.set_num_threads(1)  # small arrays: threads only get into each other's way


@pytest.fixture(scope="session")
def odd_config() -> ap.Config:
    """A config in which every size is another prime, so that swapped axes cannot pass."""
    return ap.Config(
        rule="n5 > n3",
        vocab_size=7,
        length=11,
        embed_dim=3,
        att_dim=2,
        hidden=13,
        steps=37,
        batch_size=17,
        lr=1e-3,
        history=5,
        snapshots=4,
    )


@pytest.fixture(scope="session")
def trained_folder(odd_config: ap.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with five seeds in two shards; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("runs") / "five"
    ap.train(odd_config, [2, 3, 5, 7, 11], folder, shard_size=3)
    return folder


@pytest.fixture(scope="session")
def trained(trained_folder: Path) -> ap.Run:
    """The run of ``trained_folder``, to be read only."""
    return ap.open_run(trained_folder)


@pytest.fixture
def folder(trained_folder: Path, tmp_path: Path) -> Path:
    """A copy of the trained folder that a test may damage."""
    shutil.copytree(trained_folder, tmp_path / "run")
    return tmp_path / "run"


# --- runs with tables, for the upper floors -----------------------------------------------------------


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> ap.Run:
    """Seven seeds on a small alphabet, some good, some stuck, with every table; to be read only."""
    config = ap.Config(
        rule="n3 > n1",
        vocab_size=5,
        length=7,
        embed_dim=3,
        att_dim=2,
        hidden=11,
        steps=60,
        batch_size=61,
        lr=0.01,
        history=7,
        snapshots=3,
    )
    run = ap.train(config, [2, 3, 5, 7, 9, 11, 13], tmp_path_factory.mktemp("runs") / "small", shard_size=4)
    analyses.write(run)
    return run


@pytest.fixture(scope="session")
def ten_run(tmp_path_factory: pytest.TempPathFactory) -> ap.Run:
    """The exercise's alphabet and length; among the seeds a stuck one and one with two thresholds; to be read only."""
    config = ap.Config(hidden=23, steps=200, batch_size=101, lr=0.01, history=5, snapshots=0)
    run = ap.train(config, [1, 2, 13, 16], tmp_path_factory.mktemp("runs") / "ten", shard_size=3)
    analyses.write(run)
    return run


@pytest.fixture(scope="session")
def planted_run(tmp_path_factory: pytest.TempPathFactory) -> ap.Run:
    """Five networks by hand: one threshold, two, a constant one, one that is not finite, one infinite; with tables."""
    config = planted.settings()
    good = planted.perfect(config)
    networks = [
        good,
        planted.perfect(config, units=planted.TWO_THRESHOLDS),
        planted.constant(config),
        planted.broken(good),
        planted.broken(good, float("inf")),
    ]
    run = planted.write(tmp_path_factory.mktemp("runs") / "planted", config, networks)
    analyses.write(run)
    return run


@pytest.fixture
def attnprobe(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The command line, in this process."""
    return Commands(capsysbinary, monkeypatch)


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder that ``attnprobe study`` filled as a process of its own, and what it said; to be read only."""
    place = tmp_path_factory.mktemp("studied")
    return place / "demo", process("study", "demo", "--seeds", "2,3,5", *SMALL, cwd=place)


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Material]:
    """``edge(name)`` is what a report of that run at an edge is drawn from; each is made once."""

    @functools.cache
    def material(name: str) -> Material:
        return Material(EDGES[name](tmp_path_factory.mktemp("edge") / "run"))

    return material


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place to stand in, beside a folder, a file and a run that were there before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine too")
    return tmp_path


@pytest.fixture
def demo(here: Path, small_run: ap.Run) -> Path:
    """A run with every table at ``demo``."""
    shutil.copytree(small_run.path, here / "demo")
    return here / "demo"
