"""``attnprobe query``: the same rows as CSV, JSON, Parquet and as a table for people."""

from __future__ import annotations

import io
import json
import subprocess

import numpy as np
import pandas as pd
import planted
import pytest
from commands import argv

import analyses
import attnprobe as ap


def test_csv_is_clean_in_a_pipe(attnprobe, demo, small_run) -> None:
    said = attnprobe("query", "demo", "seeds")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1 + 7
    found = pd.read_csv(io.StringIO(said.out))
    pd.testing.assert_frame_equal(found, small_run.table("seeds"), check_exact=True)


def test_json_is_what_the_table_says(attnprobe, here) -> None:
    """Small probabilities keep their digits: those of errors are where the interest lies."""
    config = planted.settings(vocab_size=3, rule="n2 > n1", length=23)
    run = planted.write(here / "three", config, [planted.constant(config)])
    analyses.write(run, ["failures"])
    said = attnprobe("query", "three", "failures", "--format", "json")
    assert (said.code, said.err) == (0, "")
    table = run.table("failures")
    assert 0 < table["error_probability"][table["error_probability"] > 0].min() < 1e-10
    pd.testing.assert_frame_equal(pd.DataFrame(json.loads(said.out)), table, check_dtype=False, rtol=1e-14, atol=0)


def test_parquet_in_a_pipe_and_a_file(attnprobe, demo, here, small_run) -> None:
    assert attnprobe("query", "demo", "digits", "--format", "parquet").code == 0
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(attnprobe.raw)), small_run.table("digits"))
    said = attnprobe("query", "demo", "digits", "--where", "is_target", "--out", "targets.parquet")
    assert said == (0, "", "14 rows written to targets.parquet\n")
    table = small_run.table("digits")
    expected = table[table["is_target"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(here / "targets.parquet"), expected)


@pytest.mark.parametrize("ending", ["csv", "json", "PARQUET"])
def test_out_follows_the_ending(attnprobe, demo, here, ending: str) -> None:
    words = ("query", "demo", "digits", "--by", "digit", "--stat", "median", "--columns", "digit, rows,score")
    assert attnprobe(*words, "--out", f"found.{ending}") == (0, "", f"5 rows written to found.{ending}\n")
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[ending.lower()]
    found = read(here / f"found.{ending}")
    assert list(found.columns) == ["digit", "rows", "score"]
    assert found["rows"].tolist() == [7] * 5
    by_hand = ap.open_run(demo).table("digits").groupby("digit")["score"].median()
    np.testing.assert_allclose(found["score"], by_hand, rtol=1e-12)


def test_a_table_for_people(attnprobe, demo) -> None:
    said = attnprobe("query", "demo", "seeds", "--format", "table", "--columns", "seed,status,steps")
    assert said.out.splitlines()[:2] == [" seed  status  steps", "    2 trained     60"]
    said = attnprobe("query", "demo", "attention_maps", "--format", "table")
    assert said.err == "(4,900 rows, 40 shown; --format csv gives all)\n"
    assert len(said.out.splitlines()) == 42


def test_a_pipe_that_is_closed_early_is_no_error(demo, here) -> None:
    """As ``head`` does; here even before the first byte, so that the very first write meets a closed pipe."""
    writer = subprocess.Popen(
        argv("query", "demo", "attention_maps"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=here
    )
    writer.stdout.close()
    with writer.stderr as errors:
        assert errors.read() == b""
    assert writer.wait(60) == 0
