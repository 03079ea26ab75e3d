"""What does each seed's answer depend on? Change its pattern or its values, leave the readout, and count again.

Each kind of intervention gives a network with attention weights a_d (before normalisation) and values u_d,

    z(c) = sum_d c_d a_d u_d / sum_d c_d a_d,    answer "yes" where readout(z) > 0,

that is evaluated on every input. With the seed's own weights w_d = exp(s_d) and values v_d:

    uniform_attention   a_d = 1
    remove_digit        a_d = 0 for one digit; the others share its attention
    mean_value          u_d = E[z] for one digit: mean ablation of what it says, at the same pattern
    swap_scores         a of two digits exchanged
    swap_values         u of two digits exchanged
    only_targets        a_d = 0 for all digits but the two that the rule names
    without_targets     a_d = 0 for these two
    transplant          a_d of the next finite seed of the run (for the last: of the first)

Where nothing is left to attend to, all digits of the input having weight 0, the pooled value is *defined* to be its
mean over all inputs of the unaltered network, E[z] = sum_d E[attention on d] v_d: the same number that stands for a
digit whose value is removed. It moves with the values' gauge as they do, so the answer does not depend on it.

Sources: uniform attention as the baseline for what a pattern is worth, Wiegreffe & Pinter 2019 (arXiv:1908.04626);
removal with renormalisation and counting decisions that flip, Serrano & Smith 2019 (arXiv:1906.03731); mean ablation,
Wang et al. 2022 (arXiv:2211.00593); exchanging parts of two runs, Heimersheim & Nanda 2024 (arXiv:2404.15255).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, partial
from itertools import combinations

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from attnprobe import stats
from attnprobe.circuit import Circuit, quietly, relative
from attnprobe.exact import altered_sequences, finite_seeds
from attnprobe.exact.decided import Network
from attnprobe.population import Population
from attnprobe.schema import Column, Schema
from attnprobe.stats import Estimate
from attnprobe.store import Run
from attnprobe.task import Task

SCHEMA = Schema(
    "interventions",
    "seed, kind, digit, partner",
    ("seed", "kind", "digit", "partner"),
    (
        SEED,
        Column("kind", "string", "", "what was changed; the readout stays as it is"),
        Column("digit", "int64", "", "the digit that was changed; -1 where it is not about one digit"),
        Column("accuracy", "float64", "probability", "of a right answer after the change, exact"),
        Column("accuracy_change", "float64", "probability", "accuracy less that of the unaltered seed"),
        Column("flip_probability", "float64", "probability", "that the change alters the answer to a random input"),
        Column(
            "partner",
            "int64",
            "",
            "the digit exchanged with (swaps), the seed whose pattern it gets (transplant), else -1",
        ),
        Column("error_probability", "float64", "probability", "1 - accuracy, without its rounding"),
    ),
)
KINDS = (
    "mean_value",
    "only_targets",
    "remove_digit",
    "swap_scores",
    "swap_values",
    "transplant",
    "uniform_attention",
    "without_targets",
)
ABOUT_A_MILLION = 2**20  # numbers of altered weights that are made at a time


@dataclass(frozen=True, eq=False)
class Plan:
    """The K interventions on a seed, in the order of the table.

    Attributes
    ----------
    kind, digit, partner : ndarray, shape (K,)
    attended : ndarray, bool, shape (K, V)
        Digits that keep an attention weight.
    score_of, value_of : ndarray, int64, shape (K, V)
        The digit whose score, or value, each digit gets.
    """

    kind: np.ndarray
    digit: np.ndarray
    partner: np.ndarray
    attended: np.ndarray
    score_of: np.ndarray
    value_of: np.ndarray


@lru_cache(maxsize=4)
def plan(task: Task, transplant: bool) -> Plan:
    """All interventions of a task; without the transplant where there is no other seed."""
    vocab = task.vocab_size
    singles, pairs = [(digit, -1) for digit in range(vocab)], list(combinations(range(vocab), 2))
    about = {"mean_value": singles, "remove_digit": singles, "swap_scores": pairs, "swap_values": pairs}
    rows = [(kind, *which) for kind in KINDS for which in about.get(kind, [(-1, -1)])]
    rows = [row for row in rows if transplant or row[0] != "transplant"]
    kind, digit, partner = (np.array(column) for column in zip(*rows, strict=True))
    attended = np.ones((len(rows), vocab), dtype=bool)
    score_of, value_of = (np.tile(np.arange(vocab), (len(rows), 1)) for _ in range(2))
    named = np.isin(np.arange(vocab), task.targets)
    attended[kind == "only_targets"] = named
    attended[kind == "without_targets"] = ~named
    for k, (what, a, b) in enumerate(rows):
        if what == "remove_digit":
            attended[k, a] = False
        elif what in ("swap_scores", "swap_values"):
            order = score_of if what == "swap_scores" else value_of
            order[k, [a, b]] = b, a
    return Plan(kind, digit, partner, attended, score_of, value_of)


@quietly
def altered(
    changes: Plan, scores: np.ndarray, values: np.ndarray, others: np.ndarray, mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Attention weights and values (S, K, V) of seeds with these scores and values (S, V).

    ``others`` (S, V) are the scores of the seed whose pattern is transplanted, ``mean`` (S,) is E[z].
    """
    moved = scores[:, changes.score_of]
    moved[:, changes.kind == "uniform_attention"] = 0
    moved[:, changes.kind == "transplant"] = others[:, None]
    moved, _ = relative(np.where(changes.attended, moved, -np.inf))
    weights = np.where(changes.attended, np.exp(moved), 0.0)
    told = values[:, changes.value_of]
    rows = np.flatnonzero(changes.kind == "mean_value")
    told[:, rows, changes.digit[rows]] = mean[:, None]
    return weights, told


def without_rounding(
    changes: Plan, circuit: Circuit, some: np.ndarray, others: np.ndarray, mean: np.ndarray, s: int, k: int
) -> Network:
    """Altered network k of the seed at ``some[s]``, from its weights, for inputs that float64 cannot decide."""
    seed, kind = int(some[s]), changes.kind[k]
    own = Network.of(circuit, seed)
    scores = [own.scores[digit] for digit in changes.score_of[k]]
    if kind == "uniform_attention":
        scores = [Fraction(0)] * len(scores)
    elif kind == "transplant":
        scores = Network.of(circuit, int(others[s])).scores
    values = [own.values[digit] for digit in changes.value_of[k]]
    if kind == "mean_value":
        values[changes.digit[k]] = Fraction(float(mean[seed]))
    return replace(own, scores=scores, draws=[Fraction(int(kept)) for kept in changes.attended[k]], values=values)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Every intervention on every seed; rows of a seed that is not finite hold no numbers."""
    circuit, inputs = run.circuit, Population.of(run.config.task)
    rows = np.flatnonzero(finite_seeds(circuit))
    changes = plan(run.config.task, len(rows) > 1)
    mean = mean_pooled(tables["digits"], len(circuit))
    wrong, flipped = np.full((2, len(circuit), len(changes.kind)), np.nan)
    partner = np.tile(changes.partner.astype(np.int64), (len(circuit), 1))
    partner[rows[:, None], changes.kind == "transplant"] = run.seeds[np.roll(rows, -1)][:, None]
    block = max(1, ABOUT_A_MILLION // changes.attended.size)
    for start in range(0, len(rows), block):
        some, others = (part[start : start + block] for part in (rows, np.roll(rows, -1)))
        scores = circuit.relative_scores
        networks = altered(changes, scores[some], circuit.values[some], scores[others], mean[some])
        blur = circuit.blur[some, None] + np.where(changes.kind == "transplant", circuit.blur[others, None], 0.0)
        meant = partial(without_rounding, changes, circuit, some, others, mean)
        counts = altered_sequences(circuit.take(some), *networks, mean[some], blur, meant)
        wrong[some], flipped[some] = map(inputs.fraction, counts)
    before = tables["seeds"]["error_probability"].to_numpy()
    return pd.DataFrame(
        {
            "seed": np.repeat(run.seeds, len(changes.kind)),
            "kind": np.tile(changes.kind.astype(object), len(circuit)),
            "digit": np.tile(changes.digit, len(circuit)),
            "accuracy": (1 - wrong).ravel(),
            "accuracy_change": (before[:, None] - wrong).ravel(),
            "flip_probability": flipped.ravel(),
            "partner": partner.ravel(),
            "error_probability": wrong.ravel(),
        }
    )


def mean_pooled(digits: pd.DataFrame, seeds: int) -> np.ndarray:
    """E[z] of each seed (S,): what pools when every input counts with its probability."""
    share, value = (digits[name].to_numpy().reshape(seeds, -1) for name in ("attention_share", "value"))
    return np.asarray((share * value).sum(axis=1))


def summary_rows(tables: Tables) -> dict[str, tuple[Estimate, str]]:
    """What attention on the rule's digits alone, and another seed's pattern, do to the answers."""
    frame = tables["interventions"]
    flipped = frame.loc[frame["kind"] == "transplant", "flip_probability"].to_numpy()
    wrong = frame.loc[frame["kind"] == "only_targets", "error_probability"].to_numpy()
    return {
        "share_only_targets_right": (
            stats.rate(wrong == 0),
            "share of all seeds that are right on every input once only the rule's digits are attended",
        ),
        "transplant_flip_median": (
            stats.median(flipped),
            "median probability that the answer changes with the pattern of another seed",
        ),
    }


ANALYSES = (
    Analysis(
        "What does each seed's answer depend on, if its pattern or its values are changed?",
        SCHEMA,
        compute,
        needs=("seeds", "digits"),
    ),
)
