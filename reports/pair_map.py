"""The shared way to show a number for each pair of digits: a square map, the rule's digits in their colours."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from reports.contrast import letters_in
from reports.style import scale_beside, text_colour, tints

__all__ = ["MOST_NUMBERS", "digits_on_both_axes", "pair_map"]

MOST_NUMBERS = 12  # digits up to which cells have room for their numbers


def pair_map(
    grid: np.ndarray, ax: Axes, targets: tuple[int, int], cmap: Colormap, label: str, bar: bool = True
) -> Axes:
    """Draw shares (V, V) from 0 to 1, rows down; cells that are not a number stay empty."""
    n = len(grid)
    image = ax.imshow(grid, cmap=cmap.with_extremes(bad=tints.paper), vmin=0, vmax=1)
    if n <= MOST_NUMBERS:
        for y, x in np.argwhere(np.isfinite(grid)):
            share = grid[y, x]
            number = "0" if share == 0 else f"{share:.2f}".removeprefix("0")
            tint = letters_in(image, share)
            ax.text(x, y, number, ha="center", va="center", fontsize=5.6 if n <= 10 else 4.6, color=tint)
    digits_on_both_axes(ax, n, targets)
    ax.set_anchor("N")
    if bar:
        scale_beside(ax, image, [0, 0.25, 0.5, 0.75, 1], label=label)
    return ax


def digits_on_both_axes(ax: Axes, n: int, targets: tuple[int, int]) -> None:
    """Ticks for digits 0 to n - 1 along both axes, the rule's two in their colours; no frame."""
    shown = list(range(n)) if n <= MOST_NUMBERS else sorted(targets)  # more would overlap
    ax.set_xticks(shown)
    ax.set_yticks(shown)
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        for digit, text in zip(shown, labels, strict=True):
            text.set_color(text_colour(digit, targets))
            text.set_fontweight("bold" if digit in targets else "normal")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
