"""Asking a table: rows by a condition on its columns, groups by a column.

What may stand in a condition, and what it means: :mod:`attnprobe.condition`.
"""

from __future__ import annotations

import pandas as pd

from attnprobe.condition import Condition, unknown_column
from attnprobe.errors import AttnprobeError

__all__ = ["STATISTICS", "group", "pick", "where"]

STATISTICS = ("mean", "median", "min", "max", "std", "sum")


def where(frame: pd.DataFrame, expression: str) -> pd.DataFrame:
    """The rows for which an expression on the columns holds.

    Raises
    ------
    AttnprobeError
        When the expression is no such expression, or names a column that is not there.
    """
    return frame[Condition.parse(expression).holds(frame)]


def group(frame: pd.DataFrame, by: str, statistic: str = "mean") -> pd.DataFrame:
    """One row a value of ``by``: the number of rows, and a statistic of each numeric column over them."""
    if by not in frame:
        raise unknown_column(by, list(frame.columns))
    if statistic not in STATISTICS:
        raise AttnprobeError(f"--stat {statistic!r} is not allowed: it must be one of {', '.join(STATISTICS)}.")
    numeric = [name for name in frame.select_dtypes(["number", "bool"]).columns if name not in (by, "seed")]
    groups = frame.groupby(by, sort=True)
    result = groups[numeric].agg(statistic)
    result.insert(0, "rows", groups.size())
    return result.reset_index()


def pick(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Some columns, in the order given."""
    for name in columns:
        if name not in frame:
            raise unknown_column(name, list(frame.columns))
    return frame[columns]
