"""``python -m fuzz``: every room for a while, each in a process of its own, so that no crash goes unseen."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fuzz import rooms
from fuzz.room import SECONDS, Fault, attempt

SILENCE = 4 * SECONDS  # after which a process is taken to be in a loop that no signal ends


def main() -> int:
    """0 where no case broke its promise, else 1."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Hostile input, systematically.")
    parser.add_argument("--room", choices=rooms.NAMES, action="append", help="only this one (may be repeated)")
    parser.add_argument("--minutes", type=float, default=10.0, help="in all (default 10)")
    parser.add_argument("--key", default=None, help="of the generator (default one of the clock)")
    parser.add_argument("--case", type=int, help="only this case, told in full")
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.key = asked.key or f"{time.time_ns() // 1_000_000}"
    names = asked.room or rooms.NAMES
    if asked.case is not None:
        return one(names[0], asked.key, asked.case)
    if asked.child:
        return work(names[0], asked.key, asked.first, 60 * asked.minutes)
    print(f"key {asked.key}; every case can be repeated: python -m fuzz --room ROOM --key {asked.key} --case N")
    found = [watch(name, asked.key, 60 * asked.minutes / len(names)) for name in names]
    print("\n| room | cases | accepted | refused | other | faults |\n|---|---|---|---|---|---|")
    for name, said, faults in found:
        other = {word: count for word, count in said.items() if word not in ("accepted", "refused")}
        more = ", ".join(f"{word} {count:,}" for word, count in sorted(other.items())) or "-"
        total = sum(said.values()) + faults
        print(f"| {name} | {total:,} | {said['accepted']:,} | {said['refused']:,} | {more} | {faults} |")
    return 1 if any(faults for _, _, faults in found) else 0


def memory() -> str | None:
    """A file system in memory, where there is one: thousands of cases wait for no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def one(name: str, key: str, number: int) -> int:
    """One case, told in full."""
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        said = attempt(rooms.room(name, Path(place)), key, number)
    print(said)
    return 1 if isinstance(said, Fault) else 0


def work(name: str, key: str, first: int, seconds: float) -> int:
    """Cases from ``first`` on; before each, its number is said, so that whoever watches knows which one ended us."""
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        room, number = rooms.room(name, Path(place)), first
        while time.monotonic() < end:
            tell(f"at {number}")
            said = attempt(room, key, number)
            if isinstance(said, Fault):
                for line in str(said).splitlines():
                    tell(f"fault {line!r}")
            tell("did fault" if isinstance(said, Fault) else f"did {said}")
            number += 1
    return 0


def tell(line: str) -> None:
    """A line to whoever watches, past all that a case may do to standard output."""
    os.write(1, (line + "\n").encode(errors="backslashreplace"))


def watch(name: str, key: str, seconds: float) -> tuple[str, Counter[str], int]:
    """Run a room for a while; where its process dies, go on after the case that ended it."""
    end, first, said, faults = time.monotonic() + seconds, 0, Counter[str](), 0
    while (left := end - time.monotonic()) > 0:
        words = ["--child", "--room", name, "--key", key, "--first", str(first), "--minutes", str(left / 60)]
        child = subprocess.Popen(
            [sys.executable, "-m", "fuzz", *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        assert child.stdout is not None
        for line in lines(child):
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "at":
                first = int(rest)
            elif kind == "did" and rest == "fault":
                faults += 1
            elif kind == "did":
                said[rest] += 1
            elif kind == "fault":
                print(f"{name}: {rest}", flush=True)
        if child.wait() == 0:
            break
        faults += 1
        print(f"{name}: the process ended with {child.returncode} in case {first} of key {key}", flush=True)
        first += 1
    return name, said, faults


def lines(child: subprocess.Popen[str]) -> Iterator[str]:
    """What a process says; it is killed where it says nothing for too long."""
    alarm = threading.Timer(SILENCE, child.kill)
    for line in child.stdout or ():
        alarm.cancel()
        yield line
        alarm = threading.Timer(SILENCE, child.kill)
        alarm.start()
    alarm.cancel()


if __name__ == "__main__":
    sys.exit(main())
