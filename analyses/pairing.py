"""What two runs have in common: which seeds are the same start or the same data, which numbers mean the same.

The initial weights of a seed depend on its number and on the sizes of the network; the sequences of its batches on its
number, the alphabet and the length (a smaller batch is the first part of a larger one); their labels on the rule too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analyses.measures import MEASURES, TABLES, Measure, Side
from attnprobe.differences import overlap
from attnprobe.errors import AttnprobeError
from attnprobe.parameters import parameter_shapes
from attnprobe.store import Run

__all__ = ["Pairing", "Values", "require_tables", "sides"]

FOCUS, LIFT = "focus_median", "focus_lift_median"


def sides(runs: Sequence[Run], names: Sequence[str] | None = None) -> list[Side]:
    """The runs with their names, once it is sure that they can be compared.

    Raises
    ------
    AttnprobeError
        When there are fewer than two runs, one is given twice, holds no seeds or lacks a table, or the names do not
        fit.
    """
    if len(runs) < 2:
        given = "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"
        raise AttnprobeError(f"{given} too few to compare: give two or more different runs.")
    places = [run.path.resolve() for run in runs]
    for k, place in enumerate(places):
        if place in places[:k]:
            raise AttnprobeError(f"{runs[k].path} is given twice: give different runs.")
    for run in runs:
        run.require_seeds()
        require_tables(run, TABLES)
    return [Side(run, name) for run, name in zip(runs, _names(runs, names), strict=True)]


def require_tables(run: Run, names: Sequence[str]) -> None:
    """Raise for the first of some tables that the run has not, before time is spent on the others."""
    for name in names:
        if name not in run.tables:
            run.table(name)


def _names(runs: Sequence[Run], names: Sequence[str] | None) -> list[str]:
    """What to call each run: the last parts of its path, as many as tell the runs apart."""
    if names is not None:
        given = list(names)
        if len(given) != len(runs) or len(set(given)) != len(given) or not all(given):
            raise AttnprobeError(
                f"names = {given!r} is not allowed: give {len(runs)} different names, one for each run."
            )
        return given
    parts = [run.path.resolve().parts for run in runs]
    for depth in range(1, max(map(len, parts)) + 1):
        found = ["/".join(part[-depth:]) for part in parts]
        if len(set(found)) == len(found):
            break
    return found


@dataclass(frozen=True, eq=False)
class Values:
    """A measure in two runs: ``x`` (n,) and ``y`` (m,) of their seeds, and the places (s, 2) of the paired seeds."""

    x: np.ndarray
    y: np.ndarray
    x_seeds: np.ndarray
    y_seeds: np.ndarray
    shared: np.ndarray


class Pairing:
    """A run beside the baseline.

    Attributes
    ----------
    side, first : Side
        The run, and the baseline.
    steps : ndarray, int64 (K,)
        Snapshot steps that both have, but for 0; the last is tau. None where tau is within the first half of the
        shorter training: by then little has been learned.
    start, sequences, labels : bool
        What is the same for a seed that both have: initial weights, the sequences it sees, their labels. Of imported
        weights neither start nor sequences are known: such seeds are paired only where all are the same, bit for bit.
    """

    def __init__(self, side: Side, first: Side) -> None:
        self.side, self.first = side, first
        a, b = side.config, first.config
        steps = np.intersect1d(a.snapshot_steps, b.snapshot_steps)
        last = steps.max(initial=0)
        self.steps = steps[(steps > 0) & (2 * last >= min(a.steps, b.steps))]
        self.question = (a.vocab_size, a.length) == (b.vocab_size, b.length)
        self.trained = side.run.origin == first.run.origin == "trained"
        self.sizes = parameter_shapes(a) == parameter_shapes(b)
        self.start = self.sizes and self.trained
        self.sequences = self.question and self.trained
        self.labels = self.question and a.task.targets == b.task.targets

    @cached_property
    def paired(self) -> bool:
        """Whether seeds that both have are taken together."""
        return self.start or self.sequences or 0 < self.n_both == self.same_weights

    @cached_property
    def places(self) -> np.ndarray:
        """Places (s, 2) of the paired seeds among the run's and the baseline's."""
        return overlap(self.side.seeds, self.first.seeds) if self.paired else np.empty((0, 2), dtype=np.int64)

    @cached_property
    def n_both(self) -> int:
        """How many seed numbers both have, whatever they mean."""
        return len(np.intersect1d(self.side.seeds, self.first.seeds))

    @cached_property
    def same_weights(self) -> int:
        """How many of the shared seeds have the same trained weights, bit for bit."""
        places = overlap(self.side.seeds, self.first.seeds)
        if not self.sizes or not len(places):
            return 0
        same = np.ones(len(places), dtype=bool)
        for name, ours in self.side.run.weights.items():
            theirs = self.first.run.weights[name]
            bits = (w[at].reshape(len(at), -1).view(np.int32) for w, at in zip((ours, theirs), places.T, strict=True))
            same &= np.equal(*bits).all(axis=1)
        return int(same.sum())

    @property
    def identical(self) -> bool:
        """Whether the two runs ask the same of the same networks, so that nothing can differ."""
        return self.labels and self.same_weights == len(self.side.seeds) == len(self.first.seeds)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is compared: lift only where focus cannot be, else it is focus times a constant."""
        tau = f"{self.steps[-1]:,}" if len(self.steps) else "–"
        return tuple(
            replace(measure, words=measure.words.format(tau=tau))
            for measure in MEASURES
            if measure.name != LIFT or not self.question
        )

    def values(self, measure: Measure) -> Values:
        """The seeds' values in both runs, without those that have none."""
        x, y = (measure.values(side, self.steps) for side in (self.side, self.first))
        of_x, of_y = (np.flatnonzero(~np.isnan(values)) for values in (x, y))
        x_seeds, y_seeds = self.side.seeds[of_x], self.first.seeds[of_y]
        shared = overlap(x_seeds, y_seeds) if self.paired else self.places
        return Values(x[of_x], y[of_y], x_seeds, y_seeds, shared)

    def refusal(self, measure: Measure) -> str:
        """Why the measure means something else in the two runs; nothing where it can be compared."""
        if measure.snapshots and not len(self.steps):
            return "the runs keep too few snapshots at the same steps"
        if self.question or not measure.question:
            return ""
        a, b = self.side.config, self.first.config
        if measure.name == FOCUS:
            chance = f"{2 / a.vocab_size:.3g} in {self.side.name} and {2 / b.vocab_size:.3g} in {self.first.name}"
            if a.vocab_size != b.vocab_size:
                return f"by chance it is {chance}; {LIFT} is compared"
        return f"the questions differ ({a.vocab_size} digits in {a.length} places, {b.vocab_size} in {b.length})"

    def note(self, measure: Measure) -> str:
        """What to know about a comparison that is made."""
        a, b = self.side.config, self.first.config
        if measure.snapshots and a.batch_size != b.batch_size:
            return (
                f"a step is a batch of {a.batch_size:,} in {self.side.name}, of {b.batch_size:,} in {self.first.name}"
            )
        if self.question:
            return ""
        if measure.name == LIFT:
            most = (
                f"{_most_lift(c.vocab_size, c.length):.3g} in {side.name}"
                for c, side in ((a, self.side), (b, self.first))
            )
            return f"the largest lift there can be is {' and '.join(most)}"
        return "the questions differ: each run is judged on all inputs of its own"

    @property
    def words(self) -> str:
        """What the shared seeds share."""
        n = self.n_both
        if not n:
            return "no seed is in both: compared as independent"
        who = f"{n:,} seed{'' if n == 1 else 's'} in both"
        if not self.paired and not self.trained:
            return f"{who} by number only, which says nothing of imported weights: compared as independent"
        if not self.paired:
            return f"{who} by number only, with other initial weights and other data: compared as independent"
        if self.same_weights == n:
            return f"{who}, with the same trained weights: paired"
        same = ["the same initial weights"] if self.start else []
        a, b = self.side.config, self.first.config
        if self.sequences:
            batch = "" if a.batch_size == b.batch_size else ", the smaller batch being the first part of the larger"
            same.append(f"the same {'batches' if self.labels and not batch else 'sequences'}{batch}")
        other = "" if self.labels or not self.sequences else ", labelled by another rule"
        return f"{who}, with {' and '.join(same)}{other}: paired"


def _most_lift(vocab_size: int, length: int) -> float:
    """Focus over its chance if all attention went to targets wherever there is one."""
    chance = 2 / vocab_size
    return float((1 - (1 - chance) ** length) / chance)
