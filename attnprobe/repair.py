"""Making a run folder sound again: what is bad is set aside, never deleted, and trained again where that can be.

A shard that is missing or damaged stays in ``run.json`` until its seeds are there again, so a repair that is stopped
goes on when it is asked for again. A lost ``run.json`` is written anew from what the shards say of themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.events import Listener
from attnprobe.files import move, read_bytes, write_bytes
from attnprobe.machine import cores, describe
from attnprobe.progress import shown
from attnprobe.seeds import spelled
from attnprobe.store import Manifest, Run, lock, open_run
from attnprobe.store.manifest import FORMAT, NAME, UNFINISHED, FileRecord, MadeWith, ShardRecord
from attnprobe.store.shards import ShardFile
from attnprobe.verify import ASIDE, Finding, verify

__all__ = ["repair"]

FEW = 5  # names that are listed
MOST_BYTES = 2**32  # of a shard: that of 1,000 seeds has 10^8


def repair(
    path: str | Path, *, threads: int | None = None, progress: bool | None = None, events: Listener | None = None
) -> list[str]:
    """Set aside what is bad in a run folder and train again what is lost; returns what was done, in sentences.

    Parameters
    ----------
    path : path
        A run folder.
    threads : int, optional
        Seeds trained at a time; all cores if not given.
    progress : bool, optional
        Show a progress bar while seeds are trained; if not given, when standard error is a terminal.
    events : callable, optional
        Told what happens: ``progress`` and ``shard``, see :mod:`attnprobe.events`.

    Raises
    ------
    AttnprobeError
        When there is no run folder, another version wrote it, nothing in it can be trusted, or it cannot be written.
    """
    path = Path(path)
    done = []
    if any(finding.file == NAME for finding in verify(path).findings):
        done.append(_rebuild(path))
    run = open_run(path)
    with run.writing():
        found = verify(path).findings
        done += _set_aside(path, [finding.file for finding in found if finding.kind in ("damaged", "extra")])
        lost = []
        for finding in found:
            shard = _shard(run, finding)
            if shard is not None and run.origin == "trained":
                lost.append(shard)
            elif finding.kind in ("damaged", "missing"):
                run.drop([finding.file])
                done.append(f"{finding.file} is no part of the run any more. {_again(run, finding.file)}")
        with shown(progress, events) as listener:
            done += _train_again(run, lost, threads or cores(), listener)
    return done


def _shard(run: Run, finding: Finding) -> ShardRecord | None:
    """The shard of the run that is bad; checkpoints are not missed."""
    if finding.kind not in ("damaged", "missing"):
        return None
    return next((record for record in run.manifest.shards if record.file == finding.file), None)


def _train_again(run: Run, lost: list[ShardRecord], threads: int, listener: Listener) -> Iterator[str]:
    if not lost:
        return
    from attnprobe.training.batch import train_shard
    from attnprobe.training.telling import Telling

    told = Telling(listener, sum(run.seeds_of(record).size for record in lost), run.config.steps)
    for record in lost:
        told.begin()
        shard = train_shard(run.config, run.seeds_of(record), threads, told.progress)
        run.restore(record, shard)
        told.shard(shard)
        yield f"{record.file}: its {len(shard.seeds):,} seeds were trained again."


def _set_aside(path: Path, names: list[str]) -> Iterator[str]:
    """Move files to where nothing reads them."""
    for name in names:
        to, number = path / ASIDE / name, 0
        while to.exists() or to.is_symlink():
            number += 1
            to = path / ASIDE / f"{name}.{number}"
        move(path / name, to)
    if names:
        listed = ", ".join(map(repr, names[:FEW])) + (f" and {len(names) - FEW:,} more" if len(names) > FEW else "")
        yield f"Moved to {str(path / ASIDE)!r}: {listed}."


def _again(run: Run, name: str) -> str:
    if name.startswith("shards/"):
        return "It was a checkpoint." if run.origin == "trained" else "Import its weights again."
    command = "analyze" if name.startswith("tables/") else "report"
    return f"Have it again: attnprobe {command} {run.path}"


# --- run.json ---------------------------------------------------------------------------------------


@dataclass
class _Group:
    """Shards that were made with the same settings."""

    config: Config
    origin: str
    version: str
    records: list[ShardRecord] = field(default_factory=list)
    files: dict[str, FileRecord] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)


def _rebuild(path: Path) -> str:
    """Write ``run.json`` anew from the shards; those of the settings that most seeds have make the run."""
    with lock.only_writer(path):
        groups: dict[str, _Group] = {}
        for file in _shards(path):
            _join(groups, path, file)
        if not groups:
            raise AttnprobeError(
                f"{path / NAME} is damaged, and no shard is there from which it could be written anew. Put back a copy."
            )
        best = max(groups.values(), key=lambda group: (len(group.seeds), -group.config.steps))
        manifest = Manifest(
            format=FORMAT,
            attnprobe=best.version,
            origin="imported" if best.origin == "imported" else "trained",
            config=best.config,
            made_with=MadeWith.model_validate(describe()),
            shards=tuple(best.records),
            files=best.files,
        )
        said = list(_set_aside(path, [NAME] if (path / NAME).exists() else []))
        write_bytes(path / NAME, manifest.encoded())
    return " ".join([*said, f"{NAME} was written anew, of {len(best.seeds):,} seeds whose shards are whole."])


def _shards(path: Path) -> list[Path]:
    folder = path / "shards"
    if not folder.is_dir() or folder.is_symlink():
        return []
    names = sorted(folder.glob("*.safetensors"), key=lambda file: (len(file.name), file.name))
    return [file for file in names if UNFINISHED not in file.name and file.is_file() and not file.is_symlink()]


def _join(groups: dict[str, _Group], path: Path, file: Path) -> None:
    """Put a shard to those like it, if it is whole and has no seed that is there already."""
    try:
        opened = ShardFile.alone(file)
        record = ShardRecord(name=file.stem, seeds=spelled(opened.tensor("seed")), steps=opened.config.steps)
        data = read_bytes(file, MOST_BYTES, follow=False)
        if not opened.agrees():
            return
    except (ValueError, AttnprobeError):
        return
    origin, version = (str(opened.about.get(name)) for name in ("origin", "attnprobe"))
    key = json.dumps([origin, opened.config.model_dump(mode="json")])
    group = groups.setdefault(key, _Group(opened.config, origin, version))
    seeds = opened.tensor("seed").tolist()
    if np.isin(seeds, group.seeds).any():
        return
    group.records.append(record)
    group.files[record.file] = FileRecord.of(data)
    group.seeds += seeds
