"""How did the seeds come to their answer? Quantiles over seeds at each snapshot, by step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.figure import Figure, Material
from reports.style import empty, error_axis, thousands, tidy, tints
from reports.words import number, plural, probability

__all__ = ["ANSWER", "CIRCUIT", "step_axis"]

BANDS = "Lines: medians over seeds; bands: the middle half and the middle 90 % (spread, not uncertainty)."
QUANTILES = ["q05", "q25", "q50", "q75", "q95"]


def data_answer(material: Material) -> pd.DataFrame:
    """Quantiles of the error and of the angle between rules, by step."""
    return _of(material, "error_probability", "rule_angle")


def data_circuit(material: Material) -> pd.DataFrame:
    """Quantiles of focus and of the two gaps, by step, with the value of focus by chance."""
    return _of(material, "focus", "score_gap", "value_gap").assign(chance=2 / material.config.vocab_size)


def _of(material: Material, *measures: str) -> pd.DataFrame:
    spread = material["dynamics_spread"]
    return spread[spread["measure"].isin(measures)].reset_index(drop=True)


def draw_answer(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Error, number of seeds with one rule, angle of that rule."""
    error, rules, angle = axes
    wrong, of_rule = (table[table["measure"] == measure] for measure in ("error_probability", "rule_angle"))
    if wrong.empty:
        return _nothing(axes, ("Errors", "One linear rule", "Angle of the rule"))
    place = error_axis(error, wrong.set_index("step")[QUANTILES].stack())
    bands(error, place.unstack().reset_index())
    step_axis(error, wrong["step"])
    error.set_ylabel("probability of an error")
    error.set_title("Errors")

    rules.plot(of_rule["step"], of_rule["n_seeds"], color=tints.ink)
    rules.set_ylim(0, wrong["n_seeds"].max() * 1.04)
    rules.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    thousands(rules.yaxis)
    step_axis(tidy(rules), wrong["step"])
    rules.set_ylabel("seeds")
    rules.set_title("One linear rule")

    if of_rule["q50"].isna().all():
        empty(angle, "no seed is one rule", "Angle of the rule")
        return axes
    bands(angle, of_rule)
    most = 30 * math.ceil(max(of_rule["q95"].max(), 30) / 30)
    angle.set_ylim(0, most)
    angle.set_yticks(range(0, most + 1, 30))
    step_axis(angle, wrong["step"])
    angle.set_ylabel("degrees to the best rule")
    angle.set_title("Angle of the rule")
    return axes


def draw_circuit(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
    """Attention and values on their way."""
    panels = (
        ("focus", "Focus", "share of attention"),
        ("score_gap", "Gap of the scores", "nats"),
        ("value_gap", "Gap of the values", "share of their range"),
    )
    if table.empty:
        return _nothing(axes, [title for _, title, _ in panels])
    for ax, (measure, title, unit) in zip(axes, panels, strict=True):
        rows = table[table["measure"] == measure]
        if rows["q50"].isna().all():
            empty(ax, "not defined here", title)
            continue
        bands(ax, rows)
        if measure == "score_gap":
            ax.axhline(0, color=tints.chance, linewidth=0.7)
        else:
            ax.set_ylim(0, 1.02)
        if measure == "focus":
            ax.axhline(table["chance"].iloc[0], color=tints.chance, linewidth=0.9, linestyle=(0, (4, 2)))
        step_axis(ax, rows["step"])
        ax.set_ylabel(unit)
        ax.set_title(title)
    return axes


def bands(ax: Axes, rows: pd.DataFrame) -> None:
    """The middle 90 %, the middle half and the median over steps."""
    for low, high, alpha in (("q05", "q95", 0.15), ("q25", "q75", 0.25)):
        ax.fill_between(rows["step"], rows[low], rows[high], color=tints.ink, alpha=alpha, linewidth=0)
    ax.plot(rows["step"], rows["q50"], color=tints.ink, marker="o" if len(rows) == 1 else None, markersize=3)
    tidy(ax)


def linear_up_to(last: float) -> float:
    """The step up to which the axis is linear, so that 0 has a place on it: a power of ten, about last / 200."""
    return float(max(1, 10 ** math.floor(math.log10(max(last, 1) / 200))))


def step_axis(ax: Axes, steps: pd.Series) -> None:
    """A logarithmic axis of steps with a place for 0."""
    last = max(1, int(steps.max()))
    linear = linear_up_to(last)
    ax.set_xscale("symlog", linthresh=linear, linscale=0.6)
    ax.set_xlim(0, last)
    ticks = [0, *(linear * 10.0**k for k in range(10) if linear * 10.0**k <= last)]
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("step")


def _nothing(axes: Sequence[Axes], titles: Sequence[str]) -> Sequence[Axes]:
    for ax, title in zip(axes, titles, strict=True):
        empty(ax, "no snapshots", title)
    return axes


def caption_answer(material: Material) -> str:
    """First and last medians of error and angle."""
    table = data_answer(material)
    if table.empty:
        return "The run keeps no snapshots, so there is nothing to say of the way."
    wrong, angle = (_ends(table, measure) for measure in ("error_probability", "rule_angle"))
    many = len(material["seeds"]) > 1
    said = (
        f"Left: exact error over all inputs; {'the median' if many else 'it'} goes from "
        f"{probability(wrong[0]['q50'])} at step {wrong[0]['step']:,} to {probability(wrong[1]['q50'])} at step "
        f"{wrong[1]['step']:,}. "
        "Middle: seeds with one threshold within reach, so one linear rule on counts. "
    )
    if angle:
        said += (
            "Right: angle of that rule to the one with the largest margin, "
            f"{'median ' if many else ''}{_angle(angle[0], many)}, {_angle(angle[1], many)}. "
        )
    bands = f"{BANDS} " if many else ""
    return f"{said}{bands}Steps: linear up to {linear_up_to(wrong[1]['step']):,.0f}, then logarithmic."


def _angle(row: pd.Series, many: bool) -> str:
    who = f" in {plural(row['n_seeds'], 'seed')}" if many else ""
    return f"{number(row['q50'])}°{who} at step {row['step']:,}"


def caption_circuit(material: Material) -> str:
    """First and last medians of focus and the gaps."""
    table = data_circuit(material)
    if table.empty:
        return "There are no snapshots."
    a, b = material.targets
    words = {"focus": "focus", "score_gap": "gap of the scores", "value_gap": "gap of the values"}
    ends = {measure: _ends(table, measure) for measure in words}
    said = [
        f"{words[measure]} {number(found[0]['q50'], 2)} and {number(found[1]['q50'], 2)}"
        for measure, found in ends.items()
        if found
    ]
    which = "Medians of the" if len(material["seeds"]) > 1 else "At the"
    medians = f" {which} first and the last snapshot: {', '.join(said)}." if said else ""
    return (
        f"Left: expected attention on {a}s and {b}s (dashed: uniform). Middle: their mean score less that of the other "
        f"digits. Right: distance of the values of {a} and {b} over the range of all digits' values.{medians}"
    )


def _ends(table: pd.DataFrame, measure: str) -> list[pd.Series]:
    """The first and the last row of a measure that has a median; none where there is no such row."""
    rows = table[(table["measure"] == measure) & table["q50"].notna()]
    return [rows.iloc[0], rows.iloc[-1]] if len(rows) else []


ANSWER = Figure("dynamics_answer", data_answer, draw_answer, caption_answer, size=(7.2, 2.5), panels=3)
CIRCUIT = Figure("dynamics_circuit", data_circuit, draw_circuit, caption_circuit, size=(7.2, 2.5), panels=3)
