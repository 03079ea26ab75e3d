"""Everything that fixes a training run, except the seeds: the question, the model, the optimiser.

One flat, frozen :class:`Config`. Two runs with the same config and the same seed have the same bits
on the same kind of CPU.
"""

from __future__ import annotations

import numpy as np
from pydantic import field_validator

from attnprobe import schedule
from attnprobe.settings import setting
from attnprobe.task import Task, TaskSettings

__all__ = ["Config"]


class Config(TaskSettings):
    """Settings of a training run; the defaults are the exercise's.

    Unknown names and values outside their limits raise :class:`~attnprobe.errors.AttnprobeError`.
    """

    embed_dim: int = setting(5, "size of a digit's embedding", "a whole number from 1 to 256", ge=1, le=256)
    att_dim: int = setting(5, "size of keys and query", "a whole number from 1 to 256", ge=1, le=256)
    hidden: int = setting(200, "hidden units of the readout", "a whole number from 1 to 4096", ge=1, le=4096)
    steps: int = setting(20_000, "optimiser steps (one batch each)", "a whole number from 0 to 10^9", ge=0, le=10**9)
    batch_size: int = setting(500, "sequences in a batch", "a whole number from 1 to 65536", ge=1, le=65_536)
    lr: float = setting(5e-5, "Adam's learning rate", "a finite number above 0", gt=0, allow_inf_nan=False)
    betas: tuple[float, float] = setting(
        (0.9, 0.999), "Adam's decay rates of the two moments", "two numbers from 0 up to, but not, 1"
    )
    eps: float = setting(
        1e-8,
        "Adam's term added to the denominator",
        "a finite number of 0 or more",
        ge=0,
        allow_inf_nan=False,
    )
    history: int = setting(
        200, "at most so many points at which the loss is recorded", "a whole number from 1 to 100000", ge=1, le=100_000
    )
    snapshots: int = setting(
        48,
        "at most so many steps at which weights are kept, two an octave, then evenly spaced; 0 keeps none",
        "a whole number from 0 to 1000",
        ge=0,
        le=1000,
    )

    @field_validator("betas")
    @classmethod
    def _decay_rates(cls, betas: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError("out of range")
        return betas

    @property
    def task(self) -> Task:
        """The question alone."""
        return Task(rule=self.rule, vocab_size=self.vocab_size, length=self.length)

    @property
    def history_steps(self) -> np.ndarray:
        """Steps (updates done) at which a loss is recorded: multiples of a power of two, and ``steps``."""
        return schedule.history_steps(self.steps, self.history)

    @property
    def snapshot_steps(self) -> np.ndarray:
        """Steps (updates done) at which weights are kept: 0, two an octave, then evenly spaced, and ``steps``."""
        return schedule.snapshot_steps(self.steps, self.snapshots)
