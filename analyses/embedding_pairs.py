"""Which digits are close in the embedding? Cosine and distance of each pair: free of any choice of axes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

SCHEMA = Schema(
    "embedding_pairs",
    "seed, pair of digits",
    ("seed", "digit_a", "digit_b"),
    (
        SEED,
        Column("digit_a", "int64", "", "the smaller digit"),
        Column("digit_b", "int64", "", "the larger digit"),
        Column("cosine", "float64", "", "cosine of the angle between the two embeddings"),
        Column("distance", "float64", "", "Euclidean distance between the two embeddings"),
    ),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """One row a seed and unordered pair of digits."""
    embedding = run.weights["embed.weight"].astype(np.float64)  # (S, V, D)
    a, b = np.triu_indices(run.config.vocab_size, k=1)
    length = np.linalg.norm(embedding, axis=2)
    product = np.einsum("spd,spd->sp", embedding[:, a], embedding[:, b])
    cosine = product / (length[:, a] * length[:, b])
    distance = np.linalg.norm(embedding[:, a] - embedding[:, b], axis=2)
    return pd.DataFrame(
        {
            "seed": np.repeat(run.seeds, a.size),
            "digit_a": np.tile(a, len(run.seeds)),
            "digit_b": np.tile(b, len(run.seeds)),
            "cosine": cosine.ravel(),
            "distance": distance.ravel(),
        }
    )


ANALYSES = (Analysis("Which digits are close in the embedding?", SCHEMA, compute),)
