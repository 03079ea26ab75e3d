"""A few inputs that stand for what there is to see, on every seed: random ones, the closest calls, errors.

Chosen by rules that can be stated:

random    the first rows of the task's recorded generator
closest   of all inputs with the label yes, and of all with no, the one that is the closest call of the most seeds
          (``closest`` in the table ``certificates``; of equal ones the first by digits)
error     the most probable wrong input of the seed of middle rank, and of the seed of last rank, where they have one

An input stands for all orders of its digits, since the network does not see order. The table shows one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from analyses.attention_maps import DRAW_SEED, DRAWN, MORE, of
from analyses.attention_maps import SCHEMA as MAPS
from analyses.choosing import most_probable_errors, one_order
from attnprobe.population import Population, multiplicity
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

RANDOM = 2
KINDS = ("random", "closest", "error")

SCHEMA = Schema(
    "examples",
    "sequence",
    ("sequence",),
    (
        Column("sequence", "int64", "", "from 0, as in example_maps"),
        Column("chosen_by", "string", "", f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"),
        Column("rule", "string", "", "the rule that chose it, in words"),
        Column("digits", "string", "", "one order of its digits, with blanks between them"),
        Column("label", "bool", "", "whether the rule of the task holds for it"),
        Column("orders", "float64", "sequences", "that have these digits, in all orders; rounded beyond 2^53"),
        Column("n_wrong", "int64", "seeds", "that answer it wrongly"),
        Column("n_seeds", "int64", "seeds", "in the run"),
    ),
)

KEPT = ("position", "digit", "is_target", "attention", "label", "probability", *(column.name for column in MORE))
EXAMPLE_MAPS = Schema(
    "example_maps",
    "seed, example, position",
    ("seed", "sequence", "position"),
    (
        SEED,
        Column("sequence", "int64", "", "which example, as in examples"),
        *(column for column in (*MAPS.columns, *MORE) if column.name in KEPT),
    ),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Choose, and count the seeds that err."""
    task = run.config.task
    chosen: dict[tuple[int, ...], tuple[str, str]] = {}  # an input that two rules choose is there once
    for kind, rule, row in [*_random(run), *_closest(run, tables), *_errors(run, tables)]:
        if not any(sorted(other) == sorted(row) for other in chosen):
            chosen[tuple(row)] = (kind, rule)
    digits = np.array(list(chosen))
    counts = task.counts(digits)
    answers = of(run, digits, run.seeds)
    right = answers.loc[answers["position"] == 0, "right"].to_numpy().reshape(len(run.seeds), -1)
    return pd.DataFrame(
        {
            "sequence": np.arange(len(digits)),
            "chosen_by": [kind for kind, _ in chosen.values()],
            "rule": [rule for _, rule in chosen.values()],
            "digits": [" ".join(map(str, row)) for row in chosen],
            "label": task.parsed.label(counts),
            "orders": multiplicity(counts, task.length).astype(np.float64),
            "n_wrong": (~right).sum(axis=0),
            "n_seeds": len(run.seeds),
        }
    )


def compute_maps(run: Run, tables: Tables) -> pd.DataFrame:
    """Every seed on every example."""
    digits = np.array([[int(digit) for digit in row.split()] for row in tables["examples"]["digits"]])
    return of(run, digits, run.seeds)[EXAMPLE_MAPS.names]


def _random(run: Run) -> Iterator[tuple[str, str, list[int]]]:
    for row, digits in enumerate(run.config.task.digits(RANDOM, DRAW_SEED, 0).tolist()):
        yield "random", f"row {row} of {DRAWN}", digits


def _closest(run: Run, tables: Tables) -> Iterator[tuple[str, str, list[int]]]:
    """The most frequent closest call of each label."""
    table = tables["certificates"]
    for label in ("yes", "no"):
        inputs = Counter(
            tuple(map(int, text.split())) for text in table.loc[table["closest_label"] == label, "closest"]
        )
        if inputs:
            digits, n = min(inputs.items(), key=lambda item: (-item[1], item[0]))
            counts = np.bincount(digits, minlength=run.config.vocab_size)
            rule = f"closest call of {n} seed{'s' if n > 1 else ''}, the most"
            yield "closest", f"{rule} of any input with the label {label}", one_order(run.config.task, counts)


def _errors(run: Run, tables: Tables) -> Iterator[tuple[str, str, list[int]]]:
    """The most probable wrong input of the seeds of middle and last rank."""
    by_rank = tables["seeds"].sort_values("rank")
    inputs = Population.of(run.config.task)
    for place, words in (((len(by_rank) - 1) // 2, "of middle rank"), (len(by_rank) - 1, "of last rank")):
        seed = by_rank.index[place]
        for row in most_probable_errors(run.circuit.take(np.array([seed])), 1)[0]:
            digits = one_order(run.config.task, inputs.counts[row])
            yield "error", f"most probable wrong input of seed {run.seeds[seed]}, {words}", digits


ANALYSES = (
    Analysis("Which inputs stand for what there is to see?", SCHEMA, compute, ("seeds", "certificates")),
    Analysis("What does each seed do with these inputs?", EXAMPLE_MAPS, compute_maps, ("examples",)),
)
