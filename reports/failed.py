"""Which seeds failed, and what do they look like? All seeds ranked by error, the failed ones named."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from reports.figure import Figure, Material
from reports.style import error_axis, seed_groups, tidy
from reports.words import estimate, plural

COLUMNS = ["seed", "rank", "status", "error_probability", "certified", "failed"]


def data(material: Material) -> pd.DataFrame:
    """Seeds by rank with their error."""
    return material["seeds"][COLUMNS].sort_values("rank", ignore_index=True)


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Probability of error over rank, logarithmic; certified seeds at the foot."""
    place = error_axis(ax, table["error_probability"])
    for name, rows, tint, marker in seed_groups(table):
        ax.scatter(table["rank"][rows], place[rows], s=10, marker=marker, color=tint, linewidths=0, label=name)
    ax.set_xlim(0, len(table) + 1)
    ax.set_xlabel("rank of the seed (1 is best)")
    ax.set_title("All seeds, best to worst")
    ax.legend(loc="upper left")
    return tidy(ax)


def caption(material: Material) -> str:
    """Shares with their intervals."""
    summary = material["summary"]
    return (
        f"Exact probability of a wrong answer for {plural(len(material['seeds']), 'seed')}. "
        f"Certified (right on every input): {estimate(summary, 'share_certified', share=True)}; "
        f"failed (not finite, or accuracy below 0.9): {estimate(summary, 'share_failed', share=True)}. "
        "Brackets: 95 % Wilson intervals for the share among all seeds."
    )


FIGURE = Figure("seeds_ranked", data, draw, caption, size=(6.3, 3.4))
