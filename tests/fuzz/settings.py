"""Settings of a run, from Python and as a ``run.json`` has them.

What is accepted must be within the limits that the reference states, the same after a trip through JSON, and usable:
the shapes of the weights, the steps at which losses are recorded and weights are kept.
"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np

import attnprobe as ap
from attnprobe.parameters import parameter_shapes
from fuzz import mutate
from fuzz.room import Case, Room, Wrong

LIMITS = {
    "vocab_size": (2, 32),
    "length": (1, 63),
    "embed_dim": (1, 256),
    "att_dim": (1, 256),
    "hidden": (1, 4096),
    "steps": (0, 10**9),
    "batch_size": (1, 65_536),
    "snapshots": (0, 1000),
}


class Settings(Room):
    """``attnprobe.Config``."""

    name = "settings"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.sound = [
            ap.Config().model_dump(mode="json"),
            ap.Config(rule="n3 > n1", vocab_size=5, length=7, hidden=11, steps=60, snapshots=3).model_dump(mode="json"),
            {},
        ]

    def case(self, draw: random.Random) -> Case:
        given: Any = draw.choice(self.sound)
        for _ in range(draw.randint(0, 4)):
            given = mutate.structure(draw, given)
        if not isinstance(given, dict):
            given = {"steps": given}
        return Case(repr(given)[:100_000], lambda: checked(given))


def checked(given: dict[str, Any]) -> str:
    config = ap.Config(**given)
    said = config.model_dump(mode="json")
    for name, (least, most) in LIMITS.items():
        if type(said[name]) is not int or not least <= said[name] <= most:
            raise Wrong(f"{name} = {said[name]!r}")
    if not (0 < config.lr < math.inf and 0 <= config.eps < math.inf and all(0 <= beta < 1 for beta in config.betas)):
        raise Wrong(f"{config!r}")
    if ap.Config(**json.loads(json.dumps(said, allow_nan=False))) != config:
        raise Wrong("after a trip through JSON it is another one")
    for name, value in given.items():
        if said[name] != (float(value) if type(value) is int and type(said[name]) is float else value):
            raise Wrong(f"{name} = {value!r} is taken for {said[name]!r}")
        if type(value) is bool and type(said[name]) is not bool:
            raise Wrong(f"{name} = {value!r} is taken for {said[name]!r}")
    if any(size < 1 for shape in parameter_shapes(config).values() for size in shape):
        raise Wrong("an empty weight")
    for steps in (config.history_steps, config.snapshot_steps):
        if steps.dtype != np.int64 or (np.diff(steps) <= 0).any() or (steps < 0).any() or (steps > config.steps).any():
            raise Wrong(f"a schedule {steps!r}")
    return "accepted"
