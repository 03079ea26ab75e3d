"""What a figure is: a name, the table it shows, and how that table is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from attnprobe.store import Run
from reports.drawing import Drawing
from reports.finish import finish
from reports.options import DEFAULT, Options
from reports.style import canvas, look

__all__ = ["Figure", "Material"]


class Material(Mapping[str, pd.DataFrame]):
    """What reports draw from: a run's computed tables, read once each, and its settings."""

    def __init__(self, run: Run) -> None:
        self.config = run.config
        self.manifest = run.manifest
        self.path = run.path
        self._run = run
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = self._run.table(name)
        return self._read[name]

    def some(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Some columns of a table, for one that is too large to be read whole."""
        key = f"{name}: {', '.join(columns)}"
        if key not in self._read:
            self._read[key] = self._run.table(name, list(columns))
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._run.tables)

    def __len__(self) -> int:
        return len(self._run.tables)

    @property
    def state(self) -> str:
        """A fingerprint of all weights."""
        return self._run.state

    @property
    def targets(self) -> tuple[int, int]:
        """The two digits that the rule names."""
        return self.config.task.targets


@dataclass(frozen=True, repr=False)
class Figure:
    """One figure of the report.

    Attributes
    ----------
    name : str
        The name of its files.
    data : callable (material) -> DataFrame
        The table that it shows; written beside it as CSV.
    draw : callable
        ``draw(table, ax, targets=(2, 4)) -> Axes``; with ``panels`` above 1 it takes a sequence of axes.
    caption : callable (material) -> str
        What it shows, with numbers taken from the tables.
    size : (float, float)
        Width and height when it stands alone, in inches.
    panels : int
        How many axes it needs, side by side.
    foot : float
        Room below the panels for a legend that spans them, in inches, when it stands alone. (A legend belongs to one
        panel, and making it room there would squeeze that panel's neighbours.)
    fit : callable (material) -> (float, float), optional
        The size when it stands alone, where that depends on the run: at most ``size``, which it is scaled down to.
    """

    name: str
    data: Callable[[Material], pd.DataFrame]
    draw: Callable[..., Any]
    caption: Callable[[Material], str]
    size: tuple[float, float] = (6.3, 3.6)
    panels: int = 1
    foot: float = 0.0
    fit: Callable[[Material], tuple[float, float]] | None = None

    def inches(self, material: Material) -> tuple[float, float]:
        """Width and height when it stands alone."""
        if self.fit is None:
            return self.size
        width, height = self.fit(material)
        scale = min(1.0, self.size[0] / width, self.size[1] / height)
        return width * scale, height * scale

    def __repr__(self) -> str:
        return f"Figure({self.name!r})"

    def on(self, material: Material, axes: Sequence[Axes]) -> None:
        """Draw the figure into given axes."""
        self._draw(self.data(material), material, axes)

    def alone(self, material: Material, style: str = "paper") -> Drawing:
        """The figure on a canvas of its own."""
        return self._alone(self.data(material), material, style)

    def files(self, material: Material, options: Options = DEFAULT) -> dict[str, bytes]:
        """The figure in each format and its CSV, by file name; identical input gives identical bytes."""
        table = self.data(material)
        csv = table.to_csv(index=False, lineterminator="\n").encode()
        drawing = self._alone(table, material, options.style)
        drawing.lay_out()
        drawn = {f"{self.name}.{kind}": drawing.saved(kind) for kind in options.formats}
        return {**drawn, f"{self.name}.csv": csv}

    def _draw(self, table: pd.DataFrame, material: Material, axes: Sequence[Axes]) -> None:
        self.draw(table, axes[0] if self.panels == 1 else axes, targets=material.targets)

    def _alone(self, table: pd.DataFrame, material: Material, style: str) -> Drawing:
        with look(style):
            size, dpi = canvas(self.inches(material))
            drawing = Drawing(figsize=size, layout="constrained")
            drawing.style, drawing.fine = style, dpi
            axes = drawing.subplots(1, self.panels, squeeze=False)[0]
            self._draw(table, material, list(axes))
            if self.foot:
                share = self.foot / size[1]
                drawing.set_layout_engine("constrained", rect=(0, share, 1, 1 - share))
                for legend in filter(None, (ax.get_legend() for ax in axes)):
                    legend.set_in_layout(False)
            finish(drawing)
        return drawing
