"""Circuits by hand and by hypothesis, without any training, and what they do input by input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import truth
from hypothesis import strategies as st

import attnprobe as ap
from attnprobe.circuit import Circuit, Readout
from attnprobe.population import Population

Unit = tuple[float, float, float]  # input weight, bias, output weight
Seed = tuple[Sequence[float], Sequence[float], Sequence[Unit], float]  # scores, values, units, last bias


def circuit_of(task: ap.Task, seeds: Sequence[Seed]) -> Circuit:
    """A circuit with these seeds."""
    readouts = []
    for _, _, units, bias in seeds:
        w1, b1, w2 = np.array(units, dtype=np.float64).reshape(-1, 3).T
        readouts.append(Readout.from_weights(w1, b1, w2, bias))
    scores, values = (np.array([seed[i] for seed in seeds], dtype=np.float64) for i in (0, 1))
    return Circuit(task, scores, values, tuple(readouts))


def enumerated(circuit: Circuit) -> list[dict[tuple[int, int], int]]:
    """For each seed: wrong sequences by the counts of the rule's digits, input by input, ties decided exactly."""
    inputs = Population.of(circuit.task)
    more, fewer = circuit.task.targets
    found = []
    for seed in range(len(circuit)):
        answers = truth.of_circuit(circuit, seed, inputs.counts)
        wrong: dict[tuple[int, int], int] = {}
        for row, answer, ways in zip(inputs.counts.tolist(), answers.tolist(), inputs.multiplicity, strict=True):
            cell = (row[more], row[fewer])
            mistaken = answer != (row[more] > row[fewer])
            wrong[cell] = wrong.get(cell, 0) + (int(ways) if mistaken else 0)
        found.append(dict(sorted(wrong.items())))
    return found


def enumerated_loss(circuit: Circuit, seed: int) -> float:
    """Expected cross entropy of one seed, input by input."""
    inputs = Population.of(circuit.task)
    pooled, _ = circuit.take(slice(seed, seed + 1)).pool(inputs.counts)
    signed = np.where(inputs.label, 1, -1) * circuit.readouts[seed].logit(pooled[0])
    losses = np.maximum(-signed, 0) + np.log1p(np.exp(-np.abs(signed)))
    return math.fsum(inputs.probability * losses)


@st.composite
def tasks(draw, most_digits: int = 6, longest: int = 6) -> ap.Task:
    """A small task with any rule."""
    vocab_size = draw(st.integers(2, most_digits))
    more, fewer = draw(st.permutations(range(vocab_size)))[:2]
    return ap.Task(rule=f"n{more} > n{fewer}", vocab_size=vocab_size, length=draw(st.integers(1, longest)))


QUARTERS = st.integers(-12, 12).map(lambda n: n / 4)
TENTHS = st.integers(-30, 30).map(lambda n: n / 10)
NUMBERS = st.one_of(QUARTERS, TENTHS, st.floats(-4, 4, allow_subnormal=False))


@st.composite
def circuits(draw, seeds: int = 3, **sizes: int) -> Circuit:
    """A few seeds: scores from all equal to far apart, ties with kinks and thresholds, several thresholds or none."""
    task = draw(tasks(**sizes))
    found = []
    for _ in range(seeds):
        numbers = draw(st.sampled_from([QUARTERS, TENTHS, NUMBERS]))
        gain = draw(st.sampled_from([0.0, 1.0, 1.0, 30.0, 1e3]))
        scores = [gain * draw(numbers) for _ in range(task.vocab_size)]
        values = [draw(numbers) for _ in range(task.vocab_size)]
        units = draw(st.lists(st.tuples(numbers, numbers, numbers), max_size=8))
        found.append((scores, values, units, draw(numbers)))
    return circuit_of(task, found)
