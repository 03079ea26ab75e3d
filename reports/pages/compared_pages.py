"""The other pages of a comparison: the differences, figures side by side, seed by seed, methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_lowercase

import numpy as np
import pandas as pd

from analyses.verdicts import amount, interval
from reports.beside import BESIDE, LEGEND, Beside
from reports.comparison import Compared, of, shortened
from reports.effects import effects
from reports.facts import known
from reports.figure import Figure, Material
from reports.pages.compared_methods import methods_pages
from reports.pages.compared_runs import RUNS, cell, listed, of_each
from reports.pages.page import Chapter, Page
from reports.paired_seeds import SHOWN, paired_seeds
from reports.sheet import Sheet
from reports.words import number, percent, plural

__all__ = ["chapters", "figures"]

COLUMNS = 4  # panels side by side
GAP, LEFT = 0.17, 0.6
PAIRS = 3  # runs a page, seed by seed


def figures(compared: Compared) -> list[Figure]:
    """All figures of a comparison, in the order of the pages."""
    found = [effects(run, _numbered("differences", compared, run)) for run in compared.others]
    found += [beside.figure(compared) for beside in BESIDE]
    return found + [paired_seeds(run, _numbered("seed_by_seed", compared, run)) for run in _paired(compared)]


def chapters(compared: Compared) -> list[Chapter]:
    """The pages: those that show figures side by side are more where there are many runs."""
    few = len(compared.names) <= COLUMNS
    groups = (BESIDE[:3], BESIDE[3:]) if few else tuple((beside,) for beside in BESIDE)
    paired = _paired(compared)
    parts = [paired[k : k + PAIRS] for k in range(0, len(paired), PAIRS)]
    return [
        Chapter("What is compared", (RUNS,)),
        Chapter("How do they differ?", [_differences(run) for run in compared.others]),
        Chapter("The same figures side by side", [_side_by_side(group) for group in groups]),
        *([Chapter("Seed by seed", [_seed_by_seed(part) for part in parts])] if parts else []),
        Chapter("Methods", methods_pages(few)),
    ]


def _numbered(name: str, compared: Compared, run: str) -> str:
    """A file's name; with the run's place among all where several are compared with the first."""
    return name if len(compared.others) == 1 else f"{name}_{compared.names.index(run) + 1}"


def _paired(compared: Compared) -> list[str]:
    runs = compared["compared_runs"]
    return list(runs.loc[runs["paired"], "run"])


# --- how they differ ----------------------------------------------------------------------------------


def _differences(run: str) -> Page:
    """The page of one run beside the first."""

    def finding(material: Material) -> str:
        compared = of(material)
        rows, counts = compared.rows(run), compared["compared_runs"].set_index("run").loc[run]
        if set(rows.loc[rows["compared"], "method"]) == {"exact"}:
            return f"{run} holds the same networks as {compared.baseline}: nothing differs."
        focus = "focus_median" if rows.loc["focus_median", "compared"] else "focus_lift_median"
        lead = {"certified": "share_certified", focus.removesuffix("_median").replace("_", " "): focus}
        parts = [f"{words} {_brief(rows.loc[key])}" for words, key in lead.items()]
        if not counts["n_intervals"]:
            return f"{run} less {compared.baseline}: {', '.join(parts)}; no difference has an interval."
        return (
            f"{run} less {compared.baseline}: {', '.join(parts)}. {counts['n_miss_zero']} of {counts['n_intervals']} "
            f"intervals miss 0 (by chance: {number(counts['n_expected'], 2)})."
        )

    def body(sheet: Sheet, material: Material) -> None:
        compared = of(material)
        figure, rows = effects(run, "differences"), compared.rows(run)
        (ax,) = sheet.axes(0.205 * len(rows), (1,), left=2.62, right=2.35, elastic=False)
        figure.on(compared, [ax])
        sheet.text(figure.caption(compared), size=8)
        sheet.space(0.05)
        _estimates(sheet, compared, run)

    return Page(f"Differences: {run}", finding, before=body)


def _brief(row: pd.Series) -> str:
    """A difference with its interval."""
    if np.isnan(row["difference"]):
        return "cannot be compared"
    size = amount(row["difference"], row["kind"], row["unit"])
    return size if np.isnan(row["ci_low"]) else f"{size} {interval(row.to_dict())}"


def _estimates(sheet: Sheet, compared: Compared, run: str) -> None:
    """Both estimates of every measure, how paired seeds compare, and how the interval was made."""
    names = (shortened(compared.baseline, 1.4), shortened(run, 1.4))
    rows: list[Sequence[str]] = [("measure", *names, "paired seeds", "interval")]
    notes: dict[str, list[str]] = {}
    for _, row in compared.rows(run).iterrows():
        n, more, same = row["n_shared"], row["n_shared_higher"], row["n_shared_equal"]
        pairs = f"{more:,} / {same:,} / {n - more - same:,}" if n else "–"
        how = row["method"].removesuffix(", paired") if row["compared"] else "not compared"
        rows.append((row["words"], cell(row, "baseline"), cell(row, "run"), pairs, how))
        notes.setdefault(row["note"], []).append(row["words"])
    sheet.table(rows, (2.4, 1.58, 1.58, 0.9, 1.3), size=6.2)
    sheet.text(f"Paired seeds: how many have a value that is higher in {run} / the same / lower.", size=7.5)
    for note, words in notes.items():
        if note:
            sheet.text(f"{listed(words)}: {note}.", size=7.5)


# --- side by side -------------------------------------------------------------------------------------


def _side_by_side(group: Sequence[Beside]) -> Page:
    """Figures with a panel for each run; the finding is that of the one that says most."""
    lead = next((beside.name for beside in group if beside.name in ("errors_ranked", "focus")), group[0].name)
    title, say = FINDINGS[lead]

    def finding(material: Material) -> str:
        return say(of(material))

    def body(sheet: Sheet, material: Material) -> None:
        compared = of(material)
        for beside, letter in zip(group, ascii_lowercase, strict=False):
            figure = beside.figure(compared)
            axes = _panels(sheet, len(compared.names))
            figure.on(compared, axes)
            sheet.letter(axes[0], letter)
            sheet.space(LEGEND if beside.legend else 0)
            sheet.caption(letter, figure.caption(compared))
            sheet.space(0.08)

    return Page(title, finding, before=body)


def _panels(sheet: Sheet, n: int) -> list:  # type: ignore[type-arg]
    """So many equal panels, in rows of at most four."""
    columns = n if n <= COLUMNS else -(-n // 2)
    width = (sheet.width - LEFT - GAP * (columns - 1)) / columns
    axes = []
    for start in range(0, n, columns):
        here = min(columns, n - start)
        axes += sheet.axes(1.75, (1,) * here, gap=GAP, left=LEFT, right=(columns - here) * (width + GAP))
    return axes


def _found(compared: Compared, measure: str, write: Callable[[float], str]) -> str:
    """A number of the run's own summary, of each run."""
    return of_each({name: _summary(side, measure) for name, side in compared.sides.items()}, write)


def _summary(side: Material, measure: str) -> float:
    return float(known(side).loc[measure, "estimate"])


def _two(x: float) -> str:
    return number(x, 2)


def _errors_found(compared: Compared) -> str:
    above, lost = (_found(compared, f"share_{name}", percent) for name in ("above_0.999", "failed"))
    return f"Seeds above an accuracy of 0.999: {above}; failed: {lost}."


def _focus_found(compared: Compared) -> str:
    lift = _found(compared, "focus_lift_median", _two)
    return f"Focus has a median of {_found(compared, 'focus_median', _two)}; over chance that is {lift}."


def _attention_found(compared: Compared) -> str:
    first, second = (
        of_each(
            {
                name: _summary(side, f"attention_share_{side.targets[k]}_median")
                for name, side in compared.sides.items()
            },
            _two,
        )
        for k in range(2)
    )
    return f"Median attention on the rule's first digit: {first}; on its second: {second}."


def _loss_found(compared: Compared) -> str:
    return f"Median expected loss at the end, in nats: {_found(compared, 'loss_median', _two)}."


def _seen_found(compared: Compared) -> str:
    def last(side: Material) -> float:
        table = side["survival"]
        surviving = table.loc[table["event"] == "accuracy_0.999", "surviving"]
        return float(surviving.iloc[-1]) if len(surviving) else np.nan

    ends = {name: last(side) for name, side in compared.sides.items()}
    return f"Seeds not seen above 0.999 by the last snapshot: {of_each(ends, percent)}."


def _rules_found(compared: Compared) -> str:
    return f"Seeds that are right on every input: {_found(compared, 'share_certified', percent)}."


FINDINGS: dict[str, tuple[str, Callable[[Compared], str]]] = {
    "learning_curves": ("Learning curves", _loss_found),
    "not_there_yet": ("Not there yet", _seen_found),
    "errors_ranked": ("Learning and errors", _errors_found),
    "attention_by_digit": ("Attention by digit", _attention_found),
    "focus": ("Attention and rules", _focus_found),
    "rules_region": ("Rules", _rules_found),
}


# --- seed by seed -------------------------------------------------------------------------------------


def _seed_by_seed(runs: Sequence[str]) -> Page:
    """Runs whose seeds are paired with those of the first."""

    def finding(material: Material) -> str:
        compared = of(material)
        parts = []
        for run in runs:
            row = compared.rows(run).loc["share_certified"]
            n, more = row["n_shared"], row["n_shared_higher"]
            fewer = n - more - row["n_shared_equal"]
            parts.append(
                f"of {plural(n, 'seed')} in both, {more:,} are certified in {run} alone, "
                f"{fewer:,} in {compared.baseline} alone"
            )
        said = "; ".join(parts)
        return f"{said[0].upper()}{said[1:]}."

    def body(sheet: Sheet, material: Material) -> None:
        compared = of(material)
        columns, gap = (2, 0.85) if len(runs) == 1 else (len(SHOWN), 0.62)
        side = (sheet.width - 0.55 - gap * (columns - 1)) / columns
        for run, letter in zip(runs, ascii_lowercase, strict=False):
            figure = paired_seeds(run, "seed_by_seed")
            rows = range(0, len(SHOWN), columns)
            axes = [ax for _ in rows for ax in sheet.axes(side, (1,) * columns, gap=gap, elastic=False)]
            figure.on(compared, axes)
            sheet.letter(axes[0], letter)
            sheet.caption(letter, figure.caption(compared))
            sheet.space(0.1)

    return Page("Paired seeds", finding, before=body)
