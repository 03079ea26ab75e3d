"""Ctrl-C: what is kept and how to go on, and the exit code that shells expect."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

__all__ = ["stoppable"]


@contextmanager
def stoppable(kept: Callable[[], str]) -> Iterator[None]:
    """On Ctrl-C say what is kept and how to go on, and end with the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nStopped. {kept()}", file=sys.stderr)
        raise typer.Exit(130) from None
