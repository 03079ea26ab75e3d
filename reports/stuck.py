"""What is wrong with stuck seeds? How each digit pulls their answers, and the counts that they get wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.contrast import letters_in
from reports.figure import Figure, Material
from reports.style import empty, label_digits, maps, scale_beside, tints
from reports.words import number, percent, plural

MOST_LINES = 15  # beyond, neither their names nor the numbers in the cells have room


def worst(material: Material, most: int = MOST_LINES) -> list[int]:
    """The stuck seeds that are described, the worst first."""
    seeds = material["seeds"]
    described = seeds[seeds["seed"].isin(material["stuck"]["seed"])]
    return described.sort_values("rank", ascending=False)["seed"].head(most).tolist()


def data(material: Material) -> pd.DataFrame:
    """Pull and fault by digit of the worst stuck seeds."""
    columns = ["seed", "digit", "is_target", "pull", "pull_right", "fault"]
    table = material["stuck"].set_index("seed").loc[worst(material)]
    return table.reset_index()[columns]


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """One row a stuck seed, the right answer at the foot; digits with a fault are framed."""
    if table.empty:
        return empty(ax, "no seed is stuck")
    seeds = table["seed"].drop_duplicates().to_list()
    pulls = table.pivot(index="seed", columns="digit", values="pull").loc[seeds]
    faulty = (table.pivot(index="seed", columns="digit", values="fault").loc[seeds] != "none").to_numpy()
    right = table.drop_duplicates("digit").sort_values("digit")["pull_right"].to_numpy()
    grid = np.vstack([pulls.to_numpy(), right])
    image = ax.imshow(grid, cmap=maps.diverging, vmin=-1, vmax=1, aspect="auto")
    if grid.shape[1] <= 16 and grid.shape[0] <= 16:
        for (row, column), pull in np.ndenumerate(grid):
            tint = letters_in(image, pull)
            text = f"{pull:.2f}".replace("-", "−")
            ax.text(column, row, text, ha="center", va="center", fontsize=6.5, color=tint)
    for row, column in zip(*np.nonzero(faulty), strict=True):
        frame = ([column - 0.46, column + 0.46, column + 0.46, column - 0.46, column - 0.46], (row - 0.43, row + 0.43))
        low, high = frame[1]
        ax.plot(frame[0], [low, low, high, high, low], color=tints.ink, linewidth=1.1 if len(pulls) <= 16 else 0.5)
    ax.axhline(len(pulls) - 0.5, color=tints.ink, linewidth=0.8)
    ax.set_yticks(range(len(grid)), [*(f"seed {seed}" for seed in pulls.index), "always right"])
    label_digits(ax, pulls.columns.to_numpy(), targets)
    ax.set_xlim(-0.5, grid.shape[1] - 0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    label = f"pull (1: as digit {targets[0]} should)"
    scale_beside(ax, image, [-1, 0, 1], ["−1", "0", "1"], label=label, width=0.02, extend="both")
    ax.set_title("How digits pull the answer of stuck seeds")
    return ax


def caption(material: Material) -> str:
    """What a pull is, and how many seeds have which fault."""
    table = material["stuck"]
    n = table["seed"].nunique()
    if not n:
        return "No seed is stuck."
    a, b = material.targets
    shown = f"the {MOST_LINES} worst of {n:,} stuck seeds" if n > MOST_LINES else plural(n, "stuck seed")
    kinds = table[table["fault"] != "none"].groupby(["fault", "digit"])["seed"].nunique()
    as_target = table["fault"].isin(["counts as first", "counts as second"])
    parts = [
        f"{'does' if kinds[fault, digit] == 1 else 'do'} not count {digit}"
        if fault == "not counted"
        else f"{'counts' if kinds[fault, digit] == 1 else 'count'} {digit} the wrong way round"
        for fault, digit in kinds.index
        if digit in (a, b)
    ]
    counts = [kinds[key] for key in kinds.index if key[1] in (a, b)]
    said = "; ".join(f"{count} {part}" for count, part in zip(counts, parts, strict=True)) or "none misreads a target"
    others = table.loc[as_target, "seed"].nunique()
    more = f"; {others} {'takes' if others == 1 else 'take'} another digit for one of the two" if others else ""
    return (
        f"Covariance of the answer with the number of each digit, over that of the label with the number of {a}s; "
        f"exact over all inputs, for {shown}. At the foot, what it is for answers that are always right. Framed: less "
        "than half of the right pull at a target, or at least half of a target's pull at another digit. "
        f"Of {n:,}: {said}{more}."
    )


def missing(material: Material) -> tuple[int, int, int, int]:
    """Stuck seeds that are described, and those that do not count the first target, the second, or either."""
    table = material["stuck"]
    lost = table[table["fault"].isin(["not counted", "reversed"])]
    first, second = (set(lost.loc[lost["digit"] == digit, "seed"]) for digit in material.targets)
    return table["seed"].nunique(), len(first - second), len(second - first), len(first & second)


def in_words(material: Material, seed: int) -> tuple[str, str, str, str]:
    """One seed's costliest pair of counts: which, wrong answer and how often, share of its errors, an example."""
    rows = material["stuck_inputs"]
    row = rows[rows["seed"] == seed].iloc[0]
    a, b = material.targets
    return (
        f"{row[f'n{a}']} × {a}, {row[f'n{b}']} × {b}",
        f"“{row['answer']}” {_how_often(row['error_rate'])}",
        percent(row["share_of_errors"]),
        row["example"],
    )


def _how_often(rate: float) -> str:
    if rate == 1:
        return "always"
    return "almost always" if rate > 0.999 else f"in {percent(rate)}"


def best_alone(material: Material) -> tuple[str, str]:
    """The largest accuracy that the number of the first, and of the second, target alone can give."""
    table = material["stuck"].drop_duplicates("digit").set_index("digit")["best_alone"]
    first, second = (number(table[digit], 4) for digit in material.targets)
    return first, second


FIGURE = Figure("stuck_pull", data, draw, caption, size=(6.3, 3.6))
