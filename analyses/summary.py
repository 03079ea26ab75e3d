"""What can be said of all seeds? Estimates across seeds, each with interval, level, method and n."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from analyses import (
    agreement,
    certificates,
    clusters,
    faithfulness,
    focus,
    geometry,
    geometry_pairs,
    interventions,
    precedence,
    silencing,
    substitutions,
    survival,
)
from analyses.analysis import Analysis, Tables
from attnprobe import stats
from attnprobe.population import Population
from attnprobe.schema import Column, Schema
from attnprobe.stats import Estimate
from attnprobe.store import Run

ROUNDING = 1e-9  # of a ratio of sums; where focus cannot differ from chance, it does by less

SCHEMA = Schema(
    "summary",
    "measure",
    ("measure",),
    (
        Column("measure", "string", "", "what is estimated"),
        Column("estimate", "float64", "the measure's", "from the seeds at hand"),
        Column("ci_low", "float64", "the measure's", "lower end of the interval; empty where n is too small"),
        Column("ci_high", "float64", "the measure's", "upper end of the interval; empty where n is too small"),
        Column("level", "float64", "", "the interval's confidence level"),
        Column("method", "string", "", "how the interval was made"),
        Column("n_seeds", "int64", "seeds", "how many seeds are in"),
        Column("meaning", "string", "", "the measure in words"),
    ),
)

# Other analyses' rows, each made from tables that the summary needs.
ROWS = {
    silencing.summary_rows: ("silencing_by_seed",),
    faithfulness.summary_rows: ("faithfulness",),
    agreement.summary_rows: ("agreement",),
    survival.summary_rows: ("survival",),
    precedence.summary_rows: ("precedence_shares",),
    geometry.summary_rows: ("geometry",),
    geometry_pairs.summary_rows: ("geometry_similarity",),
    certificates.summary_rows: ("certificates",),
    clusters.summary_rows: ("seeds", "clusters", "cluster_choice"),
    focus.summary_rows: ("focus",),
    interventions.summary_rows: ("interventions",),
    substitutions.summary_rows: ("substitutions",),
}
NEEDS = tuple(dict.fromkeys(["seeds", "digits", *(need for needs in ROWS.values() for need in needs)]))

CONTINUOUS = {
    "accuracy": "accuracy",
    "loss": "expected loss, in nats,",
    "focus": "focus",
    "focus_lift": "focus over its chance value",
    "focus_given_target": "focus given that a target digit is present",
    "attention_entropy": "entropy of attention, in nats,",
}


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Rates over all seeds (failed ones included); means and medians over those with a value."""
    seeds, digits = tables["seeds"], tables["digits"]
    found: dict[str, tuple[Estimate, str]] = {}

    rates = {
        "share_certified": (seeds["certified"], "right on every input"),
        "share_above_0.999": (seeds["accuracy"] > 0.999, "with an accuracy above 0.999"),
        "share_above_0.99": (seeds["accuracy"] > 0.99, "with an accuracy above 0.99"),
        "share_failed": (seeds["failed"], "not finite, or with an accuracy below 0.9"),
        "share_nonfinite": (seeds["status"] == "nonfinite", "whose training became not finite"),
        "share_one_threshold": (
            seeds["n_thresholds"] == 1,
            "that change their answer at exactly one pooled value",
        ),
        "share_focus_above_chance": (
            seeds["focus_lift"] > 1 + ROUNDING,
            "that look at the targets more than chance",
        ),
    }
    for name, (holds, words) in rates.items():
        found[name] = (stats.rate(holds.to_numpy()), f"share of all seeds {words}")

    for name, words in CONTINUOUS.items():
        values = seeds[name].to_numpy()
        found[f"{name}_mean"] = (stats.mean(values), f"mean {words} over seeds")
        found[f"{name}_median"] = (stats.median(values), f"median {words} over seeds")

    for digit in run.config.task.targets:
        share = digits.loc[digits["digit"] == digit, "attention_share"].to_numpy()
        found[f"attention_share_{digit}_median"] = (
            stats.median(share),
            f"median attention on digit {digit} over seeds",
        )
    rest = digits[~digits["is_target"]].groupby("seed")["attention_share"].mean().to_numpy()
    if rest.size:
        found["attention_share_distractor_median"] = (
            stats.median(rest),
            "median over seeds of the mean attention on a digit that the rule does not name",
        )
    found["focus_accuracy_correlation"] = (
        stats.correlation(seeds["focus"].to_numpy(), seeds["accuracy"].to_numpy()),
        "Spearman's rank correlation of focus and accuracy over seeds",
    )
    for of_analysis in ROWS:
        more = of_analysis(tables)
        if repeated := found.keys() & more.keys():
            raise TypeError(f"two analyses give the summary a row of the same name: {', '.join(sorted(repeated))}")
        found |= more
    inputs = Population.of(run.config.task)
    found["accuracy_always_no"] = (
        stats.exact(float(inputs.share(~inputs.label)), len(seeds)),
        "accuracy of answering no to every input",
    )
    rows = [{"measure": name, **asdict(estimate), "meaning": words} for name, (estimate, words) in found.items()]
    return pd.DataFrame(rows).sort_values("measure", ignore_index=True)[SCHEMA.names]


ANALYSES = (Analysis("What can be said of all seeds?", SCHEMA, compute, needs=NEEDS),)
