"""Which seeds: ranges, lists and files, as every ``--seeds`` takes them.

What is accepted must be the seeds that the text says, item by item, ascending.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
from pathlib import Path

import numpy as np

from attnprobe.seeds import MOST, parse_seeds
from fuzz import mutate
from fuzz.room import Case, Room, Wrong

SOUND = ("0:256", "3,5,8", "0:3,7,10:12", "17", "5 7\t9", "100:200, 300:400", "9223372036854775807", "0:100000")
FILES = (*SOUND, "# the good ones\n10:13, 3\n5 # five, not 6\n\n8\t7\n#99\n", "1\n2\n3\n", "0:10 # all\r\n20\r\n")
WORDS = (
    ":",
    "10000000:20000000",
    "0:10000001",
    "0:",
    ":5",
    "5:5",
    "1:2:3",
    "#",
    "0:9223372036854775808",
    "/",
)
PLACES = (
    "",
    ".",
    "..",
    "/",
    "/dev/null",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/mem",
    "seeds.txt",
    "pipe",
    "link",
    "loop",
    "folder",
    "giant",
    "seeds.txt/",
    "a" * 300,
    "a\0b",
    "\udcff",
    "\ud800",
    "~",
    "-",
    "--seeds",
    "*",
)


class Seeds(Room):
    """Seeds as text and as files."""

    name = "seeds"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        os.mkfifo(place / "pipe")
        (place / "link").symlink_to(place / "pipe")
        (place / "loop").symlink_to(place / "loop")
        (place / "folder").mkdir()
        with (place / "giant").open("wb") as file:
            file.truncate(2**40)

    def case(self, draw: random.Random) -> Case:
        kind = draw.randrange(10)
        if kind < 5:
            text = mutate.text(draw, SOUND, WORDS)
            return Case(repr(text), lambda: self.checked(text, text))
        if kind == 5:
            odd = draw.choice(PLACES)
            if odd not in ("-", "*", "~", "") and draw.random() < 0.5 and not odd.startswith("/"):
                odd = str(self.place / odd)
            return Case(repr(odd), lambda: self.checked(odd, None))
        content = mutate.text(draw, FILES, (*WORDS, "\n"), most=3).encode(errors="surrogatepass")
        if draw.random() < 0.3:
            content = mutate.data(draw, content)
        path = self.place / "seeds.txt"

        def run() -> str:
            path.write_bytes(content)
            return self.checked(str(path), re.sub("#.*", "", content.decode(errors="replace")))

        return Case(f"a file of {content!r}", run)

    def checked(self, text: str, content: str | None) -> str:
        with contextlib.chdir(self.place):
            found = parse_seeds(text)
        if found.dtype != np.int64 or found.ndim != 1 or not found.size or (np.diff(found) <= 0).any() or found[0] < 0:
            raise Wrong(f"it gives {found!r}")
        if found.size > MOST:
            raise Wrong(f"it gives {found.size:,} seeds")
        if content is not None and not np.array_equal(found, plainly(content)):
            raise Wrong(f"it gives {found!r}")
        return "accepted"


def plainly(text: str) -> np.ndarray:
    """The seeds that a text says, read in the plainest way."""
    parts = []
    for item in re.split(r"[\s,]+", text):
        start, _, stop = item.partition(":")
        if item:
            parts.append(np.arange(int(start), int(stop) if stop else int(start) + 1, dtype=np.uint64))
    return np.sort(np.concatenate(parts)).astype(np.int64)
