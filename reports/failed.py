"""Which seeds failed, and what do they look like? All seeds ranked by error, the failed ones named."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.contrast import letters_in
from reports.density import MOST_DOTS
from reports.figure import Figure, Material
from reports.legend import legend
from reports.marks import seed_groups
from reports.style import empty, error_axis, label_digits, maps, scale_beside, thousands, tidy, tints
from reports.words import capital, estimate, number, percent, plural, told

MOST_LINES = 15  # beyond, neither their names nor the numbers in the cells have room
COLUMNS = ["seed", "rank", "status", "error_probability", "certified", "failed"]


def data(material: Material) -> pd.DataFrame:
    """Seeds by rank with their error."""
    return material["seeds"][COLUMNS].sort_values("rank", ignore_index=True)


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Probability of error over rank, logarithmic; certified seeds at the foot."""
    place = error_axis(ax, table["error_probability"])
    ax.set_xlim(0, len(table) + 1)
    groups = seed_groups(table)
    for _, rows, tint, marker in groups:
        if rows.sum() > MOST_DOTS:  # ranks follow one another: dots would be a line that is slow to print
            ax.plot(table["rank"][rows], place[rows], color=tint, linewidth=2.5, solid_capstyle="butt")
        else:
            ax.scatter(table["rank"][rows], place[rows], s=10, marker=marker, color=tint, linewidths=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    thousands(ax.xaxis)
    ax.set_xlabel("rank of the seed (1 is best)")
    ax.set_title("All seeds, best to worst")
    place = "upper left" if table["error_probability"].min() < 0.01 else "center left"  # where the best seeds are not
    legend(ax, groups, loc=place, borderaxespad=0.6)
    return tidy(ax)


def caption(material: Material) -> str:
    """Shares with their intervals."""
    summary, n = material["summary"], len(material["seeds"])
    if n == 1:
        error = number(material["seeds"]["error_probability"].iloc[0], 2)
        return f"Exact probability of a wrong answer of the one seed: {error}."
    return (
        f"Exact probability of a wrong answer for {plural(n, 'seed')}. "
        f"Certified (right on every input): {estimate(summary, 'share_certified', percent)}; "
        f"failed (not finite, or accuracy below 0.9): {estimate(summary, 'share_failed', percent)}. "
        "Brackets: 95 % Wilson intervals for the share among all seeds."
    )


def data_digits(material: Material) -> pd.DataFrame:
    """Attention by digit of the worst failed seeds, beside the median over all seeds."""
    seeds = material["seeds"]
    worst = seeds[seeds["failed"]].sort_values("rank", ascending=False).head(MOST_LINES)["seed"]
    spread = material["digits_spread"]
    median = spread.loc[spread["measure"] == "attention_share", ["digit", "q50"]]
    digits = material["digits"]
    columns = ["digit", "is_target", "attention_share"]
    rows = digits.set_index("seed").loc[worst, columns].reset_index()  # the worst first
    return rows.merge(median.rename(columns={"q50": "median_of_all_seeds"}), on="digit", how="left")


def draw_digits(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One row a failed seed, and the median over all seeds at the foot."""
    if table.empty:
        return empty(ax, "no seed failed")
    rows = table.pivot(index="seed", columns="digit", values="attention_share")
    rows = rows.loc[table["seed"].drop_duplicates()]
    median = table.drop_duplicates("digit").sort_values("digit")["median_of_all_seeds"].to_numpy()
    grid = np.vstack([rows.to_numpy(), median])
    image = ax.imshow(grid, cmap=maps.attention, vmin=0, vmax=1, aspect="auto")
    if grid.shape[1] <= 16 and grid.shape[0] <= 16:
        for (row, column), share in np.ndenumerate(grid):
            if np.isnan(share):
                continue
            tint = letters_in(image, share)
            ax.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=6.5, color=tint)
    ax.axhline(len(rows) - 0.5, color=tints.ink, linewidth=0.8)
    ax.set_yticks(range(len(grid)), [*(f"seed {seed}" for seed in rows.index), "median, all seeds"])
    label_digits(ax, rows.columns.to_numpy(), targets)
    ax.set_xlim(-0.5, grid.shape[1] - 0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    scale_beside(ax, image, [0, 0.5, 1], label="expected attention", width=0.02)
    ax.set_title("Attention of the seeds that failed")
    return ax


def caption_digits(material: Material) -> str:
    """How far the failed seeds look elsewhere."""
    n = int(material["seeds"]["failed"].sum())
    if n == 0:
        return "No seed failed."
    table = data_digits(material)
    chance = 1 / material.config.vocab_size
    one_missing = int((table[table["is_target"]].groupby("seed")["attention_share"].min() < chance).sum())
    shown = f"the {MOST_LINES} worst of {n:,} failed seeds" if n > MOST_LINES else plural(n, "failed seed")
    beside = ", beside the median over all seeds" if len(material["seeds"]) > 1 else ""
    who = told(
        one_missing,
        n,
        "gives less than uniform attention to a digit of the rule",
        "give less than uniform attention to a digit of the rule",
        "gives both digits of the rule at least uniform attention",
        "failed seed",
    )
    return f"Expected attention on each digit, exact, for {shown}{beside}. {capital(who)}."


FIGURE = Figure("seeds_ranked", data, draw, caption, size=(6.3, 3.4))
DIGITS = Figure("failed_seeds", data_digits, draw_digits, caption_digits, size=(6.3, 3.2))
