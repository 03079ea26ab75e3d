"""Figures and the report: what they show is what the tables say, they fit, and they repeat byte for byte."""

from __future__ import annotations

import gc
import io
import re
import shutil

import matplotlib as mpl
import numpy as np
import pandas as pd
import pypdf
import pytest
from edges import EDGES, REPORTED
from fontTools import subset
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import findfont
from matplotlib.text import Text

import attnprobe as ap
import reports
from reports.catalogue import FIGURES
from reports.document import document, draw_files, few_collections
from reports.figure import Figure, Material
from reports.fonts import FOR_TYPESETTING, light_fonts
from reports.pages import CHAPTERS, PAGES
from reports.style import look, text_colour, tints
from reports.words import exact_accuracy, number, percent, ten_to


@pytest.fixture(scope="module")
def material(small_run) -> Material:
    return Material(small_run)


@pytest.fixture
def ax() -> Axes:
    return Canvas(figsize=(6, 4)).subplots()


def drawn(figure: Figure, material: Material) -> list[Axes]:
    """The figure on plain axes, without any layout."""
    with look():
        axes = list(Canvas(figsize=figure.size).subplots(1, figure.panels, squeeze=False)[0])
        figure.on(material, axes)
    return axes


# --- the files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(studied):
    return studied[0]


@pytest.fixture(scope="module")
def pages(folder) -> list[str]:
    found = [page.extract_text() for page in pypdf.PdfReader(folder / "report.pdf").pages]
    return [re.sub(r"\s+", " ", text) for text in found]


def test_the_report_tells_one_argument_in_order(pages) -> None:
    chapters = [
        "What was asked",
        "Does it work?",
        "What does it look at?",
        "What does it compute?",
        "Does attention explain it?",
        "How is it built?",
        "How did it get there?",
        "How do seeds differ?",
        "How sure are we?",
        "Methods and provenance",
    ]
    assert [chapter.title for chapter in CHAPTERS] == chapters
    assert len(pages) == len(PAGES) + 1  # the contents
    for number_, (text, section) in enumerate(zip(pages, sections(), strict=True), start=1):
        assert section.upper() in text
        assert "attnprobe 0.1.0 · demo · rule n3 > n1" in text
        assert re.search(rf"\b{number_}\b", text)


def sections() -> list[str]:
    """What the pages are about, the contents among them."""
    found = [page.section for page in PAGES]
    return [*found[:1], "The argument", *found[1:]]


def test_each_page_opens_with_its_finding_and_the_contents_have_them_all(pages, folder) -> None:
    material = Material(ap.open_run(folder))
    rest = [*pages[:1], *pages[2:]]
    for page, text in zip(PAGES, rest, strict=True):
        finding = re.sub(r"\s+", " ", page.finding(material))
        assert finding in text[:500]  # before the words of any figure
        assert finding in pages[1]


def test_each_figure_is_on_one_page() -> None:
    shown = [figure.name for page in PAGES for figure in page.figures]
    assert sorted(shown) == sorted(figure.name for figure in FIGURES)
    assert len(set(shown)) == len(shown)


def test_bookmarks_and_links_lead_to_their_pages(folder) -> None:
    reader = pypdf.PdfReader(folder / "report.pdf")
    outline = iter(reader.outline)
    found = {}
    for chapter, (bookmark, below) in zip(CHAPTERS, zip(outline, outline, strict=True), strict=True):
        assert bookmark.title.endswith(f"· {chapter.title}")
        assert [item.title for item in below] == [page.section for page in chapter.pages]
        assert reader.get_destination_page_number(bookmark) == reader.get_destination_page_number(below[0])
        found |= {item.title: reader.get_destination_page_number(item) for item in below}
    texts = [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]
    for section, place in found.items():
        assert f"· {section.upper()}" in texts[place]
    links = [item.get_object() for item in reader.pages[1]["/Annots"]]
    assert [reader.get_page_number(link["/Dest"][0].get_object()) for link in links] == list(found.values())
    width, height = (float(x) for x in reader.pages[1].mediabox[2:])
    for link in links:
        x0, y0, x1, y1 = (float(x) for x in link["/Rect"])
        assert 0 < x0 < x1 < width
        assert 0 < y0 < y1 < height


def test_the_document_says_what_it_is_and_not_who_made_it(folder) -> None:
    reader = pypdf.PdfReader(folder / "report.pdf")
    assert reader.metadata.title == "attnprobe report: n3 > n1, 3 seeds"
    assert not {"/Author", "/CreationDate", "/ModDate"} & set(reader.metadata)
    assert reader.trailer["/Root"]["/Lang"] == "en"


def fonts(page: pypdf.PageObject) -> list[pypdf.generic.DictionaryObject]:
    found = [font.get_object() for font in page["/Resources"]["/Font"].get_object().values()]
    return [kid.get_object() for font in found for kid in font.get("/DescendantFonts", [font])]


def test_fonts_are_embedded(folder) -> None:
    for path in [folder / "report.pdf", *sorted((folder / "figures").glob("*.pdf"))]:
        found = [font for page in pypdf.PdfReader(path).pages for font in fonts(page)]
        assert found, path
        for font in found:
            assert font["/Subtype"] != "/Type3"
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(font["/FontDescriptor"].get_object()), path


def test_the_report_says_nothing_of_when_it_was_drawn(folder) -> None:
    assert "/CreationDate" not in pypdf.PdfReader(folder / "report.pdf").metadata


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_csv_is_the_table_that_is_drawn(folder, figure) -> None:
    expected = figure.data(Material(ap.open_run(folder)))
    text = (folder / "figures" / f"{figure.name}.csv").read_text()
    if expected.empty:
        assert text == ",".join(expected.columns) + "\n"
        return
    found = pd.read_csv(io.StringIO(text))
    expected = expected.astype({name: "float64" for name, kind in expected.dtypes.items() if str(kind) == "Int64"})
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)


def test_what_is_drawn_is_what_other_tables_hold(material, small_run) -> None:
    """The figures' tables, rebuilt from the run's tables by hand."""
    figures = reports.figures()
    seeds, digits = small_run.table("seeds"), small_run.table("digits")
    columns = ["seed", "focus", "focus_chance", "error_probability", "certified", "failed"]
    pd.testing.assert_frame_equal(figures["focus"].data(material), seeds[columns])
    shares = figures["attention_by_digit"].data(material)
    of_seeds = shares[shares["kind"] == "seed"].reset_index(drop=True)
    for column in ("seed", "digit", "attention_share"):
        pd.testing.assert_series_equal(of_seeds[column], digits[column], check_dtype=False)
    for digit, rows in shares[shares["kind"] != "seed"].groupby("digit"):
        of_digit = digits.loc[digits["digit"] == digit, "attention_share"]
        assert rows["kind"].tolist() == ["q05", "q25", "q50", "q75", "q95"]
        assert rows["attention_share"].tolist() == pytest.approx(np.quantile(of_digit, [0.05, 0.25, 0.5, 0.75, 0.95]))
        assert rows["seed"].isna().all()
    best = seeds.sort_values("rank")["seed"].iloc[0]
    cells = figures["exercise_best"].data(material).dropna(subset="position")
    maps = small_run.table("attention_maps")
    expected = maps[(maps["seed"] == best) & (maps["sequence"] < 8)]
    np.testing.assert_array_equal(cells["attention"], expected["attention"])
    np.testing.assert_array_equal(cells["digit"], expected["digit"])


def test_captions_speak_in_the_tables_numbers(material, small_run) -> None:
    figures = reports.figures()
    seeds = small_run.table("seeds")
    summary = small_run.table("summary").set_index("measure")
    focus = summary.loc["focus_median"]
    interval = f"{number(focus['estimate'])} [{number(focus['ci_low'])}, {number(focus['ci_high'])}]"
    assert f"Median over 7 seeds: {interval}" in figures["focus"].caption(material)
    certified = summary.loc["share_certified"]
    shares = " [".join((percent(certified["estimate"]), f"{percent(certified['ci_low'])}, "))
    assert shares in figures["seeds_ranked"].caption(material)
    best = seeds.sort_values("rank").iloc[0]
    assert figures["exercise_best"].caption(material) == (
        f"Best seed: {best['seed']}. Accuracy {exact_accuracy(best['error_probability'])}, expected loss "
        f"{number(best['loss'], 2)} nats, focus {number(best['focus'], 2)} (chance 0.40)."
    )
    history = small_run.table("history")
    last = history[history["step"] == 60]["loss"]
    assert f"to {number(last.median())} at step 60" in figures["learning_curves"].caption(material)
    pairs = small_run.table("embedding_pairs")
    cosine = pairs[(pairs["digit_a"] == 1) & (pairs["digit_b"] == 3)]["cosine"]
    assert f"For 1 and 3: {number(cosine.median(), 2)} " in figures["embedding_cosine"].caption(material)
    failures = small_run.table("failures")
    rate = failures["error_probability"] / failures["probability"]
    worst = rate.groupby([failures["n3"], failures["n1"]]).mean()
    a, b = worst.idxmax()
    said = f"Highest at n3 = {a}, n1 = {b}: mean {number(worst.max(), 2)}"
    assert said in figures["errors_by_count"].caption(material)


# --- figures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in EDGES if name not in REPORTED])
def test_every_figure_can_be_drawn(edge, name: str) -> None:
    """One by one; the other edges are drawn page by page in test_layout."""
    material = edge(name)
    before = dict(mpl.rcParams)
    for figure in FIGURES:
        axes = drawn(figure, material)
        axes[0].figure.draw_without_rendering()
        caption = figure.caption(material)
        assert caption.endswith((".", ")")), caption
        assert not re.search(r"\bnan\b|\binf\b|  ", caption), caption
        assert all("nan" not in text.get_text() for text in axes[0].figure.findobj(Text)), figure.name
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["many digits", "no seed is finite"])
def test_a_report_at_the_edge_can_be_made(edge, name: str) -> None:
    before = dict(mpl.rcParams)
    data = document(edge(name))
    assert dict(mpl.rcParams) == before
    found = [re.sub(r"\s+", " ", page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    for text, section in zip(found, sections(), strict=True):
        assert section.upper() in text


def test_attention_is_drawn_from_0_to_1(material) -> None:
    figures = reports.figures()
    assert drawn(figures["attention_by_digit"], material)[0].get_ylim() == (0, 1)
    assert drawn(figures["focus"], material)[0].get_xlim() == (0, 1)
    for name in ("exercise_best", "failed_seeds"):
        assert drawn(figures[name], material)[0].images[0].get_clim() == (0, 1)


def test_the_two_digits_keep_their_colours(material) -> None:
    for name in ("attention_by_digit", "values_by_digit", "rule_weights", "embedding_cosine"):
        ax = drawn(reports.figures()[name], material)[0]
        drawn_in = {text.get_text(): to_hex(text.get_color()).upper() for text in ax.get_xticklabels()}
        assert drawn_in == {str(digit): text_colour(digit, (3, 1)) for digit in range(5)}, name
        assert len(set(drawn_in.values())) == 3


def test_rows_and_columns_of_the_error_map_are_not_swapped(ax) -> None:
    table = pd.DataFrame({"n3": [0, 0, 1], "n1": [0, 1, 0], "mean": [0.25, 0.0, 0.5]})
    reports.figures()["errors_by_count"].draw(table, ax, targets=(3, 1))
    grid = ax.images[0].get_array()
    assert (grid[0, 0], grid[0, 1]) == (0.25, 0.5)  # n3 runs to the right
    assert grid.mask[1, 0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("number of 3s", "number of 1s")


def test_a_figure_is_laid_out_as_saving_would_lay_it_out(material) -> None:
    for name in ("rule_weights", "embedding_cosine"):
        figure = reports.figures()[name]
        saved, ours = figure.alone(material), figure.alone(material)
        before = [axes.get_position().bounds for axes in ours.axes]
        with look():
            saved.savefig(io.BytesIO(), format="pdf")
        ours.lay_out()
        ours.saved("pdf")
        places = [axes.get_position().bounds for axes in ours.axes]
        assert not np.allclose(places, before, atol=1e-3), "nothing was laid out"
        np.testing.assert_allclose(places, [axes.get_position().bounds for axes in saved.axes], atol=1e-3)


def test_the_settings_of_whoever_draws_do_not_matter(material) -> None:
    expected = draw_files("focus", material)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "figure.autolayout": True, "text.color": "red"}):
        assert draw_files("focus", material) == expected


def test_the_collector_of_garbage_is_left_as_it_was(material) -> None:
    before = gc.get_threshold()
    with few_collections():
        assert gc.get_threshold()[0] > before[0]
    draw_files("focus", material)
    assert gc.get_threshold() == before


def test_fonts_lose_their_typesetting_tables_and_no_glyph() -> None:
    load, path = subset.load_font, findfont("DejaVu Sans")
    with light_fonts(), subset.load_font(path, subset.Options()) as light:
        kept, glyphs = set(light.keys()), light.getGlyphOrder()
    assert subset.load_font is load
    with load(path, subset.Options()) as whole:
        assert {"GPOS", "GSUB", "kern"} <= set(whole.keys())
        assert set(whole.keys()) - kept <= set(FOR_TYPESETTING)
        assert whole.getGlyphOrder() == glyphs
    assert not set(FOR_TYPESETTING) & kept


def test_powers_of_ten_are_letters() -> None:
    assert [ten_to(power) for power in (-10, 0, 23)] == ["10⁻¹⁰", "10⁰", "10²³"]


# --- the exercise's plot ---------------------------------------------------------------------------------


@pytest.fixture
def exercise():
    import torch
    from matplotlib import pyplot as plt

    torch.manual_seed(11)
    figure = reports.plot(ap.AttentionModel(), 5, [0.7, 0.5, 0.3])
    yield figure
    plt.close(figure)


def test_the_exercises_three_panels(exercise) -> None:
    attention, values, loss = exercise.axes[:3]
    assert attention.images[0].get_clim() == (0, 1)
    np.testing.assert_allclose(attention.images[0].get_array().sum(axis=1), 1, rtol=1e-6)
    for panel in (attention, values):
        assert panel.images[0].get_array().shape == (5, 10)
        assert (panel.get_xlabel(), panel.get_ylabel()) == ("position", "sequence")
    low, high = values.images[0].get_clim()
    assert low == -high
    shown = np.asarray(attention.images[0].get_array()) > 0.1
    np.testing.assert_array_equal(~np.ma.getmaskarray(values.images[0].get_array()), shown)
    assert loss.lines[0].get_xydata().tolist() == [[1, 0.7], [2, 0.5], [3, 0.3]]
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("step", "batch loss (nats)")


def test_the_exercises_2s_and_4s_are_red(exercise) -> None:
    cells = [text for text in exercise.axes[0].texts if text.get_text().isdigit()]
    assert len(cells) == 50
    targets = [text for text in cells if text.get_text() in "24"]
    assert 1 <= len(targets) < 50
    for text in cells:
        red = to_hex(text.get_color()).upper() == tints.red
        assert red == (text.get_text() in "24")


# --- what comes too early --------------------------------------------------------------------------------


def test_a_report_without_tables_writes_nothing(trained_folder, tmp_path) -> None:
    shutil.copytree(trained_folder, tmp_path / "run")
    run = ap.open_run(tmp_path / "run")
    with pytest.raises(ap.AttnprobeError) as error:
        reports.write(run)
    assert str(error.value) == (
        f"Table 'seeds' is not in {tmp_path / 'run'}. Computed so far: none. "
        f"Tables are computed by: attnprobe analyze {tmp_path / 'run'}"
    )
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["run.json", "shards"]
