"""Damaging run folders, and what they then say."""

from __future__ import annotations

import hashlib
import json
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


def damaged(path: Path, how: str = "its bytes are not those that were written (their SHA-256 is not that in run.json)"):
    return f"{path} is damaged: {how}. {remedy(path)}"


def remedy(path: Path) -> str:
    run = path.parents[1]
    if path.parent.name == "shards":
        return f"Put back a copy of it, or train its seeds again: attnprobe verify {run} --repair"
    return f"Compute it again: attnprobe analyze {run}"


def damaged_manifest(run: Path) -> str:
    return (
        f"{run / 'run.json'} is damaged: it is not what attnprobe wrote. Put back a copy of it, or let "
        f"`attnprobe verify {run} --repair` write it anew from the shards."
    )


def sealed(info: dict) -> bytes:
    """A run.json that says this, with a checksum that fits: what a forger would write."""
    said = {name: value for name, value in info.items() if name != "sha256"}
    said["sha256"] = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return (json.dumps(said, indent=1) + "\n").encode()
