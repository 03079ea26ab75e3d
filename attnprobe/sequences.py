"""Which sequences: from Python, or from text such as ``2224401357`` or ``2 2 31 17``."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from attnprobe.errors import MOST_SHOWN, AttnprobeError, brief, shown
from attnprobe.task import Task

__all__ = ["LETTERS", "check_sequences", "parse_sequence"]

LETTERS = 10  # digits of alphabets up to this size are single letters, and need nothing between them


def check_sequences(given: Any, task: Task) -> np.ndarray:
    """Sequences of a task as an int64 array (n, length).

    Parameters
    ----------
    given : str, iterable of str, iterable of iterables of int, or array
        One sequence as text or as whole numbers, or several. In text, digits are separated by spaces or commas;
        in an alphabet of up to ten digits they need not be.
    task : Task
        What is asked: it fixes the length and the alphabet.

    Raises
    ------
    AttnprobeError
        When there is none, one has another length, or something in it is no digit of the alphabet.
    """
    if isinstance(given, str):
        return parse_sequence(given, task)[None]
    rows = list(given) if _several(given) else None
    if rows is None:
        raise AttnprobeError(
            f"sequences = {brief(given)} is not allowed: it is no collection of sequences. {_how(task)}"
        )
    if not rows:
        raise AttnprobeError(f"sequences is empty: there is nothing to show. {_how(task)}")
    if not any(isinstance(row, str) or _several(row) for row in rows):  # one sequence of whole numbers
        rows = [rows]
    found = [parse_sequence(row, task) if isinstance(row, str) else _numbers(row, task) for row in rows]
    return np.stack(found)


def parse_sequence(text: str, task: Task) -> np.ndarray:
    """One sequence that was written as text: int64 (length,).

    Raises
    ------
    AttnprobeError
        When it has another length, or something in it is no digit of the alphabet.
    """
    parts = re.findall(r"[^,\s]+", text)
    apart = task.vocab_size > LETTERS or len(parts) > 1
    found = parts if apart else list(text.strip(" ,"))
    for part in found:
        if not re.fullmatch(r"[0-9]{1,9}", part):
            raise AttnprobeError(f"sequence {shown(text)} is not allowed: {shown(part)} is no digit. {_how(task)}")
    return _checked([int(part) for part in found], text, task)


def _numbers(row: Any, task: Task) -> np.ndarray:
    """One sequence that was given as whole numbers."""
    if not _several(row):
        raise AttnprobeError(
            f"sequence {brief(row)} is not allowed: it is neither text nor a row of digits. {_how(task)}"
        )
    digits = []
    for digit in row:
        try:
            if isinstance(digit, (bool, np.bool_)):
                raise TypeError
            digits.append(operator.index(digit))
        except TypeError:
            raise AttnprobeError(
                f"sequence {_shown(row)} is not allowed: {brief(digit)} is no digit. {_how(task)}"
            ) from None
    return _checked(digits, _shown(row), task)


def _checked(digits: list[int], given: str, task: Task) -> np.ndarray:
    name = shown(given) if not given.startswith("[") else given
    for digit in digits:
        if not 0 <= digit < task.vocab_size:
            raise AttnprobeError(
                f"sequence {name} is not allowed: digit {brief(digit)} is outside the alphabet "
                f"0..{task.vocab_size - 1}. {_how(task)}"
            )
    if len(digits) != task.length:
        have = f"{len(digits)} digit{'' if len(digits) == 1 else 's'}"
        raise AttnprobeError(
            f"sequence {name} is not allowed: it has {have}, and sequences of this run have {task.length}. {_how(task)}"
        )
    return np.array(digits, dtype=np.int64)


def _several(row: Any) -> bool:
    return isinstance(row, Iterable) and getattr(row, "ndim", 1) > 0


def _shown(row: Iterable[Any]) -> str:
    """A row of numbers for a message, shortened when it is long."""
    text = f"[{', '.join(str(digit) if isinstance(digit, np.integer) else brief(digit) for digit in row)}]"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _how(task: Task) -> str:
    """What a sequence of this task looks like: its two targets, then the other digits in turn."""
    others = [digit for digit in range(task.vocab_size) if digit not in task.targets]
    turn = [task.targets[0], task.targets[1], *others]
    digits = [str(turn[place % len(turn)]) for place in range(task.length)]
    between = " " if task.vocab_size > LETTERS else ""
    apart = " with spaces or commas between them" if between and task.length > 1 else ""
    plural = "digit" if task.length == 1 else "digits"
    return f"Write {task.length} {plural} from 0 to {task.vocab_size - 1}{apart}, such as {between.join(digits)!r}."
