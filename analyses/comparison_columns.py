"""What the tables of a comparison promise: their columns, with dtype, unit and meaning."""

from __future__ import annotations

from attnprobe.schema import Column, Schema

__all__ = ["COMPARISON", "OVERVIEW", "SEEDS", "SETTINGS"]

RUNS = (
    Column("run", "string", "", "the run that is compared"),
    Column("baseline", "string", "", "the run that it is compared with: the first"),
)

COMPARISON = Schema(
    "comparison",
    "run, measure",
    ("run", "measure"),
    (
        *RUNS,
        Column("measure", "string", "", "what is compared"),
        Column("words", "string", "", "the measure in words"),
        Column("unit", "string", "", "of the measure and of the difference"),
        Column("kind", "string", "", "how seeds are summed up: share, mean or median"),
        Column("better", "int64", "", "+1 where higher is better, -1 where lower is, 0 where neither is"),
        Column("compared", "bool", "", "false where the measure means something else in the two runs; note says why"),
        Column("n_run", "int64", "seeds", "in the run's estimate"),
        Column("n_baseline", "int64", "seeds", "in the baseline's estimate"),
        Column("without_run", "int64", "seeds", "of the run that have no value, and are left out of this measure"),
        Column("without_baseline", "int64", "seeds", "of the baseline that have no value"),
        Column("n_shared", "int64", "seeds", "paired: in both estimates, with the same start or the same data"),
        Column("n_shared_higher", "int64", "seeds", "of the paired ones, those whose value is higher in the run"),
        Column("n_shared_equal", "int64", "seeds", "of the paired ones, those whose value is the same in both"),
        Column("estimate_run", "float64", "the measure's", "over the run's seeds"),
        Column("run_low", "float64", "the measure's", "lower end of its interval; empty where n is too small"),
        Column("run_high", "float64", "the measure's", "upper end of its interval"),
        Column("estimate_baseline", "float64", "the measure's", "over the baseline's seeds"),
        Column("baseline_low", "float64", "the measure's", "lower end of its interval"),
        Column("baseline_high", "float64", "the measure's", "upper end of its interval"),
        Column("method_each", "string", "", "how the intervals of the two estimates were made"),
        Column("difference", "float64", "the measure's", "estimate_run - estimate_baseline; empty where not compared"),
        Column("ci_low", "float64", "the measure's", "lower end of the difference's interval"),
        Column("ci_high", "float64", "the measure's", "upper end of the difference's interval"),
        Column("method", "string", "", "how the difference's interval was made; paired where seeds are"),
        Column("probability_higher", "float64", "probability", "that a random seed of the run is higher, ties by half"),
        Column("probability_low", "float64", "probability", "lower end of its interval"),
        Column("probability_high", "float64", "probability", "upper end of its interval"),
        Column("method_probability", "string", "", "how the probability's interval was made"),
        Column("improvement", "float64", "probability", "the same that it is better; empty where neither way is"),
        Column("improvement_low", "float64", "probability", "lower end of its interval"),
        Column("improvement_high", "float64", "probability", "upper end of its interval"),
        Column("cliffs_delta", "float64", "", "2 probability_higher - 1: from -1 (always lower) to 1 (always higher)"),
        Column("level", "float64", "", "confidence level of all intervals"),
        Column("note", "string", "", "what to know about this comparison; why there is none"),
        Column("verdict", "string", "", "what is seen, in words, always with its size"),
    ),
)

SEEDS = Schema(
    "compared_seeds",
    "run, measure, paired seed",
    ("run", "measure", "seed"),
    (
        *RUNS,
        Column("measure", "string", "", "what is compared"),
        Column("seed", "int64", "", "a seed that both runs have, with the same start or the same data"),
        Column("value_run", "float64", "the measure's", "its value in the run; 1 and 0 for yes and no"),
        Column("value_baseline", "float64", "the measure's", "its value in the baseline"),
    ),
)

OVERVIEW = Schema(
    "compared_runs",
    "run",
    ("run",),
    (
        *RUNS,
        Column("n_run", "int64", "seeds", "of the run"),
        Column("n_baseline", "int64", "seeds", "of the baseline"),
        Column("n_both", "int64", "seeds", "numbers that are in both"),
        Column("paired", "bool", "", "whether they name the same start or the same data, and are taken together"),
        Column("n_same_weights", "int64", "seeds", "of those in both, with the same trained weights, bit for bit"),
        Column("shared", "string", "", "what the seeds in both share, in words"),
        Column("n_intervals", "int64", "", "intervals for differences of this run"),
        Column("n_miss_zero", "int64", "", "of these, how many do not hold 0"),
        Column("n_expected", "float64", "", "how many would miss 0 by chance if nothing differed: 5 % of them"),
    ),
)

SETTINGS = Schema(
    "compared_settings",
    "setting, run",
    ("setting", "run"),
    (
        Column("setting", "string", "", "a setting of the configuration, or seeds"),
        Column("meaning", "string", "", "the setting in words"),
        Column("run", "string", "", "the run"),
        Column("value", "string", "", "its value there"),
        Column("differs", "bool", "", "whether some run has another value"),
    ),
)
