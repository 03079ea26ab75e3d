"""The three styles: what they set, what they leave alone, and that every figure asks for its colours as it draws."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure as Canvas

import attnprobe as ap
from reports.catalogue import FIGURES
from reports.style import STYLES, canvas, look, maps, style_named, tints

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


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in ("palettes", "sheet")])
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
