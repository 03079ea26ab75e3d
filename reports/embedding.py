"""How do the digits lie in the embedding? Aligned over seeds, and by pairwise cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.contrast import letters_in
from reports.density import cloud, hexagons, inches, limits
from reports.facts import n_finite
from reports.figure import Figure, Material
from reports.legend import Group
from reports.pair_map import MOST_NUMBERS, digits_on_both_axes
from reports.style import colour, dots, maps, scale_beside, text_colour, tidy, tints
from reports.words import number, plural


def data_aligned(material: Material) -> pd.DataFrame:
    """Aligned coordinates: medians over seeds, then each seed."""
    return _points(material, "aligned_1", "aligned_2")


def draw_aligned(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Every seed's digits as dots, medians on top; equal units on both axes."""
    ax.set_aspect("equal")
    _cloud(table, "aligned_1", "aligned_2", ax, targets, place={"loc": "lower right", "bbox_to_anchor": (1, 0)})
    ax.set_anchor("N")
    ax.set_xlabel("first common axis (embedding units)")
    ax.set_ylabel("second common axis (embedding units)")
    ax.set_title("Digits in the embedding, aligned")
    return tidy(ax, "both")


def data_read(material: Material) -> pd.DataFrame:
    """Coordinates on the two directions that the circuits read: medians over seeds, then each seed."""
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
    seeds = material["embedding"][["seed", "digit", x, y]].dropna().assign(kind="seed")
    medians = material["embedding_spread"].pivot(index="digit", columns="measure", values="q50")
    medians = medians[[x, y]].dropna().reset_index().assign(kind="q50", seed=pd.NA)
    parts = [part for part in (medians, seeds) if len(part)] or [seeds]
    columns = ["kind", "seed", "digit", x, y]
    return pd.concat([part[columns].astype({"seed": "Int64"}) for part in parts], ignore_index=True)


def _cloud(
    table: pd.DataFrame, x: str, y: str, ax: Axes, targets: tuple[int, int], place: dict[str, Any] | None = None
) -> None:
    """All seeds, the rule's two digits on top; medians as numerals for those, as rimmed dots for the others."""
    seeds, medians = (table[table["kind"] == kind] for kind in ("seed", "q50"))
    ends = np.array([limits(seeds[x]), limits(seeds[y])])
    if ax.get_aspect() == 1:  # as many units an inch along both axes, and the axes filled
        units = (np.ptp(ends, axis=1) / inches(ax)).max() * inches(ax)
        ends = ends.mean(axis=1, keepdims=True) + units[:, None] * (-0.5, 0.5)
    ax.set_xlim(*ends[0])
    ax.set_ylim(*ends[1])
    groups: list[Group] = [
        ("others", ~seeds["digit"].isin(targets), tints.distractor, "o"),
        *((str(digit), seeds["digit"] == digit, colour(digit, targets), "o") for digit in targets),
    ]
    cloud(ax, seeds[x], seeds[y], groups, dot=dots(seeds["seed"].nunique()), unit="digits", place=place)
    others = medians[~medians["digit"].isin(targets)]
    rim: dict[str, Any] = {"edgecolor": tints.paper, "linewidth": 0.6}
    ax.scatter(others[x], others[y], s=12, color=tints.ink, **rim)
    for _, row in medians[medians["digit"].isin(targets)].iterrows():
        digit = int(row["digit"])
        ax.text(
            row[x],
            row[y],
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
    scale_beside(ax, image, [-1, -0.5, 0, 0.5, 1])
    ax.set_anchor("N")
    return ax


def caption_aligned(material: Material) -> str:
    """What alignment does, and what it can produce by itself."""
    n = int(material["embedding_spread"]["n_seeds"].max())
    if n == 1:
        return "Embedding of the one seed, centred and read on its first two principal axes."
    return (
        f"Embeddings of {plural(n, 'seed')}, centred, rotated onto their common mean "
        "(Procrustes, no scaling) and read on that mean's first two principal axes; the numerals and the "
        "rimmed dots mark medians (rimmed: digits that the rule does not name). "
        "Alignment brings like to like, so some order would appear in random points too: compare the distances of the "
        "medians with the scatter of the seeds."
        f"{hexagons(n * material.config.vocab_size, 'digits')}"
    )


def caption_cosine(material: Material) -> str:
    """The targets' cosine against that of the other pairs."""
    a, b = sorted(material.targets)
    table = data_cosine(material)
    of_targets = table[(table["digit_a"] == a) & (table["digit_b"] == b)].iloc[0]
    others = table[~table["digit_a"].isin((a, b)) & ~table["digit_b"].isin((a, b))]
    medians = "medians" if n_finite(material) > 1 else "cosines"
    rest = (
        f"; pairs of other digits have {medians} from {number(others['q50'].min(), 2)} to "
        f"{number(others['q50'].max(), 2)}"
        if len(others)
        else ""
    )
    many = n_finite(material) > 1
    low, high = number(of_targets["q05"], 2), number(of_targets["q95"], 2)
    spread = f" (middle 90 % of seeds: {low} to {high})" if low != high else ""
    middle = ", median over seeds, free of any rotation of the axes" if many else ""
    return (
        f"Cosine of the angle between two digits’ embeddings as seen from the origin{middle}. For {a} and {b}: "
        f"{number(of_targets['q50'], 2)}{spread}{rest}."
    )


def caption_read(material: Material) -> str:
    """Medians of the targets along both directions."""
    a, b = material.targets
    spread = material["embedding_spread"].set_index(["measure", "digit"])["q50"]
    return (
        "Scores read the embedding along one direction (up), values along another (across; its sign is "
        "fixed in each seed so that "
        f"{a} lies to the right of {b}). {'Here' if n_finite(material) == 1 else 'In the median seed'} {a} lies at "
        f"{number(spread['along_value', a], 2)} and {b} at "
        f"{number(spread['along_value', b], 2)} across, at {number(spread['along_query', a], 2)} and "
        f"{number(spread['along_query', b], 2)} up."
        f"{hexagons(int(material['embedding']['along_value'].notna().sum()), 'digits')}"
    )


ALIGNED = Figure("embedding_aligned", data_aligned, draw_aligned, caption_aligned, size=(4.4, 4.2))
COSINE = Figure("embedding_cosine", data_cosine, draw_cosine, caption_cosine, size=(4.4, 3.8))
READ = Figure("embedding_read", data_read, draw_read, caption_read, size=(6.3, 3.4))
