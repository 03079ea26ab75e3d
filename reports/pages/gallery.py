"""What do single inputs look like, in a few seeds and in all of them?"""

from __future__ import annotations

from reports import examples
from reports.facts import n_finite, noun
from reports.figure import Figure, Material
from reports.pages.page import Page, Row
from reports.words import capital, number, told

__all__ = ["ALL_SEEDS", "GALLERY"]

LEFT, WIDTH, MOST = 0.3, 6.25, 7.0  # of the picture on a page, and the room before it; inches
LONG = 16  # digits: longer inputs are not written out in a sentence


def finding_gallery(material: Material) -> str:
    """How differently the seeds look at one digit of a random input, and how many answer it right."""
    spread, shown = material["example_maps_spread"], material["examples"]
    random = shown.loc[shown["chosen_by"] == "random", "sequence"]
    cells = spread[(spread["measure"] == "attention") & spread["sequence"].isin(random)].dropna(subset="q50")
    if cells.empty:
        return "No seed is finite, so there is no attention to show."
    few = len(material["seeds"]) == 1
    cell = cells.loc[(cells["q50"] if few else cells["q95"] - cells["q05"]).idxmax()]
    example = shown.set_index("sequence").loc[cell["sequence"]]
    digits = example["digits"].split()
    whole = " ".join(digits) if len(digits) <= LONG else "a random input"
    place = f"the {digits[int(cell['position'])]} of {whole}"
    low, high = number(cell["q05"], 2), number(cell["q95"], 2)
    n, wrong = int(example["n_seeds"]), int(example["n_wrong"])
    if few:
        return f"The one {noun(material)} gives {low} of its attention to {place}, and answers it {_rightly(wrong)}."
    runs = f"runs from {low} to {high} (middle 90 % of seeds)" if low != high else f"is {low}"
    return (
        f"In one random input attention on {place} {runs}; "
        f"{told(n - wrong, n, 'answers', 'answer', '', noun(material))} it right."
    )


def _rightly(wrong: int) -> str:
    return "wrong" if wrong else "right"


def finding_all(material: Material) -> str:
    """Which of the inputs misleads the most seeds."""
    shown = material["examples"]
    worst = shown.loc[shown["n_wrong"].idxmax()]
    n, wrong = int(worst["n_seeds"]), int(worst["n_wrong"])
    if not n_finite(material):
        return "No seed is finite, so none answers these inputs."
    if n == 1:
        count = int((shown["n_wrong"] > 0).sum())
        return f"The one {noun(material)} answers {len(shown) - count} of {len(shown)} inputs right."
    if not wrong:
        who = told(n, n, "answers", "answer", "", noun(material))
        return f"{capital(who)} each of {len(shown)} inputs right, closest calls among them."
    digits = worst["digits"].split()
    whole = " ".join(digits) if len(digits) <= LONG else worst["rule"]
    others = int(shown.drop(index=worst.name)["n_wrong"].max())
    rest = f", the others at most {others:,}" if others < wrong else ""
    return f"Of {len(shown)} inputs none misleads more seeds than {whole}: {wrong:,} of {n:,}{rest}."


def none(material: Material) -> str:
    """Only what would be shown, where no seed is finite."""
    return (
        ""
        if n_finite(material)
        else "Shown are a few inputs, chosen by a stated rule, with the attention that they get."
    )


def _row(figure: Figure) -> Row:
    """The picture, as high as its width on the page makes it."""

    def height(material: Material) -> float:
        assert figure.fit is not None
        across, down = figure.fit(material)
        return min(MOST, down * min(1.0, WIDTH / across))

    return Row((figure,), height, left=LEFT, elastic=False)


GALLERY = Page("Single inputs in a few seeds", finding_gallery, (_row(examples.GALLERY),), absent=none)
ALL_SEEDS = Page("Single inputs in all seeds", finding_all, (_row(examples.ALL_SEEDS),), absent=none)
