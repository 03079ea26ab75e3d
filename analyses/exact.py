"""Expectations over every input, for all seeds: what several tables share.

Memory is bounded: seeds are taken in blocks of about 16 million (seed, count vector) pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attnprobe.circuit import Circuit
from attnprobe.population import Population

__all__ = ["attention", "logits"]

PAIRS = 16_000_000


def logits(circuit: Circuit, inputs: Population) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of seeds with their logits on every count vector (seeds, rows)."""
    for seeds, block in circuit.blocks(max(1, PAIRS // len(inputs))):
        pooled, _ = block.pool(inputs.counts)
        yield seeds, block.logit(pooled)


def attention(circuit: Circuit, inputs: Population) -> tuple[np.ndarray, np.ndarray]:
    """Expected attention mass on each digit (S, V) and expected entropy of the pattern (S,), in nats.

    On counts c, with S(c) = sum_d c_d exp(s_d), digit d gets A_d = c_d exp(s_d) / S in all, and
    the pattern's entropy over positions is log S - sum_d A_d s_d (scores relative to the largest).
    """
    share = np.empty(circuit.scores.shape)
    entropy = np.empty(len(circuit))
    counts = inputs.counts.astype(np.float64)
    for seeds, block in circuit.blocks(max(1, PAIRS // len(inputs))):
        _, normaliser = block.pool(inputs.counts)
        share[seeds] = block.weights * ((inputs.probability / normaliser) @ counts)
        entropy[seeds] = np.log(normaliser) @ inputs.probability - np.sum(share[seeds] * block.relative_scores, axis=1)
    return share, entropy
