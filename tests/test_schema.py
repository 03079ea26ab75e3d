"""What a table promises is checked when it is written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import attnprobe as ap
from attnprobe.schema import DTYPES, Column, Schema

TWO_KEYS = Schema(
    "planted",
    "seed, digit",
    ("seed", "digit"),
    (
        Column("seed", "int64", "", "the training seed"),
        Column("digit", "int8", "", "a digit"),
        Column("loss", "float64", "nats", "a loss"),
    ),
)


def frame(seeds: list, digits: list, loss: object = 0.5) -> pd.DataFrame:
    return pd.DataFrame({"seed": seeds, "digit": np.array(digits, dtype=np.int8), "loss": loss})


def refusal(schema: Schema, bad: pd.DataFrame) -> str:
    with pytest.raises(TypeError) as error:
        schema.table(bad)
    return str(error.value)


def test_a_good_frame_becomes_a_table() -> None:
    table = TWO_KEYS.table(frame([1, 1, 2], [0, 1, 0]))
    assert table.schema.names == ["seed", "digit", "loss"]
    assert table.schema.types == [pa.int64(), pa.int8(), pa.float64()]
    assert table.to_pydict() == {"seed": [1, 1, 2], "digit": [0, 1, 0], "loss": [0.5] * 3}


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_sorted(rows) -> None:
    assert TWO_KEYS.table(frame([1, 1, 2], [0, 1, 0])[:rows]).num_rows == rows


@pytest.mark.parametrize(
    "columns", [["seed", "digit"], ["digit", "seed", "loss"], ["seed", "digit", "loss", "more"], []]
)
def test_other_columns_are_refused(columns) -> None:
    bad = pd.DataFrame({name: [1] for name in columns})
    assert refusal(TWO_KEYS, bad) == (f"table 'planted' has columns {columns}, promised ['seed', 'digit', 'loss']")


@pytest.mark.parametrize(
    ("seeds", "digits"),
    [
        ([1, 1], [0, 0]),  # twice
        ([2, 1], [0, 1]),  # the first key falls
        ([1, 1, 2], [1, 0, 0]),  # the second falls within the first
        ([1, 2, 2, 1], [0, 0, 1, 2]),
        ([1, 2, 2], [5, 1, 1]),
    ],
)
def test_keys_that_do_not_rise_are_refused(seeds, digits) -> None:
    assert refusal(TWO_KEYS, frame(seeds, digits)) == (
        "table 'planted' is not sorted by a unique key ('seed', 'digit')"
    )


def test_the_second_key_may_fall_where_the_first_rises() -> None:
    assert TWO_KEYS.table(frame([1, 2, 3], [9, 4, 0])).num_rows == 3


def test_names_are_keys_too() -> None:
    schema = Schema("words", "word", ("word",), (Column("word", "string", "", "a word"),))
    assert schema.table(pd.DataFrame({"word": ["a", "ab", "b"]})).num_rows == 3
    assert refusal(schema, pd.DataFrame({"word": ["b", "a"]})) == (
        "table 'words' is not sorted by a unique key ('word',)"
    )


@pytest.mark.parametrize(
    ("dtype", "bad"),
    [
        ("int64", [0.5]),
        ("int64", ["1"]),
        ("int64", [np.nan]),
        ("int8", [128]),
        ("int32", [2**31]),
        ("bool", [2]),
        ("bool", ["yes"]),
        ("bool", [None]),
        ("float64", ["1.0"]),
        ("float32", ["x"]),
        ("string", [1]),
        ("string", [b"\xff"]),
    ],
)
def test_values_that_do_not_fit_the_dtype_are_refused(dtype, bad) -> None:
    schema = Schema("planted", "n", ("n",), (Column("n", "int64", "", "number"), Column("x", dtype, "", "tested")))
    message = refusal(schema, pd.DataFrame({"n": range(len(bad)), "x": bad}))
    assert message.startswith("table 'planted' breaks its schema: ")


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back_from_parquet_with_unit_and_meaning(dtype, tmp_path) -> None:
    values = {"bool": [False, True], "string": ["a", "é"]}.get(dtype, [1, 2])
    schema = Schema("planted", "x", ("x",), (Column("x", dtype, "steps", f"a {dtype} that matters"),))
    given = pd.DataFrame({"x": values})
    if dtype != "string":
        given = given.astype(dtype)
    pq.write_table(schema.table(given), tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), given)
    field = pq.read_schema(tmp_path / "x.parquet").field("x")
    assert field.type == DTYPES[dtype]
    assert field.metadata[b"unit"] == b"steps"
    assert field.metadata[b"meaning"] == f"a {dtype} that matters".encode()


def test_metadata_stays_through_a_run_folder(trained_folder, tmp_path) -> None:
    import shutil

    shutil.copytree(trained_folder, tmp_path / "run")
    run = ap.open_run(tmp_path / "run")
    run.write_table(TWO_KEYS, frame([2], [0]))
    field = pq.read_schema(tmp_path / "run" / "tables" / "planted.parquet").field("loss")
    assert field.metadata[b"unit"] == b"nats"
    assert field.metadata[b"meaning"] == b"a loss"


def test_the_digits_of_the_rule_are_filled_in() -> None:
    schema = Schema(
        "planted",
        "counts",
        ("n{a}", "n{b}"),
        (
            Column("n{a}", "int8", "", "how many {a}s, against {b}s"),
            Column("n{b}", "int8", "", "how many {b}s"),
            Column("x", "float64", "nats", "no digit"),
        ),
    )
    filled = schema.for_task(ap.Task(rule="n13 > n7", vocab_size=17))
    assert filled == Schema(
        "planted",
        "counts",
        ("n13", "n7"),
        (
            Column("n13", "int8", "", "how many 13s, against 7s"),
            Column("n7", "int8", "", "how many 7s"),
            Column("x", "float64", "nats", "no digit"),
        ),
    )
    assert filled.names == ["n13", "n7", "x"]
    assert schema.names == ["n{a}", "n{b}", "x"]
