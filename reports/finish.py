"""What is done to figures once they are drawn: heavier lines on slides, numbers no wider than their cells."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from reports.style import current

__all__ = ["finish", "fit_cells", "strengthen"]

FILLED = 0.88  # of a cell's width and height, at most, by what is written in it


def finish(drawn: Canvas) -> None:
    """What the current style does to a figure of its own once it is drawn: on slides lines and dots grow."""
    if current().stroke != 1.0:
        strengthen(drawn)
        _level(drawn)


def strengthen(drawn: Canvas) -> None:
    """Draw lines and dots as heavily as the current style wants them."""
    stroke = current().stroke
    for ax in drawn.axes:
        legend = ax.get_legend()
        handles = legend.legend_handles if legend else []
        for mark in (*ax.lines, *ax.collections, *handles):
            if isinstance(mark, Line2D):
                mark.set_linewidth(stroke * mark.get_linewidth())
            elif isinstance(mark, (LineCollection, PathCollection)):
                mark.set_linewidth([stroke * width for width in np.atleast_1d(mark.get_linewidth())])
                if isinstance(mark, PathCollection):
                    mark.set_sizes(stroke * mark.get_sizes())


def _level(drawn: Canvas) -> None:
    """Make panels beside maps as high as these: cells are square, so that on a high canvas they leave room."""
    maps = [ax for ax in drawn.axes if ax.images and ax.get_aspect() == 1]
    if maps:
        rows, columns = maps[0].images[0].get_size()
        for ax in drawn.axes:
            if ax not in maps and ax.get_label() != "<colorbar>":
                ax.set_box_aspect(rows / columns)


def fit_cells(drawn: Canvas) -> None:
    """Make what is written in the cells of maps small enough for them; to be called once axes have their places."""
    for ax in drawn.axes:
        if ax.images:
            numbers = [text for text in ax.texts if text.get_transform() is ax.transData and text.get_text()]
            across, up = _cell(ax)
            for text in numbers:
                width, height = _ems(text.get_text(), str(text.get_fontweight()))
                text.set_fontsize(min(text.get_fontsize(), FILLED * across / width, FILLED * up / height))


def _cell(ax: Axes) -> tuple[float, float]:
    """Width and height of a cell, in points."""
    ax.apply_aspect()
    inches = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    across, up = (abs(high - low) for low, high in (ax.get_xlim(), ax.get_ylim()))
    return inches.width * 72 / across, inches.height * 72 / up


@cache
def _ems(words: str, weight: str) -> tuple[float, float]:
    """Width and height of words at size 1."""
    font = FontProperties(family="DejaVu Sans", weight=weight)
    box = TextPath((0, 0), words, size=100, prop=font).get_extents()
    return box.width / 100, box.height / 100
