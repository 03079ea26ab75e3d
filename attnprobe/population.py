"""Every distinct input once, with its exact probability.

The model ignores order, so a sequence acts only through its digit counts c. There are
C(length + vocab_size - 1, vocab_size - 1) count vectors, and vector c stands for the multinomial
number of sequences

    m(c) = length! / (c_0! c_1! ...),        sum over c of m(c) = vocab_size^length.

An expectation over all sequences is therefore a finite sum over these rows: nothing is sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from attnprobe.errors import AttnprobeError
from attnprobe.task import Task

__all__ = ["MAX_POPULATION", "Population", "check_size", "size"]

MAX_POPULATION = 10_000_000


@dataclass(frozen=True, eq=False)
class Population:
    """All count vectors of a task, in lexicographic order.

    Attributes
    ----------
    counts : ndarray, uint8, shape (rows, vocab_size)
    multiplicity : ndarray, shape (rows,)
        Sequences with these counts, exact: int64, or Python integers where int64 is too small.
    label : ndarray, bool, shape (rows,)
    """

    task: Task
    counts: np.ndarray
    multiplicity: np.ndarray
    label: np.ndarray

    @classmethod
    def of(cls, task: Task) -> Population:
        """Enumerate the inputs of a task (kept for the next call).

        Raises
        ------
        AttnprobeError
            When there are more than ten million count vectors.
        """
        check_size(task)
        return _enumerate(task)

    @property
    def total(self) -> int:
        """Number of sequences: vocab_size^length."""
        return self.task.vocab_size**self.task.length

    @cached_property
    def probability(self) -> np.ndarray:
        """Probability of each row, float64, each correctly rounded."""
        if self.total <= 2**53:  # both sides of the division are exact in float64
            return np.asarray(self.multiplicity / float(self.total))
        return np.array([int(m) / self.total for m in self.multiplicity])

    def share(self, holds: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Probability of the inputs for which ``holds`` (bool, (..., rows)) is true; an exact sum, then one division.

        ``rows`` picks the population's rows that the last axis of ``holds`` stands for, if not all.
        """
        multiplicity = self.multiplicity[rows]
        if self.total <= 2**53:  # whole numbers up to here are exact in float64, and so are their sums
            return np.asarray(holds @ multiplicity.astype(np.float64) / float(self.total))
        exact = [int(multiplicity[picked].sum()) / self.total for picked in holds.reshape(-1, holds.shape[-1])]
        return np.array(exact).reshape(holds.shape[:-1])

    def __len__(self) -> int:
        return len(self.counts)


def size(task: Task) -> int:
    """Number of distinct count vectors of a task."""
    return math.comb(task.length + task.vocab_size - 1, task.vocab_size - 1)


def check_size(task: Task) -> None:
    """Raise where a task has too many count vectors to enumerate."""
    rows = size(task)
    if rows > MAX_POPULATION:
        raise AttnprobeError(
            f"vocab_size = {task.vocab_size} with length = {task.length} has {rows:,} distinct count vectors; "
            f"exact analyses take up to {MAX_POPULATION:,}. Training works at this size; "
            "for the analyses choose a smaller vocab_size or length."
        )


@lru_cache(maxsize=4)
def _enumerate(task: Task) -> Population:
    counts = _compositions(task.length, task.vocab_size)
    return Population(task, counts, _multiplicity(counts, task), task.parsed.label(counts))


def _compositions(total: int, parts: int) -> np.ndarray:
    """All vectors of ``parts`` whole numbers that sum to ``total``, in lexicographic order."""
    left = np.array([total])  # still to be handed out, one entry a partial vector
    columns: list[np.ndarray] = []
    for _ in range(parts - 1):
        choices = left + 1
        parent = np.repeat(np.arange(left.size), choices)
        first = np.repeat(np.cumsum(choices) - choices, choices)
        part = np.arange(parent.size) - first  # 0 .. left, for each parent
        columns = [column[parent] for column in columns]
        columns.append(part.astype(np.uint8))
        left = left[parent] - part
    return np.stack([*columns, left.astype(np.uint8)], axis=1)


def _multiplicity(counts: np.ndarray, task: Task) -> np.ndarray:
    """length! / prod(c!), by one exact binomial a digit: no intermediate result exceeds the last."""
    wide = task.vocab_size**task.length > np.iinfo(np.int64).max
    choose = np.array(
        [[math.comb(n, k) for k in range(task.length + 1)] for n in range(task.length + 1)],
        dtype=object if wide else np.int64,
    )
    ways = np.ones(len(counts), dtype=choose.dtype)
    left = np.full(len(counts), task.length)
    for column in counts.T:
        ways *= choose[left, column]
        left = left - column
    return ways
