"""Styles, formats, paper, figures by name: what was asked for is drawn, the same bytes each time, nothing else."""

from __future__ import annotations

import io
import re
import shutil
import time
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pypdf
import pytest
from folders import refusal
from matplotlib.figure import Figure as Canvas
from matplotlib.image import imread
from snapshot import files

import attnprobe as ap
import reports
from reports.catalogue import FIGURES
from reports.document import document, draw_files, wanted
from reports.figure import Figure, Material
from reports.options import FORMATS, Options
from reports.pages import CHAPTERS, PAGES
from reports.style import STYLES, look, tints

ALL = {style: Options(FORMATS, style) for style in STYLES}


@pytest.fixture(scope="module")
def material(small_run) -> Material:
    return Material(small_run)


@pytest.fixture(scope="module")
def report(material) -> bytes:
    return document(material)


@pytest.fixture
def short(monkeypatch) -> None:
    """A report of one chapter."""
    monkeypatch.setattr("reports.document.CHAPTERS", CHAPTERS[:1])
    monkeypatch.setattr("reports.document.PAGES", CHAPTERS[0].pages)


@pytest.fixture
def far_away(monkeypatch):
    """Another time zone, at another time."""

    def go() -> None:
        monkeypatch.setenv("TZ", "Pacific/Kiritimati")
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
        time.tzset()
        monkeypatch.setattr(time, "time", lambda: 2**31)

    yield go
    monkeypatch.undo()
    time.tzset()


# --- the same bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_figures_have_the_same_bytes_on_another_day_and_in_another_time_zone(small_run, far_away, style) -> None:
    names = ("focus", "exercise_best", "errors_by_count", "rules_region", "dynamics_circuit")
    before = {name: draw_files(name, Material(small_run), ALL[style]) for name in names}
    far_away()
    assert {name: draw_files(name, Material(small_run), ALL[style]) for name in names} == before


def test_the_report_has_the_same_bytes_on_another_day_and_in_another_time_zone(small_run, report, far_away) -> None:
    far_away()
    assert document(Material(small_run)) == report


def test_no_file_says_when_or_where_it_was_made(material) -> None:
    for name, data in draw_files("focus", material, ALL["paper"]).items():
        if name.endswith(".csv"):
            continue
        assert not re.search(rb"CreationDate|ModDate|tIME|dc:date", data), name
        assert not re.search(rb"/tmp/|/home/|/root", data), name


# --- formats ---------------------------------------------------------------------------------------------


def test_an_svg_has_its_letters_as_text(material) -> None:
    drawn = draw_files("focus", material, Options(("svg",)))
    assert sorted(drawn) == ["figures/focus.csv", "figures/focus.svg"]
    root = ET.fromstring(drawn["figures/focus.svg"])
    words = {"".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Focus over seeds", "seeds", "focus: expected attention on 3s and 1s"} <= words


@pytest.mark.parametrize("style", STYLES)
def test_figures_in_other_styles_lie_beside_those_on_paper(material, style) -> None:
    folder = "figures" if style == "paper" else f"figures/{style}"
    assert sorted(draw_files("focus", material, ALL[style])) == [
        f"{folder}/focus.{kind}" for kind in ("csv", "pdf", "png", "svg")
    ]


def test_a_png_is_large_and_a_slide_fills_the_wall(material) -> None:
    sizes = {}
    for style in STYLES:
        png = draw_files("focus", material, Options(("png",), style))
        image = imread(io.BytesIO(next(data for name, data in png.items() if name.endswith("png"))))
        sizes[style] = image.shape[1::-1]
        with look(style):
            np.testing.assert_allclose(image[0, 0, :3], mpl.colors.to_rgb(tints.paper), atol=1 / 255)
    width, height = reports.figures()["focus"].size
    assert sizes == {"paper": (200 * width, 200 * height), "slides": (1920, 1080), "dark": (200 * width, 200 * height)}


# --- documents -------------------------------------------------------------------------------------------


def sizes_in_points(document: bytes) -> list[tuple[int, int]]:
    return [tuple(round(float(x)) for x in page.mediabox[2:]) for page in pypdf.PdfReader(io.BytesIO(document)).pages]


def test_the_report_has_the_paper_that_was_asked_for(material, report, short) -> None:
    assert sizes_in_points(report) == [(595, 842)] * (len(PAGES) + 1)
    assert sizes_in_points(document(material, Options(paper="letter"))) == [(612, 792)] * 3


def test_slides_are_one_a_figure_with_its_finding(material) -> None:
    reader = pypdf.PdfReader(io.BytesIO(document(material, ALL["slides"])))
    texts = [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]
    slides = [page for page in PAGES for row in page.shown(material) for _ in row.figures]
    findings = [page.finding(material) for page in (PAGES[0], *slides)]
    assert len(texts) == len(findings)
    for text, finding, page in zip(texts, findings, reader.pages, strict=True):
        assert re.sub(r"\s+", " ", finding) in text
        width, height = (float(x) for x in page.mediabox[2:])
        assert width / height == pytest.approx(16 / 9, rel=1e-3)
    assert [item.title[:3] for item in reader.outline if not isinstance(item, list)][:2] == ["1 ·", "2 ·"]


def test_other_styles_leave_the_report_on_paper_alone(small_run, tmp_path, attnprobe) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    ap.open_run(tmp_path / "run").write_files({"report.pdf": b"the report", "figures/focus.pdf": b"a figure"})
    before = files(tmp_path)
    said = attnprobe("report", tmp_path / "run", "--figures", "focus", "--style", "dark", "--format", "svg, png")
    assert said.out.splitlines()[1:] == [f"Figures: {tmp_path / 'run' / 'figures' / 'dark'}"]
    said = attnprobe("report", tmp_path / "run", "--figures", "rules,focus", "--format", "svg")
    assert said.out.splitlines()[0].startswith("3 figures drawn in ")
    after = files(tmp_path)
    new = {name.removeprefix("run/") for name in after if name not in before and not name.endswith("/")}
    rules = {f"figures/{name}.{kind}" for kind in ("svg", "csv") for name in ("rules_region", "rules_margins", "focus")}
    assert new == rules | {f"figures/dark/focus.{kind}" for kind in ("svg", "png", "csv")}
    for name in before.keys() - {"run/run.json"}:
        assert after[name] == before[name], name


# --- figures one by one ----------------------------------------------------------------------------------


def test_figures_are_found_by_name_or_by_how_names_begin() -> None:
    assert wanted(["rules"]) == ["rules_region", "rules_margins"]
    assert wanted(["focus", "rules_margins", "focus"]) == ["focus", "rules_margins"]
    assert wanted(None) == ["report.pdf", *reports.figures()]
    assert wanted(None, ALL["slides"])[0] == "slides.pdf"
    assert wanted(None, ALL["dark"])[0] == "report-dark.pdf"


@pytest.mark.parametrize("style", STYLES)
def test_a_notebook_shows_a_figure(small_run, style) -> None:
    drawing = reports.draw(small_run, "focus", style)
    assert isinstance(drawing, Canvas)
    assert drawing._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="pdf")
    assert buffer.getvalue()[:5] == b"%PDF-"


def test_a_figure_draws_a_table_on_any_axes(small_run) -> None:
    figure = reports.figures()["focus"]
    assert repr(figure) == "Figure('focus')"
    ax = Canvas().subplots()
    assert figure.draw(small_run.table("seeds"), ax, targets=(3, 1)) is ax
    assert sum(bar.get_height() for bar in ax.patches) == 7


def test_every_figure_says_what_it_shows(material) -> None:
    for figure in FIGURES:
        assert isinstance(figure, Figure)
        assert len(figure.caption(material)) > 20


# --- what cannot be had ----------------------------------------------------------------------------------


def test_what_cannot_be_had_is_refused_with_what_can(small_run, attnprobe) -> None:
    known = ", ".join(reports.figures())
    assert refusal(reports.write, small_run, figures=["fokus"]) == (
        f"There is no figure 'fokus'. Did you mean 'focus'? Figures are: {known}."
    )
    assert refusal(reports.draw, small_run, "nothing at all").startswith("There is no figure 'nothing at all'. Fig")
    assert refusal(reports.write, small_run, figures=[]) == f"No figure was asked for. Figures are: {known}."
    assert refusal(reports.write, small_run, formats=["jpg"]).startswith("format 'jpg' is unknown.")
    assert refusal(reports.write, small_run, style="drak") == (
        "style 'drak' is unknown. Did you mean 'dark'? There are: paper, slides, dark."
    )
    assert refusal(reports.write, small_run, paper="A5") == "paper 'A5' is unknown. There are: a4, letter."
    before = files(small_run.path)
    for options in ("--style drak", "--paper A5", "--format jpg", "--figures fokus", "--figures ,", "--format ,"):
        said = attnprobe.refused("report", small_run.path, *options.split())
        assert said.count("\n") == 1
    assert files(small_run.path) == before
