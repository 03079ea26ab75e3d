"""Attention maps that somebody asks for: the numbers, the rules that choose sequences, the pictures, the command."""

from __future__ import annotations

import itertools
import re

import exhaustive
import matplotlib as mpl
import numpy as np
import pandas as pd
import planted
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from snapshot import files
from vision import contrast

import analyses
import attnprobe as ap
import reports
from analyses.choosing import closest_calls, least, most_probable_errors, one_order
from attnprobe.population import Population
from attnprobe.sequences import check_sequences
from reports import examples, gallery, shown
from reports.all_seeds import MOST_ROWS, draw_all_seeds, rows_of
from reports.cells import PaperText
from reports.figure import Material
from reports.options import FORMATS
from reports.pages.gallery import ALL_SEEDS, GALLERY
from reports.sheet import Sheet
from reports.style import STYLES, look, tints

TARGETS = (3, 1)


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def polygons(ax, colour: str | None = None) -> list:
    """Collections of cells: those coloured by values, or the frames of one colour."""
    if colour is None:
        return [part for part in ax.collections if part.get_gid() in gallery.KINDS]
    return [
        part
        for part in ax.collections
        if part.get_array() is None
        and len(part.get_edgecolor())
        and to_hex(part.get_edgecolor()[0]) == to_hex(colour)
        and not len(part.get_facecolor())
    ]


def named(frame: pd.DataFrame, **names) -> pd.DataFrame:
    return frame.assign(
        **{"seed_name": "seed " + frame["seed"].astype(str), "sequence_name": "row " + frame["sequence"].astype(str),
           "remark": "", **names}
    )  # fmt: skip


# --- the numbers -----------------------------------------------------------------------------------------


def test_maps_are_what_the_torch_model_does(trained) -> None:
    rng = np.random.default_rng(7)
    digits = rng.integers(0, 7, (13, 11))
    frame = analyses.maps(trained, digits, [3, 11])
    assert list(frame["seed"].unique()) == [3, 11]
    for seed, rows in frame.groupby("seed"):
        model = trained.model(int(seed)).double()
        with torch.no_grad():
            embedded = model.embed(torch.from_numpy(digits))
            attention = model.attention(embedded)[:, 0].numpy()
            values = model.values(embedded)[:, :, 0].numpy()
            probability = model(torch.from_numpy(digits))[:, 0].numpy()
        np.testing.assert_allclose(rows["attention"].to_numpy().reshape(13, 11), attention, atol=1e-6)
        np.testing.assert_allclose(rows["value"].to_numpy().reshape(13, 11), values, atol=1e-6)
        np.testing.assert_allclose(rows["contribution"].to_numpy().reshape(13, 11), attention * values, atol=1e-6)
        np.testing.assert_allclose(rows["probability"].to_numpy()[::11], probability, atol=1e-6)
        np.testing.assert_array_equal(rows["right"].to_numpy()[::11], (probability > 0.5) == rows["label"][::11])
    counts = [(row == 5).sum() > (row == 3).sum() for row in digits]
    assert frame["label"].tolist() == np.repeat(counts * 2, 11).tolist()


def test_maps_extend_the_stored_table(small_run) -> None:
    digits = small_run.config.task.digits(100, 2**63 - 1, 0)
    stored = small_run.table("attention_maps")
    pd.testing.assert_frame_equal(analyses.maps(small_run, digits)[list(stored.columns)], stored, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(0, 10))
@settings(max_examples=10)
def test_order_changes_nothing_but_places(trained, seed, turn) -> None:
    rng = np.random.default_rng(seed)
    row = rng.integers(0, 7, 11)
    order = rng.permutation(11)
    one, other = (analyses.maps(trained, [list(map(int, digits))]) for digits in (row, row[order]))
    for name in ("attention", "contribution_gauged"):
        np.testing.assert_allclose(
            one[name].to_numpy().reshape(-1, 11)[:, order], other[name].to_numpy().reshape(-1, 11), atol=1e-12
        )
    np.testing.assert_allclose(one["probability"][::11], other["probability"][::11], atol=1e-12)


def test_gauged_values_and_what_they_sum_to(small_run) -> None:
    frame = analyses.maps(small_run, small_run.config.task.digits(40, 5, 0))
    for digit, value in zip(TARGETS, (1, -1), strict=True):
        np.testing.assert_allclose(frame.loc[frame["digit"] == digit, "value_gauged"], value, atol=1e-12)
    np.testing.assert_allclose(frame["contribution_gauged"], frame["attention"] * frame["value_gauged"], atol=1e-12)
    sums = frame.groupby(["seed", "sequence"])[["contribution_gauged", "pooled_gauged"]]
    np.testing.assert_allclose(sums.sum()["contribution_gauged"], sums.mean()["pooled_gauged"], atol=1e-9)
    gauged = small_run.table("digits").set_index(["seed", "digit"])["value_gauged"]
    expected = gauged.loc[list(zip(frame["seed"], frame["digit"], strict=True))]
    np.testing.assert_allclose(frame["value_gauged"], expected, rtol=1e-9)


def test_the_threshold_of_the_sum_says_the_answer(small_run) -> None:
    frame = analyses.maps(small_run, small_run.config.task.digits(40, 5, 0))
    one = frame[frame["turn"] != 0]
    assert len(one) > 0
    yes = one["turn"] * (one["pooled_gauged"] - one["threshold_gauged"]) > 0
    np.testing.assert_array_equal(yes, one["logit"] > 0)
    number = small_run.table("certificates").set_index("seed")["n_thresholds"]
    assert set(one["seed"]) == set(number[number == 1].index)
    assert frame.loc[frame["turn"] == 0, "threshold_gauged"].isna().all()


def test_a_seed_that_is_not_finite_and_one_without_a_gauge(tmp_path) -> None:
    config = planted.settings()
    same = planted.network(config, [0, 1, 0, 1, 0], [0, 0.5, 0, 0.5, 0])
    run = planted.write(tmp_path / "run", config, [planted.perfect(config), same, planted.broken(same)])
    frame = analyses.maps(run, "3310042").set_index("seed")
    assert frame.loc[0].notna().all(axis=None)
    assert frame.loc[1, "attention"].notna().all()
    assert (
        frame.loc[1, ["value_gauged", "contribution_gauged", "pooled_gauged", "threshold_gauged"]].isna().all(axis=None)
    )
    assert frame.loc[2, ["attention", "value_gauged", "probability", "logit"]].isna().all(axis=None)
    assert not frame.loc[2, "right"].any()  # it answers no, and the label is yes
    ax = Canvas().subplots()
    gallery.draw_gallery(named(frame.reset_index()), ax, TARGETS)
    assert "3 and 1 have one value: no common scale" in texts(ax)
    assert "weights are not finite" in texts(ax)
    assert texts(ax).count("–") == 3  # sums of two seeds, a probability
    gallery.draw_gallery(named(frame.reset_index()), ax, TARGETS, blocks="sequence")
    assert "seed 2: weights are not finite · seed 1: 3 and 1 have one value: no common scale" in texts(ax)


# --- which sequences -------------------------------------------------------------------------------------


TASK = ap.Task(rule="n3 > n1", vocab_size=5, length=4)
WIDE = ap.Task(rule="n3 > n1", vocab_size=12, length=3)


@pytest.mark.parametrize(
    ("given_", "task", "expected"),
    [
        ("3310", TASK, [[3, 3, 1, 0]]),
        (" 3,3 1, 0 ", TASK, [[3, 3, 1, 0]]),
        (["3310", "0 0 0 4"], TASK, [[3, 3, 1, 0], [0, 0, 0, 4]]),
        ([3, 3, 1, 0], TASK, [[3, 3, 1, 0]]),
        (np.array([[3, 3, 1, 0], [1, 2, 3, 4]]), TASK, [[3, 3, 1, 0], [1, 2, 3, 4]]),
        (torch.tensor([[3, 3, 1, 0]]), TASK, [[3, 3, 1, 0]]),
        (((3, 3, 1, 0),), TASK, [[3, 3, 1, 0]]),
        ("11 3,10", WIDE, [[11, 3, 10]]),
        ("11", ap.Task(rule="n3 > n1", vocab_size=12, length=1), [[11]]),
        ("4", ap.Task(rule="n3 > n1", vocab_size=5, length=1), [[4]]),
    ],
)
def test_sequences_as_people_write_them(given_, task, expected) -> None:
    found = check_sequences(given_, task)
    assert found.dtype == np.int64
    assert found.tolist() == expected


HOW = "Write 4 digits from 0 to 4, such as '3102'."


@pytest.mark.parametrize(
    ("given_", "task", "message"),
    [
        ("331", TASK, f"sequence '331' is not allowed: it has 3 digits, and sequences of this run have 4. {HOW}"),
        ("", TASK, f"sequence '' is not allowed: it has 0 digits, and sequences of this run have 4. {HOW}"),
        ("3x10", TASK, f"sequence '3x10' is not allowed: 'x' is no digit. {HOW}"),
        ("3-10", TASK, f"sequence '3-10' is not allowed: '-' is no digit. {HOW}"),
        ("3 3 1 5", TASK, f"sequence '3 3 1 5' is not allowed: digit 5 is outside the alphabet 0..4. {HOW}"),
        ([], TASK, f"sequences is empty: there is nothing to show. {HOW}"),
        (7, TASK, f"sequences = 7 is not allowed: it is no collection of sequences. {HOW}"),
        ([[3, 3, 1, 0.5]], TASK, f"sequence [3, 3, 1, 0.5] is not allowed: 0.5 is no digit. {HOW}"),
        ([[3, 3, 1, True]], TASK, f"sequence [3, 3, 1, True] is not allowed: True is no digit. {HOW}"),
        ([[3, 3, 1, -1]], TASK, f"sequence [3, 3, 1, -1] is not allowed: digit -1 is outside the alphabet 0..4. {HOW}"),
        ([[3, 3, 1, 0], 3], TASK, f"sequence 3 is not allowed: it is neither text nor a row of digits. {HOW}"),
        (
            "1131",
            WIDE,
            "sequence '1131' is not allowed: digit 1131 is outside the alphabet 0..11. "
            "Write 3 digits from 0 to 11 with spaces or commas between them, such as '3 1 0'.",
        ),
    ],
)  # fmt: skip
def test_sequences_that_do_not_fit(given_, task, message) -> None:
    with pytest.raises(ap.AttnprobeError) as error:
        check_sequences(given_, task)
    assert str(error.value) == message


def brute_force(run: ap.Run) -> tuple[exhaustive.Inputs, dict[int, np.ndarray]]:
    """Every input, and the logit that each seed gives to it."""
    config = run.config
    inputs = exhaustive.Inputs.all(config.vocab_size, config.length, *config.task.targets)
    return inputs, {
        seed: exhaustive.Network.of(weights).logits(inputs.sequences)
        for seed, weights in exhaustive.stored(run.path).items()
    }


def test_closest_calls_and_errors_are_those_of_all_inputs(small_run) -> None:
    inputs, logits = brute_force(small_run)
    order = np.lexsort(inputs.counts.T[::-1])  # as the population has them
    counts, label, probability = inputs.counts[order], inputs.label[order], inputs.probability[order]
    rows = Population.of(small_run.config.task).counts
    np.testing.assert_array_equal(rows, counts)
    right_ones = closest_calls(small_run.circuit, 5)
    wrong_ones = most_probable_errors(small_run.circuit, 5)
    for seed, closest, errors in zip(logits, right_ones, wrong_ones, strict=True):
        margin = np.where(label, logits[seed][order], -logits[seed][order])
        right = (logits[seed][order] > 0) == label
        expected = np.sort(margin[right])[:5]
        np.testing.assert_allclose(margin[closest], expected, atol=1e-9)
        assert right[closest].all()
        assert len(set(closest)) == 5
        ranked = sorted(np.flatnonzero(~right), key=lambda row: (-probability[row], row))
        assert errors == ranked[:5]
    assert any(wrong_ones)


def test_the_closest_call_is_that_of_the_certificates(small_run, planted_run, ten_run) -> None:
    """Of equal ones too: in a planted network the other digits are all alike."""
    for run in (small_run, planted_run, ten_run):
        inputs = Population.of(run.config.task)
        named_ = run.table("certificates")["closest"].tolist()
        for rows, text in zip(closest_calls(run.circuit, 1), named_, strict=True):
            found = [
                digit for row in rows for digit in np.repeat(np.arange(len(inputs.counts[row])), inputs.counts[row])
            ]
            assert " ".join(map(str, found)) == text


def test_of_margins_equal_up_to_rounding_the_first_input_comes_first() -> None:
    margin = np.array([np.inf, 1 + 1e-15, 3.0, 1.0, 2.0, 1 + 1e-9])
    assert least(margin.copy(), 1e-14, 4) == [1, 3, 5, 4]
    assert least(margin.copy(), 0.0, 9) == [3, 1, 5, 4, 2]


def test_the_seeds_take_turns_and_every_input_is_there_once(small_run) -> None:
    task, inputs = small_run.config.task, Population.of(small_run.config.task)
    for by, find in (("closest", closest_calls), ("errors", most_probable_errors)):
        lists = find(small_run.circuit, 9)
        turns = itertools.chain.from_iterable(itertools.zip_longest(*lists))
        expected = list(dict.fromkeys(row for row in turns if row is not None))[:9]
        chosen = analyses.choose(small_run, by, 9)
        assert chosen.digits.tolist() == [one_order(task, inputs.counts[row]) for row in expected]
        assert len(chosen.names) == len(set(chosen.names)) == 9
        first = next(seed for seed, rows in zip(small_run.seeds, lists, strict=True) if rows)
        assert chosen.names[0] == f"{by.removesuffix('s')} 1, seed {first}".replace("closest 1", "closest 1")
        assert chosen.rule.endswith("each stands for all orders of its digits.")


def test_one_order_begins_with_the_digits_of_the_rule() -> None:
    assert one_order(TASK, np.array([1, 1, 0, 2, 0])) == [3, 3, 1, 0]


def test_random_sequences_are_the_recorded_ones(small_run) -> None:
    chosen = analyses.choose(small_run, "random", 3)
    stored = small_run.table("attention_maps")
    first = stored[(stored["seed"] == 2) & (stored["sequence"] < 3)]["digit"].to_numpy().reshape(3, 7)
    np.testing.assert_array_equal(chosen.digits, first)
    assert chosen.names == ("random 1", "random 2", "random 3")
    assert chosen.rule == "Random sequences: the first 3 rows of make_batch(100, seed=2**63 - 1, step=0)."


def test_what_cannot_be_chosen(planted_run) -> None:
    def message(*given_, **named_) -> str:
        with pytest.raises(ap.AttnprobeError) as error:
            analyses.choose(planted_run, *given_, **named_)
        return str(error.value)

    assert message("errors", seeds=[0]) == (
        "Seed 0 answers every input right: there is no error to show. Choose other seeds, or the closest calls."
    )
    assert message("closest", seeds=[3, 4]) == (
        "Each of the 2 seeds asked about has no right answer with a finite logit: there is no closest call to show. "
        "Choose other seeds."
    )
    assert message("close") == (
        "choose = 'close' is not allowed. Did you mean 'closest'? It must be one of random, closest, errors."
    )
    for n in (0, 101, 2.5, True):
        assert message("random", n) == f"n = {n!r} is not allowed: it must be a whole number from 1 to 100."
    assert message("random", seeds=[0, 7, 9]) == (
        f"{planted_run.path} has no seed 7 (nor 1 more of those asked for); it has 5 seeds from 0 to 4."
    )


def test_a_task_that_is_too_large_to_enumerate_can_be_shown_all_the_same(tmp_path) -> None:
    config = planted.settings(vocab_size=32, length=31)
    run = planted.write(tmp_path / "run", config, [planted.perfect(config)])
    assert reports.show(run, n=2).axes
    with pytest.raises(ap.AttnprobeError, match="distinct count vectors"):
        reports.show(run, choose="closest")


# --- examples of every run -------------------------------------------------------------------------------


def test_examples_are_chosen_by_their_rules(small_run) -> None:
    table, inputs = small_run.table("examples"), brute_force(small_run)[0]
    assert table["chosen_by"].tolist() == sorted(table["chosen_by"], key=("random", "closest", "error").index)
    multisets = [tuple(sorted(text.split())) for text in table["digits"]]
    assert len(set(multisets)) == len(multisets)
    random = small_run.config.task.digits(2, 2**63 - 1, 0)
    assert table["digits"].tolist()[:2] == [" ".join(map(str, row)) for row in random]
    certificates = small_run.table("certificates")
    for label in ("yes", "no"):
        of_label = certificates[certificates["closest_label"] == label]["closest"].value_counts()
        row = table[(table["chosen_by"] == "closest") & (table["label"] == (label == "yes"))].iloc[0]
        most = of_label[of_label == of_label.max()].sort_index().index[0]
        assert sorted(row["digits"].split()) == most.split()
        assert row["rule"].startswith(f"closest call of {of_label.max()} seed")
    worst = small_run.table("seeds").sort_values("rank")["seed"].iloc[-1]
    last = table[table["rule"].str.contains("last rank")].iloc[0]
    place = list(small_run.seeds).index(worst)
    row = most_probable_errors(small_run.circuit, 1)[place][0]
    expected = one_order(small_run.config.task, Population.of(small_run.config.task).counts[row])
    assert last["digits"] == " ".join(map(str, expected))
    assert f"seed {worst}, of last rank" in last["rule"]
    for digits, orders in zip(table["digits"], table["orders"], strict=True):
        counts = np.bincount(list(map(int, digits.split())), minlength=5)
        assert orders / 5**7 == pytest.approx(inputs.probability[(inputs.counts == counts).all(axis=1)][0])


def test_examples_count_the_seeds_that_err(small_run) -> None:
    table = small_run.table("examples")
    networks = [exhaustive.Network.of(weights) for weights in exhaustive.stored(small_run.path).values()]
    digits = np.array([list(map(int, text.split())) for text in table["digits"]])
    yes = np.array([network.logits(digits) > 0 for network in networks])
    assert table["n_wrong"].tolist() == (yes != table["label"].to_numpy()).sum(axis=0).tolist()
    assert set(table["n_seeds"]) == {7}
    cells_ = small_run.table("example_maps")
    expected = np.array([network.attention(digits) for network in networks])
    np.testing.assert_allclose(cells_["attention"], expected.ravel(), atol=1e-12)
    spread = small_run.table("example_maps_spread").query("measure == 'attention'")
    np.testing.assert_allclose(spread["q50"], np.median(expected, axis=0).ravel(), atol=1e-12)
    np.testing.assert_allclose(spread["q95"], np.quantile(expected, 0.95, axis=0).ravel(), atol=1e-12)


# --- the gallery -----------------------------------------------------------------------------------------


SEQUENCES = ["3310042", "1131344", "0242024"]


@pytest.fixture
def table(small_run) -> pd.DataFrame:
    return named(analyses.maps(small_run, SEQUENCES, [2, 9]))


@pytest.mark.parametrize("blocks", ["seed", "sequence"])
@pytest.mark.parametrize("sort", ["position", "digit"])
def test_every_cell_holds_its_digit(table, blocks, sort) -> None:
    ax = Canvas().subplots()
    with look():
        gallery.draw_gallery(table, ax, TARGETS, blocks=blocks, sort=sort)
    shown_ = SEQUENCES * 2 if blocks == "seed" else [text for text in SEQUENCES for _ in range(2)]
    if sort == "digit":
        shown_ = ["".join(sorted(text, key=lambda d: (d not in "31", d != "3", d))) for text in shown_]
        assert shown_[0] == "3310024"
    rows = 3 if blocks == "seed" else 2
    expected = "".join(
        "".join(shown_[start : start + rows]) * 3 for start in range(0, len(shown_), rows)
    )  # each block in three panels
    letters = [text for text in ax.texts if text.paper_size == 7.5]
    assert "".join(text.get_text() for text in letters) == expected
    for text in letters:
        assert (text.get_fontweight() == "bold") == (text.get_text() in "31")
    attention, values, contributions = polygons(ax)
    assert attention.get_clim() == (0, 1)
    assert values.get_clim() == (-1, 1)
    low, high = contributions.get_clim()
    assert low == -high
    # the number beneath each letter is the one of its digit, seed and sequence
    middles = [path.vertices[:4].mean(axis=0) for path in attention.get_paths()]
    places = {tuple(np.round(text.get_position(), 6)) for text in letters}
    assert {tuple(np.round(middle, 6)) for middle in middles} <= places
    drawn = np.asarray(attention.get_array()).reshape(6, 7)
    keys = (
        [(s, q) for s in (2, 9) for q in range(3)] if blocks == "seed" else [(s, q) for q in range(3) for s in (2, 9)]
    )
    for row, (seed, sequence), digits in zip(drawn, keys, shown_, strict=True):
        cells_ = table[(table["seed"] == seed) & (table["sequence"] == sequence)]
        by_digit = dict(zip(cells_["digit"], cells_["attention"], strict=True))
        np.testing.assert_array_equal(row, [by_digit[int(digit)] for digit in digits])


def test_the_rules_digits_are_framed_in_their_colours(table) -> None:
    ax = Canvas().subplots()
    with look():
        gallery.draw_gallery(table, ax, TARGETS)
        for digit, colour in ((3, tints.first), (1, tints.second)):
            frames = np.concatenate([[path.vertices[:4].mean(axis=0) for path in part.get_paths()]
                                     for part in polygons(ax, colour)])  # fmt: skip
            held = [
                text.get_position() for text in ax.texts if text.get_text() == str(digit) and text.paper_size == 7.5
            ]
            assert len(frames) == 3 * (table["digit"] == digit).sum()
            np.testing.assert_allclose(sorted(map(tuple, frames)), sorted(held), atol=1e-9)


def test_beside_each_row_stand_sum_label_probability_and_mark(table) -> None:
    ax = Canvas().subplots()
    gallery.draw_gallery(table, ax, TARGETS)
    first = table.iloc[0]
    said = texts(ax)
    assert gallery.signed(first["pooled_gauged"]) in said
    assert gallery.in_short(first["probability"]) in said
    right = table[table["position"] == 0]["right"]
    assert (said.count("✓"), said.count("✗")) == (right.sum(), (~right).sum())
    assert (said.count("yes"), said.count("no")) == (2, 4)


def test_numbers_in_short() -> None:
    assert [gallery.in_short(p) for p in (0.0, 1e-9, 0.0005, 0.25, 0.9994, 0.9996, 1.0, np.nan)] == [
        *("< 0.001", "< 0.001", "0.001", "0.250", "0.999", "> 0.999", "> 0.999", "–")
    ]  # fmt: skip
    assert [gallery.signed(x) for x in (0.0, -0.256, 3.5, 1234.0, -1e9, np.nan)] == [
        *("+0.00", "−0.26", "+3.50", "+1e+03", "−1e+09", "–")
    ]


@pytest.mark.parametrize(("largest", "limit"), [(0.015, 0.02), (-0.05, 0.05), (0.3, 0.5), (0.51, 1), (-3.0, 1)])
def test_contributions_of_any_size_are_seen(table, largest, limit) -> None:
    table = table.assign(contribution_gauged=np.where(table.index == 5, largest, 0.001))
    ax = Canvas().subplots()
    gallery.draw_gallery(table, ax, TARGETS)
    assert polygons(ax)[2].get_clim() == (-limit, limit)
    assert (f"≤ −{limit}" in texts(ax)) == (largest < -1)


def test_a_scale_says_that_values_lie_beyond_it(table) -> None:
    far = table.assign(value_gauged=table["value_gauged"].where(table["digit"] != 4, 7.0))
    for frame, expected in ((table.assign(value_gauged=0.5), "+1 (3)"), (far, "≥ +1 (3)")):
        ax = Canvas().subplots()
        gallery.draw_gallery(frame, ax, TARGETS)
        assert expected in texts(ax)


@pytest.mark.parametrize("style", STYLES)
def test_letters_can_be_read_on_every_cell(table, style) -> None:
    ax = Canvas().subplots()
    with look(style):
        gallery.draw_gallery(table, ax, TARGETS)
    letters = {tuple(np.round(text.get_position(), 6)): text for text in ax.texts}
    for part in polygons(ax):
        for path, colour in zip(part.get_paths(), part.to_rgba(part.get_array()), strict=True):
            letter = letters[tuple(np.round(path.vertices[:4].mean(axis=0), 6))]
            assert contrast(letter.get_color(), colour[:3]) >= 4.5  # WCAG 2.2


def test_letters_grow_with_their_axes(table) -> None:
    canvas = Canvas(figsize=(16, 8))
    ax = canvas.subplots()
    gallery.draw_gallery(table, ax, TARGETS)
    sizes = []
    for width in (0.5, 0.25):
        ax.set_position((0.1, 0.1, width, 0.8))
        canvas.draw_without_rendering()
        sizes.append([text.get_fontsize() for text in ax.texts])
    np.testing.assert_allclose(np.array(sizes[0]), 2 * np.array(sizes[1]))


# --- all seeds -------------------------------------------------------------------------------------------


def wide_table(n: int, broken: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two sequences of three digits in n seeds whose focus falls from 1; attention of seed s is made of s."""
    rng = np.random.default_rng(n)
    attention = rng.dirichlet(np.ones(3), (n, 2))
    attention[n - broken :] = np.nan
    focus = pd.Series(np.linspace(1, 0.2, n)).mask(np.arange(n) >= n - broken)
    index = pd.MultiIndex.from_product([range(n), range(2), range(3)], names=["seed", "sequence", "position"])
    frame = pd.DataFrame({"attention": attention.ravel()}, index=index).reset_index()
    frame["digit"] = np.tile([[0, 1, 3], [4, 3, 3]], (n, 1, 1)).ravel()
    frame["focus"] = frame["seed"].map(focus)
    frame["right"] = frame["seed"] % 4 != 1
    frame["label"] = frame["sequence"] == 1
    frame = frame.assign(sequence_name="some", n_seeds=n, n_wrong=int((np.arange(n) % 4 == 1).sum()))
    for name in ("q05", "q25", "q50", "q75", "q95"):
        frame[name] = frame.groupby(["sequence", "position"])["attention"].transform("quantile", int(name[1:]) / 100)
    return frame.sample(frac=1, random_state=3), attention


@pytest.mark.parametrize(("n", "broken"), [(1, 0), (7, 2), (150, 0), (1000, 3)])
def test_a_row_of_the_image_is_a_seed_in_the_order_of_focus(n, broken) -> None:
    table, attention = wide_table(n, broken)
    rows = rows_of(table[["seed", "focus"]].drop_duplicates("seed"))
    assert len(rows) == min(n, MOST_ROWS)
    assert rows["focus"].dropna().is_monotonic_decreasing
    assert {0, n - 1} <= set(rows["seed"])
    ax = Canvas().subplots()
    with look():
        draw_all_seeds(table[table["seed"].isin(rows["seed"])], ax, TARGETS, sort="position")
    for k, image in enumerate(ax.images):
        assert image.get_clim() == (0, 1)
        np.testing.assert_array_equal(image.get_array().filled(np.nan), attention[rows["seed"], k])
        left, right, foot, top = image.get_extent()
        assert foot > top
        assert right > left
    drawn = f"{n} seed{'s' if n > 1 else ''}, by focus" if n <= MOST_ROWS else f"{MOST_ROWS} of 1,000 seeds, by focus"
    assert texts(ax).count(drawn) == 2
    wrong = (rows["seed"] % 4 == 1).sum()
    marks = [part for part in ax.collections if len(part.get_facecolor()) == 1 and len(part.get_paths()) == wrong
             and part.get_array() is None and part.get_linewidth()[0] == 0]  # fmt: skip
    assert len(marks) == 2 if wrong else True
    heights = sorted(path.vertices[0, 1] for path in marks[0].get_paths()) if wrong else []
    left, right, foot, top = ax.images[0].get_extent()
    expected = top + np.flatnonzero(rows["seed"] % 4 == 1) * (foot - top) / len(rows)
    np.testing.assert_allclose(heights, expected)


def test_columns_sorted_by_digit_are_sorted_alike_everywhere() -> None:
    table, attention = wide_table(7)
    ax = Canvas().subplots()
    with look():
        draw_all_seeds(table, ax, TARGETS, sort="digit")
    np.testing.assert_array_equal(ax.images[0].get_array(), attention[:, 0][:, [2, 1, 0]])  # 3, 1, 0
    np.testing.assert_array_equal(ax.images[1].get_array(), attention[:, 1][:, [1, 2, 0]])  # 3, 3, 4
    said = [text.get_text() for text in ax.texts if text.get_text() in "01234" and text.get_va() == "center_baseline"]
    assert said == ["3", "1", "0", "3", "3", "4"]
    dots = [part.get_offsets() for part in ax.collections if len(part.get_offsets()) == 3]
    low, high = (next(t.get_position()[1] for t in ax.texts if t.get_text() == words) for words in ("0", "1"))
    middle = [np.median(attention[:, 0, place]) for place in (2, 1, 0)]
    gridlines = [text.get_position()[1] for text in ax.texts if text.get_text() == "0.5"]
    assert len(dots) == 2
    np.testing.assert_allclose(np.diff(dots[0][:, 1]), -0.85 * np.diff(middle))
    assert low != high or gridlines


# --- the report's figures --------------------------------------------------------------------------------


def test_the_gallery_shows_the_seeds_that_it_names(small_run) -> None:
    material = Material(small_run)
    seeds = small_run.table("seeds").sort_values("rank")
    roles = examples.roles(material)
    by_role = {role: seed for seed, words in roles.items() for role in words.split(", ")}
    assert by_role == {
        "typical": seeds["seed"].iloc[3],
        "best": seeds["seed"].iloc[0],
        "worst": seeds["seed"].iloc[-1],
        "least focus": seeds.loc[seeds["focus"].idxmin(), "seed"],
        "most focus": seeds.loc[seeds["focus"].idxmax(), "seed"],
    }
    data = examples.GALLERY.data(material)
    assert list(data["seed"].unique()) == list(roles)
    stored = small_run.table("example_maps")
    for seed, rows in data.groupby("seed"):
        np.testing.assert_array_equal(rows["attention"], stored.loc[stored["seed"] == seed, "attention"])
    caption = examples.GALLERY.caption(material)
    for rule in small_run.table("examples")["rule"]:
        assert rule in caption


def test_all_seeds_are_drawn_or_evenly_many(small_run) -> None:
    data = examples.ALL_SEEDS.data(Material(small_run))
    assert set(data["seed"]) == set(small_run.seeds)
    assert len(data) == 7 * 7 * data["sequence"].nunique()


EDGE = ("one seed", "two digits", "one position", "long sequences", "many digits", "a seed that is not finite",
        "no seed is finite")  # fmt: skip


@pytest.mark.parametrize("name", EDGE)
@pytest.mark.parametrize("which", ["gallery", "all seeds", "gallery on a slide"])
def test_no_words_lie_over_others_or_beyond_the_edge(edge, name, which) -> None:
    material = edge(name)
    with look("slides" if "slide" in which else "paper"), mpl.rc_context({"text.hinting": "none"}):
        figure = examples.ALL_SEEDS if which == "all seeds" else examples.GALLERY
        canvas = Canvas(figsize=figure.inches(material), dpi=400)
        ax = canvas.add_axes((0, 0, 1, 1))
        figure.on(material, [ax])
        canvas.draw_without_rendering()
        words = [text for text in ax.texts if text.get_text()]
        boxes = np.array([text.get_window_extent().extents for text in words]) / 400
    assert boxes[:, :2].min() > -0.02
    assert boxes[:, 2].max() < canvas.get_figwidth() + 0.02
    assert boxes[:, 3].max() < canvas.get_figheight() + 0.02
    size = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    over = np.argwhere(np.triu((size > 0.012).all(axis=2), 1))
    assert [(words[i].get_text(), words[j].get_text()) for i, j in over] == []


@pytest.mark.parametrize("page", [GALLERY, ALL_SEEDS], ids=["gallery", "all seeds"])
def test_a_page_says_what_is_true_of_the_run(page, small_run, edge) -> None:
    sentence = page.finding(Material(small_run))
    table = small_run.table("examples")
    if page is ALL_SEEDS:
        worst = table.loc[table["n_wrong"].idxmax()]
        assert sentence.startswith(f"Of {len(table)} inputs none misleads more seeds than {worst['digits']}: ")
        assert f": {worst['n_wrong']} of 7" in sentence
        said = page.finding(edge("every seed is perfect"))
        assert said == "All 7 seeds answer each of 3 inputs right, closest calls among them."
    else:
        maps_ = small_run.table("example_maps")
        low, high = map(float, re.search(r"runs from ([\d.]+) to ([\d.]+)", sentence).groups())
        digit, text = re.search(r"on the (\d) of ([\d ]+) runs", sentence).groups()
        row = table[table["digits"] == text].iloc[0]
        cells_ = maps_[(maps_["sequence"] == row["sequence"]) & (maps_["digit"] == int(digit))]
        found = cells_.groupby("position")["attention"].quantile([0.05, 0.95]).unstack()
        assert ((found[0.05] - low).abs() < 0.01 * low + 0.005).any()
        assert ((found[0.95] - high).abs() < 0.01 * high + 0.005).any()
        right = "all 7 seeds" if not row["n_wrong"] else f"{7 - row['n_wrong']} of 7 seeds"
        assert f"; {right} answer" in sentence
        assert page.finding(edge("no seed is finite")) == "No seed is finite, so there is no attention to show."
    with look():
        page.on(Sheet(1, "footer"), Material(small_run))


# --- show ------------------------------------------------------------------------------------------------


def test_show_draws_what_is_asked_for(small_run) -> None:
    figure = reports.show(small_run, SEQUENCES, [9, 2])
    assert isinstance(figure, Canvas)
    (ax,) = figure.axes
    assert [text for text in texts(ax) if text.startswith("seed ")] == ["seed 2", "seed 9"]  # blocks: fewer than rows
    assert [text for text in texts(ax) if text.startswith("given")] == ["given 1", "given 2", "given 3"] * 2
    (ax,) = reports.show(small_run, SEQUENCES[0], range(2, 4)).axes
    assert [text for text in texts(ax) if text.startswith(("seed", "given"))] == ["given", "seed 2", "seed 3"]
    assert SEQUENCES[0] in texts(ax)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "given by the user" in " ".join(text.get_text() for text in reversed(figure.texts))


def test_a_picture_of_many_seeds_is_an_image(tmp_path) -> None:
    config = planted.settings(hidden=5)
    rng = np.random.default_rng(5)
    networks = [planted.random(config, rng) for _ in range(57)]
    run = planted.write(tmp_path / "run", config, [*networks, planted.broken(networks[0])])
    found = shown.prepare(run, SEQUENCES, run.seeds, sort="digit")
    (ax,) = found.picture().axes
    assert [image.get_array().shape for image in ax.images] == [(58, 7)] * 3
    share = analyses.compute("seeds", run)[["seed", "focus"]].sort_values(["focus", "seed"], ascending=[False, True])
    frame = analyses.maps(run, SEQUENCES)
    first = frame[(frame["seed"] == share["seed"].iloc[0]) & (frame["sequence"] == 2)]
    expected = first.assign(place=first["digit"].map({3: -2, 1: -1}).fillna(first["digit"])).sort_values("place")
    np.testing.assert_allclose(ax.images[2].get_array()[0], expected["attention"])
    wrong = frame[frame["position"] == 0].groupby("sequence")["right"].agg(lambda right: (~right).sum())
    labels = frame.groupby("sequence")["label"].first()
    for sequence in range(3):
        words = f"label {'yes' if labels[sequence] else 'no'}; wrong: {wrong[sequence]} of 58 seeds"
        assert words in texts(ax)
    quantiles = found.table[found.table["seed"] == 0]
    finite = frame[frame["seed"] < 57]
    expected = finite.groupby(["sequence", "position"])["attention"].quantile(0.95)
    np.testing.assert_allclose(quantiles.sort_values(["sequence", "position"])["q95"], expected)
    assert len(found.answers) == 58 * 3
    assert found.lines().endswith("(174 rows, 40 shown)")


def test_the_lines_for_a_terminal(planted_run) -> None:
    # targets draw exp(1.5) = 4.48 each, others 1: 8.96 / 17.45 and 4.48 / 17.45; the logit is 4 (0.257 - 1/16)
    found = shown.prepare(planted_run, ["3310042", "1100002"], [0, 3])
    assert [line.split() for line in found.lines().splitlines()] == [
        ["sequence", "label", "seed", "P(yes)", "answer", "on", "3s", "on", "1s"],
        ["3310042", "yes", "0", "0.685", "right", "0.51", "0.26"],
        ["yes", "3", "–", "WRONG", "–", "–"],
        ["1100002", "no", "0", "0.056", "right", "0.00", "0.64"],
        ["no", "3", "–", "right", "–", "–"],
    ]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_bytes_each_time(small_run, kind, style) -> None:
    found = shown.prepare(small_run, SEQUENCES[:1], [2])
    data = found.file(kind, style)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": "other", "savefig.dpi": 30}):
        assert shown.prepare(small_run, SEQUENCES[:1], [2]).file(kind, style) == data


def test_tables_of_the_run_are_not_needed(trained) -> None:
    assert trained.tables == []
    assert reports.show(trained, n=1, seeds=[2]).axes
    assert reports.show(trained, choose="closest", n=2).axes


@pytest.mark.parametrize(
    ("named_", "message"),
    [
        ({"sort": "digits"}, "sort = 'digits' is not allowed. Did you mean 'digit'? It must be position or digit."),
        ({"sequences": "3310042", "n": 3}, "Give sequences, or how to choose them (choose, n), but not both."),
        ({"style": "drak"}, "style 'drak' is unknown. Did you mean 'dark'? There are: paper, slides, dark."),
        (
            {"n": 100},
            "7 seeds and 100 sequences of 7 digits are 4,900 cells; a picture of up to 40 seeds holds 4,000. "
            "Ask for fewer seeds or sequences.",
        ),
    ],
)
def test_what_cannot_be_shown(small_run, named_, message) -> None:
    with pytest.raises(ap.AttnprobeError) as error:
        reports.show(small_run, **named_)
    assert str(error.value) == message


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_writes_a_picture_and_its_table(attnprobe, demo) -> None:
    said = attnprobe("show", "demo", "--sequence", "3310042", "--sequence", "1 1 3 1 3 4 4", "--seeds", "2:4,9")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "Written: demo/shown.pdf, demo/shown.csv"
    assert re.match(r"sequence +label +seed +P\(yes\) +answer +on 3s +on 1s", said.out)
    expected = analyses.maps(ap.open_run(demo), ["3310042", "1131344"], [2, 3, 9])
    csv = pd.read_csv(demo / "shown.csv")
    pd.testing.assert_frame_equal(csv[list(expected.columns)], expected, check_exact=True)
    before = (demo / "shown.pdf").read_bytes()
    assert attnprobe("show", "demo", "--sequence", "3310042", "--sequence", "1131344", "--seeds", "2,3,9", "-q") == (
        0,
        "",
        "",
    )
    assert (demo / "shown.pdf").read_bytes() == before


def test_the_command_takes_formats_and_styles(attnprobe, demo, here) -> None:
    options = ("--choose", "closest", "-n", "2", "--seeds", "2", "-q")
    attnprobe("show", "demo", *options, "--format", "png,svg", "--style", "dark", "--sort", "digit")
    assert {path.suffix for path in demo.glob("shown.*")} == {".png", ".svg", ".csv"}
    attnprobe("show", "demo", *options, "--out", "new/picture.SVG")
    assert sorted(path.name for path in (here / "new").iterdir()) == ["picture.csv", "picture.svg"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sequence", "331004"], "sequence '331004' is not allowed: it has 6 digits, and sequences of this run "
         "have 7. Write 7 digits from 0 to 4, such as '3102431'."),
        (["--sequence", "3310049"], "sequence '3310049' is not allowed: digit 9 is outside the alphabet 0..4. "
         "Write 7 digits from 0 to 4, such as '3102431'."),
        (["--seeds", "2:6"], "demo has no seed 4; it has 7 seeds from 2 to 13."),
        (["--seeds", "x"], "seeds = 'x' is not allowed: it is neither a range such as 0:256, nor a list such as 3,5,8, "
         "nor a text file that can be read."),
        (["--choose", "eror"], "choose = 'eror' is not allowed. Did you mean 'errors'? "
         "It must be one of random, closest, errors."),
        (["-n", "0"], "n = 0 is not allowed: it must be a whole number from 1 to 100."),
        (["--sort", "rank"], "sort = 'rank' is not allowed. It must be position or digit."),
        (["--style", "papier"], "style 'papier' is unknown. Did you mean 'paper'? There are: paper, slides, dark."),
        (["--format", "gif"], "--format 'gif' is not allowed. It must be one of pdf, png, svg."),
        (["--out", "picture"], "--out 'picture' is not allowed: its name must end in .pdf, .png or .svg."),
        (["--out", "a.pdf", "--format", "png"],
         "--out 'a.pdf' ends in .pdf, and --format says png. Leave one of them out."),
        (["--out", "there.png"], "there.csv exists already. Give another name, or --force to replace it."),
    ],
)  # fmt: skip
def test_the_command_refuses(attnprobe, demo, here, words, message) -> None:
    (here / "there.csv").write_text("mine")
    before = files(here)
    assert attnprobe.refused("show", "demo", *words) == f"attnprobe: {message}\n"
    assert files(here) == before


def test_the_command_replaces_when_it_is_told_to(attnprobe, demo, here) -> None:
    (here / "there.csv").write_text("mine")
    assert attnprobe("show", "demo", "-n", "1", "--seeds", "2", "--out", "there.png", "--force").code == 0
    assert (here / "there.csv").read_text().startswith("seed,sequence,position,")


def test_paper_text_is_text_like_any_other() -> None:
    text = PaperText(0.5, 0.5, "words", 7)
    assert text.get_fontsize() == 7
    text._fit()  # on no canvas yet
    assert text.get_fontsize() == 7
