"""What do single inputs look like, in a few seeds and in all of them?"""

from __future__ import annotations

from reports import examples
from reports.figure import Figure, Material
from reports.pages.page import Page, Row
from reports.words import number, plural

__all__ = ["ALL_SEEDS", "GALLERY"]

LEFT, WIDTH, MOST = 0.3, 6.25, 7.0  # of the picture on a page, and the room before it; inches
LONG = 16  # digits: longer inputs are not written out in a sentence


def finding_gallery(material: Material) -> str:
    """How differently the seeds look at one digit of a random input, and how many answer it right."""
    spread, shown = material["example_maps_spread"], material["examples"]
    random = shown.loc[shown["chosen_by"] == "random", "sequence"]
    cells = spread[(spread["measure"] == "attention") & spread["sequence"].isin(random)].dropna(subset="q50")
    if cells.empty:
        return "No seed has finite attention."
    cell = cells.loc[(cells["q95"] - cells["q05"]).idxmax()]
    example = shown.set_index("sequence").loc[cell["sequence"]]
    digits = example["digits"].split()
    whole = " ".join(digits) if len(digits) <= LONG else "a random input"
    low, high = number(cell["q05"], 2), number(cell["q95"], 2)
    runs = f"runs from {low} to {high} (middle 90 % of seeds)" if low != high else f"is {low}"
    n, right = example["n_seeds"], example["n_seeds"] - example["n_wrong"]
    answers = f"{right:,} of them answer it right" if n > 1 else f"the answer is {'right' if right else 'wrong'}"
    place = f"the {digits[int(cell['position'])]} of {whole}"
    return f"One input, {plural(n, 'seed')}: attention on {place} {runs}, and {answers}."


def finding_all(material: Material) -> str:
    """Which of the inputs misleads the most seeds."""
    shown = material["examples"]
    worst = shown.loc[shown["n_wrong"].idxmax()]
    n = plural(worst["n_seeds"], "seed")
    if not worst["n_wrong"]:
        return f"Each of {len(shown)} inputs, closest calls among them, is answered right by {n}."
    digits = worst["digits"].split()
    whole = " ".join(digits) if len(digits) <= LONG else worst["rule"]
    others = shown.drop(index=worst.name)["n_wrong"].max()
    rest = f", the others at most {others:,}" if others < worst["n_wrong"] else ""
    return f"Of {len(shown)} inputs none misleads more seeds than {whole}: {worst['n_wrong']:,} of {n}{rest}."


def _row(figure: Figure) -> Row:
    """The picture, as high as its width on the page makes it."""

    def height(material: Material) -> float:
        assert figure.fit is not None
        across, down = figure.fit(material)
        return min(MOST, down * min(1.0, WIDTH / across))

    return Row((figure,), height, left=LEFT, elastic=False)


GALLERY = Page("Single inputs in a few seeds", finding_gallery, (_row(examples.GALLERY),))
ALL_SEEDS = Page("Single inputs in all seeds", finding_all, (_row(examples.ALL_SEEDS),))
