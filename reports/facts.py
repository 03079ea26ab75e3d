"""What pages and captions must know of a run before they may claim anything of it."""

from __future__ import annotations

import math

import pandas as pd

from reports.figure import Material

__all__ = [
    "ENOUGH",
    "clearly",
    "every_seed_failed",
    "fixed_focus",
    "imported",
    "known",
    "n_finite",
    "no_rivals",
    "noun",
    "untrained",
]

ENOUGH = 6  # the fewest seeds whose median has a 95 % interval: fewer only describe themselves


def imported(material: Material) -> bool:
    """Whether the weights were trained elsewhere, so that nothing is known of how."""
    return material.manifest.origin == "imported"


def untrained(material: Material) -> bool:
    """Whether the seeds are as they were at their start."""
    return material.config.steps == 0 and not imported(material)


def noun(material: Material) -> str:
    """What to call a seed."""
    return "untrained seed" if untrained(material) else "seed"


def n_finite(material: Material) -> int:
    """How many seeds have weights that are numbers."""
    return int((material["seeds"]["status"] == "trained").sum())


def every_seed_failed(material: Material) -> bool:
    """Whether no seed works."""
    return bool(material["seeds"]["failed"].all())


def fixed_focus(material: Material) -> str:
    """Why focus is the same in every seed, if it is so by construction."""
    a, b = material.targets
    if material.config.vocab_size == 2:
        return f"There are no digits but {a} and {b}, so all attention is on them whatever a seed does."
    if material.config.length == 1:
        return "A sequence of one digit has one place for all attention, so attention has nothing to choose."
    return ""


def no_rivals(material: Material) -> str:
    """Why attention itself is the same in every seed, if it is so by construction."""
    return fixed_focus(material) if material.config.length == 1 else ""


def known(material: Material) -> pd.DataFrame:
    """The table ``summary`` by measure."""
    return material["summary"].set_index("measure")


def clearly(row: pd.Series, value: float) -> int:
    """1 or -1 where the whole interval of an estimate lies above or below a value, else 0; 0 without an interval."""
    if math.isnan(row["ci_low"]):
        return 0
    return int(row["ci_low"] > value) - int(row["ci_high"] < value)
