"""Asking a table: what may stand in an expression, and what it means."""

from __future__ import annotations

import pandas as pd
import pytest
from folders import refusal

from attnprobe import query

FRAME = pd.DataFrame({"seed": [2, 3, 5, 7], "x": [0.5, 1.5, -2.0, 4.0], "kind": ["a", "b", "a", "c"]})


@pytest.mark.parametrize(
    ("expression", "seeds"),
    [
        ("x > 1", [3, 7]),
        ("x > 1 and seed < 5", [3]),
        ("x > 1 or not seed < 5", [3, 5, 7]),
        ("(x > 1) & (seed < 5)", [3]),
        ("-1 < x < 2", [2, 3]),
        ("x * 2 + 1 == seed - 3 + 2.0", [2, 3][:0]),
        ("seed % 2 == 1", [3, 5, 7]),
        ("kind == 'a'", [2, 5]),
        ("kind in ['b', 'c']", [3, 7]),
        ("x ** 2 >= 4", [5, 7]),
    ],
)
def test_expressions(expression: str, seeds: list[int]) -> None:
    assert query.where(FRAME, expression)["seed"].tolist() == seeds


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('touch pwned')",
        "x.sum() > 1",
        "x.__class__",
        "[y for y in x]",
        "(lambda: 1)() > 0",
        "f'{x}' == 'a'",
        "x[0] > 1",
        "(y := 3) > 2",
        "x if x else x",
        "{1: 2}",
        "x > 1; import os",
        "@pd.eval('1')",
        "`x` > 1",
        "open('pwned', 'w')",
        "",
    ],
)
def test_anything_else_is_refused_unevaluated(expression: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(query.where, FRAME, expression)
    assert message.startswith(f"--where {expression!r} is not ")
    assert message.endswith("Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'.")
    assert not list(tmp_path.iterdir())


def test_whole_messages() -> None:
    how = "Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'."
    assert refusal(query.where, FRAME, "x + 1") == f"--where 'x + 1' is not a condition: it is not true or false. {how}"
    assert refusal(query.where, FRAME, "sead > 1") == (
        "There is no column 'sead' in this table. Did you mean 'seed'? Its columns are: seed, x, kind."
    )
    assert refusal(query.group, FRAME, "y") == "There is no column 'y' in this table. Its columns are: seed, x, kind."
    assert refusal(query.pick, FRAME, ["x", "y"]) == (
        "There is no column 'y' in this table. Its columns are: seed, x, kind."
    )
    assert refusal(query.group, FRAME, "kind", "mode") == (
        "--stat 'mode' is not allowed: it must be one of mean, median, min, max, std, sum."
    )
    assert refusal(query.where, FRAME, "kind > 1").startswith("--where 'kind > 1' cannot be computed: ")


def test_group_and_pick() -> None:
    found = query.group(FRAME, "kind")
    expected = pd.DataFrame({"kind": ["a", "b", "c"], "rows": [2, 1, 1], "x": [-0.75, 1.5, 4.0]})
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert query.group(FRAME, "kind", "max")["x"].tolist() == [0.5, 1.5, 4.0]
    assert list(query.pick(FRAME, ["x", "seed"]).columns) == ["x", "seed"]
