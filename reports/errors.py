"""Where are the errors? Error rate given how many of each target digit an input holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from reports.figure import Figure, Material
from reports.style import FIRST, INK, SECOND, sequential
from reports.words import plural, probability

LOWEST = 1e-6


def data(material: Material) -> pd.DataFrame:
    """Mean and quantiles over seeds of the error rate, by counts of the two digits."""
    return material["failures_spread"].drop(columns=["measure"])


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Heat map of the mean error rate, logarithmic; cells without any error are white."""
    a, b = (table[f"n{digit}"].to_numpy() for digit in targets)
    size = int(a.max()) + 1
    grid = np.full((size, size), np.nan)
    grid[b, a] = table["mean"]
    shown = np.ma.masked_where(~(grid > 0), grid)
    image = ax.imshow(shown, cmap=sequential.with_extremes(bad="white"), norm=LogNorm(LOWEST, 1), origin="lower")
    for x, y, rate in zip(a, b, table["mean"], strict=True):
        if rate == 0:
            ax.text(x, y, "0", ha="center", va="center", fontsize=6.5, color="#595959")
        elif size <= 16:
            text = f"{rate:.0e}".replace("e-0", "e-") if rate < 0.01 else f"{rate:.2f}"
            ax.text(x, y, text.replace("-", "−"), ha="center", va="center", fontsize=5, color="white" if rate > 0.02 else INK)
    ax.plot([-0.5, size - 0.5], [-0.5, size - 0.5], color=INK, linewidth=0.8)
    ax.text(0.98, 0.985, "above the line or on it: the right answer is no", transform=ax.transAxes, ha="right", va="top", fontsize=7)
    ax.set_xlabel(f"number of {targets[0]}s", color=FIRST)
    ax.set_ylabel(f"number of {targets[1]}s", color=SECOND)
    ax.set_xticks(range(0, size, 1 if size <= 16 else 5))
    ax.set_yticks(range(0, size, 1 if size <= 16 else 5))
    ax.spines[:].set_visible(False)
    ax.set_title("Where errors are")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85, label="mean error rate over seeds", extend="min")
    bar.outline.set_visible(False)
    return ax


def caption(material: Material) -> str:
    """The cell that costs most and how many seeds err at all."""
    failures, seeds = material["failures"], material["seeds"]
    a, b = (f"n{digit}" for digit in material.targets)
    wrong = int((seeds["error_probability"] > 0).sum())
    if wrong == 0:
        return f"All {plural(len(seeds), 'seed')} are right on every input: there is no error to show."
    table = data(material)
    worst = table.loc[table["mean"].idxmax()]
    return (
        f"Probability of a wrong answer given how many {material.targets[0]}s and {material.targets[1]}s an input holds: "
        f"mean over all {plural(len(seeds), 'seed')}, failed ones included; exact over all inputs. "
        f"{plural(wrong, 'seed')} err on some input. "
        f"The rate is highest, {probability(worst['mean'])}, with {int(worst[a])} and {int(worst[b])}; the median seed there "
        f"errs at a rate of {probability(worst['q50'])}. White cells with 0: no seed errs there. "
        f"Counts come from {len(failures):,} rows of the table failures."
    )


FIGURE = Figure("errors_by_count", data, draw, caption, size=(5.6, 4.6))
