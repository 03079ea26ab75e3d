"""A comparison as lines of text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analyses.verdicts import amount, chance, interval, judged
from reports.comparison import Compared
from reports.pages.compared_runs import written
from reports.words import number, plural

__all__ = ["text"]


def text(compared: Compared) -> str:
    """One block a run: both estimates of every measure, the difference with its interval, the probability."""
    return "\n".join(line for run in compared.others for line in _block(compared, run))


def _block(compared: Compared, run: str) -> Iterator[str]:
    row = compared["compared_runs"].set_index("run").loc[run]
    yield f"{run} less {compared.baseline}: {row['shared']}"
    table = compared.rows(run)
    heads = ("", compared.baseline, run, "difference [95 % interval]", "P(higher)")
    yield from _aligned([heads, *(_cells(of_measure) for _, of_measure in table.iterrows())])
    if row["n_intervals"]:
        yield (
            f"{row['n_miss_zero']} of {plural(row['n_intervals'], 'interval')} miss 0; if no measure differed at all, "
            f"{number(row['n_expected'], 2)} would."
        )
    notes = table.loc[table["note"] != "", "note"].drop_duplicates()
    yield from (f"Note: {note}." for note in notes)
    yield ""


def _cells(row: pd.Series) -> Sequence[str]:
    write = written(row["measure"])
    if not row["compared"]:
        said = "not compared"
    elif np.isnan(row["difference"]):
        said = "no difference can be given"
    else:
        said = amount(row["difference"], row["kind"], row["unit"])
        said += "" if np.isnan(row["ci_low"]) else f" {interval(row.to_dict())} {judged(row.to_dict())}"
    p = row["probability_higher"]
    higher = "–" if np.isnan(p) else chance(p)
    return row["words"], write(row["estimate_baseline"]), write(row["estimate_run"]), said.rstrip(), higher


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of text two spaces apart; numbers to the right, words to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:{'>' if k in (1, 2) else '<'}{width}}"
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
