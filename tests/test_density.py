"""Many seeds in little room: none is lost, none that stands alone is hidden, few do not squeeze the rest."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import planted
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas
from matplotlib.legend import Legend
from test_layout import overlaps

import analyses
import reports
from reports import by_digit, density, failed, qk_ov, stuck
from reports.density import MOST_DOTS, MOST_IN_STRIP, SINGLE, SMALL, cloud, key, limits, shade, strength, strip
from reports.figure import Material
from reports.legend import handles, legend
from reports.pages import PAGES
from reports.pages.failed import FAILED
from reports.pages.stuck import STUCK
from reports.paper import PAPERS
from reports.sheet import Sheet
from reports.style import look, tints
from reports.words import percent

RNG = 20261123
SOME = ("one seed", "no steps", "two digits", "a seed that is not finite", "no seed is finite", "every seed failed")


@pytest.fixture
def ax() -> Axes:
    axes = Canvas(figsize=(6, 4)).subplots()
    axes.set_xlim(-5, 5)
    axes.set_ylim(-5, 5)
    return axes


def dots(ax: Axes) -> np.ndarray:
    """Places of everything drawn as a dot, in data units."""
    found = [item.get_offsets() for item in ax.collections if isinstance(item, PathCollection)]
    kept = [
        np.asarray(places)
        for places, item in zip(found, [c for c in ax.collections if isinstance(c, PathCollection)], strict=True)
        if item.get_offset_transform() == ax.transData
    ]
    return np.concatenate(kept) if kept else np.zeros((0, 2))


def polygons(ax: Axes) -> list[np.ndarray]:
    """Corners of all hexagons or outlines."""
    shapes = [item for item in ax.collections if isinstance(item, PolyCollection)]
    return [path.vertices for item in shapes for path in item.get_paths()]


def gaussian(n: int, *more: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    points = np.random.default_rng(RNG).normal(size=(n, 2))
    return tuple(np.concatenate([points, np.array(more).reshape(-1, 2)]).T)


def one_group(n: int) -> list:
    return [("all", pd.Series(True, index=range(n)), tints.distractor, "o")]


# --- clouds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, SINGLE, MOST_DOTS - 1, MOST_DOTS, MOST_DOTS + 3, 7_001])
def test_every_point_is_a_dot_or_in_a_hexagon_or_beyond(ax, n) -> None:
    x, y = gaussian(n)
    x[0] = np.nan if n > 2 else x[0]
    x[-1] = 17 if n > 3 else x[-1]
    shown = cloud(ax, x, y, one_group(n))
    assert shown.dots + shown.hexagons.sum() + shown.beyond + shown.unknown == n
    assert shown.beyond == ((np.abs([x, y]) > 5).any(axis=0) & np.isfinite(x)).sum()
    assert shown.unknown == (n > 2)
    assert len(dots(ax)) == shown.dots
    assert len(polygons(ax)) == len(shown.hexagons)
    few = np.isfinite(x).sum() <= MOST_DOTS
    assert (shown.hexagons.size == 0) == few
    if not few:
        assert shown.hexagons.min() > SINGLE
        assert shown.hexagons.sum() > 0.3 * n  # the problem is not trivial


def test_hexagons_lie_where_the_points_are(ax) -> None:
    x, y = gaussian(7_001)
    shown = cloud(ax, x, y, one_group(7_001))
    counted = 0
    for corners, (count,) in zip(polygons(ax), shown.hexagons, strict=True):
        middle = corners[:6].mean(axis=0)
        reach = np.ptp(corners, axis=0) / 2
        near = (np.abs(np.column_stack([x, y]) - middle) <= reach + 1e-9).all(axis=1).sum()  # its bounding box
        assert near >= count
        counted += count
    assert counted == shown.hexagons.sum()
    single = dots(ax)
    places = {tuple(place) for place in np.column_stack([x, y])}
    assert all(tuple(place) in places for place in single)


def test_what_stands_alone_stays_a_dot(ax) -> None:
    x, y = gaussian(9_973, (4.5, -4.5), (4.6, 4.4))
    cloud(ax, x, y, one_group(9_975))
    single = dots(ax)
    for place in ((4.5, -4.5), (4.6, 4.4)):
        assert (single == place).all(axis=1).any()
    assert not (np.hypot(*single.T) < 0.5).any()  # and the middle of the crowd does not


def test_a_small_group_keeps_its_dots_in_a_crowd(ax) -> None:
    x, y = gaussian(8_009)
    failed = np.arange(8_009) % 101 == 0
    assert 1 < failed.sum() < SMALL
    groups = [("sound", ~failed, tints.distractor, "o"), ("failed", failed, tints.failed, "X")]
    shown = cloud(ax, x, y, groups)
    places = {tuple(place) for place in dots(ax)}
    inside = failed & (np.abs([x, y]) <= 5).all(axis=0)
    assert all((a, b) in places for a, b in zip(x[inside], y[inside], strict=True))
    assert shown.hexagons[:, 1].sum() == 0
    assert shown.dots + shown.hexagons.sum() + shown.beyond == 8_009


def test_where_groups_meet_the_smaller_lies_inside(ax) -> None:
    n = 6_007
    x, y = np.zeros(n), np.zeros(n)
    second = np.arange(n) % 7 == 0
    shown = cloud(ax, x, y, [("a", ~second, tints.first, "o"), ("b", second, tints.second, "o")])
    assert shown.hexagons.tolist() == [[int((~second).sum()), int(second.sum())]]
    large, small = polygons(ax)
    assert np.ptp(small[:, 0]) < 0.7 * np.ptp(large[:, 0])
    faces = [item.get_facecolors()[0][:3] for item in ax.collections if isinstance(item, PolyCollection)]
    most = int(shown.hexagons.max())
    assert faces[0] == pytest.approx(shade(tints.first, strength(most, most)))
    assert faces[1] == pytest.approx(shade(tints.second, strength(int(second.sum()), most)))
    orders = [item.get_zorder() for item in ax.collections if isinstance(item, PolyCollection)]
    assert orders[0] < orders[1]


def test_shades_grow_with_the_count_and_the_key_says_so(ax) -> None:
    strengths = [strength(count, 997) for count in (1, 2, 31, 996, 997)]
    assert strengths == sorted(strengths)
    assert strengths[-1] == 1
    light = [sum(shade(tints.first, s)) for s in strengths]
    assert light == sorted(light, reverse=True)
    with look("dark"):
        light = [sum(shade(tints.distractor, s)) for s in strengths]
        assert light == sorted(light)
    key(ax, 997, 13)
    small = next(item for item in ax.get_children() if isinstance(item, Legend))
    assert [text.get_text() for text in small.get_texts()] == ["1", "30", "997 seeds", "13 beyond"]
    tops = [mark.get_markerfacecolor() for mark in small.legend_handles[:3]]
    assert tops[-1] == pytest.approx(shade(tints.ink, 1))


def test_there_is_no_key_where_there_is_nothing_to_say(ax) -> None:
    cloud(ax, *gaussian(17), one_group(17))
    assert not [item for item in ax.get_children() if isinstance(item, Legend)]


def test_points_beyond_are_marked_at_the_edge_where_they_left(ax) -> None:
    x, y = np.array([0.0, 9.0, -9.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0, 9.0, -9.0])
    shown = cloud(ax, x, y, one_group(5))
    assert shown.beyond == 4
    marks = [item for item in ax.collections if item.get_offset_transform() == ax.transAxes]
    found = sorted(tuple(np.round(place, 2)) for item in marks for place in item.get_offsets())
    assert found == [(0, 0.7), (0.6, 1), (0.7, 0), (1, 0.6)]


def test_nothing_is_lost_on_logarithmic_axes(ax) -> None:
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=1)
    ax.set_xlim(0.1, 100)
    ax.set_ylim(-50, 50)
    x = 10 ** np.random.default_rng(RNG).normal(0, 0.4, 5_003)
    y = 10 * np.random.default_rng(RNG + 1).normal(size=5_003)
    x[:3] = 0, -1, np.inf
    shown = cloud(ax, x, y, one_group(5_003))
    assert shown.dots + shown.hexagons.sum() + shown.beyond + shown.unknown == 5_003
    assert shown.unknown == 1
    assert shown.beyond >= 2
    assert all(np.isfinite(corners).all() and (corners[:, 0] > 0).all() for corners in polygons(ax))


@pytest.mark.filterwarnings("error")
def test_degenerate_clouds(ax) -> None:
    nothing = cloud(ax, np.full(3, np.nan), np.zeros(3), one_group(3))
    assert (nothing.dots, nothing.beyond, nothing.unknown) == (0, 0, 3)
    assert cloud(ax, np.zeros(0), np.zeros(0), one_group(0)).dots == 0
    away = cloud(ax, np.full(2_003, 9.0), np.zeros(2_003), one_group(2_003))
    assert (away.dots, away.beyond) == (0, 2_003)
    small = [(str(k), np.arange(1_990) % 10 == k, tints.ink, "o") for k in range(10)]  # many, in groups of few
    assert cloud(ax, np.zeros(1_990), np.zeros(1_990), small).dots == 1_990


# --- strips ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("n", [3, MOST_IN_STRIP, MOST_IN_STRIP + 2, 9_973])
def test_every_value_is_a_dot_or_in_the_outline(ax, n, upright) -> None:
    values = np.random.default_rng(RNG).normal(size=n)
    values[0], values[1] = np.nan, 99
    values[-1] = 4.75
    shown = strip(ax, 2, values, tints.first, upright=upright)
    assert shown.dots + shown.hexagons.sum() + shown.beyond + shown.unknown == n
    assert (shown.beyond, shown.unknown) == (1, 1)
    single = dots(ax)[:, int(upright)]
    assert 4.75 in single
    assert len(single) == shown.dots
    across = dots(ax)[:, 1 - int(upright)]
    assert np.abs(across - 2).max() <= 0.55 / 2
    if n > MOST_IN_STRIP:
        assert shown.hexagons.sum() > 0.5 * n
        widths = [np.ptp(shape[:, 1 - int(upright)]) for shape in polygons(ax)]
        assert max(widths) == pytest.approx(0.55)
    else:
        assert not polygons(ax)


def test_the_outline_is_as_wide_as_seeds_are_many(ax) -> None:
    values = np.concatenate([np.full(600, -2.0), np.full(300, 1.0)])
    strip(ax, 0, values, tints.first)
    wide, half = (np.ptp(shape[:, 0]) for shape in polygons(ax))
    assert wide / half == pytest.approx(2)
    for shape, value in zip(polygons(ax), (-2, 1), strict=True):
        assert shape[:, 1].min() <= value <= shape[:, 1].max()
        assert np.ptp(shape[:, 1]) < 0.5


# --- limits ----------------------------------------------------------------------------------------------


def test_limits_show_all_of_few_seeds() -> None:
    for values in ([0, 1, 2, 50], [3.0], [1, 1, 1]):
        low, high = limits(values)
        assert low < min(values)
        assert high > max(values)


def test_limits_are_not_set_by_a_few_of_many() -> None:
    values = np.random.default_rng(RNG).normal(size=9_973)
    before = limits(values)
    values[:5] = 1e6, -1e9, np.inf, -np.inf, np.nan
    after = limits(values)
    assert after == pytest.approx(before, abs=0.1)
    assert ((values > after[0]) & (values < after[1])).mean() > 0.98
    assert limits([np.nan, np.inf]) == (0, 1)


# --- legends ---------------------------------------------------------------------------------------------


def test_marks_in_legends_can_be_seen(ax) -> None:
    names = [("faint", None, tints.failed, "X"), ("tiny", None, tints.certified, "D")]
    found = legend(ax, names)
    for mark, (name, _, tint, shape) in zip(found.legend_handles, names, strict=True):
        assert (mark.get_label(), mark.get_marker()) == (name, shape)
        assert mark.get_alpha() in (None, 1)
        assert mark.get_markersize() >= 4
        assert to_rgb(mark.get_markerfacecolor()) == to_rgb(tint)
    assert len(handles(names, *handles(names))) == 4


# --- the report's figures at many seeds ------------------------------------------------------------------


@pytest.fixture
def crowded(monkeypatch) -> None:
    """As if seven seeds were a crowd."""
    for name, most in (("MOST_DOTS", 4), ("MOST_IN_STRIP", 4), ("SMALL", 1), ("SINGLE", 1)):
        monkeypatch.setattr(density, name, most)
    monkeypatch.setattr(by_digit, "MOST_IN_STRIP", 4)


CROWDED = (
    "focus_and_errors",
    "focus_and_uniform_attention",
    "qk_ov_plane",
    "qk_ov_rule",
    "rules_region",
    "rules_margins",
    "silencing",
    "focus_and_rule",
    "pairs_of_seeds",
    "what_came_first",
    "embedding_aligned",
    "embedding_read",
    "families",
)


@pytest.mark.parametrize("name", ["twenty seeds", "a seed that is not finite"])
def test_keys_are_explained_and_clear_of_titles(edge, crowded, name) -> None:
    material, shaded = edge(name), set()
    for name_ in CROWDED:
        figure = reports.figures()[name_]
        canvas = figure.alone(material)
        canvas.draw_without_rendering()
        inches = canvas.dpi_scale_trans.inverted()
        for ax in canvas.axes:
            keys = [item for item in ax.get_children() if item.get_gid() == "key"]
            if any("beyond" not in text.get_text() for item in keys for text in item.get_texts()):
                shaded.add(name_)
                assert "Hexagons hold more than" in figure.caption(material), name_
            boxes = [("key", item.get_window_extent().transformed(inches)) for item in keys]
            title = [(ax.get_title(loc="left"), ax._left_title.get_window_extent().transformed(inches))]
            if title[0][0]:
                assert overlaps(boxes, title) == [], name_
            for _, box in boxes:
                assert 0 <= box.x0 < box.x1 <= figure.size[0], name_
                assert 0 <= box.y0 < box.y1 <= figure.size[1], name_
    assert len(shaded) > 5 or name != "twenty seeds"


def test_keys_are_clear_of_titles_on_pages(edge, crowded) -> None:
    material, found = edge("twenty seeds"), 0
    for page in PAGES:
        if not {figure.name for figure in page.figures} & set(CROWDED):
            continue
        with look():
            sheet = Sheet(2, "footer", PAPERS["letter"])
            page.on(sheet, material)
            sheet.canvas.draw_without_rendering()
        for ax in sheet.canvas.axes:
            keys = [("key", item.get_window_extent()) for item in ax.get_children() if item.get_gid() == "key"]
            keys = [(name, box.transformed(sheet.canvas.dpi_scale_trans.inverted())) for name, box in keys]
            place = ax._left_title.get_window_extent().transformed(sheet.canvas.dpi_scale_trans.inverted())
            assert overlaps(keys, [(ax.get_title(loc="left"), place)]) == [], page.section
            found += len(keys)
    assert found > 5


def test_strips_become_outlines_where_seeds_are_many(edge, monkeypatch) -> None:
    material = edge("twenty seeds")
    monkeypatch.setattr(density, "SINGLE", 1)
    for most, kind in ((400, "dots"), (4, "outlines")):
        monkeypatch.setattr(density, "MOST_IN_STRIP", most)
        monkeypatch.setattr(by_digit, "MOST_IN_STRIP", most)
        for name in ("attention_by_digit", "values_by_digit", "interventions", "attention_and_attributions"):
            figure = reports.figures()[name]
            with look():
                axes = Canvas(figsize=figure.size).subplots()
                figure.on(material, [axes])
            assert ("Outlines are as wide as seeds are many" in figure.caption(material)) == (kind == "outlines")
            assert bool(polygons(axes)) == (kind == "outlines"), name


def test_names_of_many_failed_seeds_have_room(tmp_path) -> None:
    config = planted.settings()
    run = planted.write(tmp_path / "run", config, [planted.constant(config)] * 37)
    analyses.write(run)
    material = Material(run)
    for page, most in ((FAILED, failed.MOST_LINES), (STUCK, stuck.MOST_LINES)):
        with look():
            sheet = Sheet(2, "footer")
            page.on(sheet, material)
            sheet.canvas.draw_without_rendering()
        inches = sheet.canvas.dpi_scale_trans.inverted()
        names = sheet.canvas.axes[0].get_yticklabels()
        assert len(names) == most + 1 < 37
        boxes = [name.get_window_extent().transformed(inches) for name in names]
        assert all(below.y1 < above.y0 for above, below in pairwise(boxes))
        assert f"the {most} worst of 37" in page.figures[0].caption(material)


# --- the QK-OV plane -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def circuits(tmp_path_factory):
    """A seed that is right, one whose scores say nothing, and one that is not finite."""
    config = planted.settings()
    made = [planted.perfect(config), planted.perfect(config), planted.broken(planted.perfect(config))]
    run = planted.write(tmp_path_factory.mktemp("plane") / "run", config, made)
    analyses.write(run)
    return run


def test_the_plane_is_free_of_the_gauge(circuits) -> None:
    table = qk_ov.data_plane(Material(circuits))
    assert set(table["seed"]) == set(circuits.seeds[:2])
    a, b = circuits.config.task.targets
    places = table.set_index(["seed", "digit"])["value_gauged"].unstack()
    np.testing.assert_allclose(places[a], 1)
    np.testing.assert_allclose(places[b], -1)
    scores = circuits.circuit.scores[:2]
    weights = np.exp(scores + 7) / np.exp(scores + 7).sum(axis=1, keepdims=True)  # any shift
    expected = np.log(weights * scores.shape[1])
    np.testing.assert_allclose(table["log_weight"].to_numpy().reshape(2, -1), expected, atol=1e-12)


def test_weights_are_value_times_e_to_the_score(circuits) -> None:
    table = qk_ov.data_rule(Material(circuits))
    a = circuits.config.task.targets[0]
    assert len(table)
    product = table["value_past_threshold"] * np.exp(table["score_past_first"])
    np.testing.assert_allclose(product, table["rule_weight"], atol=1e-12)
    first = table[table["digit"] == a]
    np.testing.assert_allclose(first[["value_past_threshold", "score_past_first"]], [[1, 0]] * len(first), atol=1e-12)
    circuit, thresholds = circuits.circuit, circuits.table("thresholds").set_index("seed")["threshold"]
    for k, seed in enumerate(circuits.seeds[:2]):
        values = circuit.values[k] - thresholds[seed]
        rows = table[table["seed"] == seed].set_index("digit")
        np.testing.assert_allclose(rows["value_past_threshold"], values / values[a], atol=1e-9)


def test_ways_to_be_silent_are_told_apart() -> None:
    def material(rows: list[tuple[bool, float, float]]) -> dict:
        named, x, y = zip(*rows, strict=True)
        weight = np.array(x) * np.exp(y)
        digits = pd.DataFrame({"seed": 3, "digit": range(len(rows)), "is_target": named, "value": x, "score": y})
        thresholds = pd.DataFrame({"seed": [3], "threshold": [0.0], "reachable": [True]})
        return {"digits": digits.assign(rule_weight=weight), "thresholds": thresholds}

    class Planted(dict):
        targets = (0, 1)

    rows = [(True, 1, 0), (True, -1.1, 0), (False, -1, -3), (False, 0.05, 0.5), (False, 0.05, -3), (False, -0.3, -2)]
    found = qk_ov.ways(Planted(material([*rows, (False, -1, -1)])))
    assert found == {"score": 1, "value": 1, "either": 1, "both": 1, "n": 5}


@pytest.mark.parametrize("name", SOME)
def test_the_finding_of_the_plane_is_true_of_any_run(edge, name) -> None:
    from reports.pages.qk_ov import QK_OV

    material = edge(name)
    words = QK_OV.finding(material)
    assert words.endswith(".")
    assert "nan" not in words
    if material.config.vocab_size == 2:
        assert "no other digits" in words
    elif (material["digits"]["rule_weight"].notna()).any() and qk_ov.ways(material)["n"]:
        found = qk_ov.ways(material)
        silent = material["digits"]
        first = silent[silent["digit"] == material.targets[0]].set_index("seed")["rule_weight"] > 0
        others = silent[~silent["is_target"] & silent["seed"].map(first)]
        assert found["n"] == len(others)
        silent = (others["rule_weight"].abs() < qk_ov.SILENT).sum()
        assert sum(found.values()) - found["n"] == silent
        assert (percent(silent / len(others)) if silent else "No other digit is silent") in words
    else:
        assert "no seed" in words


def test_reports_name_the_planes() -> None:
    assert {"qk_ov_plane", "qk_ov_rule"} <= set(reports.figures())
