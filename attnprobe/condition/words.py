"""How a condition that cannot be used is refused: what was given, what is wrong with it, what to write."""

from __future__ import annotations

from attnprobe.errors import AttnprobeError

__all__ = ["refused", "shown"]

HOW = "Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'."
MOST_SHOWN = 200  # characters: a message stays readable whatever was given


def refused(text: str, why: str) -> AttnprobeError:
    """The error to raise; ``why`` goes on after the expression: "is not ...", "cannot ..."."""
    return AttnprobeError(f"--where {shown(text)} {why}. {HOW}")


def shown(text: str) -> str:
    """A piece of text for a message: quoted and escaped, and shortened when it is long."""
    if len(text) <= MOST_SHOWN:
        return repr(text)
    return f"{text[:MOST_SHOWN]!r}... ({len(text):,} characters)"
