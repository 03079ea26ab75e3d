"""What is left to train, and what of it has been begun: the difference between what is asked for and a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from attnprobe.config import Config
from attnprobe.store import Run
from attnprobe.store.manifest import ShardRecord
from attnprobe.training.course import Begun

__all__ = ["Portion", "portions"]


class Portion(NamedTuple):
    """Seeds to train into one shard, and the file in which they were begun, if they were."""

    seeds: np.ndarray  # int64, ascending
    begun: ShardRecord | None

    def left_by(self, run: Run) -> Begun | None:
        """The seeds as they were left."""
        if self.begun is None:
            return None
        config = run.config.model_copy(update={"steps": self.begun.steps})
        return Begun(config, run.file(self.begun).shard().of(self.seeds))


def portions(run: Run, config: Config, wanted: np.ndarray, shard_size: int) -> list[Portion]:
    """The work that is left until the run holds these seeds, and has the config's steps.

    Parameters
    ----------
    run : Run
    config : Config
        The run's, or the same with more steps: then all seeds of the run are in it too.
    wanted : ndarray, int64
        Distinct seeds.
    shard_size : int
        Seeds in a portion where nothing was begun.
    """
    longer = config.steps > run.config.steps
    needed = np.union1d(wanted, run.seeds) if longer else np.setdiff1d(wanted, run.seeds)
    left = np.ones(needed.size, dtype=bool)
    found = []
    for record in _begun(run, config, longer):
        seeds = run.seeds_of(record)
        place = np.minimum(np.searchsorted(needed, seeds), needed.size - 1) if needed.size else np.empty(0, int)
        here = place[(needed[place] == seeds) & left[place]] if needed.size else place
        left[here] = False
        if here.size and not _finished(record, config):
            found.append(Portion(needed[here], record))
    rest = needed[left]
    return found + [Portion(rest[i : i + shard_size], None) for i in range(0, rest.size, shard_size)]


def _begun(run: Run, config: Config, longer: bool) -> Iterator[ShardRecord]:
    """Files to go on from, those that are farthest first."""
    kept = [record for record in run.manifest.unfinished if record.steps <= config.steps]
    yield from sorted(kept, key=lambda record: -record.steps)
    if longer:
        yield from run.manifest.shards


def _finished(record: ShardRecord, config: Config) -> bool:
    return record.steps == config.steps and not record.unfinished
