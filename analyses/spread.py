"""How do seeds differ? Quantiles over seeds of what the other tables hold, by digit, step, pair and count.

These are descriptions of the seeds at hand (spread), not estimates with an uncertainty: those are in
``summary``. Seeds whose value is not a number are left out, and ``n_seeds`` says how many are in.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analyses.analysis import Analysis, Tables
from analyses.geometry import STAGE
from attnprobe import stats
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

QUANTILE_COLUMNS = (
    Column("n_seeds", "int64", "seeds", "how many seeds are in"),
    Column("mean", "float64", "the measure's", "mean over these seeds"),
    *(Column(f"q{q:02d}", "float64", "the measure's", f"{q} % of the seeds are below") for q in (5, 25, 50, 75, 95)),
)
MEASURE = Column("measure", "string", "", "the column whose quantiles these are")


def _spread(
    source: str,
    by: tuple[Column, ...],
    measures: tuple[str, ...],
    question: str,
    needs: tuple[str, ...] = (),
    prepare: Callable[[Tables], pd.DataFrame] | None = None,
) -> Analysis:
    """The analysis that takes quantiles over seeds of some columns of the table ``source``.

    ``prepare`` makes those columns from the tables in ``needs``, where they are not there as they stand.
    """
    schema = Schema(
        f"{source}_spread",
        f"measure, {', '.join(column.name for column in by)}",
        ("measure", *(column.name for column in by)),
        (MEASURE, *by, *QUANTILE_COLUMNS),
    )

    def compute(run: Run, tables: Tables) -> pd.DataFrame:
        frame = tables[source] if prepare is None else prepare(tables)
        promised = schema.for_task(run.config.task)
        keys = [name for name in promised.key if name != "measure"]
        return stats.spread(frame, keys, list(measures))[promised.names]

    return Analysis(question, schema, compute, needs or (source,))


def _error_rates(tables: Tables) -> pd.DataFrame:
    """Given the counts, how often is a seed wrong: for all seeds, and for those that did not fail."""
    failures = tables["failures"]
    rate = failures["error_probability"] / failures["probability"]
    failed = failures["seed"].map(tables["seeds"].set_index("seed")["failed"])
    return failures.assign(error_rate=rate, error_rate_sound=rate.mask(failed))


def _by_change(tables: Tables) -> pd.DataFrame:
    """Interventions without the name of the seed whose pattern was transplanted: it is another one for each seed."""
    frame = tables["interventions"]
    return frame.assign(partner=frame["partner"].mask(frame["kind"] == "transplant", -1))


ANALYSES = (
    _spread(
        "history",
        (Column("step", "int64", "steps", "optimiser updates done"),),
        ("loss",),
        "How do the learning curves of the seeds differ?",
    ),
    _spread(
        "digits",
        (Column("digit", "int64", "", "the digit"),),
        ("attention_share", "rule_weight", "score_centred", "value_gauged"),
        "How do seeds differ in what they do with each digit?",
    ),
    _spread(
        "silencing",
        (Column("digit", "int64", "", "a digit that the rule does not name"),),
        ("by_attention", "by_value", "share_attention", "silence"),
        "How do seeds differ in how each distractor is silenced?",
    ),
    _spread(
        "embedding",
        (Column("digit", "int64", "", "the digit"),),
        ("aligned_1", "aligned_2", "along_query", "along_value", "norm"),
        "How do seeds differ in where the digits lie?",
    ),
    _spread(
        "embedding_pairs",
        (
            Column("digit_a", "int64", "", "the smaller digit"),
            Column("digit_b", "int64", "", "the larger digit"),
        ),
        ("cosine", "cosine_centred", "distance"),
        "How do seeds differ in which digits are close?",
    ),
    _spread(
        "geometry",
        (STAGE,),
        (
            *("effective_dimension", "pc1_share", "pc2_share", "plane_share", "query_share", "value_share"),
            *("direction_angle", "separation", "separation_rank", "pair_ratio", "pair_rank"),
            *("start_correlation", "start_cka", "change", "change_plane_share"),
        ),
        "How do seeds differ in the shape of their embedding?",
    ),
    _spread(
        "example_maps",
        (
            Column("sequence", "int64", "", "which example, as in the table examples"),
            Column("position", "int64", "", "place in the sequence, from 0"),
        ),
        ("attention", "contribution_gauged"),
        "How do seeds differ in what they do with a few inputs?",
    ),
    _spread(
        "failures",
        (
            Column("n{a}", "int64", "digits", "how many {a}s the input holds"),
            Column("n{b}", "int64", "digits", "how many {b}s the input holds"),
        ),
        ("error_rate", "error_rate_sound"),
        "On which counts do seeds err: all of them, and those that did not fail?",
        needs=("failures", "seeds"),
        prepare=_error_rates,
    ),
    _spread(
        "dynamics",
        (Column("step", "int64", "steps", "optimiser updates done"),),
        ("accuracy", "error_probability", "focus", "loss", "rule_angle", "score_gap", "value_gap"),
        "How do seeds differ on their way to the answer?",
    ),
    _spread(
        "interventions",
        (
            Column("kind", "string", "", "what was changed; the readout stays as it is"),
            Column("digit", "int64", "", "the digit that was changed; -1 where it is not about one digit"),
            Column("partner", "int64", "", "the digit exchanged with, else -1"),
        ),
        ("accuracy", "accuracy_change", "error_probability", "flip_probability"),
        "How do seeds differ in what they need?",
        prepare=_by_change,
    ),
    _spread(
        "substitutions",
        (
            Column("digit", "int64", "", "what a random position holds"),
            Column("substitute", "int64", "", "what is written there"),
        ),
        ("excess", "flip_probability", "to_yes"),
        "How do seeds differ in which changes of the input change their answer?",
    ),
)
