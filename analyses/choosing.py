"""Which sequences are worth a look? Chosen by a rule that can be stated, over all inputs, nothing sampled.

random    the first rows of the task's recorded generator, as in the table ``attention_maps``
closest   of the inputs that a seed answers right, those with the least margin (logit in favour of the label)
errors    of the inputs that a seed answers wrongly, the most probable ones

Closest calls and errors are found for each of the chosen seeds, and taken in turn: the first of each seed, then the
second of each, every input once. The model does not see order, so that an input stands for all orders of its digits;
one is given: the rule's two digits first, then the others in ascending order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analyses.attention_maps import DRAW_SEED, DRAWN
from attnprobe.circuit import Circuit
from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.exact.decided import decide
from attnprobe.exact.inputs import affordable, answers
from attnprobe.exact.rounding import rounding_of
from attnprobe.population import Population
from attnprobe.sequences import check_sequences
from attnprobe.store import Run
from attnprobe.task import Task

__all__ = ["RULES", "Chosen", "choose", "closest_calls", "given", "most_probable_errors", "one_order"]

MOST = 100  # sequences in one choice
MOST_SEEDS = 100  # whose closest calls or errors are looked for
AT_A_TIME = 8
LOGITS = 200_000_000
ORDER = "The network does not see order: each stands for all orders of its digits."


@dataclass(frozen=True, eq=False)
class Chosen:
    """Sequences, and why these.

    Attributes
    ----------
    digits : ndarray, int64, shape (n, length)
    names : tuple of str
        What each is, in a word or two: ``random 1``, ``closest 1, seed 3``.
    rule : str
        How they were chosen, as a sentence.
    """

    digits: np.ndarray
    names: tuple[str, ...]
    rule: str


def choose(run: Run, by: str, n: int, seeds: np.ndarray) -> Chosen:
    """Sequences of a run by one of :data:`RULES`.

    Parameters
    ----------
    run : Run
    by : str
        ``random``, ``closest`` or ``errors``.
    n : int
        How many, 1 to 100; there may be fewer closest calls or errors.
    seeds : ndarray, int64
        The seeds of the run whose closest calls or errors are wanted, ascending.

    Raises
    ------
    AttnprobeError
        When there is no such rule, ``n`` is not allowed, the seeds make no errors, or the task has too many inputs.
    """
    if by not in RULES:
        raise AttnprobeError(
            f"choose = {by!r} is not allowed.{did_you_mean(by, RULES)} It must be one of {', '.join(RULES)}."
        )
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= MOST:
        raise AttnprobeError(f"n = {n!r} is not allowed: it must be a whole number from 1 to {MOST}.")
    return RULES[by](run, int(n), np.asarray(seeds))


def given(run: Run, sequences: object) -> Chosen:
    """The user's own sequences."""
    digits = check_sequences(sequences, run.config.task)
    names = tuple(f"given {k}" for k in range(1, len(digits) + 1)) if len(digits) > 1 else ("given",)
    return Chosen(digits, names, "The sequences were given by the user.")


def _random(run: Run, n: int, seeds: np.ndarray) -> Chosen:
    digits = run.config.task.digits(n, DRAW_SEED, 0)
    rows = f"the first {n} rows" if n > 1 else "the first row"
    return Chosen(digits, tuple(f"random {k}" for k in range(1, n + 1)), f"Random sequences: {rows} of {DRAWN}.")


def _closest(run: Run, n: int, seeds: np.ndarray) -> Chosen:
    found = _in_turn(run, n, seeds, closest_calls)
    if not found.rows:
        raise AttnprobeError(
            f"{_looked_for(seeds, found.looked)} has no right answer with a finite logit: there is no closest call to "
            "show. Choose other seeds."
        )
    rule = "right inputs with the least margin, the logit in favour of the label"
    return _chosen(run, found, seeds, "closest", f"Closest calls: of the seeds in turn, {rule}.")


def _errors(run: Run, n: int, seeds: np.ndarray) -> Chosen:
    found = _in_turn(run, n, seeds, most_probable_errors)
    if not found.rows:
        raise AttnprobeError(
            f"{_looked_for(seeds, found.looked)} answers every input right: there is no error to show. "
            "Choose other seeds, or the closest calls."
        )
    return _chosen(run, found, seeds, "error", "Errors: of the seeds in turn, the most probable wrong inputs.")


RULES: dict[str, Callable[[Run, int, np.ndarray], Chosen]] = {
    "random": _random,
    "closest": _closest,
    "errors": _errors,
}


def closest_calls(circuit: Circuit, n: int) -> list[list[int]]:
    """For each seed, rows of :class:`Population`: the n right inputs with the least margin, in that order.

    Of margins that are equal up to rounding the first input comes first, as in the table ``certificates``.
    """
    return [least(*_margins(circuit.take(slice(s, s + 1))), n) for s in range(len(circuit))]


def most_probable_errors(circuit: Circuit, n: int) -> list[list[int]]:
    """For each seed, rows of :class:`Population`: its n most probable wrong inputs; of equal ones the first."""
    inputs = Population.of(circuit.task)
    found = [np.empty(0, dtype=np.int64) for _ in range(len(circuit))]
    for rows, yes in answers(circuit):
        for s, wrong in enumerate(yes != inputs.label[rows]):
            both = np.concatenate([found[s], np.flatnonzero(wrong) + rows.start])  # ascending
            found[s] = both[np.argsort(-inputs.probability[both], kind="stable")[:n]]
    return [best.tolist() for best in found]


def one_order(task: Task, counts: np.ndarray) -> list[int]:
    """One order of an input's digits: the rule's two first, then the others in ascending order."""
    others = [digit for digit in range(task.vocab_size) if digit not in task.targets]
    return [digit for digit in (*task.targets, *others) for _ in range(int(counts[digit]))]


def _margins(circuit: Circuit) -> tuple[np.ndarray, float]:
    """Margin of each input (P,) that the only seed of the circuit answers right, else infinite; its rounding."""
    inputs = Population.of(circuit.task)
    margin = np.empty(len(inputs))
    for start in range(0, len(inputs), 400_000):
        rows = slice(start, start + 400_000)
        logit = circuit.logit(circuit.pool(inputs.counts[rows])[0])[0]
        label = inputs.label[rows]
        right = (decide(circuit, inputs.counts[rows]) == label) & np.isfinite(logit)
        margin[rows] = np.where(right, np.maximum(np.where(label, logit, -logit), 0.0), np.inf)
    return margin, float(rounding_of(circuit)[0])


def least(margin: np.ndarray, rounding: float, n: int) -> list[int]:
    """Places of the n least margins, ascending; of those equal up to rounding the first. ``margin`` is used up."""
    found: list[int] = []
    for _ in range(n):
        least = margin.min()
        if least == np.inf:
            break
        found.append(int(np.argmax(margin <= least + 2 * rounding)))
        margin[found[-1]] = np.inf
    return found


class Found(NamedTuple):
    """Seed, turn (from 0) and row of each input, and in how many seeds it was looked for."""

    rows: list[tuple[int, int, int]]
    looked: int


def _in_turn(run: Run, n: int, seeds: np.ndarray, find: Callable[[Circuit, int], list[list[int]]]) -> Found:
    """The first input of each seed, then the second of each: n inputs, each once."""
    most = min(len(seeds), MOST_SEEDS, affordable(run.circuit, LOGITS))
    lists: list[list[int]] = []
    while len(lists) < most and len({rows[0] for rows in lists if rows}) < n:  # else no seed more can change them
        asked = seeds[len(lists) : min(len(lists) + AT_A_TIME, most)]
        lists += find(run.circuit.take(np.searchsorted(run.seeds, asked)), n)
    found: dict[int, tuple[int, int, int]] = {}
    for turn, rows in enumerate(itertools.zip_longest(*lists)):
        for seed, row in zip(seeds, rows, strict=False):
            if row is not None and len(found) < n:
                found.setdefault(row, (int(seed), turn, row))
    return Found(list(found.values()), len(seeds) if len(found) == n and turn == 0 else len(lists))


def _chosen(run: Run, found: Found, seeds: np.ndarray, name: str, rule: str) -> Chosen:
    task, inputs = run.config.task, Population.of(run.config.task)
    digits = np.array([one_order(task, inputs.counts[row]) for _, _, row in found.rows])
    fewer = found.looked < len(seeds)
    of_all = f" They were looked for in the first {found.looked} of the {len(seeds):,} seeds." if fewer else ""
    names = tuple(f"{name} {turn + 1}, seed {seed}" for seed, turn, _ in found.rows)
    return Chosen(digits, names, f"{rule}{of_all} {ORDER}")


def _looked_for(seeds: np.ndarray, looked: int) -> str:
    if len(seeds) == 1:
        return f"Seed {seeds[0]}"
    return f"Each of the {'first ' if looked < len(seeds) else ''}{looked} seeds asked about"
