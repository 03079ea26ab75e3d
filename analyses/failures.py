"""On which inputs does a seed err? The probability of error, by how many of each target digit there are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses import exact
from analyses.analysis import SEED, Analysis, Tables
from attnprobe.population import Population
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

SCHEMA = Schema(
    "failures",
    "seed, count of each target digit",
    ("seed", "n{a}", "n{b}"),
    (
        SEED,
        Column("n{a}", "int64", "digits", "how many {a}s the input holds"),
        Column("n{b}", "int64", "digits", "how many {b}s the input holds"),
        Column("probability", "float64", "probability", "of these two counts"),
        Column("error_probability", "float64", "probability", "of these counts and a wrong answer"),
    ),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Add up the wrong inputs, cell by cell."""
    inputs, circuit = Population.of(run.config.task), run.circuit
    a, b = run.config.task.targets
    cells, cell = np.unique(inputs.counts[:, [a, b]], axis=0, return_inverse=True)
    in_cell = [cell == k for k in range(len(cells))]
    error = np.empty((len(circuit), len(cells)))
    for seeds, logit in exact.logits(circuit, inputs):
        wrong = (logit > 0) != inputs.label
        for k, rows in enumerate(in_cell):
            error[seeds, k] = inputs.share(wrong[:, rows], rows)
    return pd.DataFrame(
        {
            "seed": np.repeat(run.seeds, len(cells)),
            f"n{a}": np.tile(cells[:, 0].astype(np.int64), len(circuit)),
            f"n{b}": np.tile(cells[:, 1].astype(np.int64), len(circuit)),
            "probability": np.tile([inputs.share(rows) for rows in in_cell], len(circuit)),
            "error_probability": error.ravel(),
        }
    )


ANALYSES = (Analysis("On which inputs does a seed err?", SCHEMA, compute),)
