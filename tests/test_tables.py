"""Tables in a run folder: they come back as they were, or the run says why not."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
from folders import damaged, flip, refusal

import attnprobe as ap
from attnprobe.schema import Column, Schema

SEEDS = [2, 3, 5, 7, 11]
SCHEMA = Schema(
    "planted",
    "seed, digit",
    ("seed", "digit"),
    (
        Column("seed", "int64", "", "the training seed"),
        Column("digit", "int8", "", "a digit"),
        Column("n{a}", "float64", "", "something about digit {a}"),
        Column("kind", "string", "", "a word"),
        Column("sure", "bool", "", "yes or no"),
    ),
)
FRAME = pd.DataFrame(
    {
        "seed": np.array([2, 2, 3], dtype=np.int64),
        "digit": np.array([0, 4, 1], dtype=np.int8),
        "n5": [0.1, np.nan, -3e300],
        "kind": ["a", "b", "a"],
        "sure": [True, False, True],
    }
)


def test_a_table_comes_back_as_it_was(folder) -> None:
    run = ap.open_run(folder)
    run.write_table(SCHEMA, FRAME)
    assert run.tables == ["planted"]
    for reader in (run, ap.open_run(folder)):
        pd.testing.assert_frame_equal(reader.table("planted"), FRAME)
        part = reader.table("planted", columns=["kind", "seed"])
        pd.testing.assert_frame_equal(part[["seed", "kind"]], FRAME[["seed", "kind"]])
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "tables" / "planted.parquet"), FRAME)


def test_the_same_table_has_the_same_bytes(folder) -> None:
    path = folder / "tables" / "planted.parquet"
    ap.open_run(folder).write_table(SCHEMA, FRAME)
    first = path.read_bytes()
    ap.open_run(folder).write_table(SCHEMA, FRAME)
    assert path.read_bytes() == first


def test_a_table_that_is_not_there(folder) -> None:
    run = ap.open_run(folder)
    how = f"Tables are computed by: attnprobe analyze {folder}"
    assert refusal(run.table, "plant") == (f"Table 'plant' is not in {folder}. Computed so far: none. {how}")
    run.write_table(SCHEMA, FRAME)
    assert refusal(run.table, "plant") == (
        f"Table 'plant' is not in {folder}. Did you mean 'planted'? Computed so far: planted. {how}"
    )


def test_a_column_that_is_not_there(folder) -> None:
    run = ap.open_run(folder)
    run.write_table(SCHEMA, FRAME)
    assert refusal(run.table, "planted", columns=["seed", "digits"]) == (
        "Table 'planted' has no column 'digits'. Did you mean 'digit'? Its columns are: seed, digit, n5, kind, sure."
    )


def test_a_table_is_out_of_date_once_seeds_are_added(folder, odd_config) -> None:
    run = ap.open_run(folder)
    run.write_table(SCHEMA, FRAME)
    grown = ap.train(odd_config, [2, 13], folder)
    expected = (
        "Table 'planted' is older than the weights (seeds or steps were added since). "
        f"Tables are computed by: attnprobe analyze {folder}"
    )
    for reader in (grown, ap.open_run(folder)):
        assert reader.tables == []
        assert refusal(reader.table, "planted") == expected
    grown.write_table(SCHEMA, FRAME)
    assert grown.tables == ["planted"]


def test_a_run_that_was_opened_earlier_forgets_no_seeds(folder, odd_config) -> None:
    """Somebody trains more seeds meanwhile; writing to the older run must not take them away."""
    older = ap.open_run(folder)
    ap.train(odd_config, [13], folder)
    with contextlib.suppress(ap.AttnprobeError):  # refusing would do as well
        older.write_table(SCHEMA, FRAME)
    assert ap.open_run(folder).seeds.tolist() == [*SEEDS, 13]


def test_a_frame_that_breaks_its_schema_writes_nothing(folder) -> None:
    run = ap.open_run(folder)
    before = (folder / "run.json").read_bytes()
    with pytest.raises(TypeError):
        run.write_table(SCHEMA, FRAME[::-1])
    assert not (folder / "tables").exists()
    assert (folder / "run.json").read_bytes() == before


def test_a_flipped_bit_in_a_table_is_noticed(folder) -> None:
    ap.open_run(folder).write_table(SCHEMA, FRAME)
    flip(folder / "tables" / "planted.parquet")
    assert refusal(ap.open_run(folder).table, "planted") == damaged(folder / "tables" / "planted.parquet")
