"""What a comparison is drawn from: its tables, and each run with its own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from analyses import comparison
from analyses.pairing import require_tables
from attnprobe.store import Run
from reports.figure import Material

__all__ = ["Compared", "inches", "of", "shortened"]

DRAWN = (  # what the figures are drawn from, beside the tables of the comparison
    *("summary", "history", "history_spread", "survival", "digits", "digits_spread"),
    *("certificates", "common_rules", "rule_region"),
)
LETTER = 0.082  # inches that a bold letter of a panel's title takes


class Compared(Material):
    """The tables of a comparison (`analyses.comparison.tables`); ``sides`` holds each run's own, by its name.

    Settings, targets and path are the baseline's, the first run's.
    """

    def __init__(self, runs: Sequence[Run], names: Sequence[str] | None = None) -> None:
        for run in runs:
            require_tables(run, DRAWN)
        super().__init__(runs[0])
        self._read = comparison.tables(runs, names)
        called = self["compared_settings"]["run"].unique()
        self.sides: dict[str, Material] = dict(zip(called, map(Material, runs), strict=True))

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._read[name]

    @property
    def names(self) -> list[str]:
        """What the runs are called, the baseline first."""
        return list(self.sides)

    @property
    def baseline(self) -> str:
        """What the first run is called."""
        return self.names[0]

    @property
    def others(self) -> list[str]:
        """The runs that are compared with the baseline."""
        return self.names[1:]

    def rows(self, run: str) -> pd.DataFrame:
        """The comparison of one run with the baseline, by measure."""
        table = self["comparison"]
        return table[table["run"] == run].set_index("measure", drop=False)


def of(material: Material) -> Compared:
    """The comparison that a page or a figure is drawn from."""
    assert isinstance(material, Compared)
    return material


def inches(ax: Axes) -> float:
    """How wide a panel is."""
    width: float = ax.figure.get_figure(root=True).get_size_inches()[0]
    return float(ax.get_position().width * width)


def shortened(name: str, width: float) -> str:
    """A name that fits above a panel so many inches wide, its middle left out where it is too long."""
    most = max(5, int(width / LETTER))
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"
