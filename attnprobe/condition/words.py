"""How a condition that cannot be used is refused: what was given, what is wrong with it, what to write."""

from __future__ import annotations

from attnprobe.errors import AttnprobeError, shown

__all__ = ["refused"]

HOW = "Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'."


def refused(text: str, why: str) -> AttnprobeError:
    """The error to raise; ``why`` goes on after the expression: "is not ...", "cannot ..."."""
    return AttnprobeError(f"--where {shown(text)} {why}. {HOW}")
