"""One question a module: a trained run in, a tidy table with a declared schema out.

analyses.names()                 which tables there are
analyses.compute("digits", run)  one table, as a DataFrame
analyses.compare([run, other])   how runs differ, with intervals
analyses.write(run)              those out of date, into the run folder (run.table("digits") reads it back)
analyses.maps(run, "2224401357") attention, values and contributions of any sequence in any seeds
analyses.choose(run, "closest")  sequences worth a look: random ones, closest calls, errors
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyses.analysis import Analysis
from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.events import Event, Listener, nobody
from attnprobe.population import check_size
from attnprobe.seeds import seeds_of
from attnprobe.sequences import check_sequences
from attnprobe.store import Run

if TYPE_CHECKING:
    from analyses.choosing import Chosen

__all__ = ["Analysis", "choose", "compare", "compute", "get", "maps", "names", "outdated", "write"]

# In an order in which each finds the tables that it needs already made.
MODULES = (
    "history",
    "seeds",
    "digits",
    "thresholds",
    "rules",
    "certificates",
    "common_rules",
    "silencing",
    "readout",
    "failures",
    "stuck",
    "interventions",
    "substitutions",
    "focus",
    "embedding",
    "embedding_pairs",
    "geometry",
    "geometry_pairs",
    "attention_maps",
    "examples",
    "families",
    "clusters",
    "seed_budget",
    "sampled_tests",
    "faithfulness",
    "agreement",
    "dynamics",
    "milestones",
    "survival",
    "precedence",
    "spread",
    "summary",
)


@cache
def _registry() -> dict[str, Analysis]:
    found = [analysis for name in MODULES for analysis in importlib.import_module(f"analyses.{name}").ANALYSES]
    return {analysis.name: analysis for analysis in found}


def names() -> list[str]:
    """The tables that can be computed."""
    return list(_registry())


def get(name: str) -> Analysis:
    """The analysis of that name: its question, its schema, its function."""
    if name not in _registry():
        raise AttnprobeError(
            f"There is no analysis {name!r}.{did_you_mean(name, names())} Analyses are: {', '.join(names())}."
        )
    return _registry()[name]


def compute(name: str, run: Run) -> pd.DataFrame:
    """One table, computed now; the tables it needs are read where they are up to date, else computed.

    Raises
    ------
    AttnprobeError
        When there is no such analysis, the run holds no seeds, or its population is too large.
    """
    analysis = get(name)
    run.require_seeds()
    held = {need: run.holds(get(need).schema) for need in analysis.needs}
    tables = {need: run.table(need) if held[need] else compute(need, run) for need in analysis.needs}
    with np.errstate(all="ignore"):  # a seed that is not finite gives not-a-number in its rows, not a warning
        return analysis.compute(run, tables)


def compare(runs: Sequence[Run], names: Sequence[str] | None = None) -> pd.DataFrame:
    """Compare runs with the first of them: one row a run and measure; see :func:`analyses.comparison.compare`."""
    from analyses import comparison

    return comparison.compare(runs, names)


def outdated(run: Run, only: Iterable[str] | None = None, force: bool = False) -> list[str]:
    """Tables that must be computed so that these (all if not given) are up to date with the run.

    A table is out of date when it is missing, was computed from other weights, promises other columns than this
    version does, or needs a table that is computed again. With ``force`` all that are asked for are.
    """
    wanted = set(names() if only is None else [get(name).name for name in only])
    needed = wanted.union(*(_all_needs(name) for name in wanted))
    found: list[str] = []
    for name in names():  # each after those that it needs
        old = not run.holds(get(name).schema) or any(need in found for need in get(name).needs)
        if name in needed and (old or (force and name in wanted)):
            found.append(name)
    return found


def write(
    run: Run,
    only: Iterable[str] | None = None,
    progress: Callable[[str], None] = lambda name: None,
    *,
    force: bool = False,
    events: Listener = nobody,
) -> list[str]:
    """Compute the tables that are out of date and write them into the run folder; returns their names.

    Parameters
    ----------
    run : Run
    only : iterable of str, optional
        Tables to bring up to date, with those that they need; all if not given.
    progress : callable
        Told the name of each table before it is computed.
    force : bool
        Compute what is asked for even where it is up to date.
    events : callable
        Told what happens: ``progress`` and ``table``, see :mod:`attnprobe.events`.

    Raises
    ------
    AttnprobeError
        When there is no such analysis, the run holds no seeds, its population is too large, or the folder cannot be
        written, by this process or at this time.
    """
    run.require_seeds()
    check_size(run.config.task)  # before anything is written
    if not outdated(run, only, force):
        return []
    with run.writing():
        written = outdated(run, only, force)  # of what the run holds now
        work = {"doing": "analyzing", "of": len(written), "unit": "tables"}
        for done, name in enumerate(written):
            progress(name)
            events(Event("progress", {**work, "done": done, "name": name}))
            begun = time.monotonic()
            table = compute(name, run)
            run.write_table(get(name).schema, table)
            facts = {"table": name, "rows": len(table), "seconds": round(time.monotonic() - begun, 3)}
            events(Event("table", {**facts, "done": done + 1, "of": len(written)}))
        events(Event("progress", {**work, "done": len(written)}))
    return written


def maps(run: Run, sequences: Any, seeds: Iterable[int] | None = None) -> pd.DataFrame:
    """What some seeds do with any sequences, position by position.

    Parameters
    ----------
    run : Run
    sequences : str, iterable of str, iterable of iterables of int, or array (n, length)
        Such as ``"2224401357"``, ``["2224401357", "4 4 2 2 1 0 9 8 7 6"]`` or ``[[2, 2, 2, 4, 4, 0, 1, 3, 5, 7]]``.
        In an alphabet of more than ten digits, spaces or commas must separate them.
    seeds : iterable of int, optional
        Seeds of the run; all if not given.

    Returns
    -------
    DataFrame
        One row per seed, sequence (counted from 0) and position: the columns of the table ``attention_maps``, then
        value_gauged, contribution_gauged (attention times value_gauged), pooled_gauged (their sum), threshold_gauged
        and turn (where the seed changes its answer, and how), logit (nats) and right.

    Raises
    ------
    AttnprobeError
        When a sequence does not fit the task, or the run has no such seed.
    """
    from analyses.attention_maps import of

    run.require_seeds()
    return of(run, check_sequences(sequences, run.config.task), seeds_of(run, seeds))


def choose(run: Run, by: str = "random", n: int = 6, seeds: Iterable[int] | None = None) -> Chosen:
    """Sequences of a run chosen by a rule, found over all inputs.

    Parameters
    ----------
    run : Run
    by : str
        ``random``: the first rows of the task's recorded generator; ``closest``: for the seeds in turn, the right
        inputs with the least margin; ``errors``: for the seeds in turn, the most probable wrong inputs.
    n : int
        How many, 1 to 100. There may be fewer closest calls or errors.
    seeds : iterable of int, optional
        The seeds that closest calls and errors are those of; all if not given.

    Returns
    -------
    Chosen
        ``digits`` (int64, (n, length)), ``names`` of the sequences and the ``rule`` in words.

    Raises
    ------
    AttnprobeError
        When there is no such rule, the seeds make no errors, or the task has too many inputs to look at all.
    """
    from analyses.choosing import choose as chosen

    run.require_seeds()
    return chosen(run, by, n, seeds_of(run, seeds))


def _all_needs(name: str) -> set[str]:
    direct = get(name).needs
    return set(direct).union(*(_all_needs(need) for need in direct))
