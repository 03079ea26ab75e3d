"""A run that has been opened: its seeds with their weights, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import attnprobe
from attnprobe.circuit import Circuit
from attnprobe.config import Config
from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.files import sha256
from attnprobe.machine import cpu_kind
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes
from attnprobe.schema import Column, Schema
from attnprobe.seeds import spelled, unspelled
from attnprobe.store import shards, tables
from attnprobe.store.folder import Folder, again
from attnprobe.store.manifest import NAME, UNFINISHED, Manifest, ShardRecord, Source, TableRecord
from attnprobe.store.shards import Shard, ShardFile

if TYPE_CHECKING:
    from attnprobe.model import AttentionModel

__all__ = ["HISTORY", "Run"]

HISTORY = Schema(
    "history",
    "seed, recorded step",
    ("seed", "step"),
    (
        Column("seed", "int64", "", "the training seed"),
        Column("step", "int64", "steps", "optimiser updates done"),
        Column("loss", "float64", "nats", "mean batch loss (binary cross entropy) since the previous row"),
    ),
)
MOST_ROWS = 1_000_000  # that a table may have, and so many more for each seed, besides the recorded steps:
MOST_ROWS_A_SEED = 20_000
MOST_SEEDS = 2**31  # in a shard that this process has made


class Run:
    """A run folder that has been opened. Seeds are in ascending order everywhere.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self._folder = Folder(path, manifest)
        self._check_seeds()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {len(self.seeds)} seeds, rule {self.config.rule!r})"

    @property
    def manifest(self) -> Manifest:
        """Everything that ``run.json`` says: settings, versions, processor, files."""
        return self._folder.manifest

    @property
    def config(self) -> Config:
        """The settings."""
        return self.manifest.config

    @property
    def origin(self) -> str:
        """Where the weights come from: ``trained`` here, or ``imported``."""
        return self.manifest.origin

    # --- weights --------------------------------------------------------------------------------

    def require_seeds(self) -> None:
        """Raise where no seed has been trained yet."""
        if not self.manifest.shards and self.origin == "imported":
            raise AttnprobeError(f"{self.path} holds no weights yet. Import some: attnprobe import {self.path} FILE...")
        if not self.manifest.shards:
            raise AttnprobeError(f"{self.path} holds no trained seeds yet. Train some: attnprobe train {self.path}")

    @cached_property
    def seeds(self) -> np.ndarray:
        """The trained seeds, int64 (S,), ascending."""
        listed = [self.seeds_of(record) for record in self.manifest.shards]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *listed]))

    def _tensors(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Tensors of all shards in the order of the seeds; each file is opened once."""
        self.require_seeds()
        wanted, found = list(names), {}
        for record in self.manifest.shards:
            file, rows = self.file(record), np.searchsorted(self.seeds, self.seeds_of(record))
            together = rows[-1] - rows[0] + 1 == rows.size
            for name in wanted:
                part = file.tensor(name)
                if name not in found:
                    found[name] = np.empty((len(self.seeds), *part.shape[1:]), dtype=part.dtype)
                found[name][slice(rows[0], rows[-1] + 1) if together else rows] = part
        return found

    def _tensor(self, name: str) -> np.ndarray:
        return self._tensors([name])[name]

    @cached_property
    def status(self) -> np.ndarray:
        """One outcome a seed, as text (S,): ``trained`` or ``nonfinite``."""
        return np.array([outcome.value for outcome in Outcome])[self._tensor("status")]

    @cached_property
    def steps(self) -> np.ndarray:
        """Updates done by each seed, int64 (S,)."""
        return self._tensor("steps")

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        """Trained weights by state dict name, float32, each (S, *shape)."""
        return self._tensors(parameter_shapes(self.config))

    @cached_property
    def circuit(self) -> Circuit:
        """Scores, values and readouts of all seeds."""
        return Circuit.from_weights(self.config.task, self.weights)

    def snapshots(self, names: Iterable[str] | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Kept steps (K,) and the weights there by name (all, or those named), float32, each (S, K, *shape)."""
        steps = self.config.snapshot_steps
        if steps.size == 0:
            raise AttnprobeError(f"{self.path} keeps no snapshots: it was trained with snapshots = 0.")
        wanted = list(parameter_shapes(self.config) if names is None else names)
        kept = self._tensors(f"snapshot.{name}" for name in wanted)
        return steps, {name: kept[f"snapshot.{name}"] for name in wanted}

    def model(self, seed: int) -> AttentionModel:
        """A plain AttentionModel that holds a copy of the seed's trained weights."""
        from attnprobe.model import AttentionModel

        place = int(np.searchsorted(self.seeds, seed))
        if place == len(self.seeds) or self.seeds[place] != seed:
            raise AttnprobeError(f"{self.path} has no seed {seed}; it has {_span(self.seeds)}.")
        for record in self.manifest.shards:  # only the one file that holds it
            row = np.flatnonzero(self.seeds_of(record) == seed)
            if row.size:
                weights = self.file(record).some(parameter_shapes(self.config))
                return AttentionModel.from_weights(self.config, {name: w[row[0]] for name, w in weights.items()})
        raise AssertionError

    def history(self) -> pd.DataFrame:
        """The recorded losses of all seeds, sorted by seed and step."""
        steps, losses = self.config.history_steps, self._tensor("history.loss")
        frame = pd.DataFrame(
            {
                "seed": np.repeat(self.seeds, steps.size),
                "step": np.tile(steps, len(self.seeds)),
                "loss": losses.ravel(),
            }
        )
        return frame.dropna(ignore_index=True)

    # --- files of seeds -------------------------------------------------------------------------

    def seeds_of(self, record: ShardRecord) -> np.ndarray:
        """The seeds of a shard as the manifest lists them, ascending."""
        return unspelled(record.seeds, self._most_seeds(record))

    def file(self, record: ShardRecord) -> ShardFile:
        """A shard's file, checked: its bytes, its form, its seeds.

        Raises
        ------
        AttnprobeError
            When it is missing, damaged or no such file.
        """
        seeds, path = self.seeds_of(record), self._folder.whole(record.file)
        try:
            file = ShardFile(path, self.config.model_copy(update={"steps": record.steps}), len(seeds))
            if not np.array_equal(file.tensor("seed"), seeds):
                raise ValueError("it holds other seeds than run.json says")
        except ValueError as error:
            raise AttnprobeError(
                f"{path} is not what attnprobe wrote: {error}. {again(self.path, self.origin)}"
            ) from None
        return file

    def add_shard(self, shard: Shard, sources: Iterable[Source] = ()) -> None:
        """Write a shard of finished seeds; it belongs to the run once ``run.json`` names it.

        ``sources`` are the files that imported weights came from, one for each seed.
        """
        with self.writing():
            record, files = self._written(shard, self.config)
            done = self._older(record)
            self._commit(
                files,
                remove=[old.file for old in done],
                shards=_in_order([*self.manifest.shards, record]),
                unfinished=tuple(old for old in self.manifest.unfinished if old not in done),
                sources=tuple(sorted([*self.manifest.sources, *sources], key=lambda source: source.seed)),
            )

    def keep(self, shard: Shard, steps: int) -> None:
        """Write seeds that do not belong to the run yet: on their way, or trained to more steps than the run has.

        They take the place of what was kept of the same seeds for the same number of steps.
        """
        with self.writing():
            config = self.config.model_copy(update={"steps": steps})
            record, files = self._written(shard, config, UNFINISHED if shard.unfinished(config) else "")
            older = self._older(record)
            kept = [old for old in self.manifest.unfinished if old not in older]
            self._commit(files, remove=[old.file for old in older], unfinished=_in_order([*kept, record]))

    def restore(self, record: ShardRecord, shard: Shard) -> None:
        """Put the seeds of a shard of the run, trained again, in the place of its file."""
        with self.writing():
            _, files = self._written(shard, self.config)
            (data,) = files.values()
            self._commit({record.file: data})
        for name in ("status", "steps", "weights", "circuit"):
            self.__dict__.pop(name, None)

    def extend(self, steps: int) -> None:
        """Give the run more steps: what has been kept for so many takes the place of all its shards.

        Raises
        ------
        ValueError
            When some of its seeds have not been trained so far.
        """
        with self.writing():
            longer = [record for record in self.manifest.unfinished if record.steps == steps]
            seeds = np.concatenate([self.seeds_of(record) for record in longer])
            if any(record.unfinished for record in longer) or np.setdiff1d(self.seeds, seeds).size:
                raise ValueError(f"not all seeds have been trained for {steps} steps")
            left = tuple(record for record in self.manifest.unfinished if record.steps > steps)
            gone = {*self.manifest.shards, *self.manifest.unfinished} - {*longer, *left}
            self._commit(
                remove=[record.file for record in gone],
                config=self.config.model_copy(update={"steps": steps}),
                shards=_in_order(longer),
                unfinished=left,
            )

    def drop(self, names: Iterable[str]) -> None:
        """Take files out of the run without touching them: shards, tables, parts of the report."""
        out = set(names)
        with self.writing():
            kept = tuple(record for record in self.manifest.shards if record.file not in out)
            seeds = {int(seed) for record in kept for seed in self.seeds_of(record)}
            self._commit(
                forget=out,
                shards=kept,
                sources=tuple(source for source in self.manifest.sources if source.seed in seeds),
                unfinished=tuple(record for record in self.manifest.unfinished if record.file not in out),
                tables={name: said for name, said in self.manifest.tables.items() if _table_file(name) not in out},
                drawn={name: state for name, state in self.manifest.drawn.items() if name not in out},
            )

    def _written(self, shard: Shard, config: Config, ending: str = "") -> tuple[ShardRecord, dict[str, bytes]]:
        made = {"attnprobe": attnprobe.__version__, "cpu_kind": cpu_kind(), "origin": self.origin}
        name = f"{shard.seeds[0]:05d}-{config.steps}{ending}"
        record = ShardRecord(name=name, seeds=spelled(shard.seeds), steps=config.steps)
        return record, {record.file: shards.encode(shard, config, made)}

    def _older(self, record: ShardRecord) -> list[ShardRecord]:
        """Checkpoints of these seeds on their way to so many steps."""
        alike = [old for old in self.manifest.unfinished if old.steps == record.steps and old.unfinished]
        seeds = unspelled(record.seeds, MOST_SEEDS)
        return [old for old in alike if np.isin(self.seeds_of(old), seeds).any()]

    def _most_seeds(self, record: ShardRecord) -> int:
        """Seeds that a file of this size can hold."""
        a_seed = 4 * sum(int(np.prod(shape)) for shape in parameter_shapes(self.config).values())
        return self.manifest.files[record.file].size // a_seed

    def _check_seeds(self) -> None:
        """Raise where the manifest lists seeds that its files cannot hold, or one of them twice."""
        try:
            seeds = self.seeds
        except ValueError:
            seeds = np.zeros(2)
        if (seeds[1:] == seeds[:-1]).any():
            raise AttnprobeError(f"{self.path / NAME} is not what attnprobe wrote: its list of seeds is impossible.")

    # --- tables ---------------------------------------------------------------------------------

    @property
    def tables(self) -> list[str]:
        """Names of the tables that have been computed and are up to date with the weights."""
        return [name for name, record in self.manifest.tables.items() if record.weights == self.state]

    def holds(self, schema: Schema) -> bool:
        """Whether there is a table of this schema that is up to date with the weights, and whole."""
        record = self.manifest.tables.get(schema.name)
        promise = schema.for_task(self.config.task).fingerprint
        if record != TableRecord(weights=self.state, promise=promise):
            return False
        try:
            self._folder.whole(_table_file(schema.name))
        except AttnprobeError:
            return False
        return True

    @property
    def state(self) -> str:
        """A fingerprint of all shards: a table that was computed from other shards is out of date."""
        return sha256("".join(self.manifest.files[record.file].sha256 for record in self.manifest.shards).encode())

    def write_table(self, schema: Schema, frame: pd.DataFrame) -> None:
        """Check a frame against its schema and write it to ``tables/NAME.parquet``."""
        schema = schema.for_task(self.config.task)
        record = TableRecord(weights=self.state, promise=schema.fingerprint)  # of what the frame was computed from
        data = tables.encode(schema, frame)
        with self.writing():
            known = {**self.manifest.tables, schema.name: record}
            self._commit({_table_file(schema.name): data}, tables=known)

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """A computed table, or some of its columns.

        Raises
        ------
        AttnprobeError
            When the table or a column is not there, or the table is older than the weights; the
            message says which command computes it.
        """
        if name not in self.tables:
            known = self.manifest.tables
            why = (
                "is older than the weights (seeds or steps were added since)"
                if name in known
                else f"is not in {self.path}.{did_you_mean(name, known)} "
                f"Computed so far: {', '.join(self.tables) or 'none'}"
            )
            raise AttnprobeError(f"Table {name!r} {why}. Tables are computed by: attnprobe analyze {self.path}")
        a_seed = MOST_ROWS_A_SEED + self.config.history
        return tables.decode(name, self._folder.read(_table_file(name)), MOST_ROWS + a_seed * len(self.seeds), columns)

    # --- files ----------------------------------------------------------------------------------

    def check(self, name: str) -> None:
        """Raise where a file that ``run.json`` names is missing, or its bytes are not those that were written."""
        self._folder.whole(name)

    def writing(self) -> AbstractContextManager[None]:
        """The right to write into the folder: one process has it at a time.

        Raises
        ------
        AttnprobeError
            When another process has it, or the folder cannot be written.
        """
        return _Renewing(self)

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files of a report into the folder; what they show are the run's weights of now."""
        state = self.state
        with self.writing():
            self._commit(files, drawn={**self.manifest.drawn, **dict.fromkeys(files, state)})

    def _commit(self, files: Mapping[str, bytes] | None = None, **changes: Any) -> None:
        before = self.manifest.shards
        self._folder.commit(files, **changes)
        self._forget(before)

    def _forget(self, before: tuple[ShardRecord, ...]) -> None:
        """Forget what was read of other shards than those that the run has now."""
        if self.manifest.shards != before:
            for name in ("status", "steps", "weights", "circuit", "seeds"):
                self.__dict__.pop(name, None)


class _Renewing(AbstractContextManager[None]):
    """The folder's ``writing``, after which the run knows what others have written."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._inner = run._folder.writing()

    def __enter__(self) -> None:
        before = self._run.manifest.shards
        self._inner.__enter__()
        self._run._forget(before)

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


def _in_order(records: Iterable[ShardRecord]) -> tuple[ShardRecord, ...]:
    """By first seed, so that it does not matter which was trained first."""
    return tuple(sorted(records, key=lambda record: (int(record.name.partition("-")[0]), record.steps)))


def _table_file(name: str) -> str:
    return f"tables/{name}.parquet"


def _span(seeds: np.ndarray) -> str:
    return f"{len(seeds)} seeds from {seeds[0]} to {seeds[-1]}" if len(seeds) else "no seeds"
