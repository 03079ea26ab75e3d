"""Values of one kind, one a row or a single one, and what can be computed from two of them.

Numbers are computed and compared as numpy and pandas do: in double precision as soon as one of two is not whole;
x / 0 is infinite or not-a-number; not-a-number compares false to everything, and unequal to everything. Whole numbers
stay whole under ``+ - * **`` and, where the divisor is a constant other than 0, ``//`` and ``%``; where they would
leave 64 bits there is an error and no wrapped number. So whether a value is whole is known without looking at rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "NUMBER",
    "TEXT",
    "TRUTH",
    "BeyondError",
    "Value",
    "column",
    "compare",
    "compute",
    "constant",
    "is_text",
    "member",
]

NUMBER, TRUTH, TEXT = "a number", "true or false", "text"

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "//": np.floor_divide,
    "%": np.remainder,
    "**": np.power,
}


class BeyondError(ArithmeticError):
    """A whole number that does not fit into 64 bits."""


@dataclass(frozen=True, eq=False)
class Value:
    """Values of one kind: int64, float64, bool, or text as objects; (rows,), or () for a single one."""

    kind: str
    data: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether these are whole numbers."""
        return self.data.dtype.kind == "i"

    def numbers(self) -> np.ndarray:
        """Of numbers and truths: the numbers, or 1 for true and 0 for false."""
        return self.data.astype(np.int64) if self.kind == TRUTH else self.data


def constant(value: bool | int | float | str) -> Value:
    """A single value."""
    if isinstance(value, bool):
        return Value(TRUTH, np.asarray(value))
    if isinstance(value, int):
        return Value(NUMBER, np.asarray(value, dtype=np.int64))
    if isinstance(value, float):
        return Value(NUMBER, np.asarray(value, dtype=np.float64))
    text = np.empty((), dtype=object)  # an array of numpy's own text would drop NULs at the end
    text[()] = value
    return Value(TEXT, text)


def column(values: pd.Series) -> Value | None:
    """The values of a column, or nothing where it holds neither numbers nor truths nor text."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "b":
        return Value(TRUTH, values.to_numpy())
    if isinstance(dtype, np.dtype) and (dtype.kind == "i" or (dtype.kind == "u" and dtype.itemsize < 8)):
        return Value(NUMBER, values.to_numpy(dtype=np.int64))
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return Value(NUMBER, values.to_numpy(dtype=np.float64))
    if is_text(values):
        return Value(TEXT, values.to_numpy(dtype=object))
    return None


def is_text(values: pd.Series) -> bool:
    """Whether a column holds text, or nothing."""
    return pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty")


def compare(sign: str, a: Value, b: Value) -> np.ndarray:
    """Whether two values of a kind (a truth is a number, too) stand so: bool."""
    if a.kind != TEXT:
        return np.asarray(COMPARISONS[sign](a.numbers(), b.numbers()))
    missing = pd.isna(a.data) | pd.isna(b.data)
    if not missing.any():
        return np.asarray(COMPARISONS[sign](a.data, b.data), dtype=bool)
    held = [np.where(missing, "", value.data) for value in (a, b)]
    return np.where(missing, sign == "!=", np.asarray(COMPARISONS[sign](*held), dtype=bool))


def member(a: Value, values: Sequence[bool | int | float | str]) -> np.ndarray:
    """Whether a value is among single ones of its kind: bool."""
    if a.kind == TEXT:
        texts = set(values)
        return np.array([each in texts for each in a.data.ravel()], dtype=bool).reshape(a.data.shape)
    if not values:
        return np.zeros(a.data.shape, dtype=bool)
    whole = not any(isinstance(value, float) for value in values)
    numbers = np.sort(np.array(values, dtype=np.int64 if whole else np.float64))
    place = np.minimum(np.searchsorted(numbers, a.numbers()), len(numbers) - 1)
    return np.asarray(numbers[place] == a.numbers())


def compute(sign: str, a: Value, b: Value) -> Value:
    """Two numbers, added or the like.

    Raises
    ------
    BeyondError
        When a whole number leaves 64 bits.
    """
    if a.whole and b.whole and sign != "/":
        return Value(NUMBER, np.asarray(_whole(sign, a.data, b.data)))
    return Value(NUMBER, np.asarray(ARITHMETIC[sign](a.data.astype(np.float64), b.data.astype(np.float64))))


def _whole(sign: str, a: np.ndarray, b: np.ndarray) -> Any:
    """The same of whole numbers: int64, or float64 where a divisor may be 0 or an exponent below it."""
    about = ARITHMETIC[sign](a.astype(np.float64), b.astype(np.float64))
    if sign in ("//", "%") and (b.ndim or b == 0):
        exact = ARITHMETIC[sign](a, np.where(b == 0, 1, b))
        return np.where((b == 0) | _wrapped(exact, about), about, exact)
    if sign == "**" and (b.ndim or b < 0):
        return about
    exact = ARITHMETIC[sign](a, b)
    if sign != "%" and _wrapped(exact, about).any():
        raise BeyondError
    return exact


def _wrapped(exact: Any, about: Any) -> Any:
    """Where a result was cut to 64 bits: then it is off by 2^64 at least, and double precision never by 2^62."""
    return np.abs(np.asarray(exact, dtype=np.float64) - about) >= 2.0**62
