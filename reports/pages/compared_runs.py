"""The first page of a comparison: what the runs are, what their seeds share, the key numbers, what chance would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from reports.comparison import Compared, of, shortened
from reports.figure import Material
from reports.pages.page import Page
from reports.sheet import Sheet
from reports.words import number, percent

__all__ = ["RUNS", "cell", "listed", "of_each", "written"]

MORE = ("steps_to_0.999_mean", "focus_lift_median", "accuracy_uniform_median")
MOST_IN_WORDS = 2  # runs beside the first whose verdicts have room on this page
MOST_NAMED = 4  # runs that a sentence names one by one
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
    return f"The runs {what}. Right on every input: {of_each(shares, percent)}."


def of_each(values: Mapping[str, float], write: Callable[[float], str]) -> str:
    """A number of each run, ``1 in a and 2 in b``; of many runs the least and the largest."""
    if len(values) > MOST_NAMED:
        known = {name: value for name, value in values.items() if not np.isnan(value)}
        if known:
            least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            return f"from {write(known[least])} in {least} to {write(known[most])} in {most}"
    return listed([f"{write(value)} in {name}" for name, value in values.items()])


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
    return _accuracy if measure == "accuracy_mean" else _number


def _accuracy(x: float) -> str:
    return number(x, 4) if not 0.99995 <= x < 1 else f"1 − {number(1 - x, 2)}"


def _number(x: float) -> str:
    return "∞" if np.isinf(x) else number(x)


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
    base = table.loc[compared.baseline]
    for name in compared.names:
        row = table.loc[name]
        here = [s for s in _differing(compared) if name == compared.baseline or row[s] != base[s]]
        rows.append((shortened(name, NAME), row["seeds"], ", ".join(f"{s} = {row[s]}" for s in here) or "none"))
    sheet.table(rows, (NAME, 1.7, 3.1))
    sheet.text("Beside the first", weight="bold")
    rows = [("run", "intervals that miss 0", "what seeds share")]
    for _, row in compared["compared_runs"].iterrows():
        rows.append((shortened(row["run"], NAME), _by_chance(row), row["shared"]))
    sheet.table(rows, (NAME, 1.9, 3.9), size=7.5)
    sheet.text("Key numbers", weight="bold")
    _key_numbers(sheet, compared)
    if len(compared.others) <= MOST_IN_WORDS:
        sheet.text("In words", weight="bold")
        for name in compared.others:
            _in_words(sheet, compared, name)
    sheet.text(
        "By chance alone: how many intervals for differences would miss 0 if nothing differed. Measures of the same "
        "seeds go together, so that such intervals come in groups; none is widened for their number. An interval that "
        "holds 0 does not show that two runs are equal: they may differ by anything that it holds."
    )


def _by_chance(row: pd.Series) -> str:
    if not row["n_intervals"]:
        return "none has an interval"
    return f"{row['n_miss_zero']} of {row['n_intervals']}; by chance alone {number(row['n_expected'], 2)}"


def _in_words(sheet: Sheet, compared: Compared, run: str) -> None:
    """What is seen in a few measures."""
    table = compared.rows(run)
    chosen = [name for name in (*KEY, *MORE) if name in table.index and table.loc[name, "compared"]]
    rows = [(table.loc[name, "words"], table.loc[name, "verdict"]) for name in chosen]
    sheet.table([(f"{shortened(run, 2)} less {shortened(compared.baseline, 2)}", "verdict"), *rows], (2.3, 4.2), size=7)


def _key_numbers(sheet: Sheet, compared: Compared) -> None:
    """A few measures of all runs."""
    first = compared.rows(compared.others[0])
    rows: list[Sequence[str]] = [("run", *KEY.values())]
    for name in compared.names:
        table, side = (first, "baseline") if name == compared.baseline else (compared.rows(name), "run")
        rows.append((shortened(name, 1.05), *(cell(table.loc[key], side) for key in KEY)))
    sheet.table(rows, (1.0, 1.05, 1.0, 1.1, 1.5, 1.15), size=6.5)


RUNS = Page("Runs and settings", finding, before=_body)
