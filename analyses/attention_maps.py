"""What does each seed attend to in the same few sequences?

The sequences are drawn once, by the task's own recorded generator: they are the first rows of
``task.make_batch(SEQUENCES, seed=DRAW_SEED, step=0)``, so all seeds and all runs of a task see the same ones.
:func:`of` answers for any sequences and seeds, and says more of each.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from attnprobe import stats
from attnprobe.circuit import Circuit
from attnprobe.exact import expected_attention, finite_seeds
from attnprobe.exact.decided import decide
from attnprobe.exact.rounding import rounding_of
from attnprobe.rules import rules_of
from attnprobe.schema import Column, Schema
from attnprobe.sequences import LETTERS
from attnprobe.store import Run
from attnprobe.task import Task

__all__ = [
    "ANALYSES",
    "DRAWN",
    "DRAW_SEED",
    "MORE",
    "SCHEMA",
    "SEQUENCES",
    "answers_in",
    "focus_of",
    "of",
    "over_seeds",
]

SEQUENCES = 100
DRAW_SEED = 2**63 - 1
DRAWN = f"make_batch({SEQUENCES}, seed=2**63 - 1, step=0)"

SCHEMA = Schema(
    "attention_maps",
    "seed, sequence, position",
    ("seed", "sequence", "position"),
    (
        SEED,
        Column("sequence", "int64", "", f"0 .. {SEQUENCES - 1}: rows of {DRAWN}"),
        Column("position", "int64", "", "place in the sequence, from 0"),
        Column("digit", "int64", "", "the digit there"),
        Column("is_target", "bool", "", "whether the rule names the digit"),
        Column("score", "float64", "nats", "before the softmax", free=True),
        Column("attention", "float64", "share", "after the softmax; sums to 1 over a sequence"),
        Column("value", "float64", "", "the digit's value", free=True),
        Column("contribution", "float64", "", "attention times value; sums to the pooled value", free=True),
        Column("label", "bool", "", "whether the rule holds for the sequence"),
        Column("probability", "float64", "probability", "that the seed gives to yes"),
    ),
)

# What `of` says beyond the table. (These would make a table of 100 sequences a seed half as large again.)
MORE = (
    Column(
        "value_gauged",
        "float64",
        "",
        "value on the scale where digit {a} is +1 and digit {b} is -1; empty where the seed gives both the same",
    ),
    Column("contribution_gauged", "float64", "", "attention times value_gauged"),
    Column("pooled_gauged", "float64", "", "their sum over the sequence: the pooled value on that scale"),
    Column(
        "threshold_gauged",
        "float64",
        "",
        "pooled_gauged at which the seed changes its answer; empty without exactly one such value within reach",
    ),
    Column("turn", "int64", "", "+1 where the answer is yes above it, -1 below; 0 where it is empty"),
    Column("logit", "float64", "nats", "of yes; above 0 the answer is yes"),
    Column("right", "bool", "", "whether the answer is the label; a seed that is not finite answers no"),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Run every seed on the sequences of the table."""
    frame, _ = _on(run.circuit, run.seeds, run.config.task.digits(SEQUENCES, DRAW_SEED, 0))
    return frame


def of(run: Run, digits: np.ndarray, seeds: np.ndarray) -> pd.DataFrame:
    """Run some seeds on any sequences.

    Parameters
    ----------
    run : Run
    digits : ndarray, int64, shape (n, length)
        The sequences; the column ``sequence`` counts them from 0.
    seeds : ndarray, int64, shape (S,)
        Seeds of the run, ascending.

    Returns
    -------
    DataFrame
        S n length rows by seed, sequence and position: the columns of the table ``attention_maps``, then
        value_gauged, contribution_gauged, pooled_gauged, threshold_gauged, turn, logit and right (:data:`MORE`). A seed
        that is not finite has no numbers.
    """
    circuit = run.circuit if len(seeds) == len(run.seeds) else run.circuit.take(np.searchsorted(run.seeds, seeds))
    with np.errstate(all="ignore"):
        frame, logit = _on(circuit, seeds, digits)
        centre, half = circuit.gauge()
        gauged = ((circuit.values - centre[:, None]) / half[:, None])[:, digits].ravel()
        frame["value_gauged"] = gauged
        frame["contribution_gauged"] = frame["attention"] * gauged
        pooled = frame["contribution_gauged"].to_numpy().reshape(*logit.shape, digits.shape[1]).sum(axis=2)
        frame["pooled_gauged"] = np.repeat(pooled.ravel(), digits.shape[1])
        threshold, turn = _only_threshold(circuit)
        a_seed = digits.size
        frame["threshold_gauged"] = np.repeat((threshold - centre) / half, a_seed)
        frame["turn"] = np.repeat(np.where(np.isnan((threshold - centre) / half), 0, turn), a_seed)
        frame["logit"] = np.repeat(logit.ravel(), digits.shape[1])
        yes = _answers(circuit, logit, run.config.task.counts(digits))
        frame["right"] = np.repeat(yes.ravel(), digits.shape[1]) == frame["label"]
    return frame


def _answers(circuit: Circuit, logit: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Whether seeds say "yes" (S, n) to inputs (n, V) with these logits, ties decided as everywhere."""
    close = np.abs(logit) <= rounding_of(circuit)[:, None]
    yes = (logit > 0) & finite_seeds(circuit)[:, None]
    for seed in np.flatnonzero(close.any(axis=1)):
        yes[seed, close[seed]] = decide(circuit.take(slice(seed, seed + 1)), counts[close[seed]])
    return yes


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of attention over the seeds of a frame that :func:`of` gave, and how many answer wrongly.

    Returns
    -------
    DataFrame
        One row per sequence and position: n_seeds, n_wrong (of the sequence, all seeds counted), and q05, q25, q50,
        q75, q95 of attention over the seeds that are finite: how seeds differ, no interval.
    """
    keys = ["sequence", "position"]
    spread = stats.spread(frame, keys, ["attention"]).drop(columns=["measure", "n_seeds", "mean"])
    counted = frame.groupby(keys)["right"].agg(n_seeds="size", n_right="sum").reset_index()
    counted["n_wrong"] = counted["n_seeds"] - counted["n_right"]
    return counted.drop(columns="n_right").merge(spread, on=keys)


def answers_in(frame: pd.DataFrame, task: Task) -> pd.DataFrame:
    """What a frame that :func:`of` gave comes to, one row per sequence and seed.

    Returns
    -------
    DataFrame
        sequence, digits (text), label, seed, probability, right, and attention_A and attention_B: attention on all
        positions that hold the rule's first and second digit.
    """
    keys = ["sequence", "seed"]
    rows = frame[frame["position"] == 0][[*keys, "label", "probability", "right"]]
    one_seed = frame[frame["seed"] == frame["seed"].iloc[0]]
    apart = "" if task.vocab_size <= LETTERS else " "
    text = one_seed.groupby("sequence")["digit"].agg(lambda digits: apart.join(map(str, digits)))
    rows = rows.assign(digits=rows["sequence"].map(text))
    names = [f"attention_{digit}" for digit in task.targets]
    for digit, name in zip(task.targets, names, strict=True):
        own = frame["attention"].where((frame["digit"] == digit) | frame["attention"].isna(), 0.0)
        shares = own.groupby([frame[key] for key in keys]).sum(min_count=1).rename(name)
        rows = rows.merge(shares, on=keys)
    rows = rows.sort_values(keys, ignore_index=True)
    return rows[["sequence", "digits", "label", "seed", "probability", "right", *names]]


def focus_of(run: Run, seeds: np.ndarray) -> pd.DataFrame:
    """Focus (expected attention on the rule's digits, over all inputs) of some seeds of a run: columns seed, focus."""
    circuit = run.circuit.take(np.searchsorted(run.seeds, seeds))
    share, _ = expected_attention(circuit)
    return pd.DataFrame({"seed": seeds, "focus": share[:, list(run.config.task.targets)].sum(axis=1)})


def _only_threshold(circuit: Circuit) -> tuple[np.ndarray, np.ndarray]:
    """Where each seed changes its answer, and how (+1: to yes upwards), if at one reachable place; else NaN and 0."""
    rules = rules_of(circuit)
    threshold, turn = np.full(len(circuit), np.nan), np.zeros(len(circuit), dtype=np.int64)
    reached = np.flatnonzero(rules.reachable)
    only = reached[np.bincount(rules.seed[reached], minlength=len(circuit))[rules.seed[reached]] == 1]
    threshold[rules.seed[only]], turn[rules.seed[only]] = rules.threshold[only], rules.turn[only]
    return threshold, turn


def _on(circuit: Circuit, seeds: np.ndarray, digits: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of these seeds on sequences (n, length), and the logits (S, n)."""
    task = circuit.task
    n, length = digits.shape
    S = len(circuit)
    score, value = circuit.scores[:, digits], circuit.values[:, digits]  # (S, n, L)
    draw = np.exp(score - score.max(axis=2, keepdims=True))
    attention = draw / draw.sum(axis=2, keepdims=True)
    contribution = attention * value
    logit = circuit.logit(contribution.sum(axis=2)) if S else np.empty((0, n))  # (S, n)
    probability = np.exp(-np.logaddexp(0, -logit))
    label = task.parsed.label(task.counts(digits))

    def per_position(of_sequence: np.ndarray) -> np.ndarray:
        return np.broadcast_to(of_sequence[..., None], (S, n, length)).ravel()

    frame = pd.DataFrame(
        {
            "seed": np.repeat(seeds, n * length),
            "sequence": per_position(np.broadcast_to(np.arange(n), (S, n))),
            "position": np.tile(np.arange(length), S * n),
            "digit": np.tile(digits.ravel(), S),
            "is_target": np.tile(np.isin(digits, task.targets).ravel(), S),
            "score": score.ravel(),
            "attention": attention.ravel(),
            "value": value.ravel(),
            "contribution": contribution.ravel(),
            "label": per_position(np.broadcast_to(label, (S, n))),
            "probability": per_position(probability),
        }
    )
    return frame, logit


ANALYSES = (Analysis("What does each seed attend to in the same few sequences?", SCHEMA, compute),)
