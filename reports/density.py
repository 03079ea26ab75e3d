"""How many seeds are drawn: one by one while they are few, as shades and shapes where dots would hide each other.

`cloud` draws points of a plane. Up to `MOST_DOTS` they are dots. Beyond, the plane is cut into hexagons whose shade
says on a logarithmic scale how many seeds they hold (Carr et al. 1987, doi:10.1080/01621459.1987.10478445), but a
hexagon of few seeds is not drawn: these stay dots, because a seed that stands alone is what one looks for. Where
groups meet in a hexagon, the largest fills it and the others lie within it, smaller, so that none is hidden.

`strip` draws points of a line the same way: dots, or an outline as wide as seeds are many, and dots where it would be
thinner than a dot.

Axes end where nearly all seeds do (`limits`). Seeds beyond are triangles at the edge, and are counted.
Both helpers place by what is seen, so scales and limits must be set before they are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text

from reports.legend import Group, handle
from reports.style import dots, jitter, tints

__all__ = [
    "MOST_DOTS",
    "MOST_IN_STRIP",
    "Shown",
    "cloud",
    "hexagons",
    "inches",
    "key",
    "limits",
    "note",
    "shade",
    "strip",
]

MOST_DOTS = 1_500  # points in a panel
MOST_IN_STRIP = 400
SINGLE = 3  # so many points in a hexagon are still dots
SMALL = 200  # a group of so few keeps its dots wherever they are
PITCH = 0.062  # inches between neighbouring hexagons
INNER = 0.62  # size of each further group in a hexagon, the largest group first
PALEST, PURE, DEEPEST = 0.2, 0.7, 0.45  # shades: of a single seed; where a colour is itself; how far it goes to ink
LEVELS = (25, 110)  # of a strip, at least and at most
THINNEST = 0.01  # an outline, of its widest
ALMOST_ALL = (0.01, 0.99)
STRETCH = 0.25  # how far an axis may go beyond almost all points, in lengths of what they span
FEW = 500  # of so few values none is left out unless it is a whole such length away
CORNERS = np.array([(0, 1), (1, 0.5), (1, -0.5), (0, -1), (-1, -0.5), (-1, 0.5)]) * (0.5, 1 / np.sqrt(3))


@dataclass(frozen=True)
class Shown:
    """What became of the points of a cloud or strip: each is in exactly one of these.

    Attributes
    ----------
    dots : int
        Drawn one by one.
    hexagons : ndarray of int
        Points in each hexagon (or level of a strip), one entry a group.
    beyond : int
        Outside the axes, drawn at their edge.
    unknown : int
        Not finite, so not drawn.
    """

    dots: int
    hexagons: np.ndarray
    beyond: int
    unknown: int


def limits(*values: Any) -> tuple[float, float]:
    """Ends of an axis that shows almost all of the finite values, and all unless a few would squeeze the rest."""
    together = np.concatenate([np.asarray(some, dtype=np.float64).ravel() for some in values])
    finite = together[np.isfinite(together)]
    if not finite.size:
        return 0.0, 1.0
    start, end = np.quantile(finite, ALMOST_ALL)
    room = (STRETCH if finite.size > FEW else 1) * (end - start)
    low, high = max(finite.min(), start - room), min(finite.max(), end + room)
    hair = 0.04 * (high - low) or 0.5
    return float(low - hair), float(high + hair)


def shade(tint: str, strength: float) -> tuple[float, ...]:
    """From the ground at ``strength`` 0 through a colour at `PURE` to a dark (or, on dark ground, light) form at 1."""
    ground, pure, far = (np.array(to_rgb(name)) for name in (tints.paper, tint, tints.ink))
    if strength <= PURE:
        return tuple(ground + (pure - ground) * strength / PURE)
    return tuple(pure + (far - pure) * DEEPEST * (strength - PURE) / (1 - PURE))


# --- points of a plane -----------------------------------------------------------------------------------


def cloud(
    ax: Axes,
    x: Any,
    y: Any,
    groups: Sequence[Group],
    *,
    dot: dict[str, Any] | None = None,
    rim: Any = None,
    unit: str = "seeds",
    place: dict[str, Any] | None = None,
) -> Shown:
    """Draw points by group, with a key to shades and to what lies beyond where there is any.

    Parameters
    ----------
    ax : Axes
        Its scales and limits are set already.
    x, y : array_like, shape (n,)
    groups : sequence of (name, rows, colour, marker)
        ``rows`` is a mask of n; later groups lie on top.
    dot : dict
        Style of the dots, as for ``Axes.scatter``.
    rim : array_like of bool, shape (n,), optional
        What gets a dark rim: these dots, and hexagons that hold mostly such.
    unit : str
        What a point is.
    place : dict, optional
        Where the key goes, as for ``Axes.legend``; above the axes at the right if not given.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    masks = [np.asarray(rows, dtype=bool) for _, rows, _, _ in groups]
    rims = np.zeros(x.size, dtype=bool) if rim is None else np.asarray(rim, dtype=bool)
    known = np.isfinite(x) & np.isfinite(y) & np.logical_or.reduce(masks, axis=0)
    seen = _seen(ax, x, y)
    inside = known & (np.abs(seen - 0.5) <= 0.5 + 1e-9).all(axis=1)
    single = inside.copy()
    counts, most = np.zeros((0, len(groups)), dtype=np.int64), 0
    if known.sum() > MOST_DOTS and inside.any():
        many = inside & np.logical_or.reduce([rows for rows in masks if (rows & inside).sum() > SMALL], axis=0)
        inch = inches(ax)
        cell, centres = _cells(seen * inch, many)
        counts = np.stack([np.bincount(cell[many & rows], minlength=len(centres)) for rows in masks], axis=1)
        dense = counts.sum(axis=1) > SINGLE
        single[many] = ~dense[cell[many]]
        rimmed = np.bincount(cell[many & rims], minlength=len(centres)) > counts.sum(axis=1) / 2
        counts, centres, most = counts[dense], centres[dense], int(counts[dense].max(initial=0))
        _hexagons(ax, centres / inch, counts, rimmed[dense], [tint for _, _, tint, _ in groups])
    style = {"s": 13, "alpha": 0.6, "linewidths": 0, "zorder": 3} | (dot or {})
    if most:  # smaller, or single seeds would look like more than those in a hexagon
        style |= {"s": 5, "alpha": 0.8}
    for (_, _, tint, marker), rows in zip(groups, masks, strict=True):
        for edged in (False, True):
            which = single & rows & (rims == edged)
            edge = {"edgecolors": tints.ink, "linewidths": 0.35} if edged else {}
            if which.any():
                ax.scatter(x[which], y[which], marker=marker, color=tint, **(style | edge))
        _at_the_edge(ax, seen[known & ~inside & rows], tint)
    outside = int((known & ~inside).sum())
    key(ax, most, outside, unit, **(place or {}))
    return Shown(int(single.sum()), counts, outside, int(x.size - known.sum()))


def _seen(ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Places as shares of the axes' width and height; beyond 0 to 1 they are not seen."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((ax.transData - ax.transAxes).transform(np.column_stack([x, y])))


def inches(ax: Axes) -> np.ndarray:
    """Width and height of the axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return np.array(ax.get_position(original=True).size) * figure.get_size_inches()


def _cells(at: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the hexagon that each of some points (in inches) lies in, and the hexagons' centres."""
    step = PITCH * np.array([1, np.sqrt(3)])
    foot = at[rows, 1].min() if rows.any() else 0.0
    start = np.array([0, foot])  # so that points at the foot lie in one row
    points = at[rows] - start
    even, odd = np.round(points / step), np.floor(points / step) + 0.5
    nearer = ((points - even * step) ** 2).sum(axis=1) < ((points - odd * step) ** 2).sum(axis=1)
    centres, index = np.unique(np.where(nearer[:, None], even, odd), axis=0, return_inverse=True)
    cell = np.full(len(at), -1)
    cell[rows] = index.ravel()
    return cell, centres * step + start


def _hexagons(ax: Axes, centres: np.ndarray, counts: np.ndarray, rimmed: np.ndarray, colours: Sequence[str]) -> None:
    """One hexagon a group and cell, the largest group's the outer one."""
    if not len(counts):
        return
    order = np.argsort(-counts, axis=1, kind="stable")
    corners = PITCH * CORNERS / inches(ax)
    to_data = ax.transAxes - ax.transData
    for rank in range(counts.shape[1]):
        group = order[:, rank]
        n = np.take_along_axis(counts, order, axis=1)[:, rank]
        some = n > 0
        shapes = centres[some, None, :] + INNER**rank * corners
        places = to_data.transform(shapes.reshape(-1, 2)).reshape(-1, 6, 2)
        faces = [shade(colours[g], strength(k, counts.max())) for g, k in zip(group[some], n[some], strict=True)]
        dark = rimmed[some] & (rank == 0)
        edges = [tints.ink if edged else face for edged, face in zip(dark, faces, strict=True)]
        widths = np.where(dark, 0.4, 0.15)  # of its own colour, against seams
        ax.add_collection(
            PolyCollection(list(places), facecolors=faces, edgecolors=edges, linewidths=widths, zorder=2 + rank / 10),
            autolim=False,
        )


def strength(count: int, most: int) -> float:
    """Of the shade of so many points: logarithmic, from a single one to the most."""
    return PALEST + (1 - PALEST) * float(np.log(max(count, 1)) / np.log(max(most, 2)))


def _at_the_edge(ax: Axes, seen: np.ndarray, tint: str) -> None:
    """Triangles that point to where seeds lie that are not in view."""
    cut = np.clip(np.nan_to_num(seen, nan=0.5), 0, 1)
    far = np.abs(seen - cut)
    sideways = far[:, 0] >= far[:, 1]
    for marker, which in (
        ("<", sideways & (seen[:, 0] < 0)),
        (">", sideways & (seen[:, 0] > 1)),
        ("v", ~sideways & (seen[:, 1] < 0)),
        ("^", ~sideways & (seen[:, 1] > 1)),
    ):
        if which.any():
            places = np.unique(np.round(cut[which], 2), axis=0)  # one for several that would lie on each other
            style: dict[str, Any] = {
                "s": 11,
                "marker": marker,
                "color": tint,
                "linewidths": 0,
                "zorder": 5,
                "clip_on": False,
            }
            ax.scatter(*places.T, transform=ax.transAxes, **style)


# --- points of a line ------------------------------------------------------------------------------------


def strip(
    ax: Axes, place: float, values: pd.Series | np.ndarray, tint: str, *, width: float = 0.55, upright: bool = True
) -> Shown:
    """Draw values along y at x = ``place`` (or, if not ``upright``, along x at y = ``place``), ``width`` wide."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    points = (np.full(values.size, place), values) if upright else (values, np.full(values.size, place))
    seen = _seen(ax, *points)
    along = seen[:, int(upright)]
    inside = known & (np.abs(along - 0.5) <= 0.5 + 1e-9)
    single = inside.copy()
    counts = np.zeros(0, dtype=np.int64)
    if known.sum() > MOST_IN_STRIP and inside.any():
        n = _levels(along[inside])
        level = np.clip(np.where(inside, along, 0) * n, 0, n - 1).astype(int)
        counts = np.bincount(level[inside], minlength=n)
        thick = counts > max(SINGLE, THINNEST * counts.max())
        single[inside] = ~thick[level[inside]]
        _outline(ax, place, np.where(thick, counts, 0) / counts.max() * width / 2, tint, upright)
        counts = counts[thick]
    many = counts.size > 0
    across = place + jitter(int(single.sum()), width * (0.25 if many else 1))
    style = {"s": 3, "alpha": 0.6, "linewidths": 0} if many else dots(int(known.sum()))
    places = (across, values[single]) if upright else (values[single], across)
    ax.scatter(*places, color=tint, zorder=2.2, **style)
    _at_the_edge(ax, seen[known & ~inside], tint)
    return Shown(int(single.sum()), counts[:, None], int((known & ~inside).sum()), int(values.size - known.sum()))


def _levels(along: np.ndarray) -> int:
    """Into how many levels an axis is cut: Freedman & Diaconis 1981, doi:10.1007/BF01025868."""
    first, third = np.quantile(along, [0.25, 0.75])
    width = 2 * (third - first) / np.cbrt(along.size)
    return int(np.clip(1 / max(width, 1e-9), *LEVELS))


def _outline(ax: Axes, place: float, half: np.ndarray, tint: str, upright: bool) -> None:
    """Steps as wide as ``half`` on both sides, level by level; none where it is 0."""
    edges = np.linspace(0, 1, len(half) + 1)
    to_data = ax.transAxes - ax.transData
    ends = to_data.transform(np.column_stack([edges, edges]))[:, int(upright)]
    starts = np.flatnonzero(np.diff(np.concatenate([[0], half > 0, [0]])))
    shapes = []
    for first, last in starts.reshape(-1, 2):
        out, up = np.repeat(half[first:last], 2), np.repeat(ends[first : last + 1], 2)[1:-1]
        shape = np.column_stack([np.concatenate([place + out, place - out[::-1]]), np.concatenate([up, up[::-1]])])
        shapes.append(shape if upright else shape[:, ::-1])
    ax.add_collection(
        PolyCollection(shapes, facecolors=[shade(tint, 0.5)], edgecolors=tint, linewidths=0.3, zorder=2), autolim=False
    )


# --- what it means ---------------------------------------------------------------------------------------


def key(ax: Axes, most: int, beyond: int, unit: str = "seeds", **where: Any) -> None:
    """What shades stand for, and how many points lie beyond the axes, in small print; nothing where neither is."""
    marks: list[Line2D] = []
    if most > SINGLE:
        middle = round(float(np.sqrt(most)), -1 if most >= 400 else 0)
        steps = sorted({1, max(2, int(middle)), most})
        named = [f"{step:,}" for step in steps[:-1]] + [f"{most:,} {unit}"]
        marks += [
            handle(name, shade(tints.ink, strength(step, most)), "h", 6)
            for name, step in zip(named, steps, strict=True)
        ]
    if beyond:
        marks.append(handle(f"{beyond:,} beyond", tints.muted, "<", 3.5))
    if not marks:
        return
    spacing = {"handletextpad": 0.1, "columnspacing": 0.5, "borderpad": 0, "handlelength": 1.1, "borderaxespad": 0.3}
    corner = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(marks)}
    labels = [str(mark.get_label()) for mark in marks]
    small = Legend(ax, marks, labels, fontsize=6.5, frameon=True, **{**spacing, **corner, **where})
    small.get_frame().set(facecolor=tints.paper, edgecolor="none", alpha=0.8)
    small.set_gid("key")
    ax.add_artist(small)


def hexagons(n: int, unit: str = "seeds", rim: str = "") -> str:
    """What a caption says of hexagons, where ``n`` points are so many that some are drawn as such."""
    if n <= MOST_DOTS:
        return ""
    rimmed = f" (with a rim: {rim})" if rim else ""
    return (
        f" Hexagons hold more than {SINGLE} {unit}; the key gives their shades{rimmed}. Of groups that share one, the "
        "smaller lies inside."
    )


def note(ax: Axes, beyond: int, total: int, unit: str = "seeds") -> Text | None:
    """How many of how many points lie beyond the axes, above their right end; nothing where none does."""
    if not beyond:
        return None
    words = f"▲ {beyond:,} of {total:,} {unit} beyond the axis"
    return ax.text(1, 1.01, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=6.5, color=tints.muted)
