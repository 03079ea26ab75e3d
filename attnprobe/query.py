"""Asking a table: rows by an expression on its columns, groups by a column.

An expression is checked before pandas sees it: names of columns, numbers, text, comparisons, arithmetic and
boolean operators, nothing else. So an expression from a stranger can compute, but not reach out.
"""

from __future__ import annotations

import ast

import pandas as pd

from attnprobe.errors import AttnprobeError, did_you_mean

__all__ = ["STATISTICS", "group", "pick", "where"]

STATISTICS = ("mean", "median", "min", "max", "std", "sum")

ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub, ast.UAdd,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip
HOW = "Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'."


def where(frame: pd.DataFrame, expression: str) -> pd.DataFrame:
    """The rows for which an expression on the columns holds.

    Raises
    ------
    AttnprobeError
        When the expression is no such expression, or names a column that is not there.
    """
    _check(expression, list(frame.columns))
    try:
        holds = frame.eval(expression, engine="python")
    except Exception as error:
        raise AttnprobeError(f"--where {expression!r} cannot be computed: {error}. {HOW}") from None
    if not isinstance(holds, pd.Series) or holds.dtype != bool:
        raise AttnprobeError(f"--where {expression!r} is not a condition: it is not true or false. {HOW}")
    return frame[holds]


def group(frame: pd.DataFrame, by: str, statistic: str = "mean") -> pd.DataFrame:
    """One row a value of ``by``: the number of rows, and a statistic of each numeric column over them."""
    if by not in frame:
        raise _unknown(by, list(frame.columns))
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
            raise _unknown(name, list(frame.columns))
    return frame[columns]


def _check(expression: str, columns: list[str]) -> None:
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        raise AttnprobeError(f"--where {expression!r} is not an expression. {HOW}") from None
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            raise AttnprobeError(
                f"--where {expression!r} is not allowed: only columns, numbers, text, comparisons, arithmetic and "
                f"and/or/not may stand there, not {ast.unparse(node)!r}. {HOW}"
            )
        if isinstance(node, ast.Name) and node.id not in columns:
            raise _unknown(node.id, columns)


def _unknown(name: str, columns: list[str]) -> AttnprobeError:
    return AttnprobeError(
        f"There is no column {name!r} in this table.{did_you_mean(name, columns)} "
        f"Its columns are: {', '.join(columns)}."
    )
