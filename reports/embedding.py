"""How do the digits lie in the embedding? Aligned over seeds, and by pairwise cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.contrast import letters_in
from reports.figure import Figure, Material
from reports.pair_map import MOST_NUMBERS, digits_on_both_axes
from reports.style import colour, maps, text_colour, tidy, tints
from reports.words import number, plural

MOST_SEEDS = 300


def data_aligned(material: Material) -> pd.DataFrame:
    """Aligned coordinates of the seeds drawn, beside their medians over all seeds."""
    return _points(material, "aligned_1", "aligned_2")


def draw_aligned(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Every seed's digits as dots, medians on top; equal units on both axes."""
    _cloud(table, "aligned_1", "aligned_2", ax, targets)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_anchor("N")
    ax.set_xlabel("first common axis (embedding units)")
    ax.set_ylabel("second common axis (embedding units)")
    ax.set_title("Digits in the embedding, aligned")
    return tidy(ax, "both")


def data_read(material: Material) -> pd.DataFrame:
    """Coordinates on the two directions that the circuits read, of the seeds drawn, beside their medians."""
    return _points(material, "along_value", "along_query")


def draw_read(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """The embedding as values (x) and scores (y) see it."""
    _cloud(table, "along_value", "along_query", ax, targets)
    ax.axhline(0, color=tints.ink, linewidth=0.6)
    ax.axvline(0, color=tints.ink, linewidth=0.6)
    ax.set_xlabel(f"along the direction that values read (embedding units; towards {targets[0]} is right)")
    ax.set_ylabel("along the direction that scores read")
    ax.set_title("The embedding as the circuits read it")
    return tidy(ax, "both")


def _points(material: Material, x: str, y: str) -> pd.DataFrame:
    points = material["embedding"][["seed", "digit", x, y]].dropna()
    seeds = points["seed"].unique()
    points = points[points["seed"].isin(seeds[:: -(-len(seeds) // MOST_SEEDS)] if len(seeds) else [])]
    medians = material["embedding_spread"].pivot(index="digit", columns="measure", values="q50")
    return points.merge(medians[[x, y]].add_prefix("median_").reset_index(), on="digit")


def _cloud(table: pd.DataFrame, x: str, y: str, ax: Axes, targets: tuple[int, int]) -> None:
    """Dots by digit, the rule's two on top; medians as numerals for those, as rimmed dots for the others."""
    for digit in sorted(table["digit"].unique(), key=lambda digit: digit in targets):
        rows = table[table["digit"] == digit]
        ax.scatter(rows[x], rows[y], s=5, color=colour(digit, targets), alpha=0.45, linewidths=0)
    medians = table.drop_duplicates("digit")
    others = medians[~medians["digit"].isin(targets)]
    rim: dict[str, Any] = {"edgecolor": tints.paper, "linewidth": 0.6}
    ax.scatter(others[f"median_{x}"], others[f"median_{y}"], s=12, color=tints.ink, **rim)
    for _, row in medians[medians["digit"].isin(targets)].iterrows():
        digit = int(row["digit"])
        ax.text(
            row[f"median_{x}"],
            row[f"median_{y}"],
            str(digit),
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=text_colour(digit, targets),
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": tints.paper, "edgecolor": "none", "alpha": 0.85},
        )


def data_cosine(material: Material) -> pd.DataFrame:
    """Median cosine of each pair of digits."""
    spread = material["embedding_pairs_spread"]
    return spread[spread["measure"] == "cosine"].drop(columns=["measure"]).reset_index(drop=True)


def draw_cosine(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Heat map from -1 to 1."""
    n = int(table["digit_b"].max()) + 1
    grid = np.full((n, n), np.nan)
    grid[table["digit_b"], table["digit_a"]] = table["q50"]
    image = ax.imshow(grid, cmap=maps.diverging.with_extremes(bad=tints.paper), vmin=-1, vmax=1)
    if n <= MOST_NUMBERS:
        for row in table.dropna(subset="q50").itertuples():
            text = f"{row.q50:.2f}".replace("-", "−")
            tint = letters_in(image, row.q50)
            ax.text(row.digit_a, row.digit_b, text, ha="center", va="center", fontsize=5, color=tint)
    digits_on_both_axes(ax, n, targets)
    ax.set_xlabel("digit")
    ax.set_ylabel("digit")
    ax.set_title("Cosine of pairs of digits")
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.04, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
    ax.set_anchor("N")
    bar.ax.set_anchor("NW")
    return ax


def caption_aligned(material: Material) -> str:
    """What alignment does, and what it can produce by itself."""
    n = int(material["embedding_spread"]["n_seeds"].max())
    return (
        f"Embeddings of {plural(n, 'seed')} (at most {MOST_SEEDS} drawn), centred, rotated onto their common mean "
        "(Procrustes, no scaling) and read on that mean's first two principal axes; the numerals and the "
        "rimmed dots mark medians (rimmed: digits that the rule does not name). "
        "Alignment brings like to like, so some order would appear in random points too: compare the distances of the "
        "medians with the scatter of the dots."
    )


def caption_cosine(material: Material) -> str:
    """The targets' cosine against that of the other pairs."""
    a, b = sorted(material.targets)
    table = data_cosine(material)
    of_targets = table[(table["digit_a"] == a) & (table["digit_b"] == b)].iloc[0]
    others = table[~table["digit_a"].isin((a, b)) & ~table["digit_b"].isin((a, b))]
    rest = (
        f"; pairs of other digits have medians from {number(others['q50'].min(), 2)} to "
        f"{number(others['q50'].max(), 2)}"
        if len(others)
        else ""
    )
    return (
        "Cosine of the angle between two digits' embeddings as seen from the origin, median over seeds, free of any "
        f"rotation of the axes. For {a} and {b}: "
        f"{number(of_targets['q50'], 2)} (middle 90 % of seeds: {number(of_targets['q05'], 2)} to "
        f"{number(of_targets['q95'], 2)}){rest}."
    )


def caption_read(material: Material) -> str:
    """Medians of the targets along both directions."""
    a, b = material.targets
    spread = material["embedding_spread"].set_index(["measure", "digit"])["q50"]
    return (
        "Scores read the embedding along one direction (up), values along another (across; its sign is "
        "fixed in each seed so that "
        f"{a} lies to the right of {b}). In the median seed {a} lies at "
        f"{number(spread['along_value', a], 2)} and {b} at "
        f"{number(spread['along_value', b], 2)} across, at {number(spread['along_query', a], 2)} and "
        f"{number(spread['along_query', b], 2)} up."
    )


ALIGNED = Figure("embedding_aligned", data_aligned, draw_aligned, caption_aligned, size=(4.4, 4.2))
COSINE = Figure("embedding_cosine", data_cosine, draw_cosine, caption_cosine, size=(4.4, 3.8))
READ = Figure("embedding_read", data_read, draw_read, caption_read, size=(6.3, 3.4))
