"""A few pictures as they should look. Most tests compare artists and data; these guard what only an eye would see.

After a change that is meant, draw them again and look at them:

    ATTNPROBE_GOLDEN=draw python -m pytest tests/test_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import planted
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread, imsave

import analyses
import reports
from reports.figure import Material

GOLDEN = Path(__file__).parent / "golden"
PICTURES = (
    ("attention_by_digit", "paper"),
    ("rules_region", "paper"),
    ("exercise_best", "paper"),
    ("attention_gallery", "paper"),
    ("focus_and_errors", "dark"),
    ("values_by_digit", "slides"),
)
DPI = 60
ALIKE = 0.07  # difference, as a share of what is drawn: letters of another version of FreeType stay below


def pixels(name: str, style: str, material: Material) -> np.ndarray:
    """The picture as numbers from 0 to 1, (height, width, 3)."""
    drawing = reports.figures()[name].alone(material, style)
    drawing.set_dpi(DPI)
    canvas = FigureCanvasAgg(drawing)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """How far pixels differ, as a share of how far what is drawn differs from its ground."""
    return float(np.abs(found - expected).mean() / np.abs(expected - expected[0, 0]).mean())


@pytest.fixture(scope="module")
def crowd(tmp_path_factory) -> Material:
    """A hundred networks around a right one, some of which answer alike to everything: the same on any machine."""
    config, rng = planted.settings(), np.random.default_rng(5)
    digits = np.arange(config.vocab_size)
    right = np.where(digits == 3, 1.0, np.where(digits == 1, -1.0, 0.0))
    made = [
        planted.network(config, 2 * np.abs(right) + 0.6 * rng.normal(size=5), right + 0.15 * rng.normal(size=5))
        for _ in range(97)
    ]
    made += [planted.constant(config), planted.constant(config, 1.0), planted.broken(made[0])]
    run = planted.write(tmp_path_factory.mktemp("crowd") / "run", config, made)
    analyses.write(run)
    return Material(run)


@pytest.mark.parametrize(("name", "style"), PICTURES)
def test_a_picture_looks_as_it_did(crowd, name, style) -> None:
    found, path = pixels(name, style, crowd), GOLDEN / f"{name}.{style}.png"
    if os.environ.get("ATTNPROBE_GOLDEN") == "draw":
        GOLDEN.mkdir(exist_ok=True)
        imsave(path, found)
    expected = imread(path)[..., :3]
    assert found.shape == expected.shape
    assert difference(found, expected) < ALIKE


def test_a_changed_picture_is_noticed() -> None:
    """One whose panels moved by a hundredth of the width, or whose colours went pale by a tenth."""
    before = imread(GOLDEN / "attention_by_digit.paper.png")[..., :3]
    for after in (np.roll(before, before.shape[1] // 100, axis=1), 1 - 0.9 * (1 - before)):
        assert difference(after, before) > ALIKE
