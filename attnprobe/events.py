"""What happens while long work is done, told as it happens: progress bars, plain lines and logs all listen to this.

``train``, ``analyses.write`` and ``reports.write`` take ``events``, a function that is told each :class:`Event`:

    event        when                                    facts
    progress     often: where the work stands            doing, done, of, unit, and: name (of what is being made),
                                                         steps, of_steps (seed-steps done, and in all)
    checkpoint   unfinished seeds were kept              seeds, n_seeds, least_steps, most_steps, seconds
    shard        some seeds are finished and on disk     seeds, n_seeds, not_finite, seed_steps, seconds,
                                                         seed_steps_per_second, done, of
    table        a table is on disk                      table, rows, seconds, done, of
    report       figures and documents are on disk       files, figures, seconds

``seeds`` is text such as ``0:64`` or ``0:7,9,12:20``, as ``--seeds`` takes it. All facts are values that JSON knows.
An event is told by the thread that called, after what it tells of was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Event", "Listener", "all_of", "nobody", "shard_facts", "span"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes
    ----------
    what : str
        Such as ``shard``.
    facts : mapping
        What there is to say of it, by name.
    """

    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


def nobody(event: Event) -> None:
    """A listener that does nothing."""


def all_of(*listeners: Listener | None) -> Listener:
    """A listener that passes on what it hears to each of those given."""
    heard = [listener for listener in listeners if listener is not None]

    def tell(event: Event) -> None:
        for listener in heard:
            listener(event)

    return tell


def span(seeds: np.ndarray) -> str:
    """Distinct seeds in ascending order as text that ``--seeds`` takes: ranges ``0:64``, else single seeds."""
    if not len(seeds):
        return ""
    parts = np.split(seeds, np.flatnonzero(np.diff(seeds) != 1) + 1)
    return ",".join(f"{part[0]}:{part[-1] + 1}" if len(part) > 1 else f"{part[0]}" for part in parts)


def shard_facts(seeds: np.ndarray, finite: np.ndarray, seed_steps: int, seconds: float) -> dict[str, Any]:
    """The facts of a ``shard`` event.

    Parameters
    ----------
    seeds : ndarray, int64, shape (S,)
        Ascending.
    finite : ndarray, bool, shape (S,)
        Whether the seed's weights and losses are finite.
    seed_steps : int
        Updates that were done for it now.
    seconds : float
        That this took.
    """
    return {
        "seeds": span(seeds),
        "n_seeds": len(seeds),
        "not_finite": seeds[~finite].tolist(),
        "seed_steps": int(seed_steps),
        "seconds": round(seconds, 3),
        "seed_steps_per_second": round(seed_steps / seconds, 1) if seconds > 0 else None,
    }
