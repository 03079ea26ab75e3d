"""A comparison on paper: same axes, nothing over anything else, sentences that follow from tables, the command."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pypdf
import pytest
from commands import Commands
from edges import EDGES
from folders import refusal
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.text import Text
from snapshot import files
from test_layout import labels, overlaps

import attnprobe as ap
import reports
from analyses import comparison
from reports.beside import BESIDE
from reports.compared import MOST_RUNS, TABLES, entries, sheets
from reports.compared_text import text
from reports.comparison import Compared, shortened
from reports.effects import effects
from reports.pages.compared_pages import chapters, figures
from reports.pages.compared_runs import of_each, written
from reports.paired_seeds import SHOWN, paired_seeds
from reports.paper import PAPERS
from reports.sheet import Sheet
from reports.style import look
from reports.words import percent

RUNS = {  # the baseline first; a name in EDGES or of a fixture
    "two": ("twenty seeds", "two seeds"),
    "another question": ("ten_run", "many digits", "small_run"),
    "nothing to show": ("no seed is finite", "one seed"),
    "a copy": ("ten_run", "ten_run"),
    "many": ("twenty seeds", "ten_run", "small_run", "one seed", "two seeds"),
}


@pytest.fixture(scope="module")
def compared(request, edge, tmp_path_factory):
    """``compared(name)``: one of RUNS, made once."""
    made: dict[str, Compared] = {}

    def make(name: str) -> Compared:
        if name not in made:
            runs: list[ap.Run] = []
            for run in RUNS[name]:
                found = ap.open_run(edge(run).path) if run in EDGES else request.getfixturevalue(run)
                if found.path in [other.path for other in runs]:
                    copy = tmp_path_factory.mktemp("copies") / "copy"
                    shutil.copytree(found.path, copy)
                    found = ap.open_run(copy)
                runs.append(found)
            names = [f"the {run.replace('_', ' ')}" for run in RUNS[name]] if name == "many" else None
            made[name] = Compared(runs, names)
        return made[name]

    return make


# --- what the pages look like -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "paper"), [*((name, "a4") for name in RUNS), ("two", "letter"), ("another question", "letter")]
)
def test_pages_hold_what_is_on_them(compared, name: str, paper: str) -> None:
    size, found = PAPERS[paper], []
    with look(), mpl.rc_context({"text.hinting": "none"}):
        for _, sheet in sheets(compared(name), size):
            sheet.canvas.set_dpi(200)
            sheet.canvas.draw_without_rendering()
            inches = sheet.canvas.dpi_scale_trans.inverted()
            where = f"page {sheet.canvas.texts[1].get_text()}: "
            written_here = [
                (words.get_text(), words.get_window_extent().transformed(inches)) for words in sheet.canvas.texts
            ]
            foot, paragraphs = max(box.y1 for _, box in written_here[:2]), written_here[2:]
            axes = [("axes", panel.get_tightbbox().transformed(inches)) for panel in sheet.canvas.axes]
            names = [
                (words.get_text(), words.get_window_extent().transformed(inches))
                for panel in sheet.canvas.axes
                for words in labels(panel)
            ]
            for words, box in (*paragraphs, *axes):
                if box.y0 <= foot or box.y1 > size.height - 0.3 or box.x0 < 0.3 or box.x1 > size.width - 0.3:
                    found.append(f"{where}{words!r} leaves the page: {box.extents}")
            for words, box in paragraphs:
                if box.x1 > size.width - size.side + 0.05:
                    found.append(f"{where}{words!r} ends at {box.x1:.2f} inches")
            long = [box for box in paragraphs if len(box[0]) > 1]
            for pair in ((paragraphs, paragraphs), (long, axes), (paragraphs, names), (names, names)):
                found += [where + fault for fault in overlaps(*pair)]
            said = {words.get_text() for words in sheet.canvas.findobj(Text)}
            found += [where + words for words in said if re.search(r"\bnan\b|\binf\b", words)]
    assert found == []


def test_as_many_runs_as_there_may_be_fit_on_the_pages_that_list_them(compared, tmp_path: Path) -> None:
    two, runs = compared("two"), []
    for k in range(MOST_RUNS):
        shutil.copytree(two.sides[two.baseline].path, tmp_path / f"a_run_of_some_length_{k}")
        runs.append(ap.open_run(tmp_path / f"a_run_of_some_length_{k}"))
        config = runs[k].config.model_copy(update={"lr": 0.01 + k / 1000, "rule": "n3 > n1", "eps": 1e-8 * k})
        runs[k]._folder.manifest = runs[k].manifest.changed(config=config)
    most = Compared(runs)
    listed = entries(most)
    with look():
        for entry in (listed[0], *listed[-2:]):
            sheet = Sheet(entry.number, "footer", PAPERS["letter"])
            entry.page.on(sheet, most, entry.chapter, entry.finding)
            assert sheet.left >= 0, entry.page.section


@pytest.mark.parametrize("name", RUNS)
def test_panels_side_by_side_have_the_same_axes(compared, name: str) -> None:
    for beside in BESIDE:
        canvas = beside.figure(compared(name)).alone(compared(name))
        axes = [ax for ax in canvas.axes if ax.axison]
        assert len({ax.get_xlim() for ax in axes}) <= 1, beside.name
        assert len({ax.get_ylim() for ax in axes}) <= 1, beside.name
        assert sum(bool(ax.get_ylabel()) for ax in axes) <= 1, beside.name
        assert sum(ax.get_legend() is not None for ax in canvas.axes) == (beside.legend and len(axes) > 0), beside.name


def test_exactly_0_has_the_same_place_in_all_panels(compared) -> None:
    errors = next(beside for beside in BESIDE if beside.name == "errors_ranked")
    axes = errors.figure(compared("another question")).alone(compared("another question")).axes
    zero = {ax.get_yticks()[0] for ax in axes}
    assert len(zero) == 1
    assert axes[0].get_yticklabels()[0].get_text() == "0"


def test_panels_show_each_run_its_own_seeds(compared) -> None:
    two = compared("two")
    focus = next(beside for beside in BESIDE if beside.name == "focus")
    table = focus.figure(two).data(two)
    assert table.groupby("run", sort=False).size().to_dict() == {"run": 20} or set(table["run"]) == set(two.names)
    for (name, side), ax in zip(two.sides.items(), focus.figure(two).alone(two).axes, strict=True):
        heights = [patch.get_height() for patch in ax.patches]
        assert sum(heights) == pytest.approx(1)  # shares: runs of different sizes compare
        assert table.loc[table["run"] == name, "focus"].tolist() == side["seeds"]["focus"].tolist()


def test_dots_and_bars_are_those_of_the_table(compared) -> None:
    two = compared("another question")
    run = two.others[1]
    ax = effects(run, "x").alone(two).axes[0]
    rows = two.rows(run)
    drawn = rows.dropna(subset="probability_higher")
    assert 0 < len(drawn) < len(rows)
    dots = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]
    assert [float(x) for ((x, _),) in dots] == pytest.approx(drawn["probability_higher"].tolist())
    bars = [c.get_segments()[0][:, 0].tolist() for c in ax.collections if isinstance(c, LineCollection)]
    ends = drawn[["probability_low", "probability_high"]].to_numpy().tolist()
    assert np.allclose(bars, ends, equal_nan=True)
    said = [words.get_text() for words in ax.texts]
    assert sum(words == "not compared" for words in said) == int((~rows["compared"]).sum()) > 0
    assert [label.get_text() for label in ax.get_yticklabels()] == rows["words"].tolist()


def test_paired_seeds_lie_where_both_values_are(compared) -> None:
    """The runs of twenty and of two seeds share the seeds 5 and 7."""
    two = compared("two")
    run = two.others[0]
    axes = paired_seeds(run, "x").alone(two).axes
    seeds = two["compared_seeds"]
    place = list(SHOWN).index("focus_median")
    expected = seeds.loc[seeds["measure"] == "focus_median", ["value_baseline", "value_run"]].to_numpy()
    assert len(expected) == 2
    assert np.allclose(axes[place].collections[0].get_offsets(), expected)
    assert axes[place].get_xlim() == axes[place].get_ylim()


def test_without_paired_seeds_there_is_no_such_page(compared) -> None:
    assert "Seed by seed" in [chapter.title for chapter in chapters(compared("two"))]
    assert "Seed by seed" not in [chapter.title for chapter in chapters(compared("nothing to show"))]


# --- what they say ------------------------------------------------------------------------------------


def test_findings_follow_from_the_tables(compared) -> None:
    two = compared("two")
    found = [entry.finding for entry in entries(two)]
    certified = two.rows(two.others[0]).loc["share_certified"]
    assert f"{percent(certified['estimate_baseline'])} in {two.baseline}" in found[0]
    assert "differ in steps" in found[0]
    counts = two["compared_runs"].iloc[0]
    assert f"{counts['n_miss_zero']} of {counts['n_intervals']} intervals miss 0" in found[1]
    assert len({entry.number for entry in entries(two)}) == len(found) == 6
    assert "holds the same networks" in " ".join(entry.finding for entry in entries(compared("a copy")))


def test_of_many_runs_a_sentence_names_the_ends() -> None:
    assert of_each({"a": 0.5, "b": 0.25}, str) == "0.5 in a and 0.25 in b"
    many = dict(zip("abcde", (3.0, 5.0, np.nan, 1.0, 2.0), strict=True))
    assert of_each(many, str) == "from 1.0 in d to 5.0 in b"


def test_an_accuracy_is_not_rounded_up() -> None:
    assert written("accuracy_mean")(1 - 1e-7) == "1 − 1.0e−7"
    assert written("accuracy_mean")(1.0) == "1.000"
    assert written("share_failed")(0.5) == "50.0 %"


def test_long_names_lose_their_middle() -> None:
    assert shortened("demo", 1) == "demo"
    short = shortened("a_run_with_a_long_name", 1)
    assert (len(short), short[0], short[-1], short.count("…")) == (12, "a", "e", 1)


def test_the_text_has_a_line_a_measure(compared) -> None:
    two = compared("two")
    lines = text(two).splitlines()
    rows = two.rows(two.others[0])
    assert [line.partition("  ")[0] for line in lines[2 : 2 + len(rows)]] == rows["words"].tolist()
    assert lines[0].endswith(two["compared_runs"]["shared"].iloc[0])


# --- files and command --------------------------------------------------------------------------------


@pytest.fixture
def pair(compared, here: Path) -> tuple[Path, Path]:
    """Two runs beside each other, as one would have them."""
    for name, side in zip(("a", "b"), compared("two").sides.values(), strict=True):
        shutil.copytree(side.path, here / name)
    return Path("a"), Path("b")


def test_compare_writes_tables_figures_and_pages(
    attnprobe: Commands, pair, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = (0, -1)  # of the figures, which take time
    monkeypatch.setattr("reports.compared.figures", lambda compared: [figures(compared)[k] for k in some])
    before = files(here)
    said = attnprobe("compare", *pair)
    assert said.code == 0
    assert {line.partition(": ")[0] for line in said.err.splitlines()} == {"comparing"}
    assert said.out.startswith(
        "b less a: 2 seeds in both, with the same initial weights and the same batches: paired\n"
    )
    assert said.out.endswith(
        "Comparison: comparison/comparison.pdf    Figures: comparison/figures\n"
        "Tables:     comparison/comparison.csv, and both values of every paired seed: "
        "comparison/compared_seeds.parquet\n"
    )
    runs = [ap.open_run(path) for path in pair]
    tables = comparison.tables(runs)
    names = {f"{name}.{kind}" for name, kind in TABLES.items()} | {"comparison.pdf"}
    drawable = [figures(Compared(runs))[k] for k in some]
    drawn = {f"figures/{figure.name}.{kind}" for figure in drawable for kind in ("pdf", "png", "csv")}
    first = {name: data for name, data in files(here).items() if name not in before}
    assert {name.removeprefix("comparison/") for name in first if not name.endswith("/")} == names | drawn
    read = pd.read_csv(here / "comparison/comparison.csv", keep_default_na=False, na_values=[""])
    assert read["verdict"].tolist() == tables["comparison"]["verdict"].tolist()
    assert read["difference"].tolist() == pytest.approx(tables["comparison"]["difference"].tolist(), nan_ok=True)
    pd.testing.assert_frame_equal(
        pd.read_parquet(here / "comparison/compared_seeds.parquet"), tables["compared_seeds"], check_dtype=False
    )
    document = pypdf.PdfReader(io.BytesIO(first["comparison/comparison.pdf"]))
    assert document.metadata["/Title"] == "attnprobe comparison: b with a"
    assert len(document.outline) == 2 * len(chapters(Compared(runs)))  # each chapter, then its pages
    assert attnprobe("compare", *pair, "-q") == (0, "", "")  # again, over the first
    assert {name: data for name, data in files(here).items() if name not in before} == first


def test_an_earlier_comparison_of_more_runs_leaves_nothing(
    attnprobe: Commands, pair, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.compared.figures", lambda compared: [])  # they take time and do not matter here
    (here / "comparison/figures").mkdir(parents=True)
    for name in ("comparison.csv", "figures/differences_3.png", "figures/mine.txt"):
        (here / "comparison" / name).write_text("old")
    assert attnprobe("compare", *pair, "-q", "--paper", "letter").code == 0
    assert not (here / "comparison/figures/differences_3.png").exists()
    assert (here / "comparison/figures/mine.txt").read_text() == "old"
    page = pypdf.PdfReader(here / "comparison/comparison.pdf").pages[0]
    assert [float(side) / 72 for side in page.mediabox[2:]] == pytest.approx([8.5, 11])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a",), "1 run is too few to compare: give two or more different runs."),
        (("a", "b", "a"), "a is given twice: give different runs."),
        (("a", "./a"), "a is given twice: give different runs."),
        (("a", "none"), "There is no run at none. Train one with: attnprobe train none"),
        (("a", "other"), "other is not a run folder: it has no run.json."),
        (("a", "b", "--paper", "a5"), "paper 'a5' is unknown. There are: a4, letter."),
        (
            ("a", "b", "--out", "other"),
            "other is not empty and holds no comparison (it has no comparison.csv). Choose a new or empty folder with "
            "--out FOLDER.",
        ),
        (("a", "b", "--out", "file"), "file is a file, not a folder. Choose another place with --out FOLDER."),
        (
            ("a", "b", "--out", "a"),
            "a is not empty and holds no comparison (it has no comparison.csv). Choose a new or empty folder with "
            "--out FOLDER.",
        ),
    ],
)
def test_refusals_change_nothing(attnprobe: Commands, pair, here: Path, words, message: str) -> None:
    before = files(here)
    assert attnprobe.refused("compare", *words) == f"attnprobe: {message}\n"
    assert files(here) == before


def test_a_missing_table_is_named_with_the_command_that_makes_it(attnprobe: Commands, pair, here: Path) -> None:
    ap.open_run("b").drop(["tables/survival.parquet"])
    said = attnprobe.refused("compare", *pair)
    assert said.splitlines()[-1].startswith("attnprobe: Table 'survival' is not in b.")
    assert said.endswith("Tables are computed by: attnprobe analyze b\n")
    assert not (here / "comparison").exists()


def test_too_many_runs(compared) -> None:
    runs = [ap.open_run(compared("two").path)] * (MOST_RUNS + 1)
    assert refusal(reports.compare, runs) == "9 runs are too many for one document: compare at most 8."
