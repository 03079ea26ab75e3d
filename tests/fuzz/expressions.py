"""Conditions on the columns of a table.

A condition that is accepted must say of each row what it says of that row alone, wherever the row stands; its negation
must say the opposite; and parentheses around it must change nothing.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd

from attnprobe.condition import Condition
from attnprobe.query import where
from fuzz import mutate
from fuzz.room import Case, Room, Wrong

SOUND = (
    "accuracy < 0.99 and focus > 0.5",
    "certified",
    "not certified or n_thresholds >= 2",
    "0.1 < focus <= 0.9",
    "family in ['one', 'two'] & status == 'trained'",
    "seed % 2 == 1 | ~(seed // 3 > 10)",
    "(accuracy - focus) * 100 / steps ** 2 < -1.5e-3",
    "seed not in [1, 2, 30, 9007199254740993]",
    "loss != loss",
    "status != \"trained\" and not (family == 'it\\'s')",
    "-seed ** 2 + +3 <= 10 == certified",
)
WORDS = (
    "seed",
    "accuracy",
    "focus",
    "certified",
    "family",
    "status",
    "loss",
    "steps",
    "n_thresholds",
    "index",
    "self",
    " and ",
    " or ",
    " not ",
    " in ",
    " not in ",
    " is ",
    " if ",
    " else ",
    "lambda: 0",
    "True",
    "False",
    "None",
    "==",
    "!=",
    "<=",
    ">=",
    "<",
    ">",
    "<<",
    "**",
    "//",
    "%",
    "&",
    "|",
    "~",
    "(",
    ")",
    "[",
    "]",
    "[1, 2]",
    "['one']",
    "'a'",
    "__import__('os').system('touch pwned')",
    "().__class__",
    "@pd",
    "`seed`",
    ".str.len()",
    "f'{seed}'",
    ":=",
    "9**9**9",
    "'a' * 10**9",
    "\\x41",
    "\\\\",
    "\\'",
)


class Expressions(Room):
    """``attnprobe query --where``."""

    name = "expressions"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.frame = pd.DataFrame(
            {
                "seed": np.array([0, 1, 2, 17, 2**53 + 1, 2**63 - 1]),
                "steps": np.array([20_000, 7, 0, 1, -5, 2]),
                "n_thresholds": np.array([0, 1, 2, 3, 1, 1]),
                "accuracy": [0.99, 1.0, np.nan, 0.5, -0.0, np.inf],
                "focus": [0.1, 0.9, 0.5, np.nan, 5e-324, -np.inf],
                "loss": np.array([0.1, np.nan, 3e38, 0.5, 0.0, 1e-38], dtype=np.float32),
                "certified": [True, False, True, False, True, False],
                "family": ["one", "two", "it's", "", "é\0", "one"],
                "status": ["trained", "nonfinite", "trained", "trained", "nonfinite", "trained"],
            }
        )
        self.mirrored = self.frame[::-1]

    def case(self, draw: random.Random) -> Case:
        text = mutate.text(draw, SOUND, WORDS)

        def run() -> str:
            kept = where(self.frame, text)
            condition = Condition.parse(text)
            holds = condition.holds(self.frame)
            if not kept.equals(self.frame[holds]):
                raise Wrong("the rows that are kept are not those for which it holds")
            if (condition.holds(self.mirrored)[::-1] != holds).any():
                raise Wrong("a row's answer depends on where it stands")
            for row in range(len(self.frame)):
                if condition.holds(self.frame[row : row + 1])[0] != holds[row]:
                    raise Wrong("a row's answer depends on the others")
            if len(text) < 10_000 and text.count("(") < 50:
                if (Condition.parse(f"({text})").holds(self.frame) != holds).any():
                    raise Wrong("parentheses change it")
                if (Condition.parse(f"not ({text})").holds(self.frame) == holds).any():
                    raise Wrong("its negation does not say the opposite")
            return "accepted"

        return Case(repr(text), run)
