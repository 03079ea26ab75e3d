"""The report's figures for several runs side by side: one panel a run, the same axes in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from reports import attention, failed, focus, learning, rules, survival
from reports.by_digit import bars
from reports.comparison import Compared, inches, of, shortened
from reports.density import MOST_DOTS
from reports.facts import known
from reports.figure import Figure, Material
from reports.marks import seed_groups
from reports.style import error_axis, legend_below, log_axis, tidy, tints
from reports.words import number, percent

__all__ = ["BESIDE", "LEGEND", "Beside"]

Draw = Callable[[pd.DataFrame, Axes, tuple[int, int]], Any]
LEGEND = 0.26  # inches below a row for a legend
BINS = np.linspace(0, 1, 26)
DIGIT = 0.085  # inches that a digit below the axis takes


@dataclass(frozen=True)
class Beside:
    """A figure that is drawn once for each run.

    Attributes
    ----------
    name : str
    data : callable (material) -> DataFrame
        Of one run.
    draw : callable (table, ax, targets)
        One run into one panel.
    caption : callable (compared) -> str
    legend : bool
        Whether the panels need a legend, which they then share.
    together : callable (table) -> DataFrame, optional
        What the panels must know of each other.
    limits_first : bool
        Whether limits must be the same before anything is drawn: seeds beyond them are marked at the edge.
    finish : callable (ax), optional
        What is left to do once all panels have the same limits.
    """

    name: str
    data: Callable[[Material], pd.DataFrame]
    draw: Draw
    caption: Callable[[Compared], str]
    legend: bool = False
    together: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
    limits_first: bool = False
    finish: Callable[[Axes], None] = lambda ax: None

    def figure(self, compared: Compared) -> Figure:
        """The figure with a panel for each run, in their order."""
        n = len(compared.names)
        return Figure(
            self.name,
            lambda material: self._data(of(material)),
            lambda table, axes, targets: self._draw(compared, table, [axes] if n == 1 else axes),
            lambda material: self.caption(of(material)),
            size=(max(6.3, 0.7 + 1.75 * n), 2.5 + (LEGEND + 0.1 if self.legend else 0)),
            panels=n,
            foot=LEGEND + 0.1 if self.legend else 0.0,
        )

    def _data(self, compared: Compared) -> pd.DataFrame:
        parts = [self.data(side).assign(run=name) for name, side in compared.sides.items()]
        parts = [part for part in parts if len(part)] or parts[:1]
        table = self.together(pd.concat(parts, ignore_index=True))
        return table[["run", *(name for name in table if name != "run")]]

    def _draw(self, compared: Compared, table: pd.DataFrame, axes: Sequence[Axes]) -> None:
        rows = {name: table[table["run"] == name].drop(columns="run").reset_index(drop=True) for name in compared.names}
        if self.limits_first:
            trial = list(Canvas().subplots(1, len(axes), squeeze=False)[0])
            for (name, side), ax in zip(compared.sides.items(), trial, strict=True):
                self.draw(rows[name], ax, side.targets)
            _share(trial)
            for ax, like in zip(axes, trial, strict=True):
                ax.set(xlim=like.get_xlim(), ylim=like.get_ylim())
        for (name, side), ax in zip(compared.sides.items(), axes, strict=True):
            self.draw(rows[name], ax, side.targets)
            ax.set_title(shortened(name, inches(ax)))
        _share(axes)
        for ax in axes:
            if ax.axison:
                self.finish(ax)
        _one_legend(axes, self.legend)


def _share(axes: Sequence[Axes]) -> None:
    """The same limits in all panels; ticks are named at the left of each row alone."""
    drawn = [ax for ax in axes if ax.axison]
    if not drawn:
        return
    for get, put in (("get_xlim", "set_xlim"), ("get_ylim", "set_ylim")):
        ends = np.array([getattr(ax, get)() for ax in drawn])
        for ax in drawn:
            getattr(ax, put)(ends[:, 0].min(), ends[:, 1].max())
    for ax in axes:
        box = ax.get_position()
        row = [other.get_position().x0 for other in axes if abs(other.get_position().y0 - box.y0) < 1e-6]
        if ax.axison and box.x0 > min(row) + 1e-6:
            ax.set_ylabel("")
            ax.tick_params(axis="y", labelleft=False)


def _one_legend(axes: Sequence[Axes], wanted: bool) -> None:
    """One legend for all panels, below the first of the last row."""
    found: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found = {**dict(zip(labels, handles, strict=True)), **found}
        if legend := ax.get_legend():
            legend.remove()
    if wanted and found:
        lowest = min(ax.get_position().y0 for ax in axes)
        first = next(ax for ax in axes if abs(ax.get_position().y0 - lowest) < 1e-6)
        what = {"handles": list(found.values()), "labels": list(found), "ncols": len(found), "columnspacing": 1.2}
        legend_below(first, 0.46, x=0, loc="upper left", **what)


# --- the panels --------------------------------------------------------------------------------------


def _few_ticks(ax: Axes) -> None:
    """Ticks that leave the panel's right edge free: there the next panel begins."""
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="upper"))


def _learning(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    learning.draw(table, ax, targets)
    ax.set_xlabel("step")
    _few_ticks(ax)


def _decades(ax: Axes) -> None:
    log_axis(ax.yaxis)


def _survival(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    survival.draw(table, ax, targets)
    ax.set_xlabel("step")
    ax.set_ylabel("share not there yet")
    if ax.axison:
        _few_ticks(ax)


def _ranked(material: Material) -> pd.DataFrame:
    """Seeds by rank, and how far along the run's seeds each stands."""
    table = failed.data(material)
    return table.assign(place=(table["rank"] - 0.5) / len(table))


def _one_floor(table: pd.DataFrame) -> pd.DataFrame:
    """The least error of all runs, below which all panels draw an error of exactly 0."""
    error = table["error_probability"]
    return table.assign(least=error[error > 0].min())


def _errors(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    error = pd.concat([table["error_probability"], table["least"].head(1)], ignore_index=True)
    place = error_axis(ax, error).iloc[:-1]
    for name, rows, tint, marker in seed_groups(table):
        label = name.partition(" (")[0]
        if rows.sum() > MOST_DOTS:  # as in the report: dots would be a line that is slow to print
            ax.plot(table["place"][rows], place[rows], color=tint, linewidth=2.5, solid_capstyle="butt", label=label)
        else:
            ax.scatter(table["place"][rows], place[rows], s=8, marker=marker, color=tint, linewidths=0, label=label)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("share of seeds, best first")
    ax.set_ylabel("P(wrong answer)")
    tidy(ax)


def _attention(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    attention.draw(table, ax, targets)
    for text in list(ax.texts):  # the caption says what the dashed line is
        text.remove()
    ax.set_ylabel("expected attention")


def _digits(ax: Axes) -> None:
    """Where digits would lie over each other, only the rule's two and the ends are named."""
    low, high = ax.get_xlim()
    names = ax.get_xticklabels()
    if inches(ax) / (high - low) < DIGIT * max(len(name.get_text()) for name in names):
        for name in names[1:-1]:
            name.set_visible(name.get_fontweight() == "bold")


def _focus(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    """As `reports.focus` draws it, in shares of seeds: runs have more and fewer of them."""
    values = table["focus"].dropna()
    weights = np.full(len(values), 1 / max(len(values), 1))
    ax.hist(values, bins=BINS.tolist(), weights=weights, color=tints.distractor, edgecolor=tints.paper, linewidth=0.25)
    ax.axvline(table["focus_chance"].iloc[0], color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("focus")
    ax.set_ylabel("share of seeds")
    tidy(ax)


def _region(table: pd.DataFrame, ax: Axes, targets: tuple[int, int]) -> None:
    rules.draw_region(table, ax, targets)
    ax.set_xlabel(f"weight of {targets[1]} ({targets[0]}: 1)")
    ax.set_ylabel("other digits' weight")
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))


# --- captions ----------------------------------------------------------------------------------------


def _each(compared: Compared, say: Callable[[Material], str]) -> str:
    """What is to be said of each run: ``a: this; b: that``."""
    return "; ".join(f"{name}: {say(side)}" for name, side in compared.sides.items())


def _caption_learning(compared: Compared) -> str:
    def last(side: Material) -> str:
        spread = side["history_spread"]
        return f"{number(spread.iloc[-1]['q50'], 2)} at step {spread.iloc[-1]['step']:,}" if len(spread) else "no step"

    return (
        "Learning curves: mean batch loss between records; bands are the spread over seeds, not uncertainty. Last "
        f"median, in nats: {_each(compared, last)}."
    )


def _caption_survival(compared: Compared) -> str:
    return (
        "Share of seeds that no snapshot up to here has shown to be there (Kaplan-Meier; bands: pointwise 95 % "
        "intervals, so uncertainty). Short marks: snapshots. Runs with denser snapshots are seen to be there earlier; "
        "the comparison in numbers looks at both at the same steps."
    )


def _caption_errors(compared: Compared) -> str:
    def shares(side: Material) -> str:
        summary = known(side)["estimate"]
        return f"{percent(summary['share_certified'])}, {percent(summary['share_failed'])}"

    return (
        "Exact probability of a wrong answer of each seed, in the order of the seeds' ranks. Certified and failed: "
        f"{_each(compared, shares)}."
    )


def _caption_attention(compared: Compared) -> str:
    def medians(side: Material) -> str:
        spread = side["digits_spread"]
        q50 = spread[spread["measure"] == "attention_share"].set_index("digit")["q50"]
        return ", ".join(f"{number(q50[digit], 2)} on {digit}" for digit in side.targets)

    most = max(len(side["seeds"]) for side in compared.sides.values())
    return (
        f"Expected attention on each digit, exact; dashed: uniform attention. Medians: {_each(compared, medians)}. "
        f"{bars(most)}"
    )


def _caption_focus(compared: Compared) -> str:
    def medians(side: Material) -> str:
        summary = known(side)["estimate"]
        return f"{number(summary['focus_median'], 2)}, {number(summary['focus_lift_median'], 3)} times chance"

    return (
        "Focus over seeds, as shares of the run's seeds with a focus; dashed: focus under uniform attention. Medians: "
        f"{_each(compared, medians)}."
    )


def _caption_region(compared: Compared) -> str:
    def inside(side: Material) -> str:
        table = rules.data_region(side)
        seeds = table[table["kind"] == "seed"]
        return f"{int(seeds['certified'].sum()):,} of {len(seeds):,}"

    return (
        "Rules that the seeds compute (dot: mean weight of the other digits; bar: from their least to their greatest) "
        "among all that are right on every input (green). Black cross: the hard-margin rule. Inside, of the seeds "
        f"with a single rule: {_each(compared, inside)}. Triangles: beyond the axes."
    )


BESIDE = (
    Beside("learning_curves", learning.data, _learning, _caption_learning, legend=True, finish=_decades),
    Beside("not_there_yet", survival.data, _survival, _caption_survival, legend=True),
    Beside("errors_ranked", _ranked, _errors, _caption_errors, legend=True, together=_one_floor),
    Beside("attention_by_digit", attention.data, _attention, _caption_attention, finish=_digits),
    Beside("focus", focus.data, _focus, _caption_focus),
    Beside("rules_region", rules.data_region, _region, _caption_region, limits_first=True),
)
