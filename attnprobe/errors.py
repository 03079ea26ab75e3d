"""What goes wrong in the user's hands: one class, one clear message.

Every message says what was given, what is allowed and what to do. The command line prints it
without a traceback and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["AttnprobeError", "AttnprobeWarning", "brief", "did_you_mean", "printable", "shown", "unknown"]

MOST_SHOWN = 200  # characters: a message stays readable whatever was given


class AttnprobeError(ValueError):
    """Input that cannot be used, or a place that cannot be read or written."""


class AttnprobeWarning(UserWarning):
    """Something to know about what is being done; it is done all the same."""


def shown(text: str) -> str:
    """A piece of text for a message: quoted and escaped, and shortened when it is long."""
    if len(text) <= MOST_SHOWN:
        return repr(text)
    return f"{text[:MOST_SHOWN]!r}... ({len(text):,} characters)"


def printable(text: str) -> str:
    """A message as it may go to a terminal: what a name of a file or folder smuggles into it is escaped."""
    return "".join(x if x.isprintable() or x == "\n" else repr(x)[1:-1] for x in text)


def brief(value: object) -> str:
    """Any value for a message: on one line, shortened when it is long."""
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"of {value.bit_length():,} bits"  # Python itself writes no number that is much longer
    try:
        text = " ".join(repr(value).split("\n"))
    except ValueError:  # it holds such a number
        text = f"a {type(value).__name__}"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """A hint such as " Did you mean 'steps'?", or nothing when no name is close."""
    close = difflib.get_close_matches(given, list(allowed), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def unknown(what: str, given: str, allowed: Iterable[str]) -> AttnprobeError:
    """The error to raise where a name is none of those that there are, such as of a style."""
    names = list(allowed)
    return AttnprobeError(f"{what} {given!r} is unknown.{did_you_mean(given, names)} There are: {', '.join(names)}.")
