"""The rooms by name; each is imported when it is entered."""

from __future__ import annotations

import importlib
from pathlib import Path

from fuzz.room import Room

ROOMS = {
    "expressions": "Expressions",
    "seeds": "Seeds",
    "settings": "Settings",
    "sequences": "Sequences",
    "commands": "Commands",
    "folders": "Folders",
    "weights": "Weights",
}
NAMES = tuple(ROOMS)


def room(name: str, place: Path) -> Room:
    """A room, made ready; ``place`` is an empty folder that it may use."""
    found: Room = getattr(importlib.import_module(f"fuzz.{name}"), ROOMS[name])(place)
    return found
