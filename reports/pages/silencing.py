"""How are distractors kept out of the answer?"""

from __future__ import annotations

import math

from reports import silencing
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent, plural

__all__ = ["SILENCING"]


def finding(material: Material) -> str:
    """How much of the silence is attention's, in the middle and at the ends."""
    table = material["silencing_by_seed"]
    share = table["share_attention"].dropna()
    if material.config.vocab_size == 2:
        return "Both digits are named by the rule: there is no distractor to silence."
    if share.empty:
        return "No seed is a single rule that silences its distractors."
    summary = material["summary"].set_index("measure")
    median = summary.loc["silence_by_attention_median", "estimate"]
    if math.isnan(median):
        median = float(share.iloc[0])
    return (
        f"Attention does {percent(median)} of the distractors’ silence in the median of "
        f"{plural(len(share), 'seed')}, values the rest; from seed to seed its share runs from "
        f"{percent(share.min())} to {percent(share.max())}."
    )


SILENCING = Page(
    "How distractors are silenced", finding, (Row((silencing.FIGURE,), 3.3), Row((silencing.DIGITS,), 2.3))
)
