"""The first page of a comparison: what the runs are, what their seeds share, the key numbers, what chance would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from reports.comparison import Compared, of, shortened
from reports.figure import Material
from reports.pages.page import Page
from reports.sheet import Sheet
from reports.words import number, percent, plural

__all__ = ["RUNS", "cell", "listed", "written"]

MORE = ("steps_to_0.999_mean", "focus_lift_median", "accuracy_uniform_median")
MOST_IN_WORDS = 2  # runs beside the first of which more than one verdict has room
NAME = 1.7  # inches for a run's name
KEY = {
    "share_certified": "certified",
    "share_failed": "failed",
    "share_above_0.999": "above 0.999",
    "accuracy_mean": "accuracy, mean",
    "focus_median": "focus, median",
}


def finding(material: Material) -> str:
    """In what the runs differ, and how often each is right on every input."""
    compared = of(material)
    settings = _differing(compared)
    what = f"differ in {listed(settings)}" if settings else "have the same settings"
    rows = compared["comparison"]
    certified = rows[rows["measure"] == "share_certified"].set_index("run")
    shares = {compared.baseline: certified["estimate_baseline"].iloc[0], **certified["estimate_run"]}
    said = listed([f"{percent(share)} in {name}" for name, share in shares.items()])
    return f"The runs {what}. Right on every input: {said}."


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def cell(row: pd.Series, side: str) -> str:
    """The estimate of the ``run`` or of the ``baseline`` with its interval."""
    write, ends = written(row["measure"]), [row[f"{side}_{end}"] for end in ("low", "high")]
    text = write(row[f"estimate_{side}"])
    if np.isnan(ends[0]):
        return text
    low, high = (write(end).removesuffix(" %") for end in ends)
    unit = " %" if text.endswith(" %") else ""
    return f"{text.removesuffix(' %')} [{low}, {high}]{unit}"


def written(measure: str) -> Callable[[float], str]:
    """How numbers of a measure are written: shares of seeds in per cent, an accuracy never rounded up to 1."""
    if measure.startswith("share_"):
        return percent
    return _accuracy if measure == "accuracy_mean" else number


def _accuracy(x: float) -> str:
    return number(x) if not 0.9995 <= x < 1 else f"1 − {number(1 - x, 2)}"


def _differing(compared: Compared) -> list[str]:
    """The settings in which some run differs."""
    table = compared["compared_settings"]
    settings = table.loc[table["differs"], "setting"].drop_duplicates()
    return [name for name in settings if name != "seeds"]


def _body(sheet: Sheet, material: Material) -> None:
    compared = of(material)
    sheet.text(
        f"Each run is compared with the first, {compared.baseline}, measure by measure. What one seed does is computed "
        "exactly over all inputs; what is estimated is how seeds vary. Brackets are 95 % intervals."
    )
    sheet.text("Runs", weight="bold")
    table = compared["compared_settings"].pivot(index="run", columns="setting", values="value")
    rows: list[Sequence[str]] = [("run", "seeds", "settings that differ")]
    for name in compared.names:
        settings = ", ".join(f"{setting} = {table.loc[name, setting]}" for setting in _differing(compared))
        rows.append((shortened(name, NAME), str(table.loc[name, "seeds"]), settings or "none"))
    sheet.table(rows, (NAME, 1.7, 3.1))
    sheet.text("What their seeds share with those of the first", weight="bold")
    runs = compared["compared_runs"].set_index("run")
    rows = [("run", "seeds"), *((shortened(str(name), NAME), words) for name, words in runs["shared"].items())]
    sheet.table(rows, (NAME, 4.8))
    sheet.text("Key numbers", weight="bold")
    _key_numbers(sheet, compared)
    sheet.text("In words", weight="bold")
    for name in compared.others:
        _in_words(sheet, compared, name)
    sheet.text("How many intervals would miss 0 by chance", weight="bold")
    rows = [
        ("run", "intervals for differences"),
        *((shortened(str(name), NAME), _by_chance(of_run)) for name, of_run in runs.iterrows()),
    ]
    sheet.table(rows, (NAME, 4.8))
    sheet.text(
        "Measures of the same seeds go together, so that intervals that miss 0 by chance come in groups; they are not "
        "widened for their number. An interval that holds 0 does not show that two runs are equal: they may differ by "
        "anything that it holds."
    )


def _by_chance(row: pd.Series) -> str:
    if not row["n_intervals"]:
        return "no difference has an interval"
    missed = row["n_miss_zero"]
    return (
        f"{missed} of {plural(row['n_intervals'], 'interval')} {'misses' if missed == 1 else 'miss'} 0; if no measure "
        f"differed at all, {number(row['n_expected'], 2)} would"
    )


def _in_words(sheet: Sheet, compared: Compared, run: str) -> None:
    """What is seen in a few measures."""
    table = compared.rows(run)
    if len(compared.others) <= MOST_IN_WORDS:
        chosen = [name for name in (*KEY, *MORE) if name in table.index and table.loc[name, "compared"]]
    else:
        chosen = ["share_certified"]
    rows = [(table.loc[name, "words"], table.loc[name, "verdict"]) for name in chosen]
    sheet.table([(f"{shortened(run, 2)} less {shortened(compared.baseline, 2)}", "verdict"), *rows], (2.3, 4.2), size=7)


def _key_numbers(sheet: Sheet, compared: Compared) -> None:
    """A few measures of all runs."""
    first = compared.rows(compared.others[0])
    rows: list[Sequence[str]] = [("run", *KEY.values())]
    for name in compared.names:
        table, side = (first, "baseline") if name == compared.baseline else (compared.rows(name), "run")
        rows.append((shortened(name, 1.3), *(cell(table.loc[key], side) for key in KEY)))
    sheet.table(rows, (1.25, 1.05, 1.1, 1.15, 1.2, 1.2), size=6.5)


RUNS = Page("Runs and settings", finding, before=_body)
