"""Damaging run folders, and what they then say."""

from __future__ import annotations

from pathlib import Path

import pytest

import attnprobe as ap


def refusal(function, *args, **kwargs) -> str:
    with pytest.raises(ap.AttnprobeError) as error:
        function(*args, **kwargs)
    return str(error.value)


def flip(path: Path, place: float = 0.5) -> None:
    """Flip one bit, that far into the file."""
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 0b100
    path.write_bytes(data)


def damaged(path: Path) -> str:
    return (
        f"{path} is damaged: its bytes are not those that were written (SHA-256 differs from run.json). "
        "Restore it from a copy; tables can be computed again with attnprobe analyze."
    )
