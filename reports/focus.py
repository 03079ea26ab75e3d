"""How far does attention go to the rule's digits, and do seeds that focus more answer better?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.density import cloud, hexagons
from reports.facts import clearly, fixed_focus, known, n_finite
from reports.figure import Figure, Material
from reports.legend import handles
from reports.marks import seed_groups
from reports.style import error_axis, legend_below, tidy, tints
from reports.words import brackets, estimate, interval, number, places, plural

COLUMNS = ["seed", "focus", "focus_chance", "error_probability", "certified", "failed"]


def data(material: Material) -> pd.DataFrame:
    """Focus and error of each seed."""
    return material["seeds"][COLUMNS]


def draw_focus(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Histogram of focus over seeds, from 0 to 1, with the chance line."""
    a, b = targets
    values = table["focus"].dropna()
    ax.hist(values, bins=np.linspace(0, 1, 51).tolist(), color=tints.distractor, edgecolor=tints.paper, linewidth=0.4)
    chance = table["focus_chance"].iloc[0]
    ax.axvline(chance, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.annotate(
        f"uniform\nattention:\n{number(chance)}",
        (chance, 1),
        (3, -2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=7,
    )
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"focus: expected attention on {a}s and {b}s")
    ax.set_ylabel("seeds")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Focus over seeds")
    return tidy(ax)


def draw_accuracy(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Focus against the exact probability of error; certified seeds at the foot."""
    place = error_axis(ax, table["error_probability"])
    ax.set_xlim(0, 1)
    groups = seed_groups(table)
    cloud(ax, table["focus"], place, groups, dot={"s": 16})
    ax.axvline(table["focus_chance"].iloc[0], color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.set_xlabel("focus")
    ax.set_title("Focus and errors")
    legend_below(ax, 0.45, 1, "upper right", handles=handles(groups), ncols=3, handletextpad=0, columnspacing=0.6)
    return tidy(ax)


def data_uniform(material: Material) -> pd.DataFrame:
    """Focus of each seed, and its accuracy once attention is uniform."""
    focus, seeds = material["focus"], material["seeds"]
    columns = focus[["seed", "focus", "focus_chance", "accuracy_uniform", "accuracy_always_no"]]
    return columns.merge(seeds[["seed", "certified", "failed"]], on="seed")


def draw_uniform(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """What is left without the pattern, against how focused the pattern was."""
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    groups = seed_groups(table)
    corner = {"loc": "lower left", "bbox_to_anchor": (0, 0)}
    cloud(ax, table["focus"], table["accuracy_uniform"], groups, place=corner)
    ax.axhline(table["accuracy_always_no"].iloc[0], color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.axvline(table["focus_chance"].iloc[0], color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.set_xlabel("focus")
    ax.set_ylabel("accuracy, uniform attention")
    ax.set_title("Focus and its worth")
    legend_below(ax, 0.45, 1, "upper right", handles=handles(groups), ncols=3, handletextpad=0, columnspacing=0.4)
    return tidy(ax)


def caption_focus(material: Material) -> str:
    """Mean, median and chance."""
    summary, n = material["summary"], n_finite(material)
    middle = f"Median over {plural(n, 'seed')}" if n > 1 else "In the one seed"
    return (
        f"Focus is the expected share of attention on the digits that the rule names, exact over all inputs. "
        f"{middle}: {estimate(summary, 'focus_median')}, that is {estimate(summary, 'focus_lift_median')} times its "
        f"value under uniform attention.{brackets(summary, 'focus_median')}"
    )


def caption_accuracy(material: Material) -> str:
    """The rank correlation, with its sign in words."""
    summary = material["summary"]
    row = summary.set_index("measure").loc["focus_accuracy_correlation"]
    certified = "; at 0, seeds that are right on every input" if material["seeds"]["certified"].any() else ""
    if np.isnan(row["estimate"]) or fixed_focus(material):
        relation = "Too few seeds differ to say whether focus and accuracy go together."
    else:
        clear = clearly(row, 0)
        sign = "more accurate" if clear > 0 else "less accurate"
        said = f"seeds that focus more are, if anything, {sign}" if clear else "no clear relation"
        relation = f"Rank correlation of focus and accuracy: {interval(row, places)} ({said})."
    return f"Each mark is one seed{certified}. {relation}{hexagons(_drawn(material))}"


def caption_uniform(material: Material) -> str:
    """What the two dashed lines are, and how the two go together."""
    related = not np.isnan(known(material).loc["focus_uniform_correlation", "estimate"])
    relation = f" Rank correlation over seeds: {estimate(material['summary'], 'focus_uniform_correlation', places)}."
    return (
        "Accuracy that is left when every position gets the same attention, against focus; dashed: focus under uniform "
        f"attention, and the accuracy of always saying “no”.{relation if related and not fixed_focus(material) else ''}"
        f"{hexagons(_drawn(material))}"
    )


def _drawn(material: Material) -> int:
    """Seeds with a place in the plane."""
    return int(material["seeds"]["focus"].notna().sum())


FOCUS = Figure("focus", data, draw_focus, caption_focus, size=(4.2, 3.2))
ACCURACY = Figure("focus_and_errors", data, draw_accuracy, caption_accuracy, size=(5.2, 4.0))
UNIFORM = Figure("focus_and_uniform_attention", data_uniform, draw_uniform, caption_uniform, size=(4.2, 3.4))
