"""How do the digits lie in the embedding? Per seed, and aligned so that seeds can be compared.

An embedding is free up to rotation: two seeds can hold the same geometry in different axes. So besides each
seed's own principal components, the centred embeddings of all seeds are rotated onto a common mean
(generalised Procrustes analysis, Gower 1975, doi:10.1007/BF02291478; no scaling) and read on the
first two principal axes of that mean.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

ROUNDS = 100
TOLERANCE = 1e-10

SCHEMA = Schema(
    "embedding",
    "seed, digit",
    ("seed", "digit"),
    (
        SEED,
        Column("digit", "int64", "", "the digit"),
        Column("norm", "float64", "", "length of the digit's embedding"),
        Column("pc1", "float64", "", "coordinate on the seed's own first principal component"),
        Column("pc2", "float64", "", "coordinate on the seed's own second principal component"),
        Column("aligned_1", "float64", "", "first coordinate after alignment to all seeds (Procrustes)"),
        Column("aligned_2", "float64", "", "second coordinate after alignment to all seeds (Procrustes)"),
        Column("along_query", "float64", "", "coordinate on the unit direction that scores read (WK^T q)"),
        Column(
            "along_value",
            "float64",
            "",
            "coordinate on the unit direction that values read (WV; +: towards {a})",
        ),
    ),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """One row a seed and digit."""
    weights = {name: value.astype(np.float64) for name, value in run.weights.items()}
    embedding = weights["embed.weight"]  # (S, V, D)
    S, V, _ = embedding.shape
    centred = embedding - embedding.mean(axis=1, keepdims=True)
    usable = run.status == "trained"
    own, aligned = np.full((S, V, 2), np.nan), np.full((S, V, 2), np.nan)
    if usable.any():
        own[usable] = _two(_principal(centred[usable]))
        aligned[usable] = _two(_common_axes(procrustes(centred[usable])))
    query = np.einsum("sad,sa->sd", weights["WK.weight"], weights["query"][:, 0])
    a, b = run.config.task.targets
    value = weights["WV.weight"][:, 0]
    towards_a = np.sign(np.einsum("sd,sd->s", value, embedding[:, a] - embedding[:, b]))
    value = value * towards_a[:, None]  # the readout undoes a sign: fix it before seeds are compared
    columns = {
        "norm": np.linalg.norm(embedding, axis=2),
        "pc1": own[:, :, 0],
        "pc2": own[:, :, 1],
        "aligned_1": aligned[:, :, 0],
        "aligned_2": aligned[:, :, 1],
        "along_query": np.einsum("svd,sd->sv", embedding, _unit(query)),
        "along_value": np.einsum("svd,sd->sv", embedding, _unit(value)),
    }
    return pd.DataFrame(
        {
            "seed": np.repeat(run.seeds, V),
            "digit": np.tile(np.arange(V), S),
            **{name: column.ravel() for name, column in columns.items()},
        }
    )


def procrustes(centred: np.ndarray) -> np.ndarray:
    """Rotate (or reflect) each (V, D) configuration of (S, V, D) onto the mean of all, until it settles."""
    aligned = centred
    target = centred[0]
    for _ in range(ROUNDS):
        left, _, right = np.linalg.svd(np.swapaxes(centred, 1, 2) @ target)
        aligned = centred @ (left @ right)
        mean = aligned.mean(axis=0)
        settled = np.linalg.norm(mean - target) <= TOLERANCE * np.linalg.norm(mean)
        target = mean
        if settled:
            break
    return aligned


def _principal(centred: np.ndarray) -> np.ndarray:
    """Coordinates on each configuration's own principal axes; each axis points to its largest coordinate."""
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    coordinates = centred @ np.swapaxes(axes, 1, 2)
    return coordinates * _signs(coordinates)


def _common_axes(aligned: np.ndarray) -> np.ndarray:
    """Coordinates of all configurations on the principal axes of their mean."""
    mean = aligned.mean(axis=0)
    _, _, axes = np.linalg.svd(mean, full_matrices=False)
    return np.asarray(aligned @ axes.T * _signs(mean @ axes.T))


def _signs(coordinates: np.ndarray) -> np.ndarray:
    """Signs (..., 1, axes) that make the coordinate of largest size on each axis positive."""
    largest = np.argmax(np.abs(coordinates), axis=-2, keepdims=True)
    signs = np.sign(np.take_along_axis(coordinates, largest, axis=-2))
    return np.where(signs == 0, 1.0, signs)


def _two(coordinates: np.ndarray) -> np.ndarray:
    """The first two coordinates; a one-dimensional embedding has 0 for the second."""
    missing = max(0, 2 - coordinates.shape[-1])
    return np.pad(coordinates, [(0, 0)] * (coordinates.ndim - 1) + [(0, missing)])[..., :2]


def _unit(direction: np.ndarray) -> np.ndarray:
    return np.asarray(direction / np.linalg.norm(direction, axis=-1, keepdims=True))


ANALYSES = (Analysis("How do the digits lie in the embedding?", SCHEMA, compute),)
