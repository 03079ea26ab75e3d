"""On which inputs do the seeds err?"""

from __future__ import annotations

import math

from reports import errors
from reports.facts import every_seed_failed, n_finite, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import amount, capital, told

__all__ = ["ERRORS"]


def finding(material: Material) -> str:
    """How many seeds err, and on which counts."""
    seeds = material["seeds"]
    n, wrong = len(seeds), int((seeds["error_probability"] > 0).sum())
    if not wrong:
        who = told(n, n, "is", "are", "", noun(material))
        return f"{capital(who)} right on every input: there is no error to show."
    if not n_finite(material):
        return "No seed is finite, and one that is not counts as answering “no” to everything."
    who = capital(told(wrong, n, "errs", "err", "", noun(material)))
    if every_seed_failed(material):
        return f"{who} on some input, and {'it' if n == 1 else 'each of them'} counts as failed."
    sound = errors.data_sound(material)
    cells = sound[sound["mean"] > 0]
    if cells.empty:
        return f"{who} on some input, and each of these counts as failed."
    where = (
        errors.cells_in_words(material, cells)
        if len(cells) <= 3
        else f"at {len(cells):,} of the {len(sound):,} pairs of counts ({', '.join(_counts(material))})"
    )
    if not seeds["failed"].any():
        return f"{who} on some input, {'only ' if len(cells) <= 3 else ''}{where}."
    return f"{who} on some input; those that did not fail err {'only ' if len(cells) <= 3 else ''}{where}."


def _counts(material: Material) -> tuple[str, str]:
    a, b = material.targets
    return f"n{a}", f"n{b}"


def none(material: Material) -> str:
    """What was checked, where nothing was wrong."""
    if (material["seeds"]["error_probability"] > 0).any():
        return "" if n_finite(material) else "There is no error of a network to show."
    V, L = material.config.vocab_size, material.config.length
    return (
        f"Checked were the {math.comb(L + V - 1, V - 1):,} digit counts that stand for all {amount(V**L)} sequences, "
        "one by one, for each seed."
    )


def _no_sound(material: Material) -> str | None:
    """The second picture needs seeds that did not fail, and that are not all there are."""
    failed = material["seeds"]["failed"]
    if failed.all():
        return "Every seed failed, so there is no picture of the others."
    if not failed.any():
        return "No seed failed: a picture of those that did not would be the same."
    if not (errors.data_sound(material)["mean"] > 0).any():
        return "The seeds that did not fail err on no input."
    return None


ERRORS = Page(
    "Where errors are",
    finding,
    (Row((errors.ALL,), 3.1, right=2.1), Row((errors.SOUND,), 3.1, right=2.1, absent=_no_sound)),
    absent=none,
)
