"""Some thousands of hostile inputs, the same ones each time; ``make fuzz`` runs others for as long as one likes."""

from __future__ import annotations

import faulthandler
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz import rooms
from fuzz.__main__ import memory
from fuzz.room import Case, Fault, Room, attempt

CASES = {
    "expressions": 2000,
    "seeds": 2000,
    "settings": 2000,
    "sequences": 3000,
    "commands": 500,
    "folders": 600,
    "weights": 1500,
}
LOOP = 300  # seconds, after which a test in a loop that no signal ends is ended


@pytest.mark.parametrize("name", rooms.NAMES)
def test_nothing_hostile_gets_in(name: str) -> None:
    faulthandler.dump_traceback_later(LOOP, exit=True)
    try:
        with tempfile.TemporaryDirectory(dir=memory()) as place:
            room = rooms.room(name, Path(place))
            said = [attempt(room, "same", number) for number in range(CASES[name])]
    finally:
        faulthandler.cancel_dump_traceback_later()
    faults = [str(each) for each in said if isinstance(each, Fault)]
    assert not faults, "\n\n".join(faults[:5])
    count = Counter(each for each in said if isinstance(each, str))
    assert count["refused"] > len(said) / 10  # else the cases are too tame,
    assert len(said) - count["refused"] > len(said) / 50  # or nothing of them gets beyond the door


# --- the watch itself ------------------------------------------------------------------------------------


class Planted(Room):
    """A room whose only case does what it is told to."""

    name = "planted"
    does: Callable[[], str]

    def case(self, draw) -> Case:
        return Case("planted", self.does)


def wait() -> str:
    with open("/dev/zero", "rb") as file:  # noqa: PTH123
        while True:
            file.read(10)


@pytest.mark.parametrize(
    ("does", "seen"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: warnings.warn("hm", stacklevel=1), "UserWarning: hm"),
        (lambda: sys.exit(3), "ended the process (3)"),
        (lambda: bytearray(2**31), "MemoryError"),
        (wait, "took longer than"),
    ],
    ids=["exception", "warning", "exit", "memory", "hang"],
)
def test_the_watch_sees(does, seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.room.SECONDS", 0.2)
    room = Planted(tmp_path)
    room.does = does
    fault = attempt(room, "key", 7)
    assert isinstance(fault, Fault)
    assert seen in fault.what
    assert "--room planted --key key --case 7" in str(fault)
