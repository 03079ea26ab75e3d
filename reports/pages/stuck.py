"""What is wrong with the seeds that are stuck?"""

from __future__ import annotations

from collections.abc import Sequence

from reports import stuck
from reports.facts import imported, untrained
from reports.figure import Material
from reports.pages.page import Page, Row
from reports.sheet import Sheet
from reports.words import capital, exact_accuracy, listed, plural, told

__all__ = ["STUCK"]

MOST_ROWS = 8
LONGEST = 40  # letters of an example


def none(material: Material) -> str:
    """Only what a stuck seed would be, where there is none."""
    n, *_ = stuck.missing(material)
    finite = "its weights are" if imported(material) else "its training stayed"
    return "" if n else f"A seed is stuck when {finite} finite and its exact accuracy is below 0.9."


def _best_alone(sheet: Sheet, material: Material) -> None:
    """What answers that count one of the two digits alone could reach, and what the stuck seeds do."""
    a, b = material.targets
    first, second = stuck.best_alone(material)
    errors = material["seeds"].set_index("seed").loc[stuck.worst(material), "error_probability"]
    ends = [exact_accuracy(errors.max()), exact_accuracy(errors.min())]
    sheet.text(
        f"An answer that depends on the number of {a}s alone is right with a probability of at most {first}, one that "
        f"depends on the number of {b}s alone of at most {second}. The stuck seeds below reach "
        f"{' to '.join(dict.fromkeys(ends))}."
    )


def _height(material: Material) -> float:
    """Of the figure: one line a seed, and one for the right answer."""
    n, *_ = stuck.missing(material)
    return min(3.3, 0.6 + 0.2 * (min(n, stuck.MOST_LINES) + 1))


def _costliest(sheet: Sheet, material: Material) -> None:
    """The counts at which each of them loses most."""
    n, *_ = stuck.missing(material)
    seeds = material["seeds"].set_index("seed")
    sheet.text("The inputs that cost each of them most", weight="bold")
    rows: list[Sequence[str]] = [("seed", "accuracy", "inputs with", "wrong answer", "of its errors", "for example")]
    listed = stuck.worst(material, MOST_ROWS)
    for seed in listed:
        counts, answer, share, example = stuck.in_words(material, seed)
        short = example if len(example) <= LONGEST else f"{example[:LONGEST].rpartition(' ')[0]} …"
        rows.append((str(seed), exact_accuracy(seeds.loc[seed, "error_probability"]), counts, answer, share, short))
    sheet.table(rows, (0.7, 1, 1.2, 1.7, 1.1, 2.2), size=7.5)
    if n > len(listed):
        sheet.text(f"The {len(listed)} worst of {plural(n, 'stuck seed')}; the table stuck_inputs has more.", size=8)
    sheet.text(
        "For each seed the numbers of the two digits at which it loses most accuracy, how often its answer is wrong "
        "there, and the most probable such input (digits in any order; the rule's two first).",
        size=8,
    )


def finding(material: Material) -> str:
    """How many misread one of the two digits."""
    a, b = material.targets
    n, first, second, both = stuck.missing(material)
    if not n:
        return "No seed is stuck."
    kind = "stuck untrained seed" if untrained(material) else "stuck seed"
    lost = first + second + both
    who = told(lost, n, "misreads", "misread", "does not misread", kind)
    if not lost or n == 1:
        which = f"the {a}s" if first else f"the {b}s" if second else "both digits" if both else "a digit"
        return f"{capital(who)} {which if n == 1 else 'a digit'} of the rule."
    if lost in (first, second, both):
        which = f"the {a}s" if first else f"the {b}s" if second else "both digits of the rule"
        return f"{capital(who)} {which}."
    counted = ((first, f"the {a}s"), (second, f"the {b}s"), (both, "both"))
    return f"{capital(who)} the rule: {listed([f'{count:,} {what}' for count, what in counted if count])}."


STUCK = Page(
    "What stuck seeds get wrong",
    finding,
    (Row((stuck.FIGURE,), _height, left=0.95, right=0.7, elastic=False),),
    before=_best_alone,
    after=_costliest,
    absent=none,
)
