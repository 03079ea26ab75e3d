"""Changing something sound into something that may not be: texts, bytes, values of JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

ODD = (
    "\0",
    "\x1b[2J",
    "\n",
    "\r",
    "\t",
    "\x7f",
    "\u202e",
    "\ud800",
    "\udcff",
    "\ufeff",
    "é",
    "²",
    "٣",
    "〇",
    "𝟗",
    "ﬁ",
    "\\",
    "'",
    '"',
    "`",
    "%",
    "$",
    "~",
    "/",
    "..",
    "../..",
    "-",
    "--",
    "=",
    ":",
    ",",
    " ",
    "_",
    "#",
    "*",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "&",
    "|",
    ";",
    "@",
    "!",
)
NUMBERS = (
    "0",
    "1",
    "-1",
    "-0",
    "007",
    "1e3",
    "1e999",
    "-1e999",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "1_0",
    "1.",
    ".5",
    "1e-400",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "9" * 30,
    "9" * 5000,
    "0" * 400 + "1",
    "1" + "0" * 400,
    "True",
    "None",
)


def text(draw: random.Random, sound: Sequence[str], words: Sequence[str] = (), most: int = 6) -> str:
    """A sound text, changed in up to ``most`` places."""
    found = draw.choice(sound)
    for _ in range(draw.randint(0, most)):
        found = changed(draw, found, sound, words)
    return found[:300_000]


def changed(draw: random.Random, given: str, sound: Sequence[str], words: Sequence[str]) -> str:
    """A text with one change."""
    at = draw.randint(0, len(given))
    to = min(len(given), at + draw.choice((0, 1, 1, 2, 5, 20)))
    pieces = (*words, *words, *NUMBERS, *ODD)
    kind = draw.randrange(9)
    if kind == 0:  # leave something out
        return given[:at] + given[to:]
    if kind in (1, 2):  # put something in
        return given[:at] + draw.choice(pieces) + given[at:]
    if kind in (3, 4):  # or in its place
        return given[:at] + draw.choice(pieces) + given[to:]
    if kind == 5:  # say it again and again
        return given[:at] + given[at:to] * draw.choice((2, 3, 50, 3000)) + given[to:]
    if kind == 6:  # go on as another one does
        other = draw.choice(sound)
        return given[:at] + other[draw.randint(0, len(other)) :]
    if kind == 7:  # exchange a number
        places = [place for place, letter in enumerate(given) if letter.isdigit()]
        place = draw.choice(places) if places else at
        return given[:place] + draw.choice(NUMBERS) + given[place + 1 :]
    return given[:at] + chr(draw.choice((draw.randrange(128), draw.randrange(0x110000)))) + given[at:]


def data(draw: random.Random, given: bytes, other: bytes = b"") -> bytes:
    """Bytes that differ from those given (unless there is nothing to change)."""
    for _ in range(100):
        found = given
        for _ in range(draw.choice((1, 1, 1, 2, 5, 50))):
            found = touched(draw, found, other)
        if found != given:
            return found
    return given + b"\0"


def touched(draw: random.Random, given: bytes, other: bytes) -> bytes:
    """Bytes with one change; half of all are near an end, where headers and footers are."""
    size = len(given)
    near = min(size, draw.choice((8, 64, 1024)))
    at = draw.choice(
        (draw.randint(0, near), size - draw.randint(0, near), draw.randint(0, size), draw.randint(0, size))
    )
    length = draw.choice((1, 1, 2, 4, 8, 64, 1000))
    kind = draw.randrange(9)
    if kind <= 1 and at < size:  # flip a bit
        return given[:at] + bytes([given[at] ^ 1 << draw.randrange(8)]) + given[at + 1 :]
    if kind == 2 and at < size:  # a byte of interest
        return given[:at] + bytes([draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))]) + given[at + 1 :]
    if kind == 3:  # put something in
        return given[:at] + draw.randbytes(length) + given[at:]
    if kind == 4:  # leave something out
        return given[:at] + given[at + length :]
    if kind == 5:  # cut it
        return given[:at]
    if kind == 6:  # no bytes, or all of them
        return given[:at] + draw.choice((b"\0", b"\xff")) * len(given[at : at + length]) + given[at + length :]
    if kind == 7 and other:  # a piece of another file
        start = draw.randint(0, len(other))
        return given[:at] + other[start : start + length] + given[at + length :]
    return given[:at] + given[at : at + length] * 2 + given[at + length :]


def value(draw: random.Random, like: Any = None) -> Any:
    """A value of JSON that may be anything, or a neighbour of the one given."""
    simple = [
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        2**31,
        2**53 + 1,
        2**63,
        -(2**63) - 1,
        10**30,
        10**400,
        0.5,
        -0.0,
        1e-320,
        1e308,
        5e-5,
        "",
        "0",
        "1",
        "nan",
        "n2 > n4",
        "a" * 5000,
        "\0",
        "\x1b[31m",
        "../../x",
        "/etc/passwd",
        [],
        {},
        [0, 0],
        [[]],
        {"a": 1},
        [1, 2, 3],
    ]
    if isinstance(like, bool) or like is None:
        return draw.choice(simple)
    if isinstance(like, int) and draw.random() < 0.7:
        return draw.choice(
            (like + 1, like - 1, -like, like * 2, like // 2, like + 0.5, like * 1.0, [like], like * 10**9)
            if abs(like) < 2**60
            else (0, 1, -1, like * 2, [like])
        )
    if isinstance(like, float) and draw.random() < 0.7:
        return draw.choice(
            (
                like * 2,
                -like,
                like * 1e300,
                like * 1e-300,
                like + 1,
                str(like),
                [like, like],
                int(min(max(like, -1e9), 1e9)),
            )
        )
    if isinstance(like, str) and draw.random() < 0.7:
        return text(draw, [like], most=2)
    return draw.choice(simple)


def repr_of(given: Any) -> str:
    """Something that can be a name in JSON."""
    return given[:2000] if isinstance(given, str) else json.dumps(given)[:2000]


def structure(draw: random.Random, given: Any) -> Any:
    """A value of JSON with one change somewhere inside."""
    if isinstance(given, dict) and given and draw.random() < 0.93:
        name = draw.choice(sorted(given))
        kind = draw.randrange(12)
        rest = {key: each for key, each in given.items() if key != name}
        if kind == 0:
            return rest
        if kind == 1:
            return {**given, repr_of(value(draw)) if draw.random() < 0.3 else f"{name}x": given[name]}
        if kind == 2:
            other = draw.choice(sorted(given))
            return {**given, name: given[other], other: given[name]}
        if kind == 3:
            return {(text(draw, [name], most=2) if key == name else key): each for key, each in given.items()}
        return {**given, name: structure(draw, given[name])}
    if isinstance(given, list) and given and draw.random() < 0.93:
        place = draw.randrange(len(given))
        kind = draw.randrange(8)
        if kind == 0:
            return given[:place] + given[place + 1 :]
        if kind == 1:
            return given[:place] + [given[place]] * draw.choice((2, 2, 100)) + given[place + 1 :]
        if kind == 2:
            return given[::-1]
        return [*given[:place], structure(draw, given[place]), *given[place + 1 :]]
    return value(draw, given)
