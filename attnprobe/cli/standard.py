"""The three standard files, however the shell left them: closed, full, or pipes that nobody reads."""

from __future__ import annotations

import contextlib
import os
import sys

__all__ = ["closed", "flush", "open_all"]

closed: set[int] = set()  # those that were closed when the process began


def open_all() -> None:
    """Open those that are closed (``>&-``) on the null device.

    Else the next file that is opened, perhaps one of a run, would get their number, and what is printed with it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def flush() -> str:
    """Have out what was printed; where that fails, say why, and forget the rest, over which Python would stumble."""
    why = ""
    for file, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            file.flush()
        except (OSError, ValueError) as error:
            why = why or (getattr(error, "strerror", None) or str(error)).lower()
            with contextlib.suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, number)
                os.close(null)
    return why
