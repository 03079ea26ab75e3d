"""How long until the seeds are accurate, or certified? The share that is not yet, by step."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.figure import Figure, Material
from reports.marks import MILESTONES
from reports.style import empty, thousands, tidy, tints
from reports.words import percent

LOOKS = {
    "accuracy_0.99": "accuracy > 0.99",
    "accuracy_0.999": "accuracy > 0.999",
    "certified": "certified",
}


def data(material: Material) -> pd.DataFrame:
    """The curves, with their bands."""
    return material["survival"]


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One stair a milestone, with its band; ticks below it at the snapshots."""
    title = "Not there yet"
    if table.empty:
        return empty(ax, "no snapshots", title)
    for event, label in LOOKS.items():
        mark = MILESTONES[event]
        rows = table[table["event"] == event]
        step, tint = rows["step"], mark.colour
        ax.fill_between(step, rows["ci_low"], rows["ci_high"], step="post", color=tint, alpha=0.2, linewidth=0)
        stair: dict[str, Any] = {"where": "post", "clip_on": False}
        ax.step(step, rows["surviving"], color=tint, linestyle=mark.line, label=label, **stair)
    steps = table["step"].unique()
    ax.vlines(steps, 0, 0.02, color=tints.ink, linewidth=0.5)
    ax.set_ylim(0, 1)
    ax.set_xlim(0, max(1, steps.max()))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    thousands(ax.xaxis)
    ax.set_xlabel("step (short marks: snapshots)")
    ax.set_ylabel("share of seeds not there yet")
    ax.set_title(title)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderpad=0.1)
    return tidy(ax)


def caption(material: Material) -> str:
    """Where the curves end."""
    table = material["survival"]
    if table.empty:
        return "The run keeps no snapshots, so there is nothing to look at."
    last = table.groupby("event").last()
    ends = [f"{label}: {percent(last.loc[event, 'surviving'])}" for event, label in LOOKS.items()]
    n = int(table["n_at_risk"].iloc[0])
    if n == 1:
        return (
            "Whether the one seed is not there yet (1) or is (0), as far as snapshots have shown: a stair falls at the "
            "first that shows it, and the event came since the snapshot before."
        )
    return (
        "Share of seeds that no snapshot up to here has shown to be there (Kaplan-Meier; bands: pointwise 95 % "
        "intervals, log-log, so uncertainty; none where the share is 0 or 1). A stair falls at the first snapshot that "
        f"shows it: the event came since the snapshot before. All {n:,} seeds are in; those that never get there are "
        f"censored where they were last seen. Not yet at step {table['step'].max():,}: {'; '.join(ends)}."
    )


FIGURE = Figure("not_there_yet", data, draw, caption, size=(6.3, 3.6))
