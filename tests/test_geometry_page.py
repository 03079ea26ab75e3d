"""The page on geometry: its sentence is true of the run, its pictures show the tables."""

from __future__ import annotations

import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import geometry
from reports.figure import Figure, Material
from reports.pages.geometry import GEOMETRY, finding, limits
from reports.sheet import Sheet
from reports.style import look
from reports.words import number, places

NAN = float("nan")


class Tables(dict):
    """What a page asks its material for, without a run."""

    def __init__(self, config, **estimates: float) -> None:
        super().__init__()
        self.config, self.targets = config, config.task.targets
        known = {
            "embedding_start_correlation_median": NAN,
            "distance_correlation_trained_mean": NAN,
            "plane_share_trained_median": 0.5,
            **estimates,
        }
        summary = pd.DataFrame({"measure": list(known), "estimate": list(known.values())})
        self["summary"] = summary.assign(ci_low=summary["estimate"] - 0.1, ci_high=summary["estimate"] + 0.1)
        self["geometry"] = pd.DataFrame({"plane_share_chance": [0.4]})


def drawn(figure: Figure, material: Material) -> list[Axes]:
    with look():
        axes = list(Canvas(figsize=figure.size).subplots(1, figure.panels, squeeze=False)[0])
        figure.on(material, axes)
    return axes


@pytest.mark.parametrize(
    ("own", "others", "plane", "said"),
    [
        (0.88, 0.15, 0.5, "keeps most of a seed’s initial geometry: distances between its digits correlate 0.88 with"),
        (0.88, 0.15, 0.5, "with its own start, 0.15 [0.05, 0.25] with another seed’s."),
        (0.50, NAN, 0.5, "keeps part of a seed’s initial geometry"),
        (-0.1, 0.9, 0.5, "keeps little of a seed’s initial geometry: distances between its digits correlate −0.10"),
        (NAN, 0.25, 0.5, "On average over pairs of seeds the distances between digits correlate 0.25 [0.15, 0.35]."),
        (NAN, NAN, 0.5, "a plane that holds 50.0 % of the embedding’s variance; a random plane would hold 40.0 %."),
        (NAN, NAN, NAN, "No seed is finite, so there is no geometry to compare."),
    ],
)
def test_the_finding_is_made_of_what_is_known(small_run, own, others, plane, said) -> None:
    tables = Tables(
        small_run.config,
        embedding_start_correlation_median=own,
        distance_correlation_trained_mean=others,
        plane_share_trained_median=plane,
    )
    assert said in finding(tables)


@pytest.mark.parametrize(
    ("vocab", "size", "said"),
    [
        (10, 5, "10 points in 5 dimensions are few"),
        (10, 1, "10 points in 1 dimension are few"),
        (5, 4, "5 points have room in 4 dimensions for any distances at all"),
    ],
)
def test_what_so_few_points_can_show(small_run, vocab, size, said) -> None:
    config = small_run.config.model_copy(update={"vocab_size": vocab, "embed_dim": size})
    assert limits(Tables(config)).startswith(said)


def test_the_page_of_a_run_with_everything_fits(small_run) -> None:
    with look(), mpl.rc_context({"text.hinting": "none"}):
        sheet = Sheet(1, "footer")
        GEOMETRY.on(sheet, Material(small_run))
    assert sheet.left > -0.01
    words = " ".join(text.get_text() for text in sheet.canvas.texts)
    assert not re.search(r"\bnan\b|\binf\b|  ", words)


def test_captions_are_made_of_the_summary(small_run) -> None:
    material = Material(small_run)
    summary = small_run.table("summary").set_index("measure")["estimate"]
    caption = geometry.SIMILARITY.caption(material)
    for name in ("distance_correlation_trained_mean", "cka_initial_mean", "embedding_start_correlation_median"):
        assert places(summary[name]) in caption, name
    assert f"of those without 3 and 1 {places(summary['distance_correlation_rest_trained_mean'])}" in caption
    caption = geometry.PLANE.caption(material)
    for name in ("plane_share_trained_median", "plane_share_initial_median", "embedding_change_plane_share_median"):
        assert number(summary[name]) in caption, name
    caption = geometry.SEPARATION.caption(material)
    assert "among all 10 choices" in caption
    assert "no less than 0.10" in caption
    assert "p ≤ 0.05" not in caption
    assert f"Mean rank: {number(summary['separation_rank_trained_mean'])}" in caption
    assert caption.endswith("by chance 5.50.")


def test_each_kind_of_pair_adds_up_to_one(small_run) -> None:
    material = Material(small_run)
    table = geometry.SIMILARITY.data(material)
    assert table["kind"].value_counts().to_dict() == {geometry.START: 21, geometry.TRAINED: 21, geometry.OWN: 7}
    for ax in drawn(geometry.SIMILARITY, material):
        heights = [sum(bar.get_height() for bar in bars) for bars in ax.containers if len(bars) > 1]
        assert heights == pytest.approx([1] * len(heights))
    assert [ax.get_xlim() for ax in drawn(geometry.SIMILARITY, material)] == [(-1, 1), (0, 1)]


def test_ranks_are_drawn_where_they_are(small_run) -> None:
    (ax,) = drawn(geometry.SEPARATION, Material(small_run))
    ranks = small_run.table("geometry").query("stage == 'initial'")["separation_rank"].astype(int)
    heights = [bar.get_height() for bar in ax.containers[0]]
    np.testing.assert_array_equal(heights, np.bincount(ranks, minlength=11)[1:])
    assert ax.lines[0].get_ydata()[0] == pytest.approx(7 / 10)
    assert ax.get_xlabel() == "rank of 3 and 1 among 10 choices of two digits"


def test_many_choices_share_bars() -> None:
    table = pd.DataFrame(
        {"seed": [2, 3], "stage": "trained", "separation_rank": [1.0, 496.0], "separation_choices": 496}
    )
    ax = Canvas().subplots()
    geometry.draw_separation(table, ax, targets=(31, 17))
    edges = np.unique(ax.patches[0].get_xy()[:, 0])
    assert len(edges) - 1 <= geometry.MOST_BARS
    assert (edges[0], edges[1]) == (0.5, 10.5)
    assert edges[-1] >= 496.5
    assert ax.lines[0].get_ydata()[0] == pytest.approx(2 * 10 / 496)
