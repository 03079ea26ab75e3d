"""What do the seeds compute?"""

from __future__ import annotations

from reports import values
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import number, plural

__all__ = ["VALUES"]


def finding(material: Material) -> str:
    """Whether the seeds share a rule, and its weight of the second digit."""
    spread = material["digits_spread"]
    a, b = material.targets
    ruled = int((material["seeds"]["n_thresholds"] == 1).sum())
    if ruled == 0:
        return "No seed is a single linear rule: none changes its answer at exactly one pooled value."
    weight = spread[spread["measure"] == "rule_weight"].set_index("digit").loc[b]
    alike = ruled >= 6 and weight["q75"] - weight["q25"] < 0.1 * abs(weight["q50"])
    return (
        f"{'Values differ from seed to seed, the rule hardly' if alike else 'Each seed has a rule of its own'}: "
        f"beside a weight of size 1 for {a}, that of {b} is {number(weight['q50'])} in the median of "
        f"{plural(ruled, 'seed')}, with the middle half between {number(weight['q25'])} and "
        f"{number(weight['q75'])}."
    )


VALUES = Page("Values and weights by digit", finding, (Row((values.VALUES,), 2.7), Row((values.RULE,), 2.9)))
