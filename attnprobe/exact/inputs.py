"""Which inputs does a seed answer wrongly, one by one: for a few seeds, by blocks of inputs.

Everything else in this room keeps nothing but sums. What two seeds get wrong together, and what a seed's wrong inputs
look like, needs the inputs themselves, and costs milliseconds a seed. Answers are found from the few pooled values
after which they change, as in :mod:`attnprobe.exact.answers`; those too near to call are decided without rounding.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.exact.decided import decide
from attnprobe.exact.seeds import finite, one, pooled_error, reach, stack
from attnprobe.exact.steps import Steps, steps_of
from attnprobe.population import Population

__all__ = ["affordable", "answers"]

BLOCK = 4_000_000  # numbers of a block of inputs times seeds: a few arrays of 32 MB


def affordable(circuit: Circuit, logits: int) -> int:
    """How many seeds can be walked through with so many logits; at least two."""
    return max(2, logits // len(Population.of(circuit.task)))


def answers(circuit: Circuit) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of rows of :class:`Population`, and whether each seed answers "yes" to them (bool (S, rows)).

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    inputs = Population.of(circuit.task)
    if not len(circuit):
        return
    alone = [circuit.take(slice(s, s + 1)) for s in range(len(circuit))]
    steps = _steps(circuit)
    size = max(1, BLOCK // max(len(circuit), circuit.task.vocab_size))
    for start in range(0, len(inputs), size):
        rows = slice(start, min(start + size, len(inputs)))
        counts = inputs.counts[rows]
        pooled, _ = circuit.pool(counts)
        yield rows, np.array([_answers(*seed, counts) for seed in zip(alone, steps, pooled, strict=True)])


def _steps(circuit: Circuit) -> list[tuple[Steps | None, float]]:
    """Each seed's steps, if they are sure, and by how much its pooled values may be off."""
    seeds = stack(circuit)
    found: list[tuple[Steps | None, float]] = []
    for s in range(len(circuit)):
        steps, error = None, np.inf
        if finite(seeds, s):
            weights, values, *curve = one(seeds, s)
            error = pooled_error(weights, values, seeds.blur[s], seeds.value_error[s])
            steps = steps_of(*curve, *reach(values, error))
        found.append((steps if steps is not None and steps.sure else None, error))
    return found


def _answers(alone: Circuit, steps: tuple[Steps | None, float], z: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Whether one seed says "yes" at pooled values z of count vectors."""
    found, error = steps
    if found is None:
        return decide(alone, counts)
    yes, close = np.full(z.shape, found.always), np.zeros(z.shape, dtype=np.bool_)
    for step, width in zip(found.at, found.width, strict=True):
        yes ^= z > step
        close |= np.abs(z - step) <= width + error
    yes[close] = decide(alone, counts[close])
    return yes
