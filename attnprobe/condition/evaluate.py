"""What a condition says of each row.

The kind of every part (a number, true or false, text) follows from the columns' dtypes and the operators alone. So a
condition is checked on no row at all, first, and then computed in blocks of rows, which bounds the memory that it takes
whatever it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd

from attnprobe.condition.tree import (
    Both,
    Column,
    Compare,
    Constant,
    Either,
    Member,
    Node,
    Not,
    Operation,
    Sign,
)
from attnprobe.condition.values import (
    NUMBER,
    TEXT,
    TRUTH,
    BeyondError,
    Value,
    column,
    compare,
    compute,
    constant,
    is_text,
    member,
)
from attnprobe.condition.words import refused
from attnprobe.errors import AttnprobeError, did_you_mean, shown

__all__ = ["evaluate", "unknown_column"]

BLOCK = 65_536  # rows
OTHER = "holds neither numbers nor text nor true or false"
MISSING = " A missing number is unequal to itself: x != x finds it."
HINTS = {
    **dict.fromkeys(("None", "nan", "NaN", "null"), MISSING),
    **dict.fromkeys(("true", "TRUE"), " Write True."),
    **dict.fromkeys(("false", "FALSE"), " Write False."),
}


def evaluate(tree: Node, text: str, columns: Sequence[str], frame: pd.DataFrame) -> np.ndarray:
    """Whether the condition holds, for each row of a frame: bool (rows,)."""
    if not columns:
        raise refused(text, "is not a condition on columns: it names none")
    for name in columns:
        if name not in frame:
            raise unknown_column(name, list(frame.columns))
        if not isinstance(frame[name], pd.Series):
            raise refused(text, f"cannot be computed: there are several columns {name!r}")
        if frame[name].dtype == object and not is_text(frame[name]):
            raise refused(text, f"cannot be computed: {name!r} {OTHER}")
    found = np.empty(len(frame), dtype=bool)
    with np.errstate(all="ignore"):  # what double precision says of 1 / 0 is meant
        for start, stop in [(0, 0), *((at, at + BLOCK) for at in range(0, len(frame), BLOCK))]:
            result = Rows(text, {name: frame[name].iloc[start:stop] for name in columns}).value(tree)
            if result.kind != TRUTH:
                raise refused(text, "is not a condition: it is not true or false")
            found[start:stop] = result.data
    return found


def unknown_column(name: str, columns: list[str]) -> AttnprobeError:
    """The error to raise where a column is not there."""
    hint = HINTS.get(name) or did_you_mean(name, columns)
    return AttnprobeError(
        f"There is no column {shown(name)} in this table.{hint} Its columns are: {', '.join(columns)}."
    )


class Rows:
    """Some rows, of which the parts of a condition say something."""

    def __init__(self, text: str, columns: Mapping[str, pd.Series]) -> None:
        self.text = text
        self.columns = columns

    def value(self, node: Node) -> Value:
        """The values of a part."""
        match node:
            case Constant():
                return constant(node.value)
            case Column():
                return self.column(node)
            case Sign():
                return self.computed("*", constant(int(f"{node.sign}1")), self.wanted(node.operand), node)
            case Operation():
                total = self.wanted(node.first)
                for sign, operand in node.rest:
                    total = self.computed(sign, total, self.wanted(operand), node)
                return total
            case Compare():
                return Value(TRUTH, self.compared(node))
            case Member():
                return Value(TRUTH, self.among(node))
            case Not():
                return Value(TRUTH, ~self.truth(node.operand, " (~ needs parentheses, as in ~(focus > 0.5))"))
            case Both():
                return Value(TRUTH, reduce(np.logical_and, map(self.truth, node.parts)))
            case Either():
                return Value(TRUTH, reduce(np.logical_or, map(self.truth, node.parts)))

    def column(self, node: Column) -> Value:
        found = column(self.columns[node.name])
        if found is None:
            raise self.impossible(f"{node.name!r} {OTHER}")
        return found

    def wanted(self, node: Node) -> Value:
        """A part that must be a number."""
        found = self.value(node)
        if found.kind != NUMBER:
            raise self.impossible(f"{self.source(node)} is {found.kind}, and arithmetic takes numbers")
        return found

    def truth(self, node: Node, hint: str = "") -> np.ndarray:
        """A part that must be true or false."""
        found = self.value(node)
        if found.kind != TRUTH:
            raise self.impossible(
                f"{self.source(node)} is {found.kind}, and and/or/not take what is true or false{hint}"
            )
        return found.data

    def computed(self, sign: str, a: Value, b: Value, node: Sign | Operation) -> Value:
        try:
            return compute(sign, a, b)
        except BeyondError:
            raise self.impossible(
                f"{self.source(node)} leaves the whole numbers of 64 bits; "
                "with a point, as in 2.0, one of them makes it double precision"
            ) from None

    def compared(self, node: Compare) -> np.ndarray:
        """Each neighbouring pair compared, and all of them."""
        before, found = node.first, []
        for sign, after in node.rest:
            a, b = self.value(before), self.value(after)
            self.alike(before, a, after, b)
            found.append(compare(sign, a, b))
            before = after
        return reduce(np.logical_and, found)

    def among(self, node: Member) -> np.ndarray:
        """Whether a value is in a list."""
        a = self.value(node.operand)
        for each in {type(each.value): each for each in node.values}.values():  # one of each kind says it
            self.alike(node.operand, a, each, constant(each.value))
        return member(a, [each.value for each in node.values]) ^ node.absent

    def alike(self, one: Node, a: Value, other: Node, b: Value) -> None:
        """Text is compared with text, all else with all else."""
        if (a.kind == TEXT) != (b.kind == TEXT):
            raise self.impossible(
                f"{self.source(one)} is {a.kind} and {self.source(other)} is {b.kind}; text is compared with text alone"
            )

    def source(self, node: Node) -> str:
        start, stop = node.span
        return shown(self.text[start:stop])

    def impossible(self, why: str) -> AttnprobeError:
        return refused(self.text, f"cannot be computed: {why}")
