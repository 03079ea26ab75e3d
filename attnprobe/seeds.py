"""Which seeds: from Python, or from text such as ``0:256``, ``3,5,8`` or the name of a file."""

from __future__ import annotations

import array
import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attnprobe.errors import AttnprobeError, brief, shown
from attnprobe.files import read_bytes

if TYPE_CHECKING:
    from attnprobe.store import Run

__all__ = ["check_seeds", "parse_seeds", "seeds_of", "spelled", "unspelled"]

LARGEST = 2**63 - 1
MOST = 10_000_000  # seeds at once: more are surely a slip of the keyboard
MOST_BYTES = 64 * 2**20  # of a file of seeds
HOW = "Give distinct whole numbers of 0 or more, such as range(100) or [3, 5, 8]."


def check_seeds(seeds: Iterable[int]) -> np.ndarray:
    """Distinct seeds as a sorted int64 array.

    Raises
    ------
    AttnprobeError
        When there are none, or one is negative, repeated, too large or no whole number.
    """
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise AttnprobeError(f"seeds = {seeds!r} is not allowed: it is no collection of seeds. {HOW}")
    given = list(itertools.islice(seeds, MOST + 1))
    for seed in given[:MOST]:
        if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
            raise AttnprobeError(f"seed {brief(seed)} is not allowed: it is no whole number. {HOW}")
        if not 0 <= seed <= LARGEST:
            raise AttnprobeError(f"seed {brief(int(seed))} is not allowed: seeds run from 0 to 2^63 - 1. {HOW}")
    if len(given) > MOST:
        raise AttnprobeError(
            f"seeds is not allowed: these are more than {MOST:,} seeds. Train them in several calls on the same run "
            "folder."
        )
    return _distinct(np.array(given, dtype=np.int64))


def _distinct(seeds: np.ndarray) -> np.ndarray:
    """Seeds in ascending order, if there are any and none is given twice."""
    if not seeds.size:
        raise AttnprobeError(f"seeds is empty: there is nothing to train. {HOW}")
    ordered = np.sort(seeds)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if repeated.size:
        raise AttnprobeError(f"seed {repeated[0]} is given twice: each seed is one training run. {HOW}")
    return ordered


def seeds_of(run: Run, seeds: Iterable[int] | None) -> np.ndarray:
    """Seeds that a run has, ascending: those given, or all.

    Raises
    ------
    AttnprobeError
        When the run does not have one of them.
    """
    if seeds is None:
        return run.seeds
    asked = check_seeds(seeds)
    missing = asked[~np.isin(asked, run.seeds)]
    if missing.size:
        more = f" (nor {missing.size - 1:,} more of those asked for)" if missing.size > 1 else ""
        have = f"{len(run.seeds):,} seeds from {run.seeds[0]} to {run.seeds[-1]}"
        raise AttnprobeError(f"{run.path} has no seed {missing[0]}{more}; it has {have}.")
    return asked


def parse_seeds(text: str) -> np.ndarray:
    """Read seeds from ``0:256`` (0 to 255), ``3,5,8``, a mix of both, or a file of such items.

    In a file, items stand on lines or are separated by spaces or commas; ``#`` starts a comment.
    """
    if re.fullmatch(r"[0-9:,\s-]+", text):
        return _items(text, text)
    try:
        content = read_bytes(Path(text), MOST_BYTES).decode()
    except ValueError as error:  # it cannot be read, is no text, or its name is none
        what = str(error).rpartition(": it ")[2] if isinstance(error, AttnprobeError) else ""
        why = f": it {what[:-1]}" if what and ": it " in str(error) else ""
        raise AttnprobeError(
            f"seeds = {shown(text)} is not allowed: it is neither a range such as 0:256, nor a list such as 3,5,8, "
            f"nor a text file that can be read{why}."
        ) from None
    return _items(re.sub(r"#.*", "", content), text)


def spelled(seeds: np.ndarray) -> str:
    """Ascending seeds as text that :func:`parse_seeds` reads: ``0:64``, or ``2:4,7,9:12``."""
    runs = np.split(seeds, np.flatnonzero(np.diff(seeds) != 1) + 1) if len(seeds) else []
    return ",".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}:{int(run[-1]) + 1}" for run in runs)


def unspelled(text: str, most: int) -> np.ndarray:
    """The ascending seeds of a text that :func:`spelled` wrote, at most so many.

    Raises
    ------
    ValueError
        When it is another text.
    """
    if not re.fullmatch(r"\d{1,19}(:\d{1,19})?(,\d{1,19}(:\d{1,19})?)*", text):
        raise ValueError("no seeds")
    spans = [
        (int(first), int(stop or int(first) + 1)) for first, _, stop in (s.partition(":") for s in text.split(","))
    ]
    if any(start >= stop for start, stop in spans):
        raise ValueError("a range that is none")
    if sum(stop - start for start, stop in spans) > most or spans[-1][1] > LARGEST + 1:
        raise ValueError("too many seeds, or too large ones")
    seeds = np.concatenate([np.arange(start, stop, dtype=np.int64) for start, stop in spans])
    if spelled(seeds) != text or (np.diff(seeds) <= 0).any():
        raise ValueError("not as attnprobe writes them")
    return seeds


def _items(text: str, source: str) -> np.ndarray:
    """The seeds of single items and ranges, in ascending order."""
    parts: list[np.ndarray] = []
    single, count = array.array("q"), 0
    for found in re.finditer(r"[^,\s]+", text):
        item = found[0]
        span = re.fullmatch(r"([0-9]{1,99}):([0-9]{1,99})", item)
        if span and int(span[1]) < int(span[2]) <= LARGEST + 1:
            start, stop = int(span[1]), int(span[2])
        elif re.fullmatch(r"-?[0-9]{1,99}", item):
            start, stop = int(item), int(item) + 1
            if not 0 <= start <= LARGEST:
                raise AttnprobeError(f"seed {start} is not allowed: seeds run from 0 to 2^63 - 1. {HOW}")
        else:
            raise AttnprobeError(
                f"seeds = {shown(source)} is not allowed: {shown(item)} is neither a seed nor a range START:STOP with "
                "START below STOP. Write 0:256 for the seeds 0 to 255, or 3,5,8."
            )
        count += stop - start
        if count > MOST:
            these = f"{item} are" if stop - start > MOST else "these are"
            raise AttnprobeError(
                f"seeds = {shown(source)} is not allowed: {these} more than {MOST:,} seeds. "
                "Train them in several calls on the same run folder."
            )
        if stop - start == 1:
            single.append(start)
        else:
            parts.append(np.arange(start, stop, dtype=np.int64))
    return _distinct(np.concatenate([np.array(single, dtype=np.int64), *parts]))
