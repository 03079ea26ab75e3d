"""Some trained seeds as one safetensors file: one tensor a quantity, first axis seed.

    seed (S,) int64, status (S,) uint8 (an Outcome's code), steps (S,) int64 (updates done)
    NAME (S, ...) float32                 weights, by the state dict's names
    history.step (R,), history.loss (S, R)    recorded steps, mean batch loss since the one before
    snapshot.step (K,), snapshot.NAME (S, K, ...)   kept steps, weights there
    adam.m.NAME, adam.v.NAME, units, loss_sums      what training goes on from

Weights that were trained elsewhere have nothing to go on from, and a history of not-a-number. The metadata says, under
one key, with which settings the file was made, so that a folder whose ``run.json`` is lost can be put together again.

A file that is read is held to the settings: these tensors and no others, of these types and shapes, before any
memory is taken for them. So no shard takes more memory than its own bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from attnprobe.config import Config
from attnprobe.errors import shown
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes

__all__ = ["Shard", "ShardFile", "encode"]

KEY = "attnprobe"  # of the metadata
LONGEST_ABOUT = 10_000  # characters of what a file says of itself
TYPES = {"I64": np.int64, "I32": np.int32, "U8": np.uint8, "F32": np.float32, "F64": np.float64}
Expected = dict[str, tuple[str, tuple[int, ...]]]  # type and shape by name


@dataclass(frozen=True, eq=False)
class Shard:
    """Some seeds: first axis seed everywhere.

    A seed is unfinished where it is ``trained``, so finite, and ``steps`` is less than the run asks for.
    """

    seeds: np.ndarray  # int64 (S,), ascending
    status: np.ndarray  # uint8 (S,), Outcome codes
    steps: np.ndarray  # int64 (S,), updates done
    weights: dict[str, np.ndarray]  # float32 (S, *shape)
    losses: np.ndarray  # float64 (S, recorded steps), not-a-number where training had stopped
    snapshots: dict[str, np.ndarray]  # float32 (S, kept steps, *shape)
    state: dict[str, np.ndarray] = field(default_factory=dict)  # what training goes on from; may be empty

    def of(self, seeds: np.ndarray) -> Shard:
        """Those of the seeds that are among these."""
        rows = np.isin(self.seeds, seeds)
        named = {
            name: {key: w[rows] for key, w in getattr(self, name).items()} for name in ("weights", "snapshots", "state")
        }
        return Shard(self.seeds[rows], self.status[rows], self.steps[rows], losses=self.losses[rows], **named)

    def unfinished(self, config: Config) -> bool:
        """Whether some seed has steps to go."""
        return bool(((self.status == Outcome.TRAINED.code) & (self.steps < config.steps)).any())


def encode(shard: Shard, config: Config, made: dict[str, Any]) -> bytes:
    """The bytes of a shard that was trained with these settings; ``made`` says by which version on what machine."""
    tensors = {
        "seed": shard.seeds,
        "status": shard.status,
        "steps": shard.steps,
        **shard.weights,
        "history.step": config.history_steps,
        "history.loss": shard.losses,
        **{f"snapshot.{name}": value for name, value in shard.snapshots.items()},
        **shard.state,
    }
    if shard.snapshots:
        tensors["snapshot.step"] = config.snapshot_steps
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    about = {"config": config.model_dump(mode="json"), **made, "sha256": _digest(tensors)}
    data: bytes = safetensors.numpy.save(tensors, metadata={KEY: json.dumps(about)})
    return data


class ShardFile:
    """A file of seeds, opened and held to its form; tensors are read when asked for.

    Parameters
    ----------
    path : Path
        Of a file whose bytes have been checked, or are about to be judged.
    config : Config
        The run's settings, up to ``steps``.
    count : int
        Seeds that it holds.

    Raises
    ------
    ValueError
        When it is no such file.
    """

    def __init__(self, path: Path, config: Config, count: int) -> None:
        self.config = config
        self._file: Any
        try:
            self._file = safetensors.safe_open(path, framework="numpy")
        except (safetensors.SafetensorError, OSError) as error:
            raise ValueError(f"it is no safetensors file ({shown(str(error))})") from None
        self._about = _about(self._file.metadata())
        self._check(count)

    @classmethod
    def alone(cls, path: Path) -> ShardFile:
        """A file by its own account of settings and seeds: there is no other."""
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                about, count = _about(file.metadata()), int(file.get_slice("seed").get_shape()[0])
            config = Config(**about["config"])
        except (safetensors.SafetensorError, OSError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"it is no shard ({error})") from None
        return cls(path, config, count)

    def tensor(self, name: str) -> np.ndarray:
        """One tensor, first axis seed."""
        value: np.ndarray = self._file.get_tensor(name)
        return value

    def some(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Some tensors by name."""
        return {name: self.tensor(name) for name in names}

    @property
    def about(self) -> dict[str, Any]:
        """What the file says of itself: ``config``, ``attnprobe`` (version), ``cpu_kind``, ``origin``."""
        return self._about

    def agrees(self) -> bool:
        """Whether its tensors are those that were written, as far as the file itself can tell."""
        return bool(self._about.get("sha256") == _digest({name: self.tensor(name) for name in self.names}))

    def shard(self) -> Shard:
        """All of it."""
        names = list(parameter_shapes(self.config))
        return Shard(
            seeds=self.tensor("seed"),
            status=self.tensor("status"),
            steps=self.tensor("steps"),
            weights=self.some(names),
            losses=self.tensor("history.loss"),
            snapshots={name: self.tensor(f"snapshot.{name}") for name in names if f"snapshot.{name}" in self.names},
            state=self.some(name for name in self.names if name in _state(self.config, 0, 0)),
        )

    @property
    def names(self) -> set[str]:
        """The tensors in it."""
        return set(self._file.keys())

    def _check(self, count: int) -> None:
        units = self._shape("units")[-1] if "units" in self.names else 0
        expected = _expected(self.config, count)
        if self.names & set(_state(self.config, 0, 0)):
            expected |= _state(self.config, count, units)
        if self.names != set(expected):
            odd = sorted(self.names ^ set(expected))[0]
            raise ValueError(f"it has {'an unknown' if odd in self.names else 'no'} tensor {odd!r}")
        for name, (kind, shape) in expected.items():
            found = self._file.get_slice(name)
            if found.get_dtype() != kind or tuple(found.get_shape()) != shape:
                raise ValueError(
                    f"its tensor {name!r} is {found.get_dtype()} {tuple(found.get_shape())}, not {kind} {shape}"
                )
        self._check_values(count)

    def _check_values(self, count: int) -> None:
        seeds, status, steps = (self.tensor(name) for name in ("seed", "status", "steps"))
        if count == 0 or (np.diff(seeds) <= 0).any() or seeds[0] < 0:
            raise ValueError("its seeds are not distinct, ascending and 0 or more")
        if (status >= len(Outcome)).any():
            raise ValueError(f"it has a status {status.max()}, which means nothing")
        if (steps < 0).any() or (steps > self.config.steps).any():
            raise ValueError(f"it has a seed with {steps.max()} of {self.config.steps} steps")
        for name, schedule in (
            ("history.step", self.config.history_steps),
            ("snapshot.step", self.config.snapshot_steps),
        ):
            if name in self.names and not np.array_equal(self.tensor(name), schedule):
                raise ValueError(f"its {name} are not those of the run's settings")

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._file.get_slice(name).get_shape())


def _about(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        text = (metadata or {})[KEY]
        about = json.loads(text) if len(text) <= LONGEST_ABOUT else None
    except (KeyError, ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise ValueError("it does not say how it was made")
    return about


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    """Of all tensors with their names: what a file says of itself, for when nothing else does any more."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + b"\0" + tensors[name].tobytes())
    return digest.hexdigest()


def _expected(config: Config, count: int) -> Expected:
    shapes = parameter_shapes(config)
    kept, recorded = config.snapshot_steps.size, config.history_steps.size
    expected: Expected = {"seed": ("I64", (count,)), "status": ("U8", (count,)), "steps": ("I64", (count,))}
    expected |= {name: ("F32", (count, *shape)) for name, shape in shapes.items()}
    expected |= {"history.step": ("I64", (recorded,)), "history.loss": ("F64", (count, recorded))}
    if kept:
        expected |= {f"snapshot.{name}": ("F32", (count, kept, *shape)) for name, shape in shapes.items()}
        expected["snapshot.step"] = ("I64", (kept,))
    return expected


def _state(config: Config, count: int, units: int) -> Expected:
    moments = {
        f"adam.{moment}.{name}": ("F32", (count, *shape))
        for moment in "mv"
        for name, shape in parameter_shapes(config).items()
    }
    return {**moments, "units": ("I32", (count, units)), "loss_sums": ("F64", (count, 32))}
