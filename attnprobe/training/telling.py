"""The events of training: how far it is, and what was kept."""

from __future__ import annotations

import time
from typing import Any

from attnprobe.events import Event, Listener
from attnprobe.outcome import Outcome
from attnprobe.seeds import spelled
from attnprobe.store import Shard

__all__ = ["Telling"]


class Telling:
    """Tells a listener of training, portion by portion.

    Parameters
    ----------
    listener : callable
    seeds : int
        To be trained, in all portions.
    steps : int
        Of each seed.
    """

    def __init__(self, listener: Listener, seeds: int, steps: int) -> None:
        self._tell = listener
        self._of, self._of_steps = seeds, seeds * steps
        self._done = self._steps = 0  # in portions that are finished
        self._begun = 0  # steps of this portion that were done earlier
        self._since = time.monotonic()
        self.progress(0, 0)

    def begin(self, steps: int = 0) -> None:
        """A portion begins; so many seed-steps of it were done at an earlier time, and are no part of this work."""
        self._begun, self._since = steps, time.monotonic()
        self._of_steps -= steps

    def progress(self, done: int, steps: int) -> None:
        """So many seeds of this portion are through, and so many seed-steps, with those that were done earlier."""
        work = {"doing": "training", "done": self._done + done, "of": self._of, "unit": "seeds"}
        steps = self._steps + max(0, steps - self._begun)
        self._tell(Event("progress", {**work, "steps": steps, "of_steps": self._of_steps}))

    def checkpoint(self, shard: Shard) -> None:
        """A portion was kept unfinished."""
        least, most = int(shard.steps.min()), int(shard.steps.max())
        self._tell(Event("checkpoint", {**self._facts(shard), "least_steps": least, "most_steps": most}))

    def shard(self, shard: Shard) -> None:
        """A portion is finished and on disk."""
        facts = self._facts(shard)
        self._done += len(shard.seeds)
        self._steps += facts["seed_steps"]
        self._tell(Event("shard", {**facts, "done": self._done, "of": self._of}))
        self._begun = 0
        self.progress(0, 0)

    def _facts(self, shard: Shard) -> dict[str, Any]:
        steps, seconds = int(shard.steps.sum()) - self._begun, time.monotonic() - self._since
        return {
            "seeds": spelled(shard.seeds),
            "n_seeds": len(shard.seeds),
            "not_finite": shard.seeds[shard.status != Outcome.TRAINED.code].tolist(),
            "seed_steps": steps,
            "seconds": round(seconds, 3),
            "seed_steps_per_second": round(steps / seconds, 1) if seconds > 0 else None,
        }
