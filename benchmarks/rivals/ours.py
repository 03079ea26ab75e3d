"""This library's own training, in one process, without the run folder."""

from __future__ import annotations

import numpy as np

from attnprobe.config import Config
from attnprobe.training.batch import train_shard
from benchmarks.rivals import Trainer


def prepare(config: Config, seeds: np.ndarray, threads: int) -> Trainer:
    """Warm up the compiled kernel."""
    config = config.model_copy(update={"history": 1000})
    train_shard(config.model_copy(update={"steps": 10}), seeds[:1], threads)
    return lambda: _tail(config, train_shard(config, seeds, threads).losses)


def _tail(config: Config, losses: np.ndarray) -> np.ndarray:
    """Mean over the last tenth of the steps, as far as rows of at least a thousandth of them tell it apart."""
    steps = config.history_steps
    late = steps > 0.9 * config.steps
    return np.asarray(np.average(losses[:, late], axis=1, weights=np.diff(steps, prepend=0)[late]))
