"""The compiled kernel called bare, one seed, with everything that it fills in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import attnprobe as ap
from attnprobe.model import initial_weights, split
from attnprobe.training.kernel import Spec, train_seed


class KernelRun(NamedTuple):
    """What :func:`attnprobe.training.kernel.train_seed` leaves behind."""

    done: int
    flat: np.ndarray
    losses: np.ndarray
    snapshots: np.ndarray
    progress: int
    config: ap.Config

    @property
    def weights(self) -> dict[str, np.ndarray]:
        return split(self.config, self.flat)


def kernel_run(config: ap.Config, seed: int, stop: int = 0) -> KernelRun:
    """Train one seed from its own initial weights."""
    flat = initial_weights(config, np.array([seed]))[0]
    losses = np.full(config.history_steps.size, np.nan)
    snapshots = np.full((config.snapshot_steps.size, flat.size), np.nan, dtype=np.float32)
    progress = np.zeros(1, dtype=np.int64)
    done = train_seed(
        seed,
        Spec.of(config),
        flat,
        config.history_steps,
        losses,
        config.snapshot_steps,
        snapshots,
        progress,
        np.array([stop], dtype=np.int64),
    )
    return KernelRun(done, flat, losses, snapshots, int(progress[0]), config)
