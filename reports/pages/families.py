"""What kinds of solution are there?"""

from __future__ import annotations

from reports import families
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import percent, plural

__all__ = ["FAMILIES"]

ONE_RULE = ("attention", "both", "value")


def finding(material: Material) -> str:
    """How rules silence the other digits, and in which family most seeds are certified."""
    census = material["census"]
    anyone = census[census["certified"] == "any"].set_index("family")
    certified = census[census["certified"] == "yes"].set_index("family")
    total = int(anyone.loc["all", "n"])
    counts = {name: int(anyone.loc[name, "n"]) for name in ONE_RULE}
    if not sum(counts.values()):
        return f"None of {plural(total, 'seed')} is one linear rule that silences other digits."
    by = {"attention": "attention", "both": "both", "value": "values"}
    parts = [f"by {by[name]} in {n:,}" for name, n in counts.items() if n]
    rates = [percent(certified.loc[name, "within"]) for name, n in counts.items() if n]
    compared = f"; of these {_listed(rates)} are certified" if certified.loc["all", "n"] else ""
    return f"Of {plural(total, 'seed')}, other digits are silenced {_listed(parts)}{compared}."


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


FAMILIES = Page(
    "Kinds of solution",
    finding,
    (
        Row((families.FIGURE,), 2.3, right=1.55),
        Row((families.CENSUS,), 1.2, (1, 1), left=1.3, gap=0.45),
        Row((families.CLUSTERS,), 1.05, right=1.55),
    ),
)
