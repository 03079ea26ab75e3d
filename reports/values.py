"""What does each digit put into the pooled value? Learned values on a common scale, and the rule they make."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from reports.by_digit import almost_all, bars, by_digit, by_digit_table
from reports.density import limits
from reports.facts import n_finite
from reports.figure import Figure, Material
from reports.style import decades, empty, tints
from reports.words import capital, number, told

COLUMNS = ["kind", "seed", "digit"]
LINEAR = 0.1  # rule weights are drawn on a linear scale up to here


def data_values(material: Material) -> pd.DataFrame:
    """Gauged values by digit: quantiles over seeds, then each seed."""
    return by_digit_table(material, "value_gauged")


def data_rule(material: Material) -> pd.DataFrame:
    """Rule weights by digit: those of the hard-margin rule (``separator``), quantiles over seeds, then each seed."""
    rules = material["common_rules"]
    best = rules.loc[rules["rule"] == "separator", ["digit", "weight"]].rename(columns={"weight": "rule_weight"})
    best = best.assign(kind="separator", seed=pd.NA).astype({"seed": "Int64"})
    return pd.concat([best, by_digit_table(material, "rule_weight")], ignore_index=True)[[*COLUMNS, "rule_weight"]]


def draw_values(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars by digit on the gauge where the first target is +1 and the second -1."""
    almost_all(table, "value_gauged", ax)
    by_digit(table, "value_gauged", ax, targets)
    ax.axhline(0, color=tints.ink, linewidth=0.7)
    ax.set_ylabel(f"value (scale: {targets[0]} is +1, {targets[1]} is −1)")
    ax.set_title("Learned values")
    return ax


def draw_rule(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """Dots and bars of the rule weights; linear near zero, where the distractors are, logarithmic beyond."""
    seeds, best = (table[table["kind"] == kind] for kind in ("seed", "separator"))
    if seeds.empty:
        return empty(ax, "no seed has exactly one threshold", "The linear rule on counts")
    edge = max(2.0, limits(seeds["rule_weight"].abs())[1] * 1.3)
    ax.set_yscale("symlog", linthresh=LINEAR, linscale=1.6)
    ax.set_ylim(-edge, edge)
    by_digit(table[table["kind"] != "separator"], "rule_weight", ax, targets)
    ax.scatter(best["digit"] + 0.42, best["rule_weight"], s=16, marker="<", color=tints.ink, linewidths=0, zorder=4)
    ax.axhline(0, color=tints.ink, linewidth=0.7)
    usual = edge <= 10_000
    inner = (-0.1, -0.05, 0, 0.05, 0.1) if usual else (0,)
    outer = [sign * tick for tick in [*([0.3] if usual else []), *decades(edge)] for sign in (-1, 1)]
    ticks = sorted([*inner, *outer])
    ax.set_yticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    ax.set_ylabel(f"weight in the rule (|weight of {targets[0]}| is 1)")
    ax.set_title("The linear rule on counts")
    return ax


def caption_values(material: Material) -> str:
    """How the distractors' values differ between seeds."""
    a, b = material.targets
    spread = material["digits_spread"]
    values = spread[spread["measure"] == "value_gauged"].set_index("digit").drop([a, b])
    n = n_finite(material)
    if values.empty:
        rest = ""
    elif n == 1:
        rest = (
            f" Those of other digits lie between {number(values['q50'].min(), 2)} and {number(values['q50'].max(), 2)}."
        )
    else:
        rest = (
            f" For each other digit 90 % of the seeds lie within {number(values['q05'].min(), 2)} to "
            f"{number(values['q95'].max(), 2)}, with medians of {number(values['q50'].min(), 2)} to "
            f"{number(values['q50'].max(), 2)}."
        )
    return (
        "A value means something only up to an affine map that the readout undoes; here each seed’s scale is fixed by "
        f"value({a}) = +1 and value({b}) = −1.{rest}{bars(n)}"
    )


def caption_rule(material: Material) -> str:
    """The common rule, in numbers."""
    a, b = material.targets
    spread = material["digits_spread"]
    weights = spread[spread["measure"] == "rule_weight"].set_index("digit")
    n = int((material["seeds"]["n_thresholds"] == 1).sum())
    if n == 0:
        return "No seed changes its answer at exactly one pooled value, so no seed is one linear rule."
    others = weights["q50"].drop([a, b])
    rest = f", of each other digit {number(others.min(), 2)} to {number(others.max(), 2)}" if len(others) else ""
    who = capital(told(n, len(material["seeds"]), "changes its", "change their", ""))
    return (
        f"{who} answer at exactly one pooled value; such a seed says “yes” exactly when the sum of count × weight is "
        f"positive. {'Weight' if n == 1 else 'Median weight'} of {a}: {number(weights.loc[a, 'q50'], 3)}, of {b}: "
        f"{number(weights.loc[b, 'q50'], 3)}{rest}. {right_weights(material)} "
        f"The axis is linear between −{LINEAR} and {LINEAR} and logarithmic beyond. Dots and bars as for the values; "
        "triangles: the hard-margin rule."
    )


def right_weights(material: Material) -> str:
    """Which weights of the second digit are right where the others count for nothing.

    With k + 1 against k of the digits, the closest "yes" of a sequence of 2k + 1, (k + 1) + k w must be positive; a
    tie, n + n w, must not.
    """
    a, b = material.targets
    k = (material.config.length - 1) // 2
    low = f"above {number(-(k + 1) / k)} and " if k else ""
    top = "at most −1" if material.config.length > 1 else "at most 0"
    return f"Beside 1 for {a} and 0 for other digits, a weight of {b} is right on every input if it is {low}{top}."


VALUES = Figure("values_by_digit", data_values, draw_values, caption_values)
RULE = Figure("rule_weights", data_rule, draw_rule, caption_rule)
