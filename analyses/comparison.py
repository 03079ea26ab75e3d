"""How do runs differ? Each run beside the first, the baseline, measure by measure, with intervals for the differences.

    difference            estimate of the run - estimate of the baseline
    probability_higher    P(X > Y) + P(X = Y) / 2, X a random seed of the run, Y an independent one of the baseline
    cliffs_delta          2 probability_higher - 1, from -1 to 1

Seeds are **paired** where the same seed number means the same start or the same data: the initial weights of a seed
depend on its number and the sizes of the network alone, its sequences on its number, the alphabet and the length (a
smaller batch is the first part of a larger one), their labels on the rule too. If neither start nor sequences agree, a
seed number is a name and no more, and the runs are compared as independent. What is shared changes intervals, never
estimates (:mod:`attnprobe.differences`), and seeds that only one run has count as well.

Many intervals are made at once: if no measure differed at all, 5 % of them would still miss 0. The table
``compared_runs`` says how many that is. The intervals are not widened for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analyses.comparison_columns import COMPARISON, OVERVIEW, SEEDS, SETTINGS
from analyses.measures import Measure, Side
from analyses.pairing import Pairing, sides
from analyses.verdicts import verdict
from attnprobe import differences
from attnprobe.config import Config
from attnprobe.foreign import KNOWN_SETTINGS
from attnprobe.schema import Schema
from attnprobe.stats import LEVEL, Estimate
from attnprobe.store import Run

__all__ = ["compare", "tables"]

EXACT = "exact"  # the method where nothing was sampled: the runs hold the same networks
NUMBERS = [column.name for column in COMPARISON.columns if column.dtype == "float64"]
COUNTS = [column.name for column in COMPARISON.columns if column.dtype == "int64"]


def compare(runs: Sequence[Run], names: Sequence[str] | None = None) -> pd.DataFrame:
    """Compare runs with the first of them.

    Parameters
    ----------
    runs : sequence of Run
        Two or more different runs, with their tables.
    names : sequence of str, optional
        What to call them, each different; by default the names of their folders.

    Returns
    -------
    DataFrame
        One row a run (but the first) and measure, with the columns of :data:`COMPARISON`, in the order of the runs and
        of :data:`~analyses.measures.MEASURES`.

    Raises
    ------
    AttnprobeError
        When there are fewer than two runs, one is given twice or holds no seeds, a table is missing, or the names do
        not fit.
    """
    return _compared(_pairings(runs, names))


def tables(runs: Sequence[Run], names: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """All tables of a comparison, by name; see :mod:`analyses.comparison_columns` for what is in them.

    Returns
    -------
    dict of DataFrame
        ``comparison`` (one row a run and measure, as :func:`compare` gives it), ``compared_runs`` (one row a run: what
        its seeds share with the baseline's, how many intervals miss 0), ``compared_seeds`` (one row a run, measure and
        paired seed: both values) and ``compared_settings`` (one row a setting and run).

    Raises
    ------
    AttnprobeError
        As :func:`compare`.
    """
    pairings = _pairings(runs, names)
    comparison = _compared(pairings)
    return {
        COMPARISON.name: comparison,
        OVERVIEW.name: _framed([_overview(pairing, comparison) for pairing in pairings], OVERVIEW),
        SEEDS.name: _seeds(pairings),
        SETTINGS.name: _framed(_settings([pairings[0].first, *(pairing.side for pairing in pairings)]), SETTINGS),
    }


# --- rows ------------------------------------------------------------------------------------------


def _pairings(runs: Sequence[Run], names: Sequence[str] | None) -> list[Pairing]:
    first, *others = sides(runs, names)
    return [Pairing(side, first) for side in others]


def _compared(pairings: list[Pairing]) -> pd.DataFrame:
    return _framed([_row(pairing, measure) for pairing in pairings for measure in pairing.measures], COMPARISON)


def _framed(rows: list[dict[str, Any]], schema: Schema) -> pd.DataFrame:
    """Rows as a table with the schema's columns and dtypes."""
    kinds = {column.name: "object" if column.dtype == "string" else column.dtype for column in schema.columns}
    return pd.DataFrame(rows, columns=schema.names).astype(kinds)


def _row(pairing: Pairing, measure: Measure) -> dict[str, Any]:
    """One measure of a run beside the baseline."""
    why = pairing.refusal(measure)
    row: dict[str, Any] = {
        **dict.fromkeys(NUMBERS, np.nan),
        **dict.fromkeys(COUNTS, 0),
        "run": pairing.side.name,
        "baseline": pairing.first.name,
        "measure": measure.name,
        "words": measure.words,
        "unit": measure.unit,
        "kind": measure.kind,
        "better": measure.better,
        "compared": not why,
        "note": why or pairing.note(measure),
        "level": LEVEL,
        "method_each": "",
        "method": "",
        "method_probability": "",
    }
    if not (measure.snapshots and not len(pairing.steps)):  # else there is nothing to look at
        row |= _estimates(pairing, measure)
    if not why:
        row |= _differences(pairing, measure)
    return row | {"verdict": verdict(row)}


def _estimates(pairing: Pairing, measure: Measure) -> dict[str, Any]:
    """The measure in each of the two runs."""
    values = pairing.values(measure)
    ours, theirs = measure.estimate(values.x), measure.estimate(values.y)
    methods = dict.fromkeys((ours.method, theirs.method))
    return {
        "n_run": len(values.x),
        "n_baseline": len(values.y),
        "without_run": len(pairing.side.seeds) - len(values.x),
        "without_baseline": len(pairing.first.seeds) - len(values.y),
        "method_each": "; ".join(methods),
        **_ends(ours, "estimate_run", "run"),
        **_ends(theirs, "estimate_baseline", "baseline"),
    }


def _differences(pairing: Pairing, measure: Measure) -> dict[str, Any]:
    """Difference, probability and what follows from it, and how the paired seeds compare."""
    values = pairing.values(measure)
    x, y, shared = values.x, values.y, values.shared
    both, other = x[shared[:, 0]], y[shared[:, 1]]
    difference, probability = measure.difference(x, y, shared), differences.higher(x, y, shared)
    if pairing.identical and len(x):
        difference, probability = (Estimate(at, at, at, LEVEL, EXACT, len(x)) for at in (0.0, 0.5))
    elif measure.kind == "share":
        probability = _of_share(difference)
    p = np.array([probability.estimate, probability.ci_low, probability.ci_high])
    better = {1: p, -1: 1 - p[[0, 2, 1]], 0: np.full(3, np.nan)}[measure.better]
    return {
        **_ends(difference, "difference", "ci"),
        "method": difference.method,
        **_ends(probability, "probability_higher", "probability"),
        "method_probability": probability.method,
        **dict(zip(("improvement", "improvement_low", "improvement_high"), map(float, better), strict=True)),
        "cliffs_delta": 2 * probability.estimate - 1,
        "n_shared": len(shared),
        "n_shared_higher": int(np.sum(both > other)),
        "n_shared_equal": int(np.sum(both == other)),
    }


def _of_share(difference: Estimate) -> Estimate:
    """Of two shares P(X > Y) + P(X = Y) / 2 is (1 + difference) / 2, and so is its interval."""
    centre, low, high = ((1 + x) / 2 for x in (difference.estimate, difference.ci_low, difference.ci_high))
    return Estimate(centre, low, high, LEVEL, difference.method, difference.n_seeds)


def _ends(estimate: Estimate, name: str, ends: str) -> dict[str, float]:
    return {name: estimate.estimate, f"{ends}_low": estimate.ci_low, f"{ends}_high": estimate.ci_high}


# --- the other tables ------------------------------------------------------------------------------


def _overview(pairing: Pairing, comparison: pd.DataFrame) -> dict[str, Any]:
    """What a run shares with the baseline, and how many of its intervals miss 0.

    Measures of the same seeds go together, so that those that miss 0 by chance come in groups rather than alone.
    """
    rows = comparison[comparison["run"] == pairing.side.name]
    rows = rows[rows["ci_low"].notna() & (rows["method"] != EXACT)]
    return {
        "run": pairing.side.name,
        "baseline": pairing.first.name,
        "n_run": len(pairing.side.seeds),
        "n_baseline": len(pairing.first.seeds),
        "n_both": pairing.n_both,
        "paired": bool(len(pairing.places)),
        "n_same_weights": pairing.same_weights,
        "shared": pairing.words,
        "n_intervals": len(rows),
        "n_miss_zero": int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum()),
        "n_expected": (1 - LEVEL) * len(rows),
    }


def _seeds(pairings: list[Pairing]) -> pd.DataFrame:
    """Both values of every paired seed, for every measure that is compared."""
    parts = [_framed([], SEEDS)]
    for pairing in pairings:
        parts += [_both(pairing, measure) for measure in pairing.measures if not pairing.refusal(measure)]
    parts = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(parts).sort_values(list(SEEDS.key), ignore_index=True)


def _both(pairing: Pairing, measure: Measure) -> pd.DataFrame:
    values = pairing.values(measure)
    ours, theirs = values.shared.T
    return pd.DataFrame(
        {
            "run": pairing.side.name,
            "baseline": pairing.first.name,
            "measure": measure.name,
            "seed": values.x_seeds[ours],
            "value_run": values.x[ours].astype(np.float64),
            "value_baseline": values.y[theirs].astype(np.float64),
        }
    )


def _settings(named: list[Side]) -> list[dict[str, Any]]:
    """Every setting of every run, and how many seeds it has."""
    fields = {name: field.description or "" for name, field in Config.model_fields.items()}
    rows = []
    for setting, meaning in {**fields, "seeds": "how many were trained, and which"}.items():
        values = [_seeds_in_words(side) if setting == "seeds" else _value(side, setting) for side in named]
        differs = len(set(values)) > 1
        for side, value in zip(named, values, strict=True):
            rows.append({"setting": setting, "meaning": meaning, "run": side.name, "value": value, "differs": differs})
    return rows


def _value(side: Side, setting: str) -> str:
    value = getattr(side.config, setting)
    if side.run.origin == "imported" and setting not in KNOWN_SETTINGS and not (setting == "steps" and value):
        return "not known"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _seeds_in_words(side: Side) -> str:
    """How many seeds there are, and from where to where."""
    n, low, high = len(side.seeds), int(side.seeds[0]), int(side.seeds[-1])
    if n == 1:
        return f"1 (seed {low})"
    return f"{n:,} ({low} to {high}{'' if high - low + 1 == n else ', not all'})"
