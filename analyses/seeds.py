"""Does each seed work, and where does it look? One row a seed, exact over all inputs.

    accuracy = P(answer = label),  focus = E[attention on the digits that the rule names]

Under uniform attention focus would be 2 / vocab_size: that is its chance value, and lift their ratio. An
answer is "yes" where p > 0.5, that is where the true logit is above 0; a seed that is not finite answers "no".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses.analysis import SEED, Analysis, Tables
from analyses.families import FAILED_BELOW, FAMILIES, labels
from analyses.silencing import attention_share
from attnprobe.exact import error_probability, expected_attention, expected_loss
from attnprobe.rules import rules_of, thresholds_within_reach
from attnprobe.schema import Column, Schema
from attnprobe.store import Run

SCHEMA = Schema(
    "seeds",
    "seed",
    ("seed",),
    (
        SEED,
        Column("status", "string", "", "how training ended: trained or nonfinite"),
        Column("steps", "int64", "steps", "optimiser updates done"),
        Column("loss", "float64", "nats", "expected binary cross entropy over all inputs, exact"),
        Column("accuracy", "float64", "probability", "of a right answer to a random input, exact"),
        Column(
            "error_probability",
            "float64",
            "probability",
            "of a wrong answer: 1 - accuracy, without its rounding",
        ),
        Column("certified", "bool", "", "right on every input of the population: no sequence is answered wrongly"),
        Column("focus", "float64", "share", "expected attention on the two digits that the rule names"),
        Column("focus_chance", "float64", "share", "focus under uniform attention: 2 / vocab_size"),
        Column("focus_lift", "float64", "ratio", "focus / focus_chance"),
        Column(
            "focus_given_target",
            "float64",
            "share",
            "expected focus given that one of these digits is present",
        ),
        Column("attention_entropy", "float64", "nats", "expected entropy of attention over positions"),
        Column("n_thresholds", "int64", "", "pooled values within reach at which the answer changes"),
        Column("family", "string", "", f"kind of solution: {', '.join(FAMILIES[:-1])} or {FAMILIES[-1]}"),
        Column("failed", "bool", "", f"status is not trained, or accuracy below {FAILED_BELOW}"),
        Column("rank", "int64", "", "1 is best: by accuracy, then by loss, then by seed"),
    ),
)


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Evaluate every seed on every input."""
    circuit = run.circuit
    wrong, loss = error_probability(circuit), expected_loss(circuit)
    rules = rules_of(circuit)
    share, entropy = expected_attention(circuit)
    focus = share[:, list(run.config.task.targets)].sum(axis=1)
    chance = 2 / run.config.vocab_size
    n_thresholds = thresholds_within_reach(rules, len(circuit))
    present = 1 - (1 - chance) ** run.config.length
    frame = pd.DataFrame(
        {
            "seed": run.seeds,
            "status": run.status,
            "steps": run.steps,
            "loss": loss,
            "accuracy": 1 - wrong,
            "error_probability": wrong,
            "certified": (wrong == 0) & (run.status == "trained"),
            "focus": focus,
            "focus_chance": chance,
            "focus_lift": focus / chance,
            "focus_given_target": focus / present,
            "attention_entropy": entropy,
            "n_thresholds": n_thresholds,
            "family": labels(run.status == "trained", 1 - wrong, n_thresholds, attention_share(circuit)),
            "failed": (run.status != "trained") | (1 - wrong < FAILED_BELOW),
        }
    )
    order = frame.sort_values(["error_probability", "loss", "seed"]).index
    frame.loc[order, "rank"] = np.arange(1, len(frame) + 1)
    return frame.astype({"rank": "int64"})


ANALYSES = (Analysis("Does each seed work, and where does it look?", SCHEMA, compute),)
