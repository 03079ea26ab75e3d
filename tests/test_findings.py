"""Sentences of the report: their numbers are those of the tables, and what a run does not show is not said."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from edges import EDGES
from matplotlib.figure import Figure as Canvas

import attnprobe as ap
from attnprobe import cli
from attnprobe.cli import making
from attnprobe.seeds import parse_seeds
from reports import budget, exercise
from reports.figure import Material
from reports.pages import PAGES
from reports.pages.methods import command
from reports.paper import PAPERS
from reports.sheet import Sheet, wrapped
from reports.words import amount, number, percent, places, told

SIZE = PAPERS["letter"].heading
WIDTH = min(Sheet(1, "", paper).width for paper in PAPERS.values())
LINES = 3  # of a finding, at most
FINDINGS = {page.section: page.finding for page in PAGES}


def said(material: Material, section: str) -> str:
    return FINDINGS[section](material)


def sizes(sentence: str) -> list[float]:
    """All numbers in a sentence, in their order; those of digits and rules among them."""
    plain = sentence.replace(",", "").replace("−", "-").replace("±", "")
    return [float(x) for x in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


@pytest.fixture(scope="module", params=["small", "twenty", "ten"])
def run(request, edge) -> Material:
    """Trained runs with good, bad and failed seeds."""
    if request.param == "twenty":
        return edge("twenty seeds")
    return Material(request.getfixturevalue(f"{request.param}_run"))


# --- every sentence, at every edge ------------------------------------------------------------------------


@pytest.mark.parametrize("name", EDGES)
def test_every_sentence_reads_well_at_every_edge(edge, name) -> None:
    material = edge(name)
    one = len(material["seeds"]) == 1
    for page in PAGES:
        finding = page.finding(material)
        words = [finding, page.absent(material) if page.absent else ""]
        for row in page.rows:
            words += [row.why_not(material) or ""]
        for row in page.shown(material):
            words += [figure.caption(material) for figure in row.figures]
        for text in filter(None, words):
            assert text.endswith((".", ".)")), text
            assert not re.search(r"\b(nan|inf|None(?! of)|True|False)\b|  | ,|\( |\.\.", text), text
            assert not re.search(
                r"\b1 (\w+ )?(seeds|pairs|digits|steps|inputs)\b|\ball 1\b(?!,)|\bboth 2\b(?! and)", text
            ), text
            assert not re.search(r"\b(\d\d|[2-9]) (seed|pair)\b", text), text
            assert "0.00 %" not in text
            assert "100.00 %" not in text
            if one:
                assert not re.search(r"\b[Mm]edian|from seed to seed\b|middle (half|90)", text), text
        assert len(wrapped(finding, WIDTH, SIZE, "bold")) <= LINES, finding
        assert finding[0].isupper() or finding[0].isdigit(), finding


@pytest.mark.parametrize("name", EDGES)
def test_a_page_either_shows_something_or_says_why_not(edge, name) -> None:
    material = edge(name)
    for page in PAGES:
        if page.rows and not page.shown(material):
            assert page.absent(material), page.section


def test_untrained_seeds_are_said_to_be(edge) -> None:
    material = edge("no steps")
    for section, finding in FINDINGS.items():
        text = finding(material)
        assert not re.search(r"[Aa] trained seed|Training keeps|After 0 steps|[Tt]rained with|\bas trained", text), (
            section
        )
    for section in ("Summary", "Learning curves and final errors", "Seeds that failed", "Where errors are"):
        assert "untrained" in said(material, section)
    for section in ("Values and attention over steps", "Milestones", "How much of it is learned"):
        assert said(material, section).startswith("Nothing was trained")


def test_of_seeds_that_are_not_finite_nothing_is_claimed(edge) -> None:
    material = edge("no seed is finite")
    for page in PAGES:
        if page.section not in ("What the words mean", "How the numbers are made", "What made this run"):
            text = page.finding(material)
            assert re.search(r"\b(finite|[Nn]o|cannot|failed|sure|Fewer)\b", text), text
            assert "–" not in text
    drawn = [page.section for page in PAGES if page.rows and page.shown(material)]
    assert drawn == [
        "Learning curves and final errors",
        "The rule that each seed computes",
        "Seeds that failed",
        "What a sampled test set says",
    ]


def test_where_all_attention_is_on_the_rules_digits_focus_is_no_finding(edge) -> None:
    for name in ("two digits", "long sequences", "one position"):
        material = edge(name)
        assert "attention on" not in said(material, "Summary")
        assert not re.search(r"more than chance|median", said(material, "Focus, and attention by digit"))
        assert not {"share_only_targets_right", "focus_accuracy_correlation"} & _key_numbers(material)


def _key_numbers(material: Material) -> set[str]:
    from reports.pages.overview import QUESTIONS, _has_meaning

    return {key.measure for keys in QUESTIONS.values() for key in keys if _has_meaning(key, material)}


def test_constant_seeds_have_no_rule_and_no_solution(edge) -> None:
    material = edge("every seed failed")
    assert said(material, "The rule that each seed computes").startswith("No seed of 3 has a rule")
    assert said(material, "Kinds of solution") == "All 3 seeds failed, so there are no solutions to tell apart."
    assert said(material, "What stuck seeds get wrong") == "All 3 stuck seeds misread both digits of the rule."
    assert "nothing to rank" in said(material, "Attention and attributions")


# --- numbers, parsed back out ------------------------------------------------------------------------------


def test_counts_and_medians_of_the_first_chapters(run) -> None:
    seeds = run["seeds"]
    n, certified, failed = len(seeds), int(seeds["certified"].sum()), int(seeds["failed"].sum())
    summary = said(run, "Summary")
    assert _count(summary, n) == certified
    assert f"{percent(seeds['focus'].median())} of its attention" in summary
    assert f"uniform attention: {percent(2 / run.config.vocab_size)}" in summary
    learning = said(run, "Learning curves and final errors")
    assert f"After {run.config.steps:,} steps" in learning
    assert _count(learning, n) == (seeds["accuracy"] > 0.999).sum()
    assert (f"and {failed} failed" if failed else "none failed") in learning
    errors = said(run, "Where errors are")
    assert _count(errors, n) == n - certified == (seeds["error_probability"] > 0).sum()
    a, b = run.targets
    sound = run["failures"].merge(seeds.loc[~seeds["failed"], ["seed"]], on="seed")
    cells = sound.groupby([f"n{a}", f"n{b}"])["error_probability"].sum()
    if (cells > 0).sum() > 3:
        assert f"at {(cells > 0).sum()} of the {len(cells)} pairs of counts" in errors
    assert _count(said(run, "Seeds that failed"), n) == failed


def test_focus_and_rules(run) -> None:
    seeds, digits = run["seeds"], run["digits"]
    n, (_, b) = len(seeds), run.targets
    attention = said(run, "Focus, and attention by digit")
    assert _count(attention, n) == (seeds["focus"] > seeds["focus_chance"]).sum()
    low, high = sizes(attention)[-2:]
    assert [low, high] == pytest.approx([seeds["focus"].min(), seeds["focus"].max()], rel=0.06)
    if n >= 6:
        assert number((seeds["focus"] / seeds["focus_chance"]).median()) in attention
    weights = digits.loc[digits["digit"] == b, "rule_weight"].dropna()
    values = said(run, "Values and weights by digit")
    assert _count(values, n) == len(weights) == (seeds["n_thresholds"] == 1).sum()
    expected = np.quantile(weights, [0.5, 0.25, 0.75]) if len(weights) >= 6 else [weights.min(), weights.max()]
    for x in expected:
        assert number(x) in values
    assert _count(said(run, "The readout curve"), n) == len(weights)
    rules = said(run, "The rule that each seed computes")
    right = re.search(r"(\d+|all|none) (?:is|are) right everywhere", rules)[1]
    assert {"none": 0, "all": n}.get(right, right if right in ("none", "all") else int(right)) == seeds[
        "certified"
    ].sum()


def test_what_attention_explains(run) -> None:
    seeds, changes = run["seeds"].set_index("seed"), run["interventions"]
    n = len(seeds)
    silence = run["silencing_by_seed"].dropna(subset="silence")
    text = said(run, "How distractors are silenced")
    assert f"weighs {number(math.exp(-silence['silence'].median()), 2)} of a {run.targets[0]}" in text
    assert percent(silence["share_attention"].median()) in text
    other = said(run, "Other attention")
    uniform = changes[changes["kind"] == "uniform_attention"].set_index("seed")["accuracy"]
    assert f"median accuracy of {number(uniform.median())}" in other
    alone = changes[changes["kind"] == "only_targets"].set_index("seed")["error_probability"]
    assert _count(other.partition("alone ")[2], n) == (alone == 0).sum()
    pairs = run["agreement"]
    sound = ~seeds["failed"]
    both = pairs[pairs["seed_a"].map(sound) & pairs["seed_b"].map(sound)]
    explanation = said(run, "Same answers, different attention")
    if both.empty:
        assert explanation.startswith("Fewer than two")
        return
    apart = (both["seed_a"].map(seeds["focus"]) - both["seed_b"].map(seeds["focus"])).abs()
    pair = both.loc[apart.idxmax()]
    low, high = sorted((int(pair["seed_a"]), int(pair["seed_b"])), key=seeds["focus"].get)
    assert f"{low} and {high}" in explanation
    assert f"{percent(seeds.loc[low, 'focus'])} and {percent(seeds.loc[high, 'focus'])}" in explanation
    if apart.max() >= 0.05 and pair["disagreement"] > 0:
        assert f"disagree with probability {number(pair['disagreement'], 2)}" in explanation
        assert explanation.endswith(f"pairs with {number(pairs['disagreement'].median(), 2)}.")


def test_attributions_geometry_and_order(run) -> None:
    faith = run["faithfulness"].pivot(index="seed", columns="measure", values="value")
    text = said(run, "Attention and attributions")
    for measure in ("tau_leave_one_out", "tau_shapley", "tau_leave_one_out_shapley"):
        if faith[measure].notna().any():
            assert places(faith[measure].median()) in text
    pairs = run["embedding_pairs"]
    named = pairs["digit_a"].isin(run.targets) | pairs["digit_b"].isin(run.targets)
    ratio = pairs[named].groupby("seed")["distance"].mean() / pairs[~named].groupby("seed")["distance"].mean()
    assert number(ratio.median()) in said(run, "Digits in the embedding")
    order = run["precedence"].query("fraction == 0.5")["first"] if len(run["dynamics"]) else pd.Series(dtype=object)
    text = said(run, "Values and attention over steps")
    for which, words in (("values", r"in ([\d,]+) of \d+ seeds"), ("together", r"two snapshots in ([\d,]+)")):
        found = re.search(words, text)
        if found and (order == "values").any():
            assert int(found[1]) == (order == which).sum()
    milestones = run["milestones"]
    if len(milestones):
        there = milestones[milestones["reached"]].groupby("event")["seed"].nunique()
        arrival = said(run, "Milestones")
        assert _count(arrival, len(run["seeds"])) == there.get("accuracy_0.999", 0)


def test_kinds_budgets_and_samples(run) -> None:
    seeds = run["seeds"]
    text = said(run, "Kinds of solution")
    for family, words in (("attention", "attention"), ("both", "both together"), ("value", "values")):
        rows = seeds[seeds["family"] == family]
        found = re.search(rf"by {words} in (\d+) \((\w+) certified\)", text)
        assert (int(found[1]) if found else 0) == len(rows)
        if found:
            expected = {0: "none", len(rows): "all"}.get(int(rows["certified"].sum()), str(rows["certified"].sum()))
            assert found[2] == expected
    wrong = seeds.loc[seeds["error_probability"] > 0, "error_probability"]
    sampled, passed = said(run, "What a sampled test set says"), ((1 - wrong) ** 10_000).mean()
    if passed > 1e-6:
        assert f"{percent(passed)} of the {len(wrong)} seeds" in sampled
    else:
        assert "as good as sure" in sampled
    V, L, n = run.config.vocab_size, run.config.length, len(seeds)
    assert said(run, "How the numbers are made") == (
        f"{math.comb(L + V - 1, L):,} digit counts stand for all {V**L:,} sequences, so what one seed does is computed "
        f"exactly; how seeds vary is estimated from {n}."
    )


def _count(sentence: str, n: int) -> int:
    """How many seeds it is true of, in the words of ``told``."""
    found = re.search(r"([\d,]+) of ([\d,]+) (?:untrained )?seeds", sentence)
    if found:
        assert int(found[2].replace(",", "")) == n
        return int(found[1].replace(",", ""))
    if re.search(rf"[Aa]ll {n:,} (?:untrained )?seeds|[Bb]oth (?:untrained )?seeds", sentence):
        return n
    assert re.search(rf"[Nn]o (?:untrained )?seed of {n:,}\b", sentence), sentence
    return 0


# --- which branch is taken ---------------------------------------------------------------------------------


@pytest.fixture
def altered(edge):
    """A run whose summary says something else."""

    def change(measure: str, estimate: float, low: float, high: float) -> Material:
        base = edge("twenty seeds")
        material = Material(ap.open_run(base.path))
        summary = base["summary"].set_index("measure")
        summary.loc[measure, ["estimate", "ci_low", "ci_high"]] = estimate, low, high
        material._read["summary"] = summary.reset_index()
        return material

    return change


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(1.1, 1.4, "more than chance"), (0.9, 1.4, "does not clearly differ"), (0.4, 0.9, "less than chance")],
)
def test_focus_is_above_chance_only_if_its_interval_is(altered, low, high, words) -> None:
    text = said(altered("focus_lift_median", (low + high) / 2, low, high), "Focus, and attention by digit")
    assert words in text
    assert f"[{number(low)}, {number(high)}]" in text


@pytest.mark.parametrize(
    ("low", "high", "words"), [(1.0, 1.4, "farther"), (8.0, 10.0, "nearer to"), (4.0, 6.0, "no farther")]
)
def test_distances_are_beyond_chance_only_if_their_rank_is(altered, low, high, words) -> None:
    """Of the 10 choices of two of five digits the mean rank is 5.5 by chance."""
    material = altered("separation_rank_trained_mean", (low + high) / 2, low, high)
    if words == "nearer to":
        summary = material._read["summary"].set_index("measure")
        summary.loc["target_distance_ratio_median", ["estimate", "ci_low", "ci_high"]] = 0.8, 0.7, 0.9
        material._read["summary"] = summary.reset_index()
    text = said(material, "Digits in the embedding")
    assert words in text
    assert ("beyond chance" in text) == (words != "no farther")


def test_distractors_that_weigh_as_much_are_not_silenced(altered) -> None:
    section = "How distractors are silenced"
    assert "distractors are not silenced" in said(altered("silence_median", -0.5, -0.8, -0.1), section)
    assert "no clear silence" in said(altered("silence_median", 0.5, -0.2, 0.9), section)
    assert "values work against it" in said(altered("silence_by_attention_median", 1.2, 1.1, 1.3), section)
    assert "attention works against it" in said(altered("silence_by_attention_median", -0.2, -0.3, -0.1), section)


def test_few_seeds_make_no_claim_about_all(edge) -> None:
    for name in ("one seed", "two seeds"):
        text = said(edge(name), "Digits in the embedding")
        assert "cannot say if by chance" in text
        assert "[" not in text
        assert "cannot say how many" in said(edge(name), "How many seeds are enough")


def test_attention_that_hardly_differs_is_no_different_attention(edge) -> None:
    text = said(edge("every seed is perfect"), "Same answers, different attention")
    assert text.startswith("No two seeds differ much in focus")


def test_an_interval_that_always_covers_is_drawn() -> None:
    """At a coverage of 1 the upper end of its own interval is a rounding error below it."""
    rows = {"measure": "share_failed", "method": "Wilson", "n_seeds": [3, 10], "level": 0.95, "coverage": 1.0}
    table = pd.DataFrame({**rows, "coverage_low": 0.99, "coverage_high": np.nextafter(1.0, 0.0)})
    axes = list(Canvas().subplots(1, 3))
    budget.draw_rates(table, axes)
    assert len(axes[1].containers) == 1


# --- words -------------------------------------------------------------------------------------------------


def test_how_many() -> None:
    words = ("is right", "are right", "is not right")
    assert told(1, 1, *words) == "the one seed is right"
    assert told(0, 1, *words) == "the one seed is not right"
    assert told(0, 30, *words) == "no seed of 30 is right"
    assert told(1, 30, *words) == "1 of 30 seeds is right"
    assert told(2, 2, *words) == "both seeds are right"
    assert told(1000, 1000, *words) == "all 1,000 seeds are right"


def test_numbers_have_sensible_digits() -> None:
    assert [number(x, 2) for x in (0.99999, 1.0, 9.96, 0.0996)] == ["1.0", "1.0", "10", "0.10"]
    assert [percent(x) for x in (1e-7, 0.00012, 1 - 1e-7, 1.0, 0.0)] == [
        "below 0.01 %",
        "0.01 %",
        "above 99.99 %",
        "100 %",
        "0 %",
    ]
    assert [places(x) for x in (-0.0038, -0.291, 0.875, math.nan)] == ["0.00", "−0.29", "0.88", "–"]
    assert [amount(n) for n in (10**10, 3**63)] == ["10,000,000,000", "1.1 × 10³⁰"]


# --- seeds that stand for a run; the command ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"), [("one seed", ["typical"]), ("two seeds", ["best", "worst"]), ("no steps", 3)]
)
def test_each_seed_stands_for_a_run_once(edge, name, shown) -> None:
    material = edge(name)
    standing = exercise.standing(material)
    assert list(standing) == (shown if isinstance(shown, list) else ["typical", "best", "worst"])
    assert len({seed["seed"] for seed in standing.values()}) == len(standing)
    page = next(page for page in PAGES if page.section == "The exercise's picture")
    assert [row.figures[0].name for row in page.shown(material)] == [
        figure.name for figure in exercise.FIGURES if figure.name.removeprefix("exercise_") in standing
    ]


@pytest.mark.parametrize("name", ["one seed", "no steps", "two digits", "long sequences", "many digits", "small"])
def test_the_command_makes_the_run_again(edge, small_run, name, tmp_path, monkeypatch) -> None:
    """Its words, read by the command line itself, are the run's settings and seeds."""
    material = Material(small_run) if name == "small" else edge(name)
    assert _understood(command(material), tmp_path, monkeypatch) == (material.config, list(material["seeds"]["seed"]))


def test_the_command_of_a_run_with_scattered_seeds_names_a_file(edge, tmp_path, monkeypatch) -> None:
    material = Material(ap.open_run(edge("one seed").path))
    seeds = list(range(0, 400, 2))
    material._read["seeds"] = pd.DataFrame({"seed": seeds})
    words = command(material)
    assert "SEEDS.txt" in words
    (tmp_path / "SEEDS.txt").write_text("\n".join(map(str, seeds)))
    assert _understood(words, tmp_path, monkeypatch) == (material.config, seeds)


def _understood(words: str, place: Path, monkeypatch) -> tuple[ap.Config, list[int]]:
    """The settings and seeds that ``attnprobe study`` would train."""
    found = []

    def train(run: Path, config: ap.Config, seeds: str, *rest: object) -> None:
        found.append((config, parse_seeds(seeds).tolist()))
        raise typer.Exit

    monkeypatch.chdir(place)
    monkeypatch.setattr(making, "_train", train)
    program, *arguments = shlex.split(words)
    assert program == "attnprobe"
    typer.main.get_command(cli.app).main(arguments, standalone_mode=False)
    return found[0]
