"""A run folder: what was trained and what was computed from it, written whole and checked when read.

    run.json                   config, provenance, and the SHA-256 of every file below
    shards/00000.safetensors   weights of some seeds; one tensor a parameter, first axis seed
    shards/00000.parquet       their loss history
    tables/NAME.parquet        what the analyses found
    figures/, report.pdf       what the reports drew

A shard counts once ``run.json`` names it, so a crash leaves the folder as it was before that shard.
Tensors in a shard: the state dict's names, ``seed``, ``status`` (an Outcome's code), ``steps`` (updates
done), when snapshots are kept ``snapshot.step`` and ``snapshot.NAME`` with axes seed, step, ..., and what training
goes on from (``attnprobe.training.course``).
"""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.numpy

import attnprobe
from attnprobe.circuit import Circuit
from attnprobe.config import Config
from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.files import make_folder, read_bytes, sha256, write_bytes
from attnprobe.machine import describe
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes
from attnprobe.schema import Column, Schema

if TYPE_CHECKING:
    from attnprobe.model import AttentionModel

__all__ = ["HISTORY", "Run", "Shard", "create_run", "open_run"]

FORMAT = 1
ROWS_A_GROUP = 100_000

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


@dataclass(frozen=True, eq=False)
class Shard:
    """Some trained seeds, ready to be written: first axis seed everywhere."""

    seeds: np.ndarray  # int64 (S,)
    status: np.ndarray  # uint8 (S,), Outcome codes
    steps: np.ndarray  # int64 (S,), updates done
    weights: dict[str, np.ndarray]  # float32 (S, *shape)
    losses: np.ndarray  # float64 (S, recorded steps), not-a-number where training had stopped
    snapshots: dict[str, np.ndarray]  # float32 (S, kept steps, *shape)
    state: dict[str, np.ndarray] = field(default_factory=dict)  # what training goes on from (``training.course``)


class Run:
    """A run folder that has been opened. Seeds are in ascending order everywhere.

    Attributes
    ----------
    path : Path
    config : Config
    info : dict
        Everything that ``run.json`` says: versions, processor, date, files.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path = path
        self.info = info
        self.config = Config(**info["config"])

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {len(self.seeds)} seeds, rule {self.config.rule!r})"

    # --- weights --------------------------------------------------------------------------------

    def require_seeds(self) -> None:
        """Raise where no seed has been trained yet."""
        if not self.info["shards"]:
            raise AttnprobeError(f"{self.path} holds no trained seeds yet. Train some: attnprobe train {self.path}")

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self._stored("seed"), kind="stable")

    def _stored(self, name: str) -> np.ndarray:
        """One tensor of all shards, in the order of the shards."""
        self.require_seeds()
        parts = []
        for shard in self.info["shards"]:
            path = self._checked(f"shards/{shard}.safetensors")
            with safetensors.safe_open(path, framework="numpy") as file:
                parts.append(file.get_tensor(name))
        return np.concatenate(parts)

    def _tensor(self, name: str) -> np.ndarray:
        return self._stored(name)[self._order]

    @cached_property
    def seeds(self) -> np.ndarray:
        """The trained seeds, int64 (S,), ascending."""
        return self._tensor("seed") if self.info["shards"] else np.empty(0, dtype=np.int64)

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
        return {name: self._tensor(name) for name in parameter_shapes(self.config)}

    @cached_property
    def circuit(self) -> Circuit:
        """Scores, values and readouts of all seeds."""
        return Circuit.from_weights(self.config.task, self.weights)

    def snapshots(self, names: Iterable[str] | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Kept steps (K,) and the weights there by name (all, or those named), float32, each (S, K, *shape)."""
        steps = self.config.snapshot_steps
        if steps.size == 0:
            raise AttnprobeError(f"{self.path} keeps no snapshots: it was trained with snapshots = 0.")
        wanted = parameter_shapes(self.config) if names is None else names
        return steps, {name: self._tensor(f"snapshot.{name}") for name in wanted}

    def model(self, seed: int) -> AttentionModel:
        """A plain AttentionModel that holds a copy of the seed's trained weights."""
        from attnprobe.model import AttentionModel

        place = int(np.searchsorted(self.seeds, seed))
        if place == len(self.seeds) or self.seeds[place] != seed:
            raise AttnprobeError(f"{self.path} has no seed {seed}; it has {_span(self.seeds)}.")
        weights = {name: value[place] for name, value in self.weights.items()}
        return AttentionModel.from_weights(self.config, weights)

    def history(self) -> pd.DataFrame:
        """The recorded losses of all seeds, sorted by seed and step."""
        self.require_seeds()
        parts = [
            pq.read_table(io.BytesIO(read_bytes(self._checked(f"shards/{shard}.parquet"))))
            for shard in self.info["shards"]
        ]
        frame: pd.DataFrame = pa.concat_tables(parts).to_pandas()
        return frame.sort_values(["seed", "step"], kind="stable", ignore_index=True)

    def add_shard(self, shard: Shard) -> None:
        """Write a shard; it belongs to the run once ``run.json`` names it."""
        self._refresh()
        number = f"{len(self.info['shards']):05d}"
        tensors = {
            "seed": shard.seeds,
            "status": shard.status,
            "steps": shard.steps,
            **shard.weights,
            **{f"snapshot.{name}": value for name, value in shard.snapshots.items()},
            **shard.state,
        }
        if shard.snapshots:
            tensors["snapshot.step"] = self.config.snapshot_steps
        files = {
            f"shards/{number}.parquet": _parquet(HISTORY, _history(shard, self.config)),
            f"shards/{number}.safetensors": safetensors.numpy.save(
                {name: np.ascontiguousarray(value) for name, value in tensors.items()},
                metadata={"attnprobe": json.dumps({"format": FORMAT})},
            ),
        }
        checksums = {name: write_bytes(self.path / name, data) for name, data in files.items()}
        self._update(shards=[*self.info["shards"], number], files={**self.info["files"], **checksums})

    # --- tables ---------------------------------------------------------------------------------

    @property
    def tables(self) -> list[str]:
        """Names of the tables that have been computed and are up to date with the weights."""
        return [name for name, state in self.info["tables"].items() if state == self.state]

    def holds(self, schema: Schema) -> bool:
        """Whether there is a table of this schema that is up to date with the weights."""
        promised = schema.for_task(self.config.task).fingerprint
        return schema.name in self.tables and self.info.get("schemas", {}).get(schema.name) == promised

    @property
    def state(self) -> str:
        """A fingerprint of all shards: a table that was computed from other shards is out of date."""
        return sha256("".join(self.info["files"][f"shards/{s}.safetensors"] for s in self.info["shards"]).encode())

    def write_table(self, schema: Schema, frame: pd.DataFrame) -> None:
        """Check a frame against its schema and write it to ``tables/NAME.parquet``."""
        schema = schema.for_task(self.config.task)
        name = f"tables/{schema.name}.parquet"
        state = self.state  # of the shards that the frame was computed from
        self._refresh()
        checksum = write_bytes(self.path / name, _parquet(schema, frame))
        self._update(
            files={**self.info["files"], name: checksum},
            tables={**self.info["tables"], schema.name: state},
            schemas={**self.info.get("schemas", {}), schema.name: schema.fingerprint},
        )

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """A computed table, or some of its columns.

        Raises
        ------
        AttnprobeError
            When the table or a column is not there, or the table is older than the weights; the
            message says which command computes it.
        """
        if name not in self.tables:
            known = self.info["tables"]
            why = (
                "is older than the weights (seeds were added since)"
                if name in known
                else f"is not in {self.path}.{did_you_mean(name, known)} "
                f"Computed so far: {', '.join(self.tables) or 'none'}"
            )
            raise AttnprobeError(f"Table {name!r} {why}. Tables are computed by: attnprobe analyze {self.path}")
        file = pq.ParquetFile(
            io.BytesIO(read_bytes(self._checked(f"tables/{name}.parquet"))), page_checksum_verification=True
        )
        unknown = [column for column in columns or [] if column not in file.schema_arrow.names]
        if unknown:
            raise AttnprobeError(
                f"Table {name!r} has no column {unknown[0]!r}."
                f"{did_you_mean(unknown[0], file.schema_arrow.names)} "
                f"Its columns are: {', '.join(file.schema_arrow.names)}."
            )
        frame: pd.DataFrame = file.read(columns=columns).to_pandas()
        return frame

    # --- files ----------------------------------------------------------------------------------

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files of a report into the folder and record their checksums."""
        self._refresh()
        checksums = {name: write_bytes(self.path / name, data) for name, data in files.items()}
        self._update(files={**self.info["files"], **checksums})

    def _checked(self, name: str) -> Path:
        """The path of a recorded file whose bytes are those that were written."""
        path = self.path / name
        seen = self.__dict__.setdefault("_seen", {})
        if seen.get(name) != self.info["files"][name]:
            if sha256(read_bytes(path)) != self.info["files"][name]:
                raise AttnprobeError(
                    f"{path} is damaged: its bytes are not those that were written (SHA-256 differs from "
                    "run.json). Restore it from a copy; tables can be computed again with attnprobe analyze."
                )
            seen[name] = self.info["files"][name]
        return path

    def _refresh(self) -> None:
        """Take over what was written to the folder through another Run since this one was opened."""
        self._take(_read_info(self.path))

    def _update(self, **changes: Any) -> None:
        info = {**self.info, **changes}
        write_bytes(self.path / "run.json", _json(info))
        self._take(info)

    def _take(self, info: dict[str, Any]) -> None:
        if info["shards"] != self.info["shards"]:
            for name in ("seeds", "status", "steps", "weights", "circuit", "_order"):
                self.__dict__.pop(name, None)  # cached properties of the smaller run
        self.info = info


def create_run(path: str | Path, config: Config) -> Run:
    """Open the run folder at ``path`` for training with ``config``, or make it.

    Raises
    ------
    AttnprobeError
        When there is something else at ``path``, or a run with another config.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise AttnprobeError(f"{path} is a file, not a folder. Choose another place for the run.")
    if (path / "run.json").exists():
        run = open_run(path)
        if run.config != config:
            raise AttnprobeError(
                f"{path} already holds a run with another configuration ({_difference(run.config, config)}). "
                "Choose another folder, or ask for the configuration that it holds."
            )
        return run
    if path.exists() and any(path.iterdir()):
        raise AttnprobeError(
            f"{path} is not empty and not a run folder (it has no run.json). Choose a new or empty folder."
        )
    make_folder(path)
    info = {
        "format": FORMAT,
        "attnprobe": attnprobe.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": config.model_dump(mode="json"),
        "made_with": describe(),
        "shards": [],
        "tables": {},
        "files": {},
    }
    write_bytes(path / "run.json", _json(info))
    return Run(path, info)


def open_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises
    ------
    AttnprobeError
        When there is no run at ``path``, or it cannot be understood.
    """
    path = Path(path)
    if not path.exists():
        raise AttnprobeError(f"There is no run at {path}. Train one with: attnprobe train {path}")
    if not (path / "run.json").exists():
        raise AttnprobeError(f"{path} is not a run folder: it has no run.json.")
    info = _read_info(path)
    try:
        return Run(path, info)
    except AttnprobeError as error:
        raise AttnprobeError(f"{path / 'run.json'} is damaged: {error}") from None


PARTS = {"config": dict, "made_with": dict, "created": str, "shards": list, "tables": dict, "files": dict}


def _read_info(path: Path) -> dict[str, Any]:
    """What ``run.json`` says, if it is of the form that this version writes."""
    damaged = AttnprobeError(f"{path / 'run.json'} is damaged: it is not what attnprobe wrote.")
    data = read_bytes(path / "run.json")
    try:
        info = json.loads(data)
    except ValueError:
        raise damaged from None
    if not isinstance(info, dict) or "format" not in info:
        raise damaged
    if info["format"] != FORMAT:
        raise AttnprobeError(
            f"{path} has format {info['format']}; this attnprobe ({attnprobe.__version__}) reads format {FORMAT}. "
            "Open it with the version of attnprobe that made it."
        )
    if any(not isinstance(info.get(part), kind) for part, kind in PARTS.items()):
        raise damaged
    return info


def _history(shard: Shard, config: Config) -> pd.DataFrame:
    steps = config.history_steps
    frame = pd.DataFrame(
        {
            "seed": np.repeat(shard.seeds, steps.size),
            "step": np.tile(steps, shard.seeds.size),
            "loss": shard.losses.ravel(),
        }
    )
    return frame.dropna(ignore_index=True)


def _parquet(schema: Schema, frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(
        schema.table(frame), buffer, compression="zstd", row_group_size=ROWS_A_GROUP, write_page_checksum=True
    )
    return buffer.getvalue()


def _json(info: dict[str, Any]) -> bytes:
    return (json.dumps(info, indent=1) + "\n").encode()


def _difference(ours: Config, theirs: Config) -> str:
    here, asked = ours.model_dump(), theirs.model_dump()
    return "; ".join(
        f"{name} is {here[name]!r} there, {asked[name]!r} was asked for" for name in here if here[name] != asked[name]
    )


def _span(seeds: np.ndarray) -> str:
    return f"{len(seeds)} seeds from {seeds[0]} to {seeds[-1]}" if len(seeds) else "no seeds"
