"""Colours as others see them: with colour blindness, in grey print, and how far apart they are.

Simulations: Machado, Oliveira & Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1.0, on linear RGB. Distance:
CIEDE2000 (Sharma, Wu & Dalal 2005, doi:10.1002/col.20070). Contrast: WCAG 2.2, relative luminance.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb

SIMULATED = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
READERS = ("everyone", *SIMULATED)
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colours) -> np.ndarray:
    """Linear RGB (..., 3) of names or of sRGB values from 0 to 1."""
    rgb = np.array([to_rgb(colour) for colour in np.atleast_1d(colours)]) if _names(colours) else np.asarray(colours)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _names(colours) -> bool:
    return np.asarray(colours).dtype.kind == "U"


def seen(colours, reader: str) -> np.ndarray:
    """Linear RGB as a reader sees it."""
    rgb = linear(colours)
    return rgb if reader == "everyone" else np.clip(rgb @ np.array(SIMULATED[reader]).T, 0, 1)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (..., 3) of linear RGB, white point D65."""
    white = TO_XYZ.sum(axis=1)
    x = rgb @ TO_XYZ.T / white
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lightness(colours, reader: str = "everyone") -> np.ndarray:
    """L* from 0 to 100: for everyone, what is left in grey print."""
    return lab(seen(colours, reader))[..., 0]


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIEDE2000 of CIELAB colours (..., 3)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    turn = np.where(c1 * c2 == 0, 0, turn)
    hue = np.where(c1 * c2 == 0, h1 + h2, (h1 + turn / 2) % 360)
    chroma, light = (c1 + c2) / 2, (l1 + l2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    dl = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    twist = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(twist))
    return np.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh)


def apart(first: str, second: str, reader: str) -> float:
    """CIEDE2000 between two colours as a reader sees them."""
    return float(distance(*(lab(seen([colour], reader))[0] for colour in (first, second))))


def contrast(first, second) -> float:
    """WCAG's contrast ratio of two colours, from 1 to 21."""
    low, high = sorted(float(linear([colour])[0] @ TO_XYZ[1]) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)
