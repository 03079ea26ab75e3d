"""What is left of the accuracy when a seed's pattern or its values are changed?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.by_digit import bars, by_digit, quantile_bar, stacked
from reports.density import strip
from reports.facts import n_finite
from reports.figure import Figure, Material
from reports.pair_map import pair_map
from reports.style import empty, maps, tidy, tints
from reports.words import estimate, exact_accuracy, number, percent, probability

WHOLE = {  # what is changed as a whole, from above
    "only_targets": "only {low} and {high}\nattended",
    "transplant": "pattern of\nanother seed",
    "uniform_attention": "uniform\nattention",
    "without_targets": "{low} and {high}\nexcluded",
}


def data_whole(material: Material) -> pd.DataFrame:
    """Accuracy after each change of the whole pattern: always saying no, quantiles over seeds, then each seed."""
    return _with_quantiles(material, list(WHOLE))


def data_removed(material: Material) -> pd.DataFrame:
    """Accuracy without attention on one digit: always saying no, quantiles over seeds, then each seed."""
    return _with_quantiles(material, ["remove_digit"])


def data_mean(material: Material) -> pd.DataFrame:
    """Accuracy with one digit's value replaced by the mean: always saying no, quantiles over seeds, then each seed."""
    return _with_quantiles(material, ["mean_value"])


def _with_quantiles(material: Material, changes: list[str]) -> pd.DataFrame:
    frame, spread = material["interventions"], material["interventions_spread"]
    seeds = frame.loc[frame["kind"].isin(changes), ["seed", "kind", "digit", "accuracy"]]
    quantiles = spread[(spread["measure"] == "accuracy") & spread["kind"].isin(changes)]
    seeds, quantiles = (part.rename(columns={"kind": "change"}) for part in (seeds, quantiles))
    table = stacked(quantiles, seeds, ["change", "digit"], "accuracy")
    always_no = material["focus"]["accuracy_always_no"].iloc[0]
    first = table.head(1).assign(kind="always no", seed=pd.NA, change="none", digit=-1, accuracy=always_no)
    return pd.concat([first.astype(table.dtypes), table], ignore_index=True)


def draw_whole(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One line of dots a kind, with bars of quantiles and the line of always saying no."""
    low, high = sorted(targets)
    names = [change for change in WHOLE if (table["change"] == change).any()]
    ax.set_ylim(len(names) - 0.2, -0.6)
    ax.set_xlim(0, 1.02)
    for place, change in enumerate(names):
        rows = table[table["change"] == change]
        strip(ax, place, rows.loc[rows["kind"] == "seed", "accuracy"], tints.distractor, width=0.6, upright=False)
        quantile_bar(ax, place, rows.drop_duplicates("kind").set_index("kind")["accuracy"], upright=False)
    always_no = table["accuracy"].iloc[0]
    ax.axvline(always_no, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    ax.annotate(
        f"always “no”: {number(always_no)}",
        (always_no, 0),
        (-3, 3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7,
    )
    ax.set_yticks(range(len(names)), [WHOLE[change].format(low=low, high=high) for change in names])
    ax.set_xlabel("accuracy after the change")
    ax.set_title("With another pattern")
    return tidy(ax, "x")


def _draw_by_digit(table: pd.DataFrame, ax: Axes, targets: tuple[int, int], title: str) -> Axes:
    always_no, lowest = table["accuracy"].iloc[0], table["accuracy"].min()
    ax.set_ylim(max(0.0, np.floor(10 * lowest - 0.5) / 10), 1.02)
    by_digit(table[table["kind"] != "always no"], "accuracy", ax, targets)
    ax.axhline(always_no, color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    ax.set_ylabel("accuracy after the change")
    ax.set_title(title)
    if table["digit"].nunique() > 17:
        ax.set_xticks(sorted(targets))
    return ax


def draw_removed(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars by digit, with the line of always saying no."""
    return _draw_by_digit(table, ax, targets, "Without attention on a digit")


def draw_mean(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars by digit, with the line of always saying no."""
    return _draw_by_digit(table, ax, targets, "With the mean for a digit's value")


def data_exchanged(material: Material) -> pd.DataFrame:
    """Quantiles over seeds of the share of answers that change when two digits are exchanged."""
    spread = material["interventions_spread"]
    rows = (spread["measure"] == "flip_probability") & spread["kind"].isin(("swap_scores", "swap_values"))
    return spread[rows].drop(columns=["measure"]).reset_index(drop=True)


def draw_exchanged(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Medians: scores below the diagonal, values above."""
    if table["q50"].isna().all():
        return empty(ax, "no seed is finite", "Two digits exchanged")
    n = int(table["partner"].max()) + 1
    grid = np.full((n, n), np.nan)
    scores, values = (table[table["kind"] == kind] for kind in ("swap_scores", "swap_values"))
    grid[scores["partner"], scores["digit"]] = scores["q50"]
    grid[values["digit"], values["partner"]] = values["q50"]
    pair_map(grid, ax, targets, maps.sequential, "share of answers that change")
    ax.set_ylabel("below: scores")
    ax.set_xlabel("above: values")
    ax.set_title("Two digits exchanged")
    return ax


def caption_whole(material: Material) -> str:
    """Medians of each kind."""
    spread = material["interventions_spread"]
    medians = spread[spread["measure"] == "error_probability"].set_index(["kind", "digit"])["q50"]
    low, high = sorted(material.targets)
    if not medians.notna().any():
        return "No seed is finite, so there is no pattern to change."
    summary = material["summary"]
    n = n_finite(material)
    share = estimate(summary, "share_uniform_above_always_no", percent)
    better = f", and {share} of all seeds are then better than always saying “no”" if n > 1 else ""
    moved = (
        f" The pattern of the next seed changes a median of "
        f"{estimate(summary, 'transplant_flip_median', percent)} of the answers."
        if ("transplant", -1) in medians.index
        else ""
    )
    return (
        f"Exact accuracy over all inputs after the pattern is changed, values and readout kept. "
        f"{'With' if n == 1 else 'Median with'} attention on {low} and {high} alone: "
        f"{exact_accuracy(medians['only_targets', -1])}; without them: "
        f"{exact_accuracy(medians['without_targets', -1])}; with uniform attention: "
        f"{estimate(summary, 'accuracy_uniform_median')}{better}.{moved} Where nothing is left to attend to, the mean "
        f"pooled value takes its place.{bars(n)}"
    )


def _by_digit_caption(material: Material, kind: str, words: str) -> str:
    spread = material["interventions_spread"]
    rows = spread[(spread["measure"] == "error_probability") & (spread["kind"] == kind)].set_index("digit")["q50"]
    a, b = material.targets
    if not rows.notna().any():
        return f"{words} No seed is finite."
    others = rows.drop([a, b])
    rest = f"; for any other digit at least {exact_accuracy(others.max())}" if len(others) else ""
    middle = "Accuracy" if n_finite(material) == 1 else "Median accuracy"
    return f"{words} {middle} for {a}: {exact_accuracy(rows[a])}, for {b}: {exact_accuracy(rows[b])}{rest}."


def caption_removed(material: Material) -> str:
    """Medians for the targets and the worst of the others."""
    return _by_digit_caption(
        material, "remove_digit", "One digit gets no attention, the others share it. Dashed: always “no”."
    )


def caption_mean(material: Material) -> str:
    """Medians for the targets and the worst of the others."""
    return _by_digit_caption(
        material, "mean_value", "One digit is attended as before, but has the mean pooled value for its own."
    )


def caption_exchanged(material: Material) -> str:
    """The pair of targets, and the largest among pairs of other digits."""
    table = data_exchanged(material).set_index(["kind", "digit", "partner"])["q50"]
    a, b = sorted(material.targets)
    if not table.notna().any():
        return "No seed is finite."
    pairs = table[[not {digit, partner} & {a, b} for _, digit, partner in table.index]]
    rest = (
        f" Between two digits that the rule does not name, it is at most {probability(pairs.max())}."
        if len(pairs)
        else ""
    )
    n = int(data_exchanged(material)["n_seeds"].max())
    middle = "in the one seed" if n == 1 else f"median over {n:,} seeds"
    return (
        f"Share of all inputs whose answer changes when two digits exchange their scores (below the diagonal) or their "
        f"values (above), {middle}. For {a} and {b}: {percent(table['swap_scores', a, b])} with "
        f"scores, {percent(table['swap_values', a, b])} with values.{rest}"
    )


PATTERN = Figure("interventions", data_whole, draw_whole, caption_whole, size=(5.2, 3.0))
REMOVED = Figure("interventions_removed", data_removed, draw_removed, caption_removed, size=(5.2, 3.0))
MEAN = Figure("interventions_mean_value", data_mean, draw_mean, caption_mean, size=(5.2, 3.0))
EXCHANGED = Figure("interventions_exchanged", data_exchanged, draw_exchanged, caption_exchanged, size=(4.6, 3.8))
