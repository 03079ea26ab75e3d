"""Letters that can be read on whatever colour lies behind them.

Contrast is that of WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio: from 1 to 21; text needs 4.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgb

__all__ = ["TEXT", "contrast", "letters_in", "letters_on"]

TEXT = 4.5


def contrast(first: Any, second: Any) -> float:
    """Contrast ratio of two colours."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def letters_on(ground: Any) -> str:
    """Black or white, whichever reads better on a colour. One always reads: the product of the two contrasts is 21."""
    return max("#000000", "#FFFFFF", key=lambda letters: contrast(letters, ground))


def letters_in(image: ScalarMappable, value: float) -> str:
    """Black or white for what is written in a cell of a map."""
    return letters_on(image.to_rgba(np.array(value)))


def _luminance(colour: Any) -> float:
    """Relative luminance, from 0 to 1, of an sRGB colour."""
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
