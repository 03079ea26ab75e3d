"""The three styles: what they set, what they leave alone, and that every figure asks for its colours as it draws."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

import attnprobe as ap
from reports.catalogue import FIGURES
from reports.figure import Material
from reports.finish import finish, fit_cells
from reports.palettes import Maps
from reports.style import STYLES, canvas, legend_below, look, maps, style_named, tints

MODULES = sorted(Path(__file__).parents[1].glob("reports/**/*.py"))
NAMED = {"black", "white", "red", "green", "blue", "grey", "gray"}


def at_import(tree: ast.Module) -> Iterator[ast.expr]:
    """Expressions that are evaluated when a module is imported: all but what functions do when they are called."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            waiting += [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.decorator_list]
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.expr):
                yield node
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_colour_is_frozen_at_import(path) -> None:
    frozen = [
        ast.unparse(node)
        for node in at_import(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("tints", "maps")
    ]
    assert frozen == []


def test_a_frozen_colour_would_be_found() -> None:
    tree = ast.parse("X = {1: tints.ink}\ndef f(a=tints.first, *, b=maps.raw):\n    return tints.second")
    assert sorted(ast.unparse(node) for node in at_import(tree) if isinstance(node, ast.Attribute)) == [
        "maps.raw",
        "tints.first",
        "tints.ink",
    ]


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in ("palettes", "contrast")])
def test_colours_are_written_nowhere_but_in_the_palettes(path) -> None:
    words = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [word for word in words if isinstance(word, str) and re.fullmatch("#[0-9a-fA-F]{3,8}", word)] == []
    assert [word for word in words if word in NAMED] == []


def test_the_style_holds_as_long_as_the_look() -> None:
    paper = tints.ink
    with look("dark"):
        assert tints.ink == STYLES["dark"].palette.tints.ink != paper
        assert maps.attention is STYLES["dark"].palette.maps.attention
        with look():
            assert tints.ink == paper
        assert mpl.rcParams["figure.facecolor"] == tints.paper
    assert tints.ink == paper
    with pytest.raises(RuntimeError), look("dark"):
        raise RuntimeError
    assert tints.ink == paper


def test_an_unknown_style() -> None:
    before = dict(mpl.rcParams)
    with pytest.raises(ap.AttnprobeError) as error, look("drak"):
        pass
    assert str(error.value) == "style 'drak' is unknown. Did you mean 'dark'? There are: paper, slides, dark."
    assert dict(mpl.rcParams) == before
    assert style_named("dark") is STYLES["dark"]


@pytest.mark.parametrize("name", STYLES)
def test_size_and_dots_of_a_figure(name) -> None:
    for figure in FIGURES:
        with look(name):
            size, dots = canvas(figure.size)
            pixels = Canvas(figsize=size, dpi=dots).canvas.get_width_height()
        if name == "slides":
            assert pixels == (1920, 1080), figure.name
            assert size[0] >= max(6.4, figure.size[0])
        else:
            assert (size, dots) == (figure.size, 200)


def colours_of(artist: Artist) -> set[str]:
    """The colours that an artist shows, without their opacity."""
    if isinstance(artist, Line2D):
        found = [artist.get_color()] if artist.get_linestyle() != "None" else []
        found += [artist.get_markeredgecolor()] if artist.get_marker() not in ("None", "none", None) else []
    elif isinstance(artist, Collection):
        found = [*artist.get_facecolor(), *artist.get_edgecolor()] if artist.get_array() is None else []
    elif isinstance(artist, Patch):
        found = [artist.get_facecolor(), artist.get_edgecolor()] if artist.get_visible() else []
    else:
        found = [artist.get_color()]
    return {to_hex(colour).upper() for colour in found if to_rgba(colour)[3] > 0}


def test_every_figure_draws_in_the_colours_of_the_style(small_run) -> None:
    material, strange = Material(small_run), {}
    with look("dark"):
        style = STYLES["dark"].palette
        known = {*dataclasses.astuple(style.tints), "#000000", "#FFFFFF"}  # black and white: letters in cells
        scales = [getattr(style.maps, field.name) for field in dataclasses.fields(Maps)]
        known |= {to_hex(tint).upper() for scale in scales for tint in scale(np.arange(scale.N))}  # cells drawn as such
        for figure in FIGURES:
            drawn = Canvas(figsize=figure.size)
            figure.on(material, list(drawn.subplots(1, figure.panels, squeeze=False)[0]))
            shown: set[str] = set()
            for ax in drawn.axes:
                if ax.get_label() != "<colorbar>":
                    shown = shown.union(*map(colours_of, (*ax.lines, *ax.collections, *ax.patches, *ax.findobj(Text))))
            if shown - known:
                strange[figure.name] = shown - known
            for image in (image for ax in drawn.axes for image in ax.images):
                assert image.cmap.name in {getattr(style.maps, field.name).name for field in dataclasses.fields(Maps)}
    assert strange == {}


def test_slides_have_heavier_lines_and_panels_as_high_as_the_maps_beside_them() -> None:
    def drawn(name: str) -> Canvas:
        with look(name):
            figure = Canvas(figsize=(4, 3))
            left, right = figure.subplots(1, 2)
            left.imshow(np.zeros((3, 5)))
            right.plot([0, 1], linewidth=2.0, label="a line")
            right.scatter([0], [1], s=10)
            right.vlines(0, 0, 1, linewidth=3.0)
            right.legend()
            finish(figure)
        return figure

    for name, stroke, aspect in (("paper", 1.0, None), ("slides", 1.4, 3 / 5), ("dark", 1.0, None)):
        left, right = drawn(name).axes
        dots, lines = right.collections
        widths = right.lines[0], right.get_legend().legend_handles[0], lines
        found = [float(np.squeeze(mark.get_linewidth())) for mark in widths]
        assert found == pytest.approx([2 * stroke, 2 * stroke, 3 * stroke])
        assert dots.get_sizes() == pytest.approx([10 * stroke])
        assert (left.get_box_aspect(), right.get_box_aspect()) == (None, aspect)


def test_a_legend_below_keeps_its_distance_whatever_the_height() -> None:
    for height in (2.0, 5.0):
        figure = Canvas(figsize=(4, height), dpi=100)
        ax = figure.subplots()
        ax.scatter([0], [0], s=3, alpha=0.2, label="a dot")
        legend = legend_below(ax, 0.45)
        figure.draw_without_rendering()
        gap = ax.get_window_extent().y0 - legend.get_window_extent().y1
        assert gap / 100 == pytest.approx(0.45, abs=0.02)
        (dot,) = legend.legend_handles
        assert (dot.get_alpha(), dot.get_sizes().tolist()) == (1, [18])


WORDS = ("−0.24", "1", "a note")


def test_numbers_are_no_wider_than_their_cells() -> None:
    figure = Canvas(figsize=(2, 2), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(np.zeros((2, 10)), aspect="auto")  # cells of 14.4 by 72 points
    wide, narrow, outside = (ax.text(x, 0, words, size=8, ha="center") for x, words in enumerate(WORDS))
    outside.set_transform(ax.transAxes)
    fit_cells(figure)
    figure.draw_without_rendering()
    assert (narrow.get_fontsize(), outside.get_fontsize()) == (8, 8)
    assert 3 < wide.get_fontsize() < 5
    assert 0.7 * 14.4 < wide.get_window_extent().width * 72 / 100 < 14.4
