"""Every quantity of the tables, by walking through all inputs: from the shard files alone, slow and obvious.

A sequence is enumerated for each count vector, its positions go through a softmax, and the readout is a dense
layer. Nothing is shared with the source.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import naive
import numpy as np
import safetensors.numpy

ASIDE = ("seed", "status", "steps", "units", "loss_sums", "adam.", "history.", "snapshot.")  # what is no final weight


def stored(folder: Path) -> dict[int, dict[str, np.ndarray]]:
    """Weights in float64 by seed, ascending, read from the files and from nothing else."""
    found = {}
    for path in (folder / "shards").glob("*.safetensors"):
        tensors = safetensors.numpy.load_file(path)
        for place, seed in enumerate(tensors["seed"]):
            found[int(seed)] = {
                name: value[place].astype(np.float64) for name, value in tensors.items() if not name.startswith(ASIDE)
            }
    return dict(sorted(found.items()))


@dataclass
class Inputs:
    """One sequence for each count vector, with the share of all sequences that have these counts."""

    vocab_size: int
    more: int
    fewer: int
    sequences: np.ndarray  # (P, L)
    counts: np.ndarray  # (P, V)
    probability: np.ndarray  # (P,)
    label: np.ndarray  # (P,)

    @classmethod
    def all(cls, vocab_size: int, length: int, more: int, fewer: int) -> Inputs:
        sequences = np.array(list(itertools.combinations_with_replacement(range(vocab_size), length)))
        counts = np.array([np.bincount(row, minlength=vocab_size) for row in sequences])
        ways = [math.factorial(length) // math.prod(map(math.factorial, row)) for row in counts.tolist()]
        assert sum(ways) == vocab_size**length
        label = np.array([naive.label(row.tolist(), more, fewer) for row in sequences]) == 1
        probability = np.array([way / vocab_size**length for way in ways])
        return cls(vocab_size, more, fewer, sequences, counts, probability, label)

    def share(self, holds: np.ndarray) -> float:
        return math.fsum(self.probability[holds])

    def mean(self, values: np.ndarray) -> float:
        return math.fsum(self.probability * values)


@dataclass
class Network:
    """One seed, evaluated on every input."""

    scores: np.ndarray
    values: np.ndarray
    w: dict[str, np.ndarray]

    @classmethod
    def of(cls, w: dict[str, np.ndarray]) -> Network:
        keys = w["embed.weight"] @ w["WK.weight"].T + w["WK.bias"]
        scores = keys @ w["query"][0] / math.sqrt(keys.shape[1])
        return cls(scores, w["embed.weight"] @ w["WV.weight"][0] + w["WV.bias"][0], w)

    def attention(self, sequences: np.ndarray) -> np.ndarray:
        draw = np.exp(self.scores[sequences] - self.scores.max())
        return draw / draw.sum(axis=1, keepdims=True)

    def logit(self, z: np.ndarray) -> np.ndarray:
        z = np.atleast_1d(z)
        parts = [
            np.maximum(self.w["nn.0.weight"][:, 0] * part[:, None] + self.w["nn.0.bias"], 0) @ self.w["nn.2.weight"][0]
            for part in np.array_split(z, 1 + len(z) // 10_000)
        ]
        return np.concatenate(parts) + self.w["nn.2.bias"][0]

    def logits(self, sequences: np.ndarray) -> np.ndarray:
        return self.logit((self.attention(sequences) * self.values[sequences]).sum(axis=1))

    def thresholds(self) -> list[float]:
        """Where the dense readout changes sign: bisection between neighbouring kinks."""
        kinks = -self.w["nn.0.bias"] / self.w["nn.0.weight"][:, 0]
        far = 1e3 * (1 + np.abs(kinks).max())
        edges = np.concatenate([[-far], np.sort(kinks), [far]])
        yes = self.logit(edges) > 0
        roots = []
        for low, high, yes_low, yes_high in zip(edges, edges[1:], yes, yes[1:], strict=False):
            if yes_low == yes_high:
                continue
            for _ in range(200):
                middle = (low + high) / 2
                if (self.logit(np.array([middle]))[0] > 0) == yes_low:
                    low = middle
                else:
                    high = middle
            roots.append(float(high))
        return roots

    def reachable(self) -> list[float]:
        return [t for t in self.thresholds() if self.values.min() < t < self.values.max()]

    def gauged(self, z: np.ndarray, more: int, fewer: int) -> np.ndarray:
        """The line through (value of ``more``, 1) and (value of ``fewer``, -1)."""
        first, second = self.values[more], self.values[fewer]
        return 1 - 2 * (first - np.asarray(z)) / (first - second)


def cross_entropy(logit: np.ndarray, label: np.ndarray) -> np.ndarray:
    signed = np.where(label, -logit, logit)
    return np.maximum(signed, 0) + np.log1p(np.exp(-np.abs(signed)))
