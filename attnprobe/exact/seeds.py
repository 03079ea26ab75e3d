"""All seeds of a circuit as plain arrays, and a walk through them on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.machine import cores
from attnprobe.training.compiled import exactly_compiled

__all__ = ["EPS", "TINY", "Seeds", "each_part", "finite", "finite_seeds", "one", "pooled_error", "reach", "stack"]

EPS = float(np.finfo(np.float64).eps)
SMALLEST = 5e-324  # what a product can lose by underflow
TINY = 1e-290  # far above what is lost where products underflow, far below any value that matters
SEEDS_A_PART = 16  # handing work to a thread costs about as much as one seed


class Seeds(NamedTuple):
    """What the compiled functions read: the readouts' arrays, end to end, start at ``starts``."""

    weights: np.ndarray  # (S, V): exp of the relative scores
    values: np.ndarray  # (S, V)
    kinks: np.ndarray  # seed s has starts[s] : starts[s + 1]
    slopes: np.ndarray  # one more a seed: starts[s] + s : starts[s + 1] + s + 1
    intercepts: np.ndarray
    starts: np.ndarray  # (S + 1,)
    blur: np.ndarray  # (S,): by how large a share weights may be off
    value_error: np.ndarray  # (S,): by how much values may be


def stack(circuit: Circuit) -> Seeds:
    """Lay the readouts of all seeds end to end: each has its own number of kinks."""
    readouts = circuit.readouts
    return Seeds(
        circuit.weights,
        np.ascontiguousarray(circuit.values),
        _joined([readout.kinks for readout in readouts]),
        _joined([readout.slopes for readout in readouts]),
        _joined([readout.intercepts for readout in readouts]),
        np.cumsum([0, *(readout.kinks.size for readout in readouts)]),
        circuit.blur,
        circuit.value_error,
    )


def each_part(work: Callable[[int, int], None], seeds: int) -> None:
    """Call ``work(start, stop)`` for all seeds, part by part, on all cores.

    Each call writes the rows of its own seeds, so that neither the parts nor their order change anything.
    """
    if seeds <= SEEDS_A_PART:
        work(0, seeds)
        return
    starts = range(0, seeds, SEEDS_A_PART)
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(work, starts, (min(start + SEEDS_A_PART, seeds) for start in starts)):
            pass  # the loop raises what a part raised


def finite_seeds(circuit: Circuit) -> np.ndarray:
    """Which seeds have finite scores, values and readouts, bool (S,)."""
    return np.asarray(which_are_finite(stack(circuit)))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0), *parts])


@exactly_compiled
def one(seeds, s):
    """Weights, values, kinks, slopes and intercepts of seed ``s``."""
    a, b = seeds.starts[s], seeds.starts[s + 1]
    pieces = slice(a + s, b + s + 1)
    return seeds.weights[s], seeds.values[s], seeds.kinks[a:b], seeds.slopes[pieces], seeds.intercepts[pieces]


@exactly_compiled
def finite(seeds, s):
    """Whether all numbers of seed ``s`` are finite."""
    weights, values, kinks, slopes, intercepts = one(seeds, s)
    return np.isfinite(weights.sum() + values.sum() + kinks.sum() + slopes.sum() + intercepts.sum())


@exactly_compiled
def pooled_error(weights, values, blur, value_error):
    """Bound on how far a pooled value in float64 is from the true one, for any input (:mod:`.rounding`)."""
    least = weights.max()
    for weight in weights:
        least = min(least, weight) if weight > 0 else least
    lost = values.size * SMALLEST / least if least > 0 else 0.0
    of_sums = (values.size + 3) * EPS * np.abs(values).max()
    return of_sums + min(2 * blur, 1.0) * (values.max() - values.min()) + value_error + lost


@exactly_compiled
def reach(values, error):
    """Numbers that enclose every pooled value, its rounding included."""
    margin = error + 2 * (values.size + 2) * EPS * np.abs(values).max() + TINY
    return values.min() - margin, values.max() + margin


@exactly_compiled
def which_are_finite(seeds):
    """The same of all seeds."""
    return np.array([finite(seeds, s) for s in range(seeds.weights.shape[0])], dtype=np.bool_)
