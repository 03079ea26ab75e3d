"""On which inputs do the seeds err?"""

from __future__ import annotations

from reports import errors
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import plural

__all__ = ["ERRORS"]


def finding(material: Material) -> str:
    """How many seeds err, and on which counts."""
    seeds = material["seeds"]
    wrong = int((seeds["error_probability"] > 0).sum())
    if wrong == 0:
        return f"All {plural(len(seeds), 'seed')} are right on every input."
    sound = errors.data_sound(material)
    cells = sound[sound["mean"] > 0]
    where = (
        f"those that did not fail err only {errors.cells_in_words(material, cells)}."
        if 0 < len(cells) <= 3
        else "all of those have failed."
        if cells.empty
        else f"those that did not fail do so in {len(cells)} of {len(sound)} pairs of counts."
    )
    return f"{wrong:,} of {plural(len(seeds), 'seed')} err on some input; {where}"


ERRORS = Page("Where errors are", finding, (Row((errors.ALL,), 3.1, right=2.1), Row((errors.SOUND,), 3.1, right=2.1)))
