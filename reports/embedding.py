"""How do the digits lie in the embedding? Aligned over seeds, and by pairwise cosine."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.figure import Figure, Material
from reports.style import INK, colour, diverging, tidy
from reports.words import number, plural

MOST_SEEDS = 300


def data_aligned(material: Material) -> pd.DataFrame:
    """Aligned coordinates of the seeds drawn, beside their medians over all seeds."""
    points = material["embedding"][["seed", "digit", "aligned_1", "aligned_2"]].dropna()
    seeds = points["seed"].unique()
    points = points[points["seed"].isin(seeds[:: -(-len(seeds) // MOST_SEEDS)] if len(seeds) else [])]
    medians = material["embedding_spread"].pivot(index="digit", columns="measure", values="q50")
    medians = medians[["aligned_1", "aligned_2"]].add_prefix("median_").reset_index()
    return points.merge(medians, on="digit")


def draw_aligned(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Every seed's digits as dots, their medians as numerals; equal units on both axes."""
    order = sorted(table["digit"].unique(), key=lambda digit: digit in targets)
    for digit in order:
        rows = table[table["digit"] == digit]
        tint = colour(digit, targets)
        ax.scatter(rows["aligned_1"], rows["aligned_2"], s=5, color=tint, alpha=0.3, linewidths=0)
    for digit in order:
        row = table[table["digit"] == digit].iloc[0]
        ax.text(
            row["median_aligned_1"], row["median_aligned_2"], str(digit), ha="center", va="center", fontsize=9,
            fontweight="bold", color=INK if digit not in targets else colour(digit, targets),
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour(digit, targets), "linewidth": 0.8, "alpha": 0.85},
        )
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("first common axis (embedding units)")
    ax.set_ylabel("second common axis (embedding units)")
    ax.set_title("Digits in the embedding, aligned")
    return tidy(ax, "both")


def data_cosine(material: Material) -> pd.DataFrame:
    """Median cosine of each pair of digits."""
    spread = material["embedding_pairs_spread"]
    return spread[spread["measure"] == "cosine"].drop(columns=["measure"]).reset_index(drop=True)


def draw_cosine(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Heat map from -1 to 1."""
    n = int(table["digit_b"].max()) + 1
    grid = np.full((n, n), np.nan)
    grid[table["digit_b"], table["digit_a"]] = table["q50"]
    image = ax.imshow(grid, cmap=diverging, vmin=-1, vmax=1)
    if n <= 12:
        for row in table.itertuples():
            text = number(row.q50, 1) if abs(row.q50) < 0.095 else f"{row.q50:.1f}".replace("-", "−")
            ax.text(row.digit_a, row.digit_b, text, ha="center", va="center", fontsize=6, color=INK)
    ax.set_xticks(range(n))
    ax.set_yticks(range(n))
    for axis in (ax.get_xticklabels(), ax.get_yticklabels()):
        for digit, label in enumerate(axis):
            label.set_color(colour(digit, targets))
            label.set_fontweight("bold" if digit in targets else "normal")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xlabel("digit")
    ax.set_ylabel("digit")
    ax.set_title("Cosine of pairs, median over seeds")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
    return ax


def caption_aligned(material: Material) -> str:
    """What alignment does, and what it can produce by itself."""
    n = int(material["embedding_spread"]["n_seeds"].max())
    return (
        f"Embeddings of {plural(n, 'seed')} (at most {MOST_SEEDS} drawn), centred, rotated onto their common mean "
        "(Procrustes, no scaling) and read on that mean's first two principal axes; numerals mark medians. "
        "Alignment brings like to like, so some order would appear in random points too: compare the distances of the "
        "numerals with the scatter of the dots."
    )


def caption_cosine(material: Material) -> str:
    """The targets' cosine against that of the other pairs."""
    a, b = sorted(material.targets)
    table = data_cosine(material)
    of_targets = table[(table["digit_a"] == a) & (table["digit_b"] == b)].iloc[0]
    others = table[~table["digit_a"].isin((a, b)) & ~table["digit_b"].isin((a, b))]
    rest = (
        f"; pairs of other digits have medians from {number(others['q50'].min(), 2)} to {number(others['q50'].max(), 2)}"
        if len(others)
        else ""
    )
    return (
        f"Cosine of the angle between two digits' embeddings, free of any choice of axes. Median for {a} and {b}: "
        f"{number(of_targets['q50'], 2)} (middle 90 % of seeds: {number(of_targets['q05'], 2)} to "
        f"{number(of_targets['q95'], 2)}){rest}."
    )


ALIGNED = Figure("embedding_aligned", data_aligned, draw_aligned, caption_aligned, size=(4.4, 4.2))
COSINE = Figure("embedding_cosine", data_cosine, draw_cosine, caption_cosine, size=(4.4, 3.8))
