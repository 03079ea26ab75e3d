"""Is a run folder what attnprobe wrote, every file of it? What is wrong is named exactly, with what to do.

Everything is read: sizes and SHA-256 as ``run.json`` says, the form and the seeds of every shard, every table; files
that are missing, and files that nobody recorded. :func:`retrain` goes further: it trains seeds again and compares bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attnprobe.errors import AttnprobeError
from attnprobe.files import is_temporary
from attnprobe.machine import cpu_kind
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes
from attnprobe.store import Run, Shard, open_run
from attnprobe.store.folder import again
from attnprobe.store.lock import NAME as LOCK
from attnprobe.store.manifest import NAME, ShardRecord

__all__ = ["ASIDE", "Finding", "Verified", "retrain", "verify"]

ASIDE = "set_aside"  # the folder into which repairs put files
LOOSE = ("shown.pdf", "shown.png", "shown.svg", "shown.csv")  # `attnprobe show` writes them and keeps no record


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    file : str
        Where, within the run folder.
    kind : str
        ``damaged``, ``missing``, ``extra``, ``old`` or ``different``.
    what : str
        What is wrong and what to do, in sentences that name the file.
    """

    file: str
    kind: str
    what: str


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what was found."""

    findings: tuple[Finding, ...]
    files: int
    bytes: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify(path: str | Path, progress: Callable[[str], None] = lambda name: None) -> Verified:
    """Check every file of a run folder.

    Parameters
    ----------
    path : path
        A run folder; it is not changed.
    progress : callable
        Told the name of each file before it is read.

    Raises
    ------
    AttnprobeError
        When there is no run folder at ``path``, or another version wrote it.
    """
    path = Path(path)
    if not (path / NAME).exists() and any((path / "shards").glob("*.safetensors")):
        what = (
            f"{path / NAME} is missing. Put back a copy of it, or let `attnprobe verify {path} --repair` write it anew."
        )
        return Verified((Finding(NAME, "missing", what),), 1, 0)
    try:
        run = open_run(path)
    except AttnprobeError as error:
        if not (path / NAME).exists() or "has format" in str(error):
            raise
        return Verified((Finding(NAME, "damaged", str(error)),), 1, 0)
    found = [*_recorded(run, progress), *_out_of_date(run), *_extra(run)]
    sizes = [record.size for record in run.manifest.files.values()]
    return Verified(tuple(found), len(sizes) + 1, sum(sizes))


def retrain(run: Run, seeds: Iterable[int], threads: int = 1) -> list[Finding]:
    """Train seeds of a run again, from their first step, and compare every bit that the run keeps of them.

    Raises
    ------
    AttnprobeError
        When the weights were imported, so that nothing is known of their training, or a shard cannot be read.
    """
    from attnprobe.training.batch import train_shard

    if run.origin != "trained":
        raise AttnprobeError(f"{run.path} holds imported weights: how they were trained is not known here.")
    found = []
    for record, some in _in_shards(run, np.array(sorted(seeds), dtype=np.int64)):
        file = run.file(record)
        again, kept = train_shard(run.config, some, threads), file.shard()
        rows = np.searchsorted(kept.seeds, some)
        for row, (seed, place) in enumerate(zip(some, rows, strict=True)):
            different = [name for name, a, b in _pairs(again, kept) if a[row].tobytes() != b[place].tobytes()]
            if different:
                found.append(_another(record, int(seed), different, str(file.about.get("cpu_kind"))))
    return found


def _recorded(run: Run, progress: Callable[[str], None]) -> Iterator[Finding]:
    """What is wrong with the files that the manifest names."""
    shards = {record.file: record for record in (*run.manifest.shards, *run.manifest.unfinished)}
    for name in sorted(run.manifest.files):
        progress(name)
        try:
            run.check(name)
            if name in shards:
                _check_shard(run, shards[name])
            elif name.startswith("tables/") and Path(name).stem in run.tables:
                run.table(Path(name).stem)
        except AttnprobeError as error:
            there = (run.path / name).exists() or (run.path / name).is_symlink()
            yield Finding(name, "damaged" if there else "missing", str(error))


def _check_shard(run: Run, record: ShardRecord) -> None:
    """Raise where a shard of the right bytes does not say what a shard of this run must."""
    file = run.file(record)
    about = json.dumps(file.about.get("config"))
    steps = run.config.model_copy(update={"steps": record.steps})
    if about != json.dumps(steps.model_dump(mode="json")):
        raise AttnprobeError(
            f"{run.path / record.file} belongs to a run with other settings ({about}). {again(run.path, run.origin)}"
        )
    finite = np.ones(len(file.tensor("seed")), dtype=bool)
    for name in parameter_shapes(run.config):
        finite &= np.isfinite(file.tensor(name)).reshape(len(finite), -1).all(axis=1)
    wrong = file.tensor("seed")[(file.tensor("status") == Outcome.TRAINED.code) & ~finite]
    if wrong.size:
        raise AttnprobeError(
            f"{run.path / record.file} says that seed {wrong[0]} is trained, but its weights are not finite. "
            f"{again(run.path, run.origin)}"
        )


def _out_of_date(run: Run) -> Iterator[Finding]:
    """Tables and figures that show other weights than the run has."""
    tables = [f"tables/{name}.parquet" for name in run.manifest.tables if name not in run.tables]
    drawn = [file for file, state in run.manifest.drawn.items() if state != run.state]
    for command, files in (("analyze", tables), ("report", drawn)):
        for file in files:
            yield Finding(
                file,
                "old",
                f"{run.path / file} shows other weights than the run has now (seeds or steps were added since). "
                f"Make it again: attnprobe {command} {run.path}",
            )


def _extra(run: Run) -> Iterator[Finding]:
    """Files that nobody recorded."""
    known = {NAME, LOCK, *LOOSE, *run.manifest.files, *run.manifest.writing, *run.manifest.removing}
    for name in _files(run.path):
        if name not in known and not is_temporary(run.path / name):
            yield Finding(
                name,
                "extra",
                f"{str(run.path / name)!r} is not recorded in {NAME}: attnprobe did not write it and does not read "
                f"it. Move it elsewhere, or let `attnprobe verify {run.path} --repair` put it into {ASIDE}.",
            )


def _files(folder: Path) -> Iterator[str]:
    """All that lies in a run folder and is no folder, links unfollowed, but for what was set aside."""
    left = [folder]
    while left:
        for path in sorted(left.pop().iterdir()):
            if path.is_dir() and not path.is_symlink():
                if path != folder / ASIDE:
                    left.append(path)
            else:
                yield path.relative_to(folder).as_posix()


def _in_shards(run: Run, seeds: np.ndarray) -> Iterator[tuple[ShardRecord, np.ndarray]]:
    for record in run.manifest.shards:
        some = np.intersect1d(seeds, run.seeds_of(record))
        if some.size:
            yield record, some


def _pairs(a: Shard, b: Shard) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    yield "status", a.status, b.status
    yield "steps", a.steps, b.steps
    yield "history", a.losses, b.losses
    for name in a.weights:
        yield name, a.weights[name], b.weights[name]
    for name in a.snapshots:
        yield f"snapshot.{name}", a.snapshots[name], b.snapshots[name]


def _another(record: ShardRecord, seed: int, different: list[str], kind: str) -> Finding:
    why = (
        "Both were trained on this kind of processor: the file was changed, or another version trained it."
        if kind == cpu_kind()
        else f"The run was trained on another kind of processor ({kind!r}; this is {cpu_kind()!r}), for which other "
        "bits are to be expected."
    )
    return Finding(
        record.file,
        "different",
        f"Seed {seed} of {record.file}, trained again, differs in {', '.join(different[:4])}"
        f"{', ...' if len(different) > 4 else ''}. {why}",
    )
