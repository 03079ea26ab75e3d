"""Some seeds on their way from the first step to the last: begun anew or taken over, and handed out at any time.

What a seed goes on from are its weights, Adam's moments, the order of its hidden units and the partial sums of its
losses (``state``). A :class:`~attnprobe.store.Shard` carries them in ``state``:

    adam.m.NAME, adam.v.NAME    float32 (S, *shape)       Adam's moments; units by number
    units                       int32 (S, spec.units)     number of the hidden unit at each position
    loss_sums                   float64 (S, LEVELS)       sums of batch losses (``partial``)

A seed that goes on from them has the same bits as one that never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.model import initial_weights
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes, split
from attnprobe.store import Shard
from attnprobe.training.kernel import Work, train_seed
from attnprobe.training.partial import LEVELS, coarser
from attnprobe.training.spec import Spec
from attnprobe.training.state import Flat, State, initial_order

__all__ = ["Begun", "Course"]

M, V = "adam.m.", "adam.v."


@dataclass(frozen=True, eq=False)
class Begun:
    """Seeds that were trained before, under a config that differs in nothing but fewer steps (or in nothing).

    It may hold more seeds than are asked for; these are left alone.
    """

    config: Config
    shard: Shard


class Course:
    """Seeds in training; first axis seed everywhere.

    Attributes
    ----------
    seeds : ndarray, int64, shape (S,)
    flat : Flat
        Weights and moments, each float32 (S, parameters).
    units, sums, steps : ndarray
        Order of the hidden units, partial sums of losses, updates done. ``steps`` moves while a seed is trained.
    losses, snapshots : ndarray
        What was recorded, float64 (S, R) and float32 (S, K, parameters); not-a-number where it was not reached.
    finished : ndarray, bool, shape (S,)
        Whether all steps were done, or the loss was not finite.
    """

    def __init__(self, config: Config, seeds: np.ndarray, begun: Begun | None = None) -> None:
        """At step 0, but for the seeds that were begun.

        Raises
        ------
        AttnprobeError
            Where what was begun is not what training leaves behind.
        """
        S, spec = len(seeds), Spec.of(config)
        self.config, self.spec, self.seeds = config, spec, seeds
        self.history_steps, self.snapshot_steps = config.history_steps, config.snapshot_steps
        new = np.ones(S, dtype=bool) if begun is None else ~np.isin(seeds, begun.shard.seeds)
        size = sum(int(np.prod(shape)) for shape in parameter_shapes(config).values())
        self.flat = Flat(*(np.zeros((S, size), dtype=np.float32) for _ in Flat._fields))
        self.flat.weights[new] = initial_weights(config, seeds[new])
        self.units = np.zeros((S, spec.units), dtype=np.int32)
        for row in np.flatnonzero(new):
            self.units[row] = initial_order(config, self.flat.weights[row])
        self.sums = np.zeros((S, LEVELS))
        self.steps = np.zeros(S, dtype=np.int64)
        self.losses = np.full((S, self.history_steps.size), np.nan)
        self.snapshots = np.full((S, self.snapshot_steps.size, size), np.nan, dtype=np.float32)
        self.ended = np.zeros(S, dtype=bool)  # by a loss that was not finite
        self.finished = np.zeros(S, dtype=bool)
        if begun is not None:
            self._take_over(begun)

    def go_on(self, row: int, stop: np.ndarray) -> None:
        """Train one seed to its last step, or until ``stop[0]`` is set; any number of rows may go on at a time."""
        flat = Flat(*(numbers[row] for numbers in self.flat))
        state = State.kept(self.config, flat, self.units[row], self.steps[row : row + 1], self.sums[row])
        finite = train_seed(
            int(self.seeds[row]),
            self.spec,
            state,
            Work.on(state, self.spec),
            self.config.steps,
            self.history_steps,
            self.losses[row],
            self.snapshot_steps,
            self.snapshots[row],
            stop,
        )
        for numbers, now in zip(flat, state.flat(self.config), strict=True):
            numbers[:] = now
        self.units[row], self.sums[row] = state.order, state.loss
        self.ended[row] = not finite
        self.finished[row] = not finite or self.steps[row] == self.config.steps

    def shard(self) -> Shard:
        """The seeds as they stand. Its arrays are this course's own: they change when a seed goes on."""
        through = self.steps == self.config.steps
        failed = self.ended | (through & ~np.isfinite(self.flat.weights).all(axis=1))
        named = {key: split(self.config, numbers) for key, numbers in zip((M, V), self.flat[1:], strict=True)}
        return Shard(
            seeds=self.seeds,
            status=np.where(failed, Outcome.NONFINITE.code, Outcome.TRAINED.code).astype(np.uint8),
            steps=self.steps,
            weights=split(self.config, self.flat.weights),
            losses=self.losses,
            snapshots=split(self.config, self.snapshots) if self.snapshot_steps.size else {},
            state={
                **{key + name: value for key, moments in named.items() for name, value in moments.items()},
                "units": self.units,
                "loss_sums": self.sums,
            },
        )

    def _take_over(self, begun: Begun) -> None:
        config, shard = begun.config, begun.shard
        if config.steps > self.config.steps or config.model_copy(update={"steps": self.config.steps}) != self.config:
            raise ValueError("what was begun has another config")
        _check(config, self.spec, shard)
        _, rows, of = np.intersect1d(self.seeds, shard.seeds, assume_unique=True, return_indices=True)
        for numbers, part in zip(
            self.flat, (shard.weights, _named(shard.state, M), _named(shard.state, V)), strict=True
        ):
            for name, target in split(self.config, numbers).items():
                target[rows] = part[name][of]
        self.units[rows], self.sums[rows] = shard.state["units"][of], shard.state["loss_sums"][of]
        self.steps[rows] = shard.steps[of]
        losses = _recorded(config, self.config, shard.losses[of])
        self.losses[rows, : losses.shape[1]] = losses
        both = self.snapshot_steps <= config.steps
        if config.steps < self.config.steps:
            both &= np.isin(self.snapshot_steps, config.snapshot_steps)
        there = np.searchsorted(config.snapshot_steps, self.snapshot_steps[both])
        if there.size:
            for name, target in split(self.config, self.snapshots).items():
                target[np.ix_(rows, np.flatnonzero(both))] = shard.snapshots[name][np.ix_(of, there)]
        # one whose weights became infinite with its last step has seen no loss that says so: it goes on
        self.ended[rows] = ((shard.status == Outcome.NONFINITE.code) & (shard.steps < config.steps))[of]
        self.finished[rows] = self.ended[rows]


def _recorded(before: Config, now: Config, losses: np.ndarray) -> np.ndarray:
    """Losses (S, R) as recorded by ``before``, as ``now`` would have recorded them up to there."""
    if before.steps == now.steps or before.steps == 0:
        return losses
    fine, coarse = (int(config.history_steps[0]) for config in (before, now))
    if coarse > before.steps:  # one row of ``now`` holds it all, and more
        return losses[:, :0]
    blocks, times = before.steps // coarse, coarse // fine
    return coarser(losses[:, : blocks * times], times)


def _named(state: dict[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}


def _check(config: Config, spec: Spec, shard: Shard) -> None:
    """Raise unless a shard is of a form that training under ``config`` leaves behind."""
    S, shapes = len(shard.seeds), parameter_shapes(config)
    if not shard.state:
        raise _unfit(shard, "their weights were kept without the state of the optimiser")
    expected = {
        "units": ((spec.units,), np.int32, shard.state),
        "loss_sums": ((LEVELS,), np.float64, shard.state),
        **{start + name: (shape, np.float32, shard.state) for start in (M, V) for name, shape in shapes.items()},
        **{name: (shape, np.float32, shard.weights) for name, shape in shapes.items()},
    }
    for name, (shape, dtype, where) in expected.items():
        _check_form(shard, f"the tensor {name!r}", where.get(name), (S, *shape), dtype)
    _check_form(shard, "the number of updates", shard.steps, (S,), np.int64)
    _check_form(shard, "the recorded loss", shard.losses, (S, config.history_steps.size), np.float64)
    kept = config.snapshot_steps.size
    for name, shape in shapes.items() if kept else ():
        _check_form(shard, f"the snapshot of {name!r}", shard.snapshots.get(name), (S, kept, *shape), np.float32)
    if ((shard.steps < 0) | (shard.steps > config.steps)).any():
        raise _unfit(shard, f"the number of updates is not within 0 to {config.steps}")
    if (np.sort(shard.state["units"], axis=1) != np.arange(spec.units)).any():
        raise _unfit(shard, "'units' does not number each hidden unit once")
    empty = (shard.steps[:, None] >> np.arange(LEVELS)) & 1 == 0
    sums = shard.state["loss_sums"]
    if not np.isfinite(sums).all() or sums[empty].any():
        raise _unfit(shard, "'loss_sums' does not fit the number of updates")
    for name in shapes:
        m, v = shard.state[M + name], shard.state[V + name]
        if np.isnan(m).any() or not (v >= 0).all():
            raise _unfit(shard, f"Adam's moments of {name!r} are not numbers, or negative")


def _check_form(shard: Shard, what: str, given: np.ndarray | None, shape: tuple[int, ...], dtype: type) -> None:
    if given is None:
        raise _unfit(shard, f"{what} is missing")
    if given.shape != shape or given.dtype != dtype:
        raise _unfit(shard, f"{what} is {given.dtype} {given.shape}, not {np.dtype(dtype)} {shape}")


def _unfit(shard: Shard, why: str) -> AttnprobeError:
    few = ", ".join(map(str, shard.seeds[:3].tolist())) + (", ..." if len(shard.seeds) > 3 else "")
    return AttnprobeError(f"Seeds {few} cannot be trained on: {why}. Train them anew in another folder.")
