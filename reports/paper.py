"""The sizes of paper that a report can have."""

from __future__ import annotations

from dataclasses import dataclass

from attnprobe.errors import AttnprobeError, did_you_mean

__all__ = ["PAPERS", "Paper", "paper"]


@dataclass(frozen=True)
class Paper:
    """A size in inches."""

    name: str
    width: float
    height: float


PAPERS = {size.name: size for size in (Paper("a4", 8.27, 11.69), Paper("letter", 8.5, 11.0))}


def paper(name: str) -> Paper:
    """The paper of that name.

    Raises
    ------
    AttnprobeError
        When there is none.
    """
    if name not in PAPERS:
        raise AttnprobeError(
            f"There is no paper {name!r}.{did_you_mean(name, PAPERS)} It must be one of {', '.join(PAPERS)}."
        )
    return PAPERS[name]
