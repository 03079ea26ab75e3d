"""Which seeds: from Python, or from text such as ``0:256``, ``3,5,8`` or the name of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attnprobe.errors import AttnprobeError

if TYPE_CHECKING:
    from attnprobe.store import Run

__all__ = ["check_seeds", "parse_seeds", "seeds_of", "spelled", "unspelled"]

LARGEST = 2**63 - 1
MOST = 10_000_000  # seeds in one range: more are surely a slip of the keyboard
MOST_BYTES = 2**27  # of a file of seeds
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
    given = list(seeds)
    if not given:
        raise AttnprobeError(f"seeds is empty: there is nothing to train. {HOW}")
    for seed in given:
        if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
            raise AttnprobeError(f"seed {seed!r} is not allowed: it is no whole number. {HOW}")
        if not 0 <= seed <= LARGEST:
            raise AttnprobeError(f"seed {seed} is not allowed: seeds run from 0 to 2^63 - 1. {HOW}")
    array = np.sort(np.array(given, dtype=np.int64))
    repeated = array[1:][array[1:] == array[:-1]]
    if repeated.size:
        raise AttnprobeError(f"seed {repeated[0]} is given twice: each seed is one training run. {HOW}")
    return array


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
    if re.fullmatch(r"[\d:,\s-]+", text):
        return check_seeds(_items(text, text))
    try:
        with Path(text).open("rb") as file:
            content = file.read(MOST_BYTES + 1).decode()
        if len(content) > MOST_BYTES:  # such as /dev/zero
            raise ValueError("too long")
    except (OSError, ValueError):
        raise AttnprobeError(
            f"seeds = {text!r} is not allowed: it is neither a range such as 0:256, nor a list such as 3,5,8, "
            "nor a text file that can be read."
        ) from None
    return check_seeds(_items(re.sub(r"#.*", "", content), text))


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
    if sum(stop - start for start, stop in spans) > most or spans[-1][1] > LARGEST + 1:
        raise ValueError("too many seeds, or too large ones")
    seeds = np.concatenate([np.arange(start, stop, dtype=np.int64) for start, stop in spans])
    if spelled(seeds) != text or (np.diff(seeds) <= 0).any():
        raise ValueError("not as attnprobe writes them")
    return seeds


def _items(text: str, source: str) -> list[int]:
    seeds: list[int] = []
    for item in re.findall(r"[^,\s]+", text):
        if re.search(r"\d{25}", item):  # Python reads no number of thousands of digits
            raise AttnprobeError(f"seed {item[:25]}... is not allowed: seeds run from 0 to 2^63 - 1. {HOW}")
        span = re.fullmatch(r"(\d+):(\d+)", item)
        if span and MOST < int(span[2]) - int(span[1]) <= LARGEST + 1:
            raise AttnprobeError(
                f"seeds = {source!r} is not allowed: {item} are more than {MOST:,} seeds. "
                "Train them in several calls on the same run folder."
            )
        if span and int(span[1]) < int(span[2]) <= LARGEST + 1:
            seeds.extend(range(int(span[1]), int(span[2])))
        elif re.fullmatch(r"-?\d+", item):
            seeds.append(int(item))
        else:
            raise AttnprobeError(
                f"seeds = {source!r} is not allowed: {item!r} is neither a seed nor a range START:STOP with "
                "START below STOP. Write 0:256 for the seeds 0 to 255, or 3,5,8."
            )
    return seeds
