"""Which digit, changed into which other, changes the answer, and should it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.figure import Figure, Material
from reports.pair_map import pair_map
from reports.style import empty, maps
from reports.words import estimate, percent


def data(material: Material) -> pd.DataFrame:
    """Quantiles over seeds of the flip probability of each substitution, beside that of the true label."""
    spread, table = material["substitutions_spread"], material["substitutions"]
    flips = spread[spread["measure"] == "flip_probability"].drop(columns=["measure"])
    labels = table[["digit", "substitute", "label_flips"]].drop_duplicates(["digit", "substitute"])
    return labels.merge(flips, on=["digit", "substitute"], how="left")


def draw(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Two maps, from row to column: the median of the seeds, and the label."""
    n = int(table["digit"].max()) + 1
    titles = ("The answer (median seed)", "The right answer")
    for ax, column, title in zip(axes, ("q50", "label_flips"), titles, strict=True):
        if table[column].isna().all():
            empty(ax, "no seed is finite", title)
            continue
        grid = np.full((n, n), np.nan)
        grid[table["digit"], table["substitute"]] = table[column]
        pair_map(grid, ax, targets, maps.sequential, "probability of a change" if column == "label_flips" else "")
        ax.set_ylabel("this digit …")
        ax.set_xlabel("… becomes that one")
        ax.set_title(title)
    return axes


def caption(material: Material) -> str:
    """What the label does, and how many seeds do so too."""
    table = material["substitutions"]
    a, b = material.targets
    label = table[table["seed"] == table["seed"].iloc[0]].set_index(["digit", "substitute"])["label_flips"]
    share = estimate(material["summary"], "share_substitutions_as_label", percent)
    many = len(material["seeds"]) > 1
    alike = (
        f" Share of seeds whose answer changes exactly as often as the right one, for every pair: {share}."
        if many
        else ""
    )
    others = ", and never between two digits that the rule does not name" if material.config.vocab_size > 3 else ""
    return (
        f"One random position of a random sequence holds the row's digit, and the column's is written there: "
        f"probability that the answer changes, exact over all other positions; 0 is never. The right answer changes "
        f"with {percent(label[a, b])} of the changes from {a} to {b}{others}.{alike}"
    )


FIGURE = Figure("substitutions", data, draw, caption, size=(7.4, 3.4), panels=2)
