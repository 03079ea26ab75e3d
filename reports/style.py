"""Three styles and one look: `paper` for print, `slides` for the wall, `dark` for screens; type, axes, ticks.

The digit that the rule counts for "yes" and the one it counts against keep their two colours everywhere, and
all other digits are grey (`reports.palettes`). Attention is drawn from 0 to 1, diverging scales are centred on 0.

Figures ask for colours while they draw, through ``tints`` and ``maps``, which are always those of the style that
`look` has set. A colour that is read when a module is imported would stay that of paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure as Canvas
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from attnprobe.errors import unknown
from reports.palettes import DARK, PAPER, Maps, Palette, Tints
from reports.words import ten_to

__all__ = [
    "STYLES",
    "Style",
    "canvas",
    "colour",
    "current",
    "decades",
    "dots",
    "empty",
    "error_axis",
    "jitter",
    "label_digits",
    "legend_below",
    "log_axis",
    "look",
    "maps",
    "powers",
    "scale_beside",
    "style_named",
    "text_colour",
    "thousands",
    "tidy",
    "tints",
]

DRAWN_WITH = (
    *("axes", "figure", "font", "grid", "hatch", "hist", "image", "legend", "lines", "markers", "mathtext", "patch"),
    *("path", "pdf", "savefig", "scatter", "text", "xaxis", "xtick", "yaxis", "ytick"),
)
LOOK: dict[str, Any] = {
    # first of all matplotlib's own settings, not those of whoever draws: the report is the same for everyone
    **{name: value for name, value in mpl.rcParamsDefault.items() if name.split(".")[0] in DRAWN_WITH},
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",  # letters stay letters, which can be searched, selected and edited
    "svg.hashsalt": "attnprobe",  # the same names of parts each time
}
HEAVIER = {"axes.linewidth": 1.0, "xtick.major.width": 1.0, "ytick.major.width": 1.0, "grid.linewidth": 0.8}
DPI = 200
SLIDE_WIDTH = 6.4  # inches at least: with letters of 8 points, as large on the wall as print at arm's length
SLIDE_PIXELS = 1920


def _coloured(tints: Tints) -> dict[str, Any]:
    """Matplotlib's settings that are colours."""
    letters = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
    lines = ("axes.edgecolor", "lines.color", "patch.edgecolor", "hatch.color")
    ground = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        **dict.fromkeys(letters + lines, tints.ink),
        **dict.fromkeys(ground, tints.paper),
        "grid.color": tints.grid,
    }


@dataclass(frozen=True)
class Style:
    """How figures look.

    Attributes
    ----------
    name : str
    palette : Palette
        Its colours and scales.
    rc : mapping
        Settings of matplotlib: all that bear on what is drawn.
    shape : (float, float) or None
        Width to height of every figure; None leaves each its own.
    stroke : float
        How much heavier lines are than on paper.
    """

    name: str
    palette: Palette
    rc: Mapping[str, Any]
    shape: tuple[int, int] | None = None
    stroke: float = 1.0


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style("paper", PAPER, LOOK | _coloured(PAPER.tints)),
        Style("slides", PAPER, LOOK | _coloured(PAPER.tints) | HEAVIER, shape=(16, 9), stroke=1.4),
        Style("dark", DARK, LOOK | _coloured(DARK.tints)),
    )
}
_current: ContextVar[Style] = ContextVar("style", default=STYLES["paper"])


class _Live:
    """A part of the current style's palette, looked up anew each time."""

    def __init__(self, part: Literal["tints", "maps"]) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_current.get().palette, self._part), name)


tints = cast(Tints, _Live("tints"))
maps = cast(Maps, _Live("maps"))


def current() -> Style:
    """The style that is set."""
    return _current.get()


def style_named(name: str) -> Style:
    """The style of that name; AttnprobeError if there is none."""
    if name not in STYLES:
        raise unknown("style", name, STYLES)
    return STYLES[name]


@contextmanager
def look(style: str = "paper") -> Iterator[None]:
    """The look of a style, for as long as the context lasts; global settings stay as they are.

    Parameters
    ----------
    style : str
        A name in `STYLES`.

    Raises
    ------
    AttnprobeError
        When there is no such style.
    """
    chosen = style_named(style)
    before = _current.set(chosen)
    try:
        with mpl.rc_context(cast(Any, chosen.rc)):
            yield
    finally:
        _current.reset(before)


def canvas(size: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Size in inches and dots an inch of a figure in the current style, given its own size.

    Slides are 16 to 9 and 1,920 dots wide, and at least as wide as leaves the letters large.
    """
    shape = _current.get().shape
    if shape is None:
        return size, DPI
    width = max(SLIDE_WIDTH, size[0])
    dots_an_inch = math.nextafter(SLIDE_PIXELS / width, math.inf)  # matplotlib cuts fractions of a dot off
    return (width, width * shape[1] / shape[0]), dots_an_inch


def colour(digit: int, targets: tuple[int, int]) -> str:
    """The colour of a digit's marks."""
    return {targets[0]: tints.first, targets[1]: tints.second}.get(int(digit), tints.distractor)


def text_colour(digit: int, targets: tuple[int, int]) -> str:
    """The colour of a digit's name: the same, with the contrast that letters need."""
    return {targets[0]: tints.first_text, targets[1]: tints.second_text}.get(int(digit), tints.distractor_text)


def label_digits(ax: Axes, digits: np.ndarray, targets: tuple[int, int]) -> None:
    """Digits as ticks along x, the rule's two in their colours."""
    ax.set_xticks(digits, [str(digit) for digit in digits])
    for digit, text in zip(digits, ax.get_xticklabels(), strict=True):
        text.set_color(text_colour(digit, targets))
        text.set_fontweight("bold" if digit in targets else "normal")
    ax.set_xlim(digits[0] - 0.6, digits[-1] + 0.6)
    ax.set_xlabel("digit")


def jitter(n: int, width: float) -> np.ndarray:
    """Offsets that spread n points evenly over ``width``: the golden ratio's multiples, no chance in it."""
    return ((np.arange(n) * 0.6180339887498949) % 1 - 0.5) * width


def dots(n: int) -> dict[str, Any]:
    """Size and opacity of n dots: seen one by one when they are few, as a cloud when they are many."""
    few = n <= 50
    return {"s": 14 if few else 5, "alpha": 0.7 if few else 0.45, "linewidths": 0}


def decades(edge: float) -> list[float]:
    """At most four powers of ten below ``edge``, evenly apart: from 1 on where they are neighbours."""
    last = math.ceil(math.log10(edge)) - 1 if edge > 1 else -1
    step = max(1, math.ceil(last / 3))
    return [10.0**power for power in range(0 if step == 1 else step, last + 1, step)]


def powers(axis: Axis) -> None:
    """Powers of ten as tick labels."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: ten_to(round(math.log10(x)))))


def thousands(axis: Axis) -> None:
    """Whole numbers with separators as tick labels."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def log_axis(axis: Axis) -> None:
    """Ticks that stay readable whether the axis spans a decade or ten."""
    low, high = axis.get_view_interval()
    wide = high / low > 30 if low > 0 else True
    axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 3.0, 5.0), numticks=8))
    axis.set_minor_locator(NullLocator())
    if wide:
        powers(axis)
    else:
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def error_axis(ax: Axes, error: pd.Series) -> pd.Series:
    """A logarithmic y axis for probabilities of error with a place for exactly 0; returns where to draw."""
    floor = min(1e-11, error[error > 0].min() / 10) if (error > 0).any() else 1e-11
    powers = [power for power in range(-60, 1, 2) if 10.0**power >= 8 * floor]
    ax.set_yscale("log")
    ax.set_ylim(floor / 4, 2)
    ax.set_yticks([floor, *(10.0**power for power in powers)], ["0", *map(ten_to, powers)])
    ax.minorticks_off()
    ax.set_ylabel("probability of a wrong answer")
    return error.clip(lower=floor)


def legend_below(ax: Axes, inches: float, x: float = 0.5, loc: str = "upper center", **options: Any) -> Legend:
    """A legend so far below the axes, however high they are; its dots are large and opaque."""
    down = ScaledTranslation(0, -inches, cast(Canvas, ax.figure).dpi_scale_trans)
    place: dict[str, Any] = {"loc": loc, "bbox_to_anchor": (x, 0), "bbox_transform": ax.transAxes + down}
    legend = ax.legend(**place, **{"borderaxespad": 0, "borderpad": 0, **options})
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(alpha=1, sizes=[18])
    return legend


def scale_beside(
    ax: Axes,
    image: ScalarMappable,
    ticks: Sequence[float] | None = None,
    names: Sequence[str] | None = None,
    *,
    label: str = "",
    width: float = 0.045,
    extend: str = "neither",
) -> Colorbar:
    """The scale of an image, as high as the image is drawn and close to it; ``width`` is a share of the axes'."""
    place = ax.inset_axes((1 + width * 0.7, 0, width, 1))
    options: dict[str, Any] = {"ticks": ticks, "label": label, "extend": extend}
    bar = cast(Canvas, ax.figure).colorbar(image, cax=place, **options)
    bar.outline.set_visible(False)
    if names is not None:
        bar.ax.set_yticklabels(names)
    return bar


def empty(ax: Axes, words: str, title: str = "") -> Axes:
    """Say in place of a picture why there is none."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=tints.muted)
    ax.set_title(title)
    ax.set_axis_off()
    return ax


def tidy(ax: Axes, axis: Literal["both", "x", "y"] = "y") -> Axes:
    """A light grid behind the data."""
    ax.grid(axis=axis)
    return ax
