"""Where are the errors? Error rate given how many of each target digit an input holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patheffects import withStroke

from reports.contrast import letters_in
from reports.figure import Figure, Material
from reports.style import maps, powers, scale_beside, tints
from reports.words import capital, plural, probability, told

LOWEST = 1e-8


def data_all(material: Material) -> pd.DataFrame:
    """Mean and quantiles of the error rate over all seeds, by counts of the two digits."""
    return _data(material, "error_rate")


def data_sound(material: Material) -> pd.DataFrame:
    """The same over the seeds that did not fail."""
    return _data(material, "error_rate_sound")


def _data(material: Material, measure: str) -> pd.DataFrame:
    spread = material["failures_spread"]
    return spread[spread["measure"] == measure].reset_index(drop=True)


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Heat map of the mean error rate, logarithmic; cells without any error have the ground's colour."""
    a, b = (table[f"n{digit}"].to_numpy() for digit in targets)
    size = int(a.max()) + 1
    grid = np.full((size, size), np.nan)
    grid[b, a] = table["mean"]
    shown = np.ma.masked_where(~(grid > 0), grid)
    scale = maps.sequential.with_extremes(bad=tints.paper)
    image = ax.imshow(shown, cmap=scale, norm=LogNorm(LOWEST, 1), origin="lower")
    for x, y, rate in zip(a, b, table["mean"], strict=True):
        if rate == 0:
            ax.text(x, y, "0", ha="center", va="center", fontsize=6.5, color=tints.muted)
        elif size <= 16 and rate > 0:
            text = f"{rate:.0e}".replace("e-0", "e-") if rate < 0.01 else f"{rate:.2f}"
            tint = letters_in(image, rate)
            ax.text(x, y, text.replace("-", "−"), ha="center", va="center", fontsize=5, color=tint)
    steps = np.repeat(np.arange(size) + 0.5, 2)  # the border of the cells where the rule holds
    (border,) = ax.plot(steps, np.concatenate([[-0.5], steps[:-1]]), color=tints.ink, linewidth=0.9, clip_on=False)
    border.set_path_effects([withStroke(linewidth=2.2, foreground=tints.paper)])  # seen on any cell
    ax.text(
        0.8,
        0.98,
        "left of the line\nthe right answer is no",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=6.5,
    )
    ax.set_xlabel(f"number of {targets[0]}s", color=tints.first_text)
    ax.set_ylabel(f"number of {targets[1]}s", color=tints.second_text)
    ax.set_xticks(range(0, size, 1 if size <= 16 else 5))
    ax.set_yticks(range(0, size, 1 if size <= 16 else 5))
    ax.spines[:].set_visible(False)
    ax.set_xlim(-0.5, size - 0.5)
    ax.set_ylim(-0.5, size - 0.5)
    ax.set_title("Where errors are: all seeds")
    powers(scale_beside(ax, image, label="mean error rate over seeds", extend="min").ax.yaxis)
    ax.set_anchor("W")
    return ax


def draw_sound(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """The same picture, for the seeds that did not fail."""
    draw(table, ax, targets)
    ax.set_title("Where errors are: seeds that did not fail")
    return ax


def caption_all(material: Material) -> str:
    """The cell that costs most and how many seeds err at all."""
    seeds = material["seeds"]
    wrong = int((seeds["error_probability"] > 0).sum())
    if wrong == 0:
        return f"All {plural(len(seeds), 'seed')} are right on every input: there is no error to show."
    n, (a, b) = len(seeds), material.targets
    many = (
        f": mean over all {n:,} seeds, failed ones included. {_highest(material, data_all(material))} "
        f"{capital(told(wrong, n, 'errs', 'err', ''))} on some input."
        if n > 1
        else f". {_highest(material, data_all(material))}"
    )
    return f"Probability of a wrong answer given how many {a}s and {b}s an input holds, exact over all inputs{many}"


def caption_sound(material: Material) -> str:
    """The same for the seeds that did not fail."""
    sound = int((~material["seeds"]["failed"]).sum())
    if sound == 0:
        return "Every seed failed, so there is none to show here."
    return f"The same for the {plural(sound, 'seed')} that did not fail. {_highest(material, data_sound(material))}"


def _highest(material: Material, table: pd.DataFrame) -> str:
    worst = table.loc[table["mean"].idxmax()]
    if worst["mean"] == 0:
        return "None of them errs on any input."
    where, mean = cells_in_words(material, table.loc[[worst.name]]), probability(worst["mean"])
    if len(material["seeds"]) == 1:
        return f"Highest {where}: {mean}. Cells with 0: it never errs there."
    return f"Highest {where}: mean {mean}, median {probability(worst['q50'])}. Cells with 0: no seed errs there."


def cells_in_words(material: Material, cells: pd.DataFrame) -> str:
    """Some cells of the count map: ``at n2 = 0, n4 = 0``."""
    a, b = (f"n{digit}" for digit in material.targets)
    return "at " + " or ".join(f"{a} = {x}, {b} = {y}" for x, y in zip(cells[a], cells[b], strict=True))


ALL = Figure("errors_by_count", data_all, draw, caption_all, size=(5.6, 4.6))
SOUND = Figure("errors_by_count_sound", data_sound, draw_sound, caption_sound, size=(5.6, 4.6))
