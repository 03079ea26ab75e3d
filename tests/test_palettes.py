"""Colours that survive colour blindness and grey print, and letters that can be read, in every style.

What is asked, and why:

- Colours of one set lie at least 12 apart (CIEDE2000) for every reader. 1 is the least that is seen between large
  patches side by side; dots of a few points, far from each other, take several times as much.
- In grey print they differ by 10 in L*, or else in shape, dashes or hatch, or stand beside their names.
- Marks have a contrast of 2.5 to the ground. (WCAG asks for 3 of what is needed to understand a figure. The lightest
  marks stay below: grey dots must be lighter than vermilion ones by those 10.)
- Text has WCAG's contrast of 4.5.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_rgb
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from vision import READERS, SIMULATED, apart, contrast, distance, lab, lightness, linear, seen

import reports.contrast
from reports.catalogue import FIGURES
from reports.figure import Material
from reports.marks import DIGITS, FAMILIES, MEASURES, METHODS, MILESTONES, ORDERS, OUTCOMES, SAMPLED, Mark
from reports.style import STYLES, colour, look, maps, text_colour, tints

APART, GREY, MARK, TEXT = 12, 10, 2.5, 4.5
SETS: dict[str, dict[str, Mark]] = {
    "digits": DIGITS,
    "outcomes": OUTCOMES,
    "families": FAMILIES,
    "orders": ORDERS,
    "milestones": MILESTONES,
    "methods": METHODS,
    "measures": MEASURES,
    "sampled shares": {name: SAMPLED[name] for name in ("passed_wrongly", "pair_tied", "share_certified")},
    "sampled errors": {name: mark for name, mark in SAMPLED.items() if name.startswith("absolute_error")},
    "outcomes and median": {"failed": OUTCOMES["failed"], "one": Mark("pale"), "median": Mark("ink", "-")},
    "thresholds": {"one": DIGITS["other"], "several": FAMILIES["several thresholds"]},
}
AREAS = {"orders": ORDERS, "thresholds": SETS["thresholds"]}  # bars, which have no shape
QUIET = {"pale", "grid"}  # they need not be noticed


@pytest.fixture(params=STYLES)
def style(request):
    with look(request.param):
        yield request.param


# --- the oracles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Sharma, Wu & Dalal 2005, table 1
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_distances_are_those_of_the_paper(first, second, expected) -> None:
    a, b = np.array(first, float), np.array(second, float)
    assert distance(a, b) == pytest.approx(expected, abs=5e-5)
    assert distance(b, a) == pytest.approx(expected, abs=5e-5)


def test_lightness_and_contrast_of_known_colours() -> None:
    np.testing.assert_allclose(lab(linear(["#FFFFFF", "#000000", "#777777"]))[:, 0], [100, 0, 50.03], atol=0.01)
    np.testing.assert_allclose(lab(linear(["#FF0000"]))[0], [53.24, 80.09, 67.20], atol=0.01)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("reader", SIMULATED)
def test_simulations_keep_grey_and_lose_what_they_should(reader) -> None:
    np.testing.assert_allclose(seen(["#FFFFFF", "#808080"], reader), linear(["#FFFFFF", "#808080"]), atol=1e-5)
    lost = {
        "protanopia": ("#D35F5F", "#8F8A5F"),
        "deuteranopia": ("#C77B4A", "#9A8F4A"),
        "tritanopia": ("#00A0C0", "#00A49A"),
    }
    assert apart(*lost[reader], reader) < 0.6 * apart(*lost[reader], "everyone")


# --- sets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("reader", READERS)
def test_colours_of_a_set_are_told_apart(name, reader, style) -> None:
    near = {
        (a, b): round(apart(SETS[name][a].colour, SETS[name][b].colour, reader), 1)
        for a, b in combinations(SETS[name], 2)
        if apart(SETS[name][a].colour, SETS[name][b].colour, reader) < APART
    }
    assert near == {}


@pytest.mark.parametrize("name", SETS)
def test_marks_of_a_set_are_told_apart_in_grey_print(name, style) -> None:
    merged = []
    for (a, first), (b, second) in combinations(SETS[name].items(), 2):
        light = np.abs(np.diff(lightness([first.colour, second.colour])))[0]
        if light < GREY and (first.shape, first.line) == (second.shape, second.line):
            merged.append(f"{a} and {b} differ by {light:.1f}")
    assert merged == []


@pytest.mark.parametrize("name", AREAS)
def test_bars_of_a_set_are_told_apart_in_grey_print(name, style) -> None:
    light = np.sort(lightness([mark.colour for mark in AREAS[name].values()]))
    assert np.diff(light).min() >= GREY


def test_marks_stand_out_from_the_ground(style) -> None:
    used = {mark.tint for marks in SETS.values() for mark in marks.values()} - QUIET
    assert len(used) >= 12
    assert {
        name: contrast(getattr(tints, name), tints.paper)
        for name in used
        if contrast(getattr(tints, name), tints.paper) < MARK
    } == {}


def test_the_two_digits_and_the_others(style) -> None:
    assert [colour(digit, (3, 1)) for digit in (3, 1, 0)] == [mark.colour for mark in DIGITS.values()]
    for digit in (3, 1, 0):
        assert contrast(text_colour(digit, (3, 1)), tints.paper) >= TEXT
        # a darker or lighter shade, not another colour
        assert apart(colour(digit, (3, 1)), text_colour(digit, (3, 1)), "everyone") < 25
    for reader in READERS:
        for a, b in combinations((3, 1, 0), 2):
            assert apart(text_colour(a, (3, 1)), text_colour(b, (3, 1)), reader) >= APART


# --- scales -----------------------------------------------------------------------------------------------


def light_along(scale: Colormap, reader: str, low: float = 0, high: float = 1) -> np.ndarray:
    """L* along a part of a scale."""
    return lab(seen(scale(np.linspace(low, high, 65))[:, :3], reader))[:, 0]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["attention", "sequential"])
def test_scales_are_in_order_for_everyone(name, reader, style) -> None:
    light = light_along(getattr(maps, name), reader)
    steps = np.diff(light)
    assert (steps > 0).all() or (steps < 0).all()
    assert abs(light[-1] - light[0]) > 55
    assert abs(light[0] - lightness([tints.paper])[0]) < 8  # little is near the ground
    assert abs(steps).max() < 4 * abs(steps).mean()  # no jump that looks like an edge


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["diverging", "raw"])
def test_diverging_scales_leave_the_ground_on_both_sides(name, reader, style) -> None:
    scale = getattr(maps, name)
    middle = lab(seen(scale(np.array([0.5]))[:, :3], reader))[0]
    assert np.hypot(*middle[1:]) < 5  # neutral
    assert abs(middle[0] - lightness([tints.paper])[0]) < 4
    away = 1 if style == "dark" else -1
    for end in (0, 1):
        light = light_along(scale, reader, 0.5, end)
        assert (away * np.diff(light) > 0).all()
        assert abs(light[-1] - light[0]) > 30
    ends = lab(seen(scale(np.array([0.0, 1.0]))[:, :3], reader))
    assert distance(ends[0], ends[1]) > 2 * APART


def test_the_ends_of_the_digits_scale_differ_in_grey_print(style) -> None:
    assert abs(np.diff(lightness([maps.diverging(0.0)[:3], maps.diverging(1.0)[:3]]))[0]) >= GREY


# --- letters ----------------------------------------------------------------------------------------------


def test_letters_on_any_colour_can_be_read() -> None:
    for ground in np.linspace(0, 1, 256):
        assert contrast(reports.contrast.letters_on((ground, ground, ground)), (ground, ground, ground)) >= 4.58
    assert reports.contrast.contrast("#D55E00", "#A0A0A0") == pytest.approx(contrast("#D55E00", "#A0A0A0"), abs=1e-3)


def test_text_of_the_style_can_be_read(style) -> None:
    for name in ("ink", "muted", "chance", "red", "first_text", "second_text", "distractor_text"):
        assert contrast(getattr(tints, name), tints.paper) >= TEXT, name
    assert contrast(tints.faint, tints.blank) >= TEXT


def ground_of(text: Text, ax: Axes):
    """The colour behind a text: its halo, the cell or the bar in which it stands, or else the ground."""
    for effect in text.get_path_effects():
        if "foreground" in getattr(effect, "_gc", {}):
            return effect._gc["foreground"]
    place = text.get_transform().transform(text.get_position())
    for cells in ax.collections if text in ax.texts else ():
        if cells.get_array() is not None and len(cells.get_paths()) > 1:  # a polygon a cell
            inside = [path.contains_point(text.get_position()) for path in cells.get_paths()]
            if any(inside):
                return tuple(cells.to_rgba(cells.get_array())[inside.index(True), :3])
    if text in ax.texts and ax.images:
        left, right, *ends = ax.images[0].get_extent()
        last, first = ends if ax.images[0].origin == "upper" else ends[::-1]
        x, y = ax.transData.inverted().transform(place)
        rows, columns = ax.images[0].get_size()
        column, row = int((x - left) / (right - left) * columns // 1), int((y - first) / (last - first) * rows // 1)
        values = np.ma.masked_invalid(np.ma.asarray(ax.images[0].get_array()))
        if 0 <= row < values.shape[0] and 0 <= column < values.shape[1]:
            return ax.images[0].to_rgba(values[row : row + 1, column : column + 1])[0, 0, :3]
    for bar in ax.patches if text in ax.texts else ():
        if bar.contains_point(place):
            share = bar.get_facecolor()[3]
            mixed = share * np.array(bar.get_facecolor()[:3]) + (1 - share) * np.array(to_rgb(tints.paper))
            return tuple(mixed)
    return tints.paper


@pytest.mark.parametrize("name", ["paper", "dark"])
def test_whatever_is_written_on_a_figure_can_be_read(name, small_run) -> None:
    material = Material(small_run)
    found, faint = 0, []
    with look(name):
        for figure in FIGURES:
            drawn = Canvas(figsize=figure.size)
            figure.on(material, list(drawn.subplots(1, figure.panels, squeeze=False)[0]))
            for ax in drawn.axes:
                for text in ax.findobj(Text):
                    if text.get_text() and text.get_visible():
                        found += 1
                        ratio = contrast(text.get_color(), ground_of(text, ax))
                        if ratio < TEXT:
                            faint.append(f"{figure.name}: {text.get_text()!r} has {ratio:.2f}")
    assert found > 1000
    assert faint == []
