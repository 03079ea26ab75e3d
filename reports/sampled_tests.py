"""What would a sampled test set have said? Seeds that pass, pairs that tie, and how far accuracy would be off."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from reports.figure import Figure, Material
from reports.marks import SAMPLED
from reports.style import empty, log_axis, tidy
from reports.words import percent, plural, probability

SIZE = 10_000  # of the test set that captions speak of


def data_tests(material: Material) -> pd.DataFrame:
    """What sampled test sets would have said."""
    return material["sampled_tests"]


def draw_tests(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Seeds that err and pass, and pairs that tie, over the size of the test set."""
    lines = (
        ("passed_wrongly", "seeds that err and pass,\nof those that err"),
        ("pair_tied", "pairs of seeds that tie,\nof those that differ"),
        ("share_certified", "certified seeds,\nof all (exact)"),
    )
    for column, label in lines:
        if table[column].notna().any():
            ax.plot(table["size"], table[column], **SAMPLED[column].dot, markersize=4, label=label)
    _size_axis(ax)
    ax.set_ylim(0, 1.03)
    ax.set_ylabel("expected share")
    ax.set_title("What a sampled test set says")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return tidy(ax)


def caption_tests(material: Material) -> str:
    """How many faulty seeds the usual test set passes."""
    table = material["sampled_tests"].set_index("size")
    row = table.loc[SIZE]
    if row["share_certified"] == 1:
        return "Every seed is right on every input, so that no test set can find an error."
    pairs = (
        f" Of {plural(int(row['n_pairs']), 'pair')} of seeds with different accuracy it gives "
        f"{percent(row['pair_tied'])} the same one, and puts {percent(row['pair_misranked'])} in the wrong order."
        if row["n_pairs"]
        else ""
    )
    wrong = material["seeds"]["error_probability"] > 0
    share, n = percent(row["passed_wrongly"]), int(wrong.sum())
    finds = (
        f"is expected to find no mistake in {share} of the {n:,} seeds that make some"
        if n > 1
        else f"finds no mistake of the one seed that makes some in {share} of cases"
    )
    passing = (
        f"; a seed that passes is right on every input with a probability of {percent(row['certified_given_passed'])}"
        if not wrong.all()
        else ""
    )
    return (
        f"Computed from the exact error probabilities, not simulated. A test set of {SIZE:,} sequences "
        f"{finds}{passing}.{pairs}"
    )


def data_error(material: Material) -> pd.DataFrame:
    """How far off a sampled accuracy is expected to be."""
    columns = ["size", "absolute_error_median", "absolute_error_mean", "absolute_error_worst"]
    return material["sampled_tests"][columns]


def draw_error(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Expected error of the sampled accuracy over the size of the test set, both logarithmic."""
    lines = (
        ("absolute_error_worst", "worst seed"),
        ("absolute_error_mean", "mean over seeds"),
        ("absolute_error_median", "median over seeds"),
    )
    drawn = [line for line in lines if (table[line[0]] > 0).all()]
    if not drawn:
        return empty(ax, "no seed errs: every sampled accuracy is 1", "Error of a sampled accuracy")
    for column, label in drawn:
        ax.plot(table["size"], table[column], **SAMPLED[column].dot, markersize=4, label=label)
    _size_axis(ax)
    ax.set_yscale("log")
    values = table[[column for column, *_ in drawn]]
    ax.set_ylim(values.min(axis=None) / 2, values.max(axis=None) * 2)
    log_axis(ax.yaxis)
    ax.set_ylabel("expected |sampled − exact|")
    ax.set_title("Error of a sampled accuracy")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return tidy(ax)


def caption_error(material: Material) -> str:
    """How far off the usual test set is."""
    row = material["sampled_tests"].set_index("size").loc[SIZE]
    if row["absolute_error_worst"] == 0:
        return "No seed errs, so that every test set gives the exact accuracy, 1."
    small = (
        " A small error does not mean that the test set tells a seed that errs on few inputs from one that errs on "
        "none."
    )
    first = f"Expected distance of the accuracy on a sampled test set from the exact one. With {SIZE:,} sequences: "
    if len(material["seeds"]) == 1:
        return f"{first}{probability(row['absolute_error_mean'])}.{small}"
    none = " Medians of 0 are not drawn." if row["absolute_error_median"] == 0 else ""
    return (
        f"{first}{probability(row['absolute_error_mean'])} in the mean, {probability(row['absolute_error_worst'])} for "
        f"the worst seed, {probability(row['absolute_error_median'])} in the median.{small}{none}"
    )


def _size_axis(ax: Axes) -> None:
    """Sizes of the test set along a logarithmic x axis."""
    ax.set_xscale("log")
    log_axis(ax.xaxis)
    ax.set_xlabel("random sequences in the test set")


TESTS = Figure("sampled_tests", data_tests, draw_tests, caption_tests, size=(6.3, 2.8))
ERROR = Figure("sampled_error", data_error, draw_error, caption_error, size=(6.3, 2.8))
