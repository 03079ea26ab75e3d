"""Differences between two sets of seeds: closed forms, brute force, coverage, and what swapping them changes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as sp

from attnprobe import differences, stats

KINDS = ("share", "mean", "median", "higher")


def places(n: int) -> np.ndarray:
    """The first n of both sets are the same seeds."""
    return np.stack([np.arange(n)] * 2, axis=1)


def holds(yes: int, n: int) -> np.ndarray:
    return np.arange(n) < yes


def seeds(n: int, m: int, s: int, key: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of n and m seeds with ties, of which s are the same seeds and go together."""
    rng = np.random.default_rng(key)
    x, y = rng.normal(size=n), rng.normal(0.3, 1.5, size=m)
    y[:s] = 0.8 * x[:s] + 0.3 * y[:s]
    return np.round(x, 1), np.round(y, 1), places(s)


# --- which seeds are shared ---------------------------------------------------------------------------


def test_overlap_finds_the_places_of_the_shared_seeds() -> None:
    found = differences.overlap(np.array([2, 3, 5, 7]), np.array([11, 7, 1, 3]))
    assert found.tolist() == [[1, 3], [3, 1]]
    assert differences.overlap(np.array([1]), np.array([2])).shape == (0, 2)


# --- shares -------------------------------------------------------------------------------------------


def test_share_is_newcombes_published_example() -> None:
    """56 of 70 beside 48 of 80 (Newcombe 1998, table II, row a): 0.0524 to 0.3339."""
    found = differences.share(holds(56, 70), holds(48, 80))
    assert (round(found.estimate, 4), round(found.ci_low, 4), round(found.ci_high, 4)) == (0.2, 0.0524, 0.3339)
    assert (found.method, found.level, found.n_seeds) == ("Newcombe hybrid score", 0.95, 150)


@pytest.mark.parametrize("cells", [(36, 12, 2, 0), (20, 9, 4, 17), (3, 11, 8, 2), (50, 0, 0, 50), (7, 0, 3, 0)])
def test_share_of_the_same_seeds_is_newcombes_formula(cells: tuple[int, int, int, int]) -> None:
    """Written out once more, from the four cells of the table."""
    e, f, g, h = cells
    n = sum(cells)
    x = np.repeat([True, True, False, False], cells)
    y = np.repeat([True, False, True, False], cells)
    z = 1.959963984540054

    def wilson(k: int) -> tuple[float, float]:
        centre, half = k + z * z / 2, z * math.sqrt(k * (n - k) / n + z * z / 4)
        return (centre - half) / (n + z * z), (centre + half) / (n + z * z)

    p, q = (e + f) / n, (e + g) / n
    (l2, u2), (l3, u3) = wilson(e + f), wilson(e + g)
    size = (e + f) * (g + h) * (e + g) * (f + h)
    product = e * h - f * g
    product = max(product - n / 2, 0) if product > 0 else product
    phi = product / math.sqrt(size) if size else 0
    low = p - q - math.sqrt((p - l2) ** 2 - 2 * phi * (p - l2) * (u3 - q) + (u3 - q) ** 2)
    high = p - q + math.sqrt((u2 - p) ** 2 - 2 * phi * (u2 - p) * (q - l3) + (q - l3) ** 2)
    found = differences.share(x, y, places(n))
    assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx((p - q, low, high), abs=1e-12)
    assert found.method == "Newcombe hybrid score, paired"


def test_share_with_some_shared_seeds_lies_between() -> None:
    """Shared seeds that go together narrow the interval, the more of them there are."""
    x = np.resize([True, True, False], 60)
    found = [differences.share(x, x, places(s)) for s in (0, 30, 60)]
    widths = [one.ci_high - one.ci_low for one in found]
    assert widths[0] > widths[1] > widths[2] > 0


def test_share_takes_as_much_correlation_as_seeds_are_shared() -> None:
    """The two estimates' correlation over many samples, 20 of 30 and of 50 seeds being the same, is that in use."""
    rng = np.random.default_rng(5)
    x = rng.random((40_000, 30)) < 0.4
    y = rng.random((40_000, 50)) < 0.4
    y[:, :20] = np.where(rng.random((40_000, 20)) < 0.7, x[:, :20], y[:, :20])  # phi = 0.7
    seen = np.corrcoef(x.mean(axis=1), y.mean(axis=1))[0, 1]
    assert seen == pytest.approx(0.7 * 20 / math.sqrt(30 * 50), abs=0.02)
    first, second = x[0], y[0]
    found, phi = differences.share(first, second, places(20)), differences._phi(first[:20], second[:20])
    a, b = stats.rate(first), stats.rate(second)
    below, above, r = a.estimate - a.ci_low, b.ci_high - b.estimate, phi * 20 / math.sqrt(30 * 50)
    assert phi > 0.1
    assert found.estimate - found.ci_low == pytest.approx(math.sqrt(below**2 - 2 * r * below * above + above**2))


# --- means --------------------------------------------------------------------------------------------


def test_mean_of_other_seeds_is_welchs() -> None:
    x, y, _ = seeds(11, 17, 0)
    found, welch = differences.mean(x, y), sp.ttest_ind(x, y, equal_var=False).confidence_interval()
    assert (found.ci_low, found.ci_high) == pytest.approx((welch.low, welch.high), rel=1e-12)
    assert (found.estimate, found.method) == (x.mean() - y.mean(), "Student t")


def test_mean_of_the_same_seeds_is_the_paired_one() -> None:
    x, y, shared = seeds(13, 13, 13)
    found, paired = differences.mean(x, y, shared), sp.ttest_rel(x, y).confidence_interval()
    assert (found.ci_low, found.ci_high) == pytest.approx((paired.low, paired.high), rel=1e-9)
    assert found.method == "Student t, paired"


def test_mean_of_seeds_that_all_moved_alike_has_no_width() -> None:
    x = np.array([0.1, 0.7, 0.4, 0.2])
    found = differences.mean(x + 0.25, x, places(4))
    assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx((0.25,) * 3)


# --- medians ------------------------------------------------------------------------------------------


def test_median_of_tied_seeds() -> None:
    """At least half are 0 in both sets, in nearly every resample: the medians do not differ."""
    x, y = np.r_[np.zeros(80), np.arange(20.0)], np.r_[np.zeros(70), np.arange(30.0)]
    found = differences.median(x, y)
    assert (found.estimate, found.ci_low, found.ci_high) == (0, 0, 0)


def test_median_knows_seeds_that_are_worse_than_any() -> None:
    x, y = np.r_[np.arange(19.0), [np.inf] * 2], np.arange(21.0) + 3
    found = differences.median(x, y)
    assert found.estimate == -3
    assert found.ci_low < -3 < found.ci_high
    lost = differences.median(np.full(9, np.inf), y)
    assert math.isnan(lost.estimate)
    assert lost.method == "none: a median is not finite"


# --- probability of being higher ----------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "s"), [(7, 5, 0), (6, 6, 6), (11, 8, 5), (3, 2, 1)])
def test_higher_and_its_variance_are_those_of_all_pairs(n: int, m: int, s: int) -> None:
    x, y, shared = seeds(n, m, s)
    kernel = np.where(x[:, None] > y, 1.0, np.where(x[:, None] == y, 0.5, 0.0))  # brute force: all n m pairs
    p, of_x, of_y = kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)
    variance = of_x.var(ddof=1) / n + of_y.var(ddof=1) / m
    if s > 1:
        variance += 2 * s * np.cov(of_x[:s], of_y[:s])[0, 1] / (n * m)
    found = differences.higher(x, y, shared)
    assert found.estimate == pytest.approx(p)
    assert p == pytest.approx(sp.mannwhitneyu(x, y).statistic / (n * m))
    low, high = (math.log(end / (1 - end)) - math.log(p / (1 - p)) for end in (found.ci_low, found.ci_high))
    assert low == pytest.approx(-high)
    error = math.sqrt(variance) / (p * (1 - p))
    assert high / error > sp.norm.ppf(0.975)  # Student's, which is wider
    if s == 0:
        a, b = of_x.var(ddof=1) / n, of_y.var(ddof=1) / m
        assert high / error == pytest.approx(sp.t.ppf(0.975, (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))))
    if s == n == m:
        assert high / error == pytest.approx(sp.t.ppf(0.975, n - 1))


def test_higher_where_every_seed_is() -> None:
    """With nothing on the wrong side the interval is Newcombe's: at 1, and narrower with more seeds."""
    few = differences.higher(np.arange(5.0) + 10, np.arange(5.0))
    many = differences.higher(np.arange(50.0) + 100, np.arange(50.0))
    assert (few.estimate, few.ci_high, few.method) == (1, 1, "Newcombe score")
    assert 0.5 < few.ci_low < many.ci_low < 1
    for found, n in ((few, 5), (many, 50)):  # the end is where the score statistic is just significant
        t, spare = found.ci_low, n - 1
        variance = t * (1 - t) * (1 + spare * (1 - t) / (2 - t) + spare * t / (1 + t)) / n**2
        assert (1 - t) / math.sqrt(variance) == pytest.approx(1.959963984540054, rel=1e-6)


# --- all of them --------------------------------------------------------------------------------------


@given(
    n=st.integers(6, 30), m=st.integers(6, 30), s=st.integers(0, 6), key=st.integers(0, 99), kind=st.sampled_from(KINDS)
)
def test_swapping_the_sets_changes_the_sign(n: int, m: int, s: int, key: int, kind: str) -> None:
    x, y, shared = seeds(n, m, s, key)
    if kind == "share":
        x, y = x > 0, y > 0
    make = getattr(differences, kind)
    ours, theirs = make(x, y, shared), make(y, x, shared[:, ::-1])
    centre = 1.0 if kind == "higher" else 0.0
    assert ours.estimate == pytest.approx(centre - theirs.estimate, abs=1e-12)
    if kind != "median":  # that is drawn, and with the sets swapped drawn otherwise
        assert ours.ci_low == pytest.approx(centre - theirs.ci_high, abs=1e-9, nan_ok=True)
        assert ours.ci_high == pytest.approx(centre - theirs.ci_low, abs=1e-9, nan_ok=True)
    if not math.isnan(ours.ci_low):
        assert ours.ci_low <= ours.estimate <= ours.ci_high


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_seeds_does_not_matter(kind: str) -> None:
    x, y, shared = seeds(23, 19, 11)
    order = np.random.default_rng(3).permutation(23)
    back = np.argsort(order)
    if kind == "share":
        x, y = x > 0, y > 0
    make = getattr(differences, kind)
    moved = np.stack([back[shared[:, 0]], shared[:, 1]], axis=1)
    ours, theirs = make(x, y, shared), make(x[order], y, moved)
    near = {"abs": 0.15} if kind == "median" else {"rel": 1e-12}
    assert (ours.estimate, ours.method) == (pytest.approx(theirs.estimate), theirs.method)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((theirs.ci_low, theirs.ci_high), **near)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_one_seed_has_no_interval(kind: str) -> None:
    found = getattr(differences, kind)(np.array([2.0]), np.array([1.0, 3.0]))
    assert np.isnan([found.ci_low, found.ci_high]).all()
    assert found.method.startswith("none: needs")
    assert found.n_seeds == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shared", [0, 15, 30])
def test_intervals_cover_the_truth_about_as_often_as_they_say(kind: str, shared: int) -> None:
    """Two populations of seeds that go together; samples of which none, some or all seeds are shared."""
    rng = np.random.default_rng(11)
    x = np.round(rng.gamma(2, size=4_000), 2)
    y = np.round(0.7 * x + 0.6 * rng.gamma(2, size=4_000), 2)
    make = getattr(differences, kind)
    if kind == "share":
        x, y = x > 1.5, y > 1.5
    wins = np.searchsorted(np.sort(y), x, "left") + np.searchsorted(np.sort(y), x, "right")
    truth = {
        "share": x.mean() - y.mean(),
        "mean": x.mean() - y.mean(),
        "median": np.median(x) - np.median(y),
        "higher": wins.mean() / (2 * len(y)),
    }[kind]
    trials = 60 if kind == "median" else 300
    covered = 0
    for _ in range(trials):
        first, second = rng.integers(0, 4_000, 30), rng.integers(0, 4_000, 30)
        second[:shared] = first[:shared]
        found = make(x[first], y[second], places(shared))
        covered += found.ci_low <= truth <= found.ci_high
    low, high = sp.binom.ppf([0.001, 0.999], trials, stats.LEVEL) / trials
    high = 1.0 if kind in ("share", "median") else high  # these are discrete, and cover more often
    assert low <= covered / trials <= high
