"""Shared fixtures: a quiet, repeatable hypothesis, and small runs that are trained once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

import attnprobe as ap

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
