"""Which number each imported network gets: as asked for, as its export says, as its file is named, or in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from attnprobe.errors import AttnprobeError
from attnprobe.foreign.weights import Foreign
from attnprobe.seeds import LARGEST, check_seeds

__all__ = ["COUNTED", "in_order", "number"]

COUNTED = "Numbered in the order given."


def number(files: Sequence[Foreign], seeds: Iterable[int] | None, taken: Iterable[int] = ()) -> tuple[list[int], str]:
    """A number for each file, in the order of the files, and a sentence on where the numbers come from.

    Parameters
    ----------
    files : sequence of Foreign
    seeds : iterable of int, optional
        One for each file, in the files' order. If not given: the seeds that the exports name, if all
        files are exports; else the numbers at the end of the files' names, if all have one and they are
        distinct; else 0, 1, 2, ...
    taken : iterable of int
        Numbers that counting must leave out: those that the run already has.

    Raises
    ------
    AttnprobeError
    """
    if seeds is not None:
        asked = list(seeds)
        check_seeds(asked)
        if len(asked) != len(files):
            raise AttnprobeError(
                f"There are {len(files):,} files and {len(asked):,} seeds: give one seed for each file."
            )
        return [int(seed) for seed in asked], "Numbered as asked for."
    exports = [file.exported.seed for file in files if file.exported is not None]
    if len(exports) == len(files):
        if len(set(exports)) == len(exports):
            return exports, "Numbered by the seeds that the exports name."
        twice = next(seed for i, seed in enumerate(exports) if seed in exports[:i])
        first, second = [file.path for file, seed in zip(files, exports, strict=True) if seed == twice][:2]
        raise AttnprobeError(f"{first} and {second} are both exports of seed {twice}. Give numbers with --seeds.")
    named = [re.search(r"(\d+)$", file.path.stem) for file in files]
    numbers = [int(match[1]) for match in named if match and int(match[1]) <= LARGEST]
    if len(set(numbers)) == len(files):
        return numbers, "Numbered by the ends of the file names."
    free = (n for n in range(len(files) + len(list(taken))) if n not in set(taken))
    return [next(free) for _ in files], COUNTED


def in_order(seeds: np.ndarray, text: str) -> list[int]:
    """Seeds as they stand in ``text`` where it is a plain list (7,3,5); else ascending."""
    items = [item for item in re.split(r"[,\s]+", text) if item]
    plain = all(re.fullmatch(r"\d+", item) for item in items)
    return [int(item) for item in items] if plain and len(items) == len(seeds) else [int(seed) for seed in seeds]
