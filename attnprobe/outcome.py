"""How a seed's training ended. A seed that failed is a row with its outcome, not a missing row."""

from __future__ import annotations

from enum import Enum

__all__ = ["Outcome"]


class Outcome(Enum):
    """The outcome of one seed; ``sentence`` says what it means."""

    TRAINED = "trained"
    NONFINITE = "nonfinite"

    @property
    def sentence(self) -> str:
        """What the outcome means, for people."""
        return _SENTENCES[self]

    @property
    def code(self) -> int:
        """The number that stands for the outcome in a shard."""
        return list(Outcome).index(self)


_SENTENCES = {
    Outcome.TRAINED: "all steps were done and every weight is finite",
    Outcome.NONFINITE: "the loss or a weight became infinite or not a number; training stopped there",
}
