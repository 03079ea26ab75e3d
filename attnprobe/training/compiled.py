"""How this package compiles: one decorator around numba's, with a cache on disk where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["compiled", "exactly_compiled"]

# Sums may be reordered and products fused, so that loops vectorise. Not-a-number and infinity keep
# their meaning: the kernel must notice them.
FLAGS = {"contract", "nsz", "arcp", "reassoc"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile for this CPU: no GIL, numpy's division, sums in any order."""
    return _jit(function, FLAGS)


def exactly_compiled(function: Callable[..., Any]) -> Any:
    """The same, but every operation rounds exactly as written."""
    return _jit(function, False)


def _jit(function: Callable[..., Any], flags: Any) -> Any:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": flags}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write a cache: compile anew in each process
        return numba.njit(**options)(function)
