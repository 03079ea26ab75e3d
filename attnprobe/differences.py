"""What differs between two sets of seeds, some of which they may share: estimates with intervals.

x (n,) and y (m,) hold one number a seed. Of these, s seeds are in both: ``shared`` (s, 2) holds their places in x and
y. None shared is the unpaired case, all shared the paired one; what lies between uses every seed too, because

    cov(estimate of x, estimate of y)  comes from the s shared seeds alone,

so that each difference below is that of the two estimates themselves, and its interval takes the shared seeds together.
"Higher" always means that x is higher.

    share     p_x - p_y            Newcombe's hybrid score: Wilson's two intervals, combined
    mean      mean(x) - mean(y)    Student's t with the covariance of the shared seeds
    median    med(x) - med(y)      percentile bootstrap of seeds
    higher    P(X > Y) + P(X = Y) / 2, of a random seed of x beside an independent random seed of y

The last is Agarwal et al.'s probability of improvement (2021, arXiv:2108.13264) where more is better, and Mann and
Whitney's U over n m; 2 P - 1 is Cliff's delta (1993, doi:10.1037/0033-2909.114.3.494). It asks the same whether or not
seeds are shared: only its interval changes.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize
from scipy import stats as distributions

from attnprobe import stats
from attnprobe.stats import LEVEL, Estimate

__all__ = ["higher", "mean", "median", "overlap", "share"]

FEWEST_FOR_MEDIAN = 6  # as for one set: fewer have no interval at this level
DRAWS = 5_000_000  # seeds drawn in all resamples together, which keeps large runs quick
RESAMPLES = 1_000, 9_999  # fewest and most
BLOCK = 2_000_000  # seeds drawn at a time
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
ROUNDING = 1e-12
Z = float(distributions.norm.ppf(TAILS[1]))

NONE_SHARED = np.empty((0, 2), dtype=np.int64)


def overlap(x_seeds: np.ndarray, y_seeds: np.ndarray) -> np.ndarray:
    """Places (s, 2), int64, in the two arrays of distinct seeds of those that are in both."""
    _, first, second = np.intersect1d(x_seeds, y_seeds, assume_unique=True, return_indices=True)
    return np.stack([first, second], axis=1).astype(np.int64)


def share(x: np.ndarray, y: np.ndarray, shared: np.ndarray = NONE_SHARED) -> Estimate:
    """Difference of the shares of seeds for which something holds (bool arrays), with Newcombe's hybrid score interval.

    With Wilson's intervals (l, u) of both shares and the correlation r of the two estimates,

        lower = d - sqrt((p_x - l_x)^2 - 2 r (p_x - l_x)(u_y - p_y) + (u_y - p_y)^2)

    and the upper end likewise. Where no seed is shared r is 0; where all are it is the phi coefficient, with Newcombe's
    correction for continuity; where s are, phi of those times s / sqrt(n m).

    Source: Newcombe 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I (unpaired)
    and method 10, doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C (paired).
    """
    a, b = stats.rate(x), stats.rate(y)
    difference = a.estimate - b.estimate
    weight = len(shared) / math.sqrt(len(x) * len(y))
    r = weight * _phi(x[shared[:, 0]], y[shared[:, 1]])
    below = _hypotenuse(a.estimate - a.ci_low, b.ci_high - b.estimate, r)
    above = _hypotenuse(a.ci_high - a.estimate, b.estimate - b.ci_low, r)
    method = "Newcombe hybrid score" + (", paired" if len(shared) else "")
    return Estimate(difference, difference - below, difference + above, LEVEL, method, len(x) + len(y) - len(shared))


def mean(x: np.ndarray, y: np.ndarray, shared: np.ndarray = NONE_SHARED) -> Estimate:
    """Difference of means (finite arrays), with Student's interval.

    It is Welch's where no seed is shared, the paired one where all are, and Derrick et al.'s between. (Skew of the two
    sets cancels in a difference: this interval covers as well as a BCa bootstrap or better, see docs/compare.md.)

    Source: Derrick et al. 2017, doi:10.22237/jmasm/1493597280.
    """
    n = len(x) + len(y) - len(shared)
    difference = float(np.mean(x) - np.mean(y)) if len(x) and len(y) else math.nan
    if min(len(x), len(y)) < 2:
        return Estimate(difference, math.nan, math.nan, LEVEL, "none: needs 2 seeds in each", n)
    error, freedom = _standard_error(x, y, shared, sign=-1)
    half = float(distributions.t.ppf(TAILS[1], freedom)) * error
    return Estimate(difference, difference - half, difference + half, LEVEL, f"Student t{_paired(shared)}", n)


def median(x: np.ndarray, y: np.ndarray, shared: np.ndarray = NONE_SHARED) -> Estimate:
    """Difference of medians, with the percentile bootstrap, which stands ties.

    Entries may be infinite (a seed that is worse than any); where a median is, the difference has no value.

    Source: Efron 1979, doi:10.1214/aos/1176344552.
    """
    n = len(x) + len(y) - len(shared)
    with np.errstate(invalid="ignore"):
        difference = float(np.median(x) - np.median(y)) if len(x) and len(y) else math.nan
    if not math.isfinite(difference):
        return Estimate(math.nan, math.nan, math.nan, LEVEL, "none: a median is not finite", n)
    if min(len(x), len(y)) < FEWEST_FOR_MEDIAN:
        return Estimate(difference, math.nan, math.nan, LEVEL, "none: needs 6 seeds in each", n)
    estimates = _bootstrap_median(x, y, shared)
    if np.isnan(estimates).any():  # resamples of which both medians are infinite
        return Estimate(difference, math.nan, math.nan, LEVEL, "none: too many seeds are not finite", n)
    low, high = np.quantile(estimates, TAILS, method="inverted_cdf")
    return Estimate(difference, float(low), float(high), LEVEL, f"bootstrap percentile{_paired(shared)}", n)


def higher(x: np.ndarray, y: np.ndarray, shared: np.ndarray = NONE_SHARED) -> Estimate:
    """P(X > Y) + P(X = Y) / 2, with an interval on the scale of its logit, which stays between 0 and 1.

    With V_i and W_j the share of the other set's seeds that x_i is above, and y_j below (half for ties),

        variance = var(V) / n + var(W) / m + 2 s cov(V, W) / (n m),    the covariance over shared seeds.

    Where no seed of one set is on the wrong side of any of the other, that is 0, and the interval is Newcombe's, which
    takes all seeds as independent.

    Source: DeLong et al. 1988, doi:10.2307/2531595 (V and W); Konietschko et al. 2012, doi:10.1016/j.csda.2011.03.022
    (seeds in both and seeds in one); Newcombe 2006, method 5, doi:10.1002/sim.2324.
    """
    n = len(x) + len(y) - len(shared)
    if not len(x) or not len(y):
        return Estimate(math.nan, math.nan, math.nan, LEVEL, "none: needs 2 seeds in each", n)
    above, below = _placements(x, y), 1 - _placements(y, x)
    p = float(np.mean(above))
    if min(len(x), len(y)) < 2:
        return Estimate(p, math.nan, math.nan, LEVEL, "none: needs 2 seeds in each", n)
    if p in (0.0, 1.0):
        low, high = _newcombe(p, len(x), len(y))
        return Estimate(p, low, high, LEVEL, "Newcombe score, as if unpaired" if len(shared) else "Newcombe score", n)
    error, freedom = _standard_error(above, below, shared)
    if error == 0:
        return Estimate(p, math.nan, math.nan, LEVEL, "none: no variation over seeds", n)
    half = float(distributions.t.ppf(TAILS[1], freedom)) * error / (p * (1 - p))
    low, high = (1 / (1 + math.exp(-(math.log(p / (1 - p)) + side * half))) for side in (-1, 1))
    return Estimate(p, low, high, LEVEL, f"DeLong, logit{_paired(shared)}", n)


# --- shares ----------------------------------------------------------------------------------------


def _phi(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation of two bool arrays, corrected for continuity where it is positive; 0 where it is undefined."""
    both, first, second, neither = (int(np.sum(cell)) for cell in (x & y, x & ~y, ~x & y, ~x & ~y))
    size = (both + first) * (second + neither) * (both + second) * (first + neither)
    if size == 0:
        return 0.0
    product = both * neither - first * second
    return (max(product - len(x) / 2, 0.0) if product > 0 else product) / math.sqrt(size)


def _hypotenuse(a: float, b: float, r: float) -> float:
    return math.sqrt(max(a * a - 2 * r * a * b + b * b, 0.0))


# --- means and medians -----------------------------------------------------------------------------


def _standard_error(x: np.ndarray, y: np.ndarray, shared: np.ndarray, sign: int = 1) -> tuple[float, float]:
    """Standard error of mean(x) + sign mean(y), and its degrees of freedom by Derrick et al."""
    n, m, s = len(x), len(y), len(shared)
    of_x, of_y = float(np.var(x, ddof=1)) / n, float(np.var(y, ddof=1)) / m
    together = float(np.cov(x[shared[:, 0]], y[shared[:, 1]])[0, 1]) if s > 1 else 0.0
    if of_x + of_y == 0:
        return 0.0, float(n + m - 2)
    variance = of_x + of_y + 2 * sign * s * together / (n * m)
    if variance < ROUNDING * (of_x + of_y):  # every paired seed moved by the same
        variance = 0.0
    welch = (of_x + of_y) ** 2 / (of_x**2 / (n - 1) + of_y**2 / (m - 1))
    s = s if s > 1 else 0
    freedom = s - 1 + (welch - s + 1) / (n + m) * (n + m - 2 * s)
    return math.sqrt(variance), max(freedom, 1.0)


def _bootstrap_median(x: np.ndarray, y: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Differences (B,) of medians in resamples of seeds: those in both, only in x, only in y, each by themselves."""
    rng = np.random.default_rng(0)
    (x_both, x_only), (y_both, y_only) = _parts(x, shared[:, 0]), _parts(y, shared[:, 1])
    total = len(shared) + len(x_only) + len(y_only)
    resamples = int(np.clip(DRAWS // total, *RESAMPLES))
    differences = []
    for start in range(0, resamples, max(1, BLOCK // total)):
        b = min(max(1, BLOCK // total), resamples - start)
        both, of_x, of_y = (rng.integers(0, max(n, 1), (b, n)) for n in (len(shared), len(x_only), len(y_only)))
        first, second = np.hstack([x_both[both], x_only[of_x]]), np.hstack([y_both[both], y_only[of_y]])
        with np.errstate(invalid="ignore"):
            differences.append(np.median(first, axis=1) - np.median(second, axis=1))
    return np.concatenate(differences)


def _parts(x: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers at some places, and all others."""
    return x[places], np.delete(x, places)


def _paired(shared: np.ndarray) -> str:
    return ", paired" if len(shared) else ""


# --- which is higher -------------------------------------------------------------------------------


def _placements(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each of x the share of y that it is above, half for ties: float64 (n,)."""
    y = np.sort(y)
    return np.asarray((np.searchsorted(y, x, "left") + np.searchsorted(y, x, "right")) / (2 * len(y)))


def _newcombe(p: float, n: int, m: int) -> tuple[float, float]:
    """Where |p - theta| = z sqrt(V(theta)), with Hanley and McNeil's variance for exponential distributions."""

    def variance(theta: float) -> float:
        spare = (n + m) / 2 - 1
        factor = 1 + spare * (1 - theta) / (2 - theta) + spare * theta / (1 + theta)
        return theta * (1 - theta) * factor / (n * m)

    def excess(theta: float) -> float:
        return abs(p - theta) - Z * math.sqrt(variance(theta))

    inner = float(optimize.brentq(excess, 1e-12, 1 - 1e-12))
    return (0.0, inner) if p == 0 else (inner, 1.0)
