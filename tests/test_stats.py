"""Intervals against their closed forms, their coverage, and their honesty where there is none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sp

from attnprobe import stats


@pytest.mark.parametrize(("k", "n"), [(0, 7), (1, 7), (3, 7), (7, 7), (105, 256)])
def test_rate_is_wilsons_closed_form(k: int, n: int) -> None:
    found = stats.rate(np.arange(n) < k)
    z, p = 1.959963984540054, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (found.estimate, found.method, found.level, found.n_seeds) == (p, "Wilson", 0.95, n)
    assert found.ci_low == pytest.approx(max(0, centre - half), abs=1e-12)
    assert found.ci_high == pytest.approx(min(1, centre + half), abs=1e-12)


@pytest.mark.parametrize("n", [6, 7, 11, 53, 256])
def test_median_lies_between_order_statistics_with_binomial_coverage(n: int) -> None:
    x = np.random.default_rng(n).permutation(np.arange(n, dtype=float))
    found = stats.median(x)
    below, above = int(found.ci_low), n - 1 - int(found.ci_high)
    # P(fewer than below + 1 of n values under the median) in each tail
    tails = sum(math.comb(n, k) for k in range(below + 1)) + sum(math.comb(n, k) for k in range(above + 1))
    assert tails / 2**n <= 0.05
    tighter = tails + math.comb(n, below + 1) + math.comb(n, above + 1)
    assert tighter / 2**n > 0.05
    assert found.estimate == np.median(x)


def test_mean_agrees_with_student_on_well_behaved_data_and_repeats() -> None:
    x = np.random.default_rng(0).normal(3, 2, size=211)
    found = stats.mean(x)
    half = sp.t.ppf(0.975, 210) * x.std(ddof=1) / math.sqrt(211)
    assert found.method == "bootstrap BCa"
    assert found.ci_low == pytest.approx(x.mean() - half, abs=0.1 * half)
    assert found.ci_high == pytest.approx(x.mean() + half, abs=0.1 * half)
    assert stats.mean(x) == found


def test_mean_of_many_seeds_is_students_interval() -> None:
    x = np.random.default_rng(1).exponential(size=5_001)
    found = stats.mean(x)
    low, high = sp.t.interval(0.95, 5_000, loc=x.mean(), scale=sp.sem(x))
    assert (found.method, found.ci_low, found.ci_high) == ("Student t", pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("kind", ["rate", "median", "mean"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(kind: str) -> None:
    rng = np.random.default_rng(17)
    trials, covered = 120, 0
    for _ in range(trials):
        if kind == "rate":
            truth, found = 0.3, stats.rate(rng.random(97) < 0.3)
        else:
            truth, found = 1.0, getattr(stats, kind)(rng.normal(1.0, 1.0, size=97))
        covered += found.ci_low <= truth <= found.ci_high
    assert 0.88 <= covered / trials <= 1.0


def test_where_n_is_too_small_the_method_says_so() -> None:
    nan = math.nan
    assert str(stats.mean(np.array([2.0]))) == str(stats.Estimate(2.0, nan, nan, 0.95, "none: needs 2 seeds", 1))
    assert str(stats.mean(np.array([]))) == str(stats.Estimate(nan, nan, nan, 0.95, "none: needs 2 seeds", 0))
    assert stats.median(np.arange(5.0)).method == "none: needs 6 seeds"
    assert stats.correlation(np.arange(4.0), np.arange(4.0)).method == "none: needs 5 seeds that differ"
    assert stats.correlation(np.ones(9), np.arange(9.0)).method == "none: needs 5 seeds that differ"
    assert stats.mean(np.full(9, 0.5)) == stats.Estimate(0.5, 0.5, 0.5, 0.95, "all seeds equal", 9)
    assert stats.mean(np.array([1.0, 1.0, 1.0 + 2e-16, 1.0])).ci_high >= 1.0  # few distinct values: no warning


def test_values_that_are_not_finite_are_left_out_and_not_counted() -> None:
    x = np.array([1.0, np.nan, 2.0, np.inf, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert stats.median(x) == stats.median(np.arange(1.0, 8.0))
    assert stats.median(x).n_seeds == 7


def test_correlation_is_spearmans_with_fishers_interval() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=61)
    y = x + rng.normal(size=61)
    found = stats.correlation(x, y)
    ranks = np.argsort(np.argsort(x)), np.argsort(np.argsort(y))
    r = np.corrcoef(*ranks)[0, 1]
    half = 1.959963984540054 * math.sqrt((1 + r * r / 2) / 58)
    assert found.estimate == pytest.approx(r)
    assert found.ci_low == pytest.approx(math.tanh(math.atanh(r) - half))
    assert found.ci_high == pytest.approx(math.tanh(math.atanh(r) + half))


def test_spread_is_a_naive_loop() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"seed": np.repeat(range(11), 3), "digit": np.tile([0, 1, 2], 11), "b": rng.random(33), "a": rng.random(33)}
    )
    frame.loc[4, "a"] = np.nan
    rows = []
    for measure in ("a", "b"):
        for digit in (0, 1, 2):
            x = frame.loc[frame["digit"] == digit, measure].dropna().to_numpy()
            quantiles = {f"q{round(100 * q):02d}": np.quantile(x, q) for q in (0.05, 0.25, 0.5, 0.75, 0.95)}
            rows.append({"measure": measure, "digit": digit, **quantiles, "n_seeds": len(x), "mean": x.mean()})
    found = stats.spread(frame, ["digit"], ["b", "a"])
    pd.testing.assert_frame_equal(found, pd.DataFrame(rows), check_dtype=False)
    assert stats.spread(frame.iloc[:0], ["digit"], ["b", "a"]).empty
