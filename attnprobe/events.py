"""What happens while long work is done, told as it happens: progress bars, plain lines and logs all listen to this.

``train``, ``analyses.write`` and ``reports.write`` take ``events``, a function that is told each :class:`Event`:

    event        when                                    facts
    progress     often: where the work stands            doing, done, of, unit, and: name (of what is being made),
                                                         steps, of_steps (seed-steps done, and in all)
    shard        some seeds are finished and on disk     seeds, n_seeds, not_finite (which of them), seed_steps,
                                                         seconds, seed_steps_per_second, done, of
    checkpoint   unfinished seeds are on disk            the same, with least_steps and most_steps for done and of
    table        a table is on disk                      table, rows, seconds, done, of
    report       figures and documents are on disk       documents, figures, files, seconds
    finding      something is wrong with a run           file, kind, finding

``seeds`` is text such as ``0:64`` or ``0:7,9,12:20``, as ``--seeds`` takes it. All facts are values that JSON knows.
An event is told by the thread that called, after what it tells of was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Event", "Listener", "all_of", "nobody"]


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
