"""One case: made by key and number, run under watch, judged."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnprobe.errors import AttnprobeError

SECONDS = 30  # of wall time that a case may take; a wait for something that never comes ends here
PROCESSOR_SECONDS = 10  # of processor time: two hundred times what the slowest takes
MEMORY = 2**30  # bytes of address space that a case may take besides what the process has
LONGEST_MESSAGE = 20_000  # characters


@dataclass(frozen=True)
class Case:
    """Something to hand in: a text that shows it, and the call; the call returns what there is to say of it."""

    shown: str
    run: Callable[[], str]  # returns "accepted", or another word for what came of it


class Room:
    """Makes cases of one kind. Whatever a case may change lies in ``place``."""

    name: str

    def __init__(self, place: Path) -> None:
        self.place = place

    def case(self, draw: random.Random) -> Case:
        raise NotImplementedError


class Wrong(Exception):  # noqa: N818 - it is no error of the program that is fuzzed
    """A room's own judgement: a result that is not right."""


class Late(BaseException):
    """Raised by the watchdog, past every ``except Exception``."""


@dataclass(frozen=True)
class Fault:
    """A case that broke the promise."""

    room: str
    key: str
    number: int
    what: str
    shown: str

    def __str__(self) -> str:
        again = f"cd tests && python -m fuzz --room {self.room} --key {self.key} --case {self.number}"
        return f"{self.what}\n  case: {self.shown[:2000]}\n  again: {again}"


def attempt(room: Room, key: str, number: int) -> str | Fault:
    """Run one case: what came of it (``accepted``, ``refused``, ...), or its fault."""
    case = room.case(random.Random(f"{room.name} {key} {number}"))
    started = time.process_time()
    try:
        with watched():
            said = case.run()
    except AttnprobeError as error:
        fault = of_message(str(error))
        said = "refused"
    except Wrong as error:
        fault = str(error)
    except Late:
        fault = f"took longer than {SECONDS} s"
    except SystemExit as error:
        fault = f"ended the process ({error.code!r})"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        fault = "".join(traceback.format_exception(error))[-3000:]
    else:
        fault = ""
    if not fault and (spent := time.process_time() - started) > PROCESSOR_SECONDS:
        fault = f"took {spent:.1f} s of processor time"
    return Fault(room.name, key, number, fault, case.shown) if fault else said


def of_message(message: str) -> str:
    """What is wrong with a message that goes to a terminal; nothing, if nothing is."""
    odd = [letter for letter in message if not letter.isprintable() and letter != "\n"]
    if odd:
        return f"a message with {odd[0]!r} in it: {message[:500]!r}"
    if len(message) > LONGEST_MESSAGE:
        return f"a message of {len(message):,} characters: {message[:300]!r}..."
    return "a message that says nothing" if not message.strip() else ""


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Warnings are errors, time and memory are limited."""

    def late(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = address_space() + MEMORY
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (allowed if hard < 0 else min(allowed, hard), hard))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def address_space() -> int:
    """Bytes that the process has mapped."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
