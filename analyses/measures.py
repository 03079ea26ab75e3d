"""What runs are compared by: each measure as one number a seed, and how it is summed up over seeds.

A measure is a share of seeds, a mean or a median. ``better`` says which way is better, if either is: accuracy has a
direction, focus has none. ``question`` says that the number depends on the inputs there are, so that it means something
else where alphabet or length differ (chance levels and populations differ with them); which two digits the rule names
does not matter, as digits are names.

Seeds whose training became not finite stay in: they are not certified, they failed, they answer "no" to everything,
their loss is worse than any. What has no value for a seed (focus of a seed that is not finite, the rule weight of a
seed without a single rule) is left out of that measure, and counted.

Steps to an accuracy above 0.999 are looked for at the snapshot steps that both runs have, so that neither is looked at
more often. Of these tau is the last: a seed that is not above 0.999 at any of them counts with tau, so that nothing is
censored before (a restricted mean: Royston & Parmar 2013, doi:10.1186/1471-2288-13-152).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attnprobe import differences, stats
from attnprobe.stats import LEVEL, Estimate
from attnprobe.store import Run

__all__ = ["MEASURES", "TABLES", "Measure", "Side"]

TABLES = (
    "seeds",
    "dynamics",
    "interventions",
    "focus",
    "silencing_by_seed",
    "certificates",
)  # that measures are read in

ACCURATE = 0.999


class Side:
    """One of the runs that are compared, with its name; tables are read once each."""

    def __init__(self, run: Run, name: str) -> None:
        self.run = run
        self.name = name
        self.config = run.config
        self.seeds = run.seeds
        self._read: dict[str, pd.DataFrame] = {}

    def table(self, name: str, columns: list[str]) -> pd.DataFrame:
        """Columns of a table of the run."""
        key = f"{name}: {', '.join(columns)}"
        if key not in self._read:
            self._read[key] = self.run.table(name, columns)
        return self._read[key]

    def column(self, table: str, name: str) -> np.ndarray:
        """One column of a table with one row a seed."""
        return self.table(table, [name])[name].to_numpy()

    def certified_on_targets(self) -> np.ndarray:
        """Whether each seed is right on every input once only the rule's digits are attended; no where not finite."""
        rows = self.table("interventions", ["kind", "error_probability"])
        return np.asarray(rows.loc[rows["kind"] == "only_targets", "error_probability"].to_numpy() == 0)

    def steps_to(self, steps: np.ndarray) -> np.ndarray:
        """The first of some snapshot steps (K,) that shows each seed above 0.999; infinite where none does."""
        rows = self.table("dynamics", ["step", "accuracy"])
        rows = rows[rows["step"].isin(steps)]
        above = rows["accuracy"].to_numpy().reshape(len(self.seeds), -1) > ACCURATE
        return np.where(above.any(axis=1), steps[above.argmax(axis=1)], np.inf)


@dataclass(frozen=True)
class Measure:
    """A number for each seed, summed up over seeds.

    Attributes
    ----------
    name, words, unit : str
        ``{tau}`` in the words is the last snapshot step that both runs have.
    kind : str
        ``share``, ``mean`` or ``median``.
    better : int
        +1 where higher is better, -1 where lower is, 0 where neither is.
    values : callable (side, steps) -> ndarray (S,)
        In the order of the run's seeds; bool for a share, not-a-number for a seed without a value. ``steps`` (K,) are
        the snapshot steps that both runs have.
    question : bool
        Whether it can only be compared between runs with the same alphabet and length.
    snapshots : bool
        Whether it needs snapshot steps that both runs have.
    """

    name: str
    words: str
    unit: str
    kind: str
    better: int
    values: Callable[[Side, np.ndarray], np.ndarray]
    question: bool = True
    snapshots: bool = False

    def estimate(self, values: np.ndarray) -> Estimate:
        """The measure over one run's seeds, as the run's own summary makes it."""
        if self.kind == "share":
            return stats.rate(values)
        if self.kind == "mean":
            return stats.mean(values)
        return _median(values)

    def difference(self, x: np.ndarray, y: np.ndarray, shared: np.ndarray) -> Estimate:
        """What x (n,) has more than y (m,), ``shared`` (s, 2) being the places of the seeds that are in both."""
        make = {"share": differences.share, "mean": differences.mean, "median": differences.median}[self.kind]
        return make(x, y, shared)


def _median(values: np.ndarray) -> Estimate:
    """As :func:`attnprobe.stats.median`; entries may be infinite, worse than any."""
    if not np.isinf(values).any():
        return stats.median(values)
    x = np.sort(values)
    ranks = stats.median(np.arange(len(x), dtype=np.float64))
    low, high = (float(x[int(rank)]) if np.isfinite(rank) else np.nan for rank in (ranks.ci_low, ranks.ci_high))
    return Estimate(float(np.median(x)), low, high, LEVEL, ranks.method, len(x))


def _of(table: str, column: str) -> Callable[[Side, np.ndarray], np.ndarray]:
    return lambda side, steps: side.column(table, column)


def _worst_if_missing(side: Side, steps: np.ndarray) -> np.ndarray:
    loss = side.column("seeds", "loss")
    return np.where(np.isnan(loss), np.inf, loss)


def _above(side: Side, steps: np.ndarray) -> np.ndarray:
    return np.asarray(side.column("seeds", "accuracy") > ACCURATE)


MEASURES = (
    Measure(
        "share_certified", "right on every input (certified)", "share of seeds", "share", 1, _of("seeds", "certified"),
        question=False,
    ),
    Measure(
        "share_failed", "failed: not finite, or accuracy below 0.9", "share of seeds", "share", -1,
        _of("seeds", "failed"),
    ),
    Measure("share_above_0.999", "accuracy > 0.999", "share of seeds", "share", 1, _above),
    Measure("accuracy_mean", "accuracy, mean", "probability", "mean", 1, _of("seeds", "accuracy")),
    Measure(
        "error_probability_median", "probability of a wrong answer, median", "probability", "median", -1,
        _of("seeds", "error_probability"),
    ),
    Measure("loss_median", "expected loss, median", "nats", "median", -1, _worst_if_missing),
    Measure(
        "share_0.999_by_tau", "accuracy > 0.999 seen by step {tau}", "share of seeds", "share", 1,
        lambda side, steps: np.isfinite(side.steps_to(steps)), snapshots=True,
    ),
    Measure(
        "steps_to_0.999_mean", "steps to accuracy > 0.999, mean up to {tau}", "steps", "mean", -1,
        lambda side, steps: np.minimum(side.steps_to(steps), steps[-1]), snapshots=True,
    ),
    Measure("focus_median", "focus, median", "share of attention", "median", 0, _of("seeds", "focus")),
    Measure(
        "focus_lift_median", "focus over its chance value, median", "ratio", "median", 0, _of("seeds", "focus_lift"),
        question=False,
    ),
    Measure(
        "attention_entropy_median", "entropy of attention, median", "nats", "median", 0,
        _of("seeds", "attention_entropy"),
    ),
    Measure(
        "accuracy_uniform_median", "accuracy with uniform attention, median", "probability", "median", 0,
        _of("focus", "accuracy_uniform"),
    ),
    Measure(
        "share_only_targets_right", "certified when it attends to targets alone", "share of seeds", "share", 0,
        lambda side, steps: side.certified_on_targets(), question=False,
    ),
    Measure(
        "silence_by_attention_median", "distractors’ silence by attention, median", "share of silence", "median", 0,
        _of("silencing_by_seed", "share_attention"), question=False,
    ),
    Measure(
        "second_weight_median", "rule weight of the second target, median", "weight of the first", "median", 0,
        _of("certificates", "second_weight"), question=False,
    ),
)  # fmt: skip
