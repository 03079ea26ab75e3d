"""Networks that were trained elsewhere as a run: all files read and checked first, then kept like trained seeds.

What is known of such a run is its question (rule, alphabet, length), the sizes and the weights; nothing is
known of how it was trained. So it keeps no history and no snapshots, and ``run.json`` names each network's
file with its SHA-256 (``sources``) in place of what a trained run could be trained again from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.foreign.numbering import COUNTED, number
from attnprobe.foreign.weights import Exported, Foreign, Reading, read_weights
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes
from attnprobe.store import Run, Shard, Source, create_run, open_run

__all__ = ["Imported", "import_weights", "read_all"]

SHARD_SIZE = 64  # networks kept in one file, as in training


@dataclass(frozen=True, eq=False)
class Imported:
    """What an import did.

    Attributes
    ----------
    run : Run
    added, there : int
        Networks that joined the run, and those that it had already.
    numbered : str
        Where the numbers come from, in a sentence.
    notes : tuple of str
        What was done to the numbers or assumed about the names, a sentence each.
    """

    run: Run
    added: int
    there: int
    numbered: str
    notes: tuple[str, ...]


def import_weights(
    files: Iterable[str | Path],
    out: str | Path,
    *,
    seeds: Iterable[int] | None = None,
    rule: str | None = None,
    length: int | None = None,
    steps: int | None = None,
    rename: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    key: str | None = None,
    scale: str = "sqrt",
    keep_nonfinite: bool = False,
    progress: Callable[[str], None] = lambda name: None,
) -> Imported:
    """Make a run of networks that were trained elsewhere, or add to one.

    Parameters
    ----------
    files : iterable of path
        ``.pt`` or ``.pth`` files with a state dict, or ``.safetensors``; one network a file, all of the same sizes.
    out : path
        The run folder: new, empty, or a run of imported weights.
    seeds : iterable of int, optional
        A number for each file, in the files' order; see :func:`attnprobe.foreign.numbering.number` for the default.
    rule, length : optional
        The question. If not given: as attnprobe's exports say, else as the run has it, else the exercise's.
    steps : int, optional
        For how many steps the networks were trained, for the record; 0 where that is not known.
    rename, ignore, key, scale, keep_nonfinite : optional
        See :class:`~attnprobe.foreign.weights.Reading`.
    progress : callable
        Told the name of each file before it is read.

    Returns
    -------
    Imported

    Raises
    ------
    AttnprobeError
        When a file cannot be read safely or is not surely a network of the exercise's form, when files or the run
        differ in sizes or question, or when a number belongs to other weights; nothing is changed then.
    """
    reading = Reading(dict(rename or {}), tuple(ignore), key, scale, keep_nonfinite)
    read = read_all([Path(file) for file in files], reading, progress)
    out = Path(out)
    before = open_run(out) if (out / "run.json").exists() else None
    config = _config(read, before.config if before else None, rule, length, steps)
    asked = None if seeds is None else list(seeds)
    if before is None:
        number(read, asked)  # what is wrong with the numbers is said before a folder is made
    run = create_run(out, config, origin="imported")
    if run.config.steps != config.steps:
        raise AttnprobeError(
            f"{out} holds networks after {run.config.steps:,} steps; {config.steps:,} were asked for. "
            "Choose another folder, or give the steps that it has."
        )
    with run.writing():
        numbers, numbered = _numbers(run, read, asked)
        new = _new(run, read, numbers)
        for start in range(0, len(new), SHARD_SIZE):
            some = new[start : start + SHARD_SIZE]
            run.add_shard(_shard(some, config), [_source(seed, file) for seed, file in some])
    return Imported(run, len(new), len(read) - len(new), numbered, _notes(read))


def read_all(paths: Sequence[Path], reading: Reading, progress: Callable[[str], None]) -> list[Foreign]:
    """Read all files, which must hold networks of the same sizes."""
    if not paths:
        raise AttnprobeError("There are no files to import. Name one or more .pt, .pth or .safetensors files.")
    read: list[Foreign] = []
    for path in paths:
        progress(path.name)
        read.append(read_weights(path, reading))
        if read[-1].sizes != read[0].sizes:
            raise AttnprobeError(
                f"{read[0].path} and {path} are networks of different sizes: {_sizes(read[0].sizes)}; "
                f"{_sizes(read[-1].sizes)}. A run holds networks of the same sizes: import them into two runs."
            )
    return read


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sizes.items())


# --- settings --------------------------------------------------------------------------------------------


def _config(
    read: Sequence[Foreign], before: Config | None, rule: str | None, length: int | None, steps: int | None
) -> Config:
    """The run's settings: what is given, else what exports say, else what the run has, else the exercise's."""
    sizes = read[0].sizes
    have = {name: getattr(before, name) for name in sizes} if before else sizes
    if have != sizes:
        raise AttnprobeError(
            f"{read[0].path} is a network of {_sizes(sizes)}; the run has {_sizes(have)}. Import it into another run."
        )
    exports = [(file.path, file.exported) for file in read if file.exported is not None]
    said = {
        "rule": _agreed("rule", exports) if rule is None else rule,
        "length": _agreed("length", exports) if length is None else length,
        "steps": _agreed("steps", exports) if steps is None else steps,
    }
    usual = before or Config(rule="n0 > n1", steps=0, history=1, snapshots=0, **sizes)
    given = {name: value for name, value in said.items() if value is not None}
    if before is None and "rule" not in given:
        given["rule"] = Config.model_fields["rule"].default
    return Config(**{**usual.model_dump(), **given})


def _agreed(name: str, exports: Sequence[tuple[Path, Exported]]) -> str | int | None:
    """What all exports say of the question or the steps; None where there are no exports."""
    for path, export in exports[1:]:
        first = getattr(exports[0][1], name)
        if getattr(export, name) != first:
            raise AttnprobeError(
                f"{exports[0][0]} and {path} are exports of runs with another {name}: {first!r} and "
                f"{getattr(export, name)!r}. Import them into two runs, or give --{name}."
            )
    return getattr(exports[0][1], name) if exports else None


# --- numbers and weights ---------------------------------------------------------------------------------


def _numbers(run: Run, read: Sequence[Foreign], asked: list[int] | None) -> tuple[list[int], str]:
    """Numbers of the files; where they are only counted, a file that the run has keeps its own."""
    numbers, numbered = number(read, asked, run.seeds.tolist())
    if numbered != COUNTED:
        return numbers, numbered
    known = {source.sha256: source.seed for source in run.manifest.sources}
    fresh = iter(number([file for file in read if file.sha256 not in known], None, run.seeds.tolist())[0])
    return [known[file.sha256] if file.sha256 in known else next(fresh) for file in read], numbered


def _new(run: Run, read: Sequence[Foreign], numbers: Sequence[int]) -> list[tuple[int, Foreign]]:
    """The networks that the run does not have, by number; a number that means other weights is refused."""
    sources = {source.seed: source for source in run.manifest.sources}
    places = {int(seed): place for place, seed in enumerate(run.seeds)}
    new = []
    for seed, file in sorted(zip(numbers, read, strict=True), key=lambda pair: pair[0]):
        if seed not in places:
            new.append((seed, file))
            continue
        same = all(file.weights[name].tobytes() == run.weights[name][places[seed]].tobytes() for name in file.weights)
        if not same:
            theirs = sources.get(seed)
            whose = "" if theirs is None else f": those of {theirs.name!r}"
            how = " with other options" if theirs is not None and theirs.sha256 == file.sha256 else ""
            raise AttnprobeError(
                f"{file.path} would be seed {seed}, but {run.path} has other weights under that number{whose}{how}. "
                "Give other numbers with --seeds, or import into another run."
            )
    return new


def _shard(some: Sequence[tuple[int, Foreign]], config: Config) -> Shard:
    """Imported networks as a shard: nothing recorded on the way, nothing to go on from."""
    files = [file for _, file in some]
    trained = [file.finite and (file.exported is None or file.exported.status == "trained") for file in files]
    done = [config.steps if file.exported is None else min(file.exported.steps_done, config.steps) for file in files]
    steps = [config.steps if well else step for well, step in zip(trained, done, strict=True)]
    return Shard(
        seeds=np.array([seed for seed, _ in some], dtype=np.int64),
        status=np.array([(Outcome.TRAINED if well else Outcome.NONFINITE).code for well in trained], dtype=np.uint8),
        steps=np.array(steps, dtype=np.int64),
        weights={name: np.stack([file.weights[name] for file in files]) for name in parameter_shapes(config)},
        losses=np.full((len(some), config.history_steps.size), np.nan),
        snapshots={},
    )


def _source(seed: int, file: Foreign) -> Source:
    return Source(seed=seed, name=file.path.name[:1000], sha256=file.sha256)


def _notes(read: Sequence[Foreign]) -> tuple[str, ...]:
    """What was noted of the files; a sentence that holds of every file is said once."""
    of_all = [note for note in read[0].notes if all(note in file.notes for file in read)]
    who = f"All {len(read):,} files" if len(read) > 1 else read[0].path.name
    single = [f"{file.path.name}: {note}" for file in read for note in file.notes if note not in of_all]
    return tuple(f"{who}: {note}" for note in of_all) + tuple(single)
