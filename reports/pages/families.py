"""What kinds of solution are there?"""

from __future__ import annotations

from reports import families
from reports.facts import every_seed_failed, fixed_focus, n_finite, no_rivals, noun
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.words import capital, listed, percent, told

__all__ = ["FAMILIES"]

BY = {"attention": "attention", "both": "both together", "value": "values"}
FEW = 20  # of fewer seeds a share is no better than a count


def finding(material: Material) -> str:
    """How rules silence the other digits, and how many seeds of each kind are certified."""
    census = material["census"]
    anyone = census[census["certified"] == "any"].set_index("family")
    certified = census[census["certified"] == "yes"].set_index("family")
    total = int(anyone.loc["all", "n"])
    counts = {name: int(anyone.loc[name, "n"]) for name in BY if anyone.loc[name, "n"]}
    if material.config.vocab_size == 2:
        return "There are no other digits to silence, so no kinds of solution to tell apart."
    if no_rivals(material):
        return "In a sequence of one digit nothing is to be silenced, so no kinds of solution to tell apart."
    if every_seed_failed(material):
        who = told(total, total, "failed", "failed", "", noun(material))
        return f"{capital(who)}, so there are no solutions to tell apart."
    if not counts:
        return (
            f"{capital(told(0, total, 'is', '', 'is not', noun(material)))} one linear rule that silences other digits."
        )
    parts = [f"by {BY[name]} in {n:,}{_right(int(certified.loc[name, 'n']), n)}" for name, n in counts.items()]
    if total == 1:
        return f"The one seed silences other digits by {BY[next(iter(counts))]}."
    return f"Of {total:,} seeds, other digits are silenced {listed(parts)}."


def _right(certified: int, n: int) -> str:
    """How many of them are right on every input, in brackets."""
    if certified in (0, n):
        return f" ({'all' if certified else 'none'} certified)"
    return f" ({percent(certified / n) if n >= FEW else f'{certified:,}'} certified)"


def none(material: Material) -> str:
    """What a kind of solution would be, where every seed is of none for want of digits or of finite seeds."""
    if n_finite(material) and not fixed_focus(material):
        return ""
    return "Kinds of solution are told apart by how a seed’s only rule keeps other digits out of the answer."


def _one(material: Material) -> str | None:
    return "" if len(material["seeds"]) == 1 else None


def _no_mixture(material: Material) -> str | None:
    if material["cluster_choice"]["bic"].notna().any():
        return None
    return "Too few seeds are one linear rule and did not fail (it takes 50) to ask whether they form groups."


FAMILIES = Page(
    "Kinds of solution",
    finding,
    (
        Row((families.FIGURE,), 2.3, right=1.55),
        Row((families.CENSUS,), 1.2, (1, 1), left=1.3, gap=0.45, absent=_one),
        Row((families.CLUSTERS,), 1.05, right=1.55, absent=_no_mixture),
    ),
    absent=none,
)
