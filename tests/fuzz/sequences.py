"""Sequences, as ``attnprobe show --sequence`` and ``attnprobe.check_sequences`` take them.

What is accepted must be as long as the task says, within its alphabet, and the same when it is written down anew; and
of plain text it must be the digits that any reader sees.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import numpy as np

from attnprobe.sequences import check_sequences
from attnprobe.task import Task
from fuzz import mutate
from fuzz.room import Case, Room, Wrong

TASKS = (
    (Task(), ("2224401357", "2 2 2 4 4 0 1 3 5 7", "2,2,2,4,4,0,1,3,5,7")),
    (Task(rule="n1 > n0", vocab_size=2, length=3), ("010", "1 1 0", "0,1,1")),
    (Task(rule="n31 > n4", vocab_size=32, length=5), ("31 4 0 17 31", "31,4,0,9,1")),
    (Task(rule="n2 > n1", vocab_size=7, length=1), ("3", "0")),
)


class Sequences(Room):
    """Sequences as text and as values of Python."""

    name = "sequences"

    def __init__(self, place: Path) -> None:
        super().__init__(place)

    def case(self, draw: random.Random) -> Case:
        task, sound = draw.choice(TASKS)
        text = mutate.text(draw, sound, [str(digit) for digit in range(12)], most=3)
        given: Any = text
        if draw.random() < 0.4:
            given = draw.choice((rows, numbers, nested))(draw, sound, task)

        def run() -> str:
            found = check_sequences(given, task)
            if found.dtype != np.int64 or found.ndim != 2 or found.shape[1] != task.length:
                raise Wrong(f"it gives {found!r}")
            if (found < 0).any() or (found >= task.vocab_size).any():
                raise Wrong(f"it gives digits outside the alphabet: {found!r}")
            again = check_sequences([" ".join(map(str, row)) for row in found], task)
            if (again != found).any():
                raise Wrong("written down anew it is another one")
            if isinstance(given, str) and found[0].tolist() != plainly(given, task):
                raise Wrong(f"{given!r} is read as {found[0].tolist()}")
            return "accepted"

        return Case(f"{given!r} of {task!r}"[:100_000], run)


def plainly(text: str, task: Task) -> list[int]:
    """The digits of a text, read in the plainest way."""
    parts = re.split(r"[\s,]+", text.strip(", \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029"))
    if len(parts) == 1 and task.vocab_size <= 10:
        parts = list(parts[0])
    return [int(part) for part in parts]


def rows(draw: random.Random, sound: tuple[str, ...], task: Task) -> Any:
    """Several texts."""
    return [mutate.text(draw, sound, most=1) for _ in range(draw.randint(0, 4))]


def numbers(draw: random.Random, sound: tuple[str, ...], task: Task) -> Any:
    """Rows of numbers, in lists, tuples and arrays of many types."""
    count = draw.choice((0, 1, 3))
    digits = np.random.default_rng(draw.getrandbits(32)).integers(
        draw.choice((0, 0, 0, -1)),
        task.vocab_size + draw.choice((0, 0, 1)),
        (count, task.length + draw.choice((0, 0, 1))),
    )
    kind = draw.choice(("list", "int64", "uint8", "float64", "object", "bool", "row", "str", "deep"))
    return {
        "list": digits.tolist(),
        "row": digits.ravel().tolist(),
        "deep": digits[None],
        "object": digits.astype(object),
    }.get(kind, digits.astype(kind) if kind not in ("list", "row", "deep") else None)


def nested(draw: random.Random, sound: tuple[str, ...], task: Task) -> Any:
    """Values that are no sequences."""
    return draw.choice(
        (
            None,
            5,
            2.5,
            b"2224401357",
            {},
            {"a": 1},
            [None],
            [[[]]],
            [[2, None]],
            [["2"] * task.length],
            iter(()),
            range(3),
            [range(task.length)],
            np.zeros(()),
            np.zeros((0, task.length)),
            [mutate.value(draw)],
            {1, 2},
            [2**70] * task.length,
        )
    )
