"""A few inputs, chosen by stated rules: how some seeds look at them cell by cell, and how all seeds do."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from reports.all_seeds import IMAGE, draw_all_seeds, rows_of
from reports.all_seeds import natural_size as size_of_all
from reports.by_digit import bars
from reports.figure import Figure, Material
from reports.gallery import draw_gallery, natural_size
from reports.style import canvas
from reports.words import exact_accuracy, number, plural

__all__ = ["ALL_SEEDS", "GALLERY", "answering", "roles"]

LOW = 0.9  # height of an image on a slide, in inches
LONG = 24  # digits: of longer sequences fewer are shown
SPREAD = ["q05", "q25", "q50", "q75", "q95"]


def roles(material: Material) -> dict[int, str]:
    """The seeds of the gallery, and what each stands for: typical, best, worst, the least and the most focus."""
    seeds = material["seeds"].sort_values("rank")
    focused = seeds.dropna(subset="focus").sort_values(["focus", "seed"])
    places = [("typical", seeds, (len(seeds) - 1) // 2), ("best", seeds, 0), ("worst", seeds, -1)]
    if material.config.length <= LONG:
        places += [("least focus", focused, 0), ("most focus", focused, -1)]
    found: dict[int, list[str]] = {}
    for role, table, place in places:
        if len(table):
            found.setdefault(int(table["seed"].iloc[place]), []).append(role)
    return {seed: ", ".join(parts) for seed, parts in found.items()}


def examples(material: Material) -> pd.DataFrame:
    """The inputs that are shown, each with its name; of long ones the first of a kind alone."""
    table = material["examples"]
    order = table.groupby("chosen_by").cumcount() + 1
    table = table.assign(sequence_name=table["chosen_by"] + " " + order.astype(str))
    return table if material.config.length <= LONG else table[order == 1]


def data_gallery(material: Material) -> pd.DataFrame:
    """The maps of the seeds of :func:`roles`, in that order, with names."""
    shown, of_seed = examples(material), material["seeds"].set_index("seed")
    names = roles(material)
    maps = material["example_maps"]
    maps = maps[maps["seed"].isin(list(names)) & maps["sequence"].isin(shown["sequence"])]
    maps = pd.concat([maps[maps["seed"] == seed] for seed in names], ignore_index=True)
    return maps.assign(
        seed_name="seed " + maps["seed"].astype(str) + ": " + maps["seed"].map(names),
        sequence_name=maps["sequence"].map(shown.set_index("sequence")["sequence_name"]),
        remark=maps["seed"].map({seed: _in_words(of_seed.loc[seed], maps[maps["seed"] == seed]) for seed in names}),
    )


def _in_words(seed: pd.Series, maps: pd.DataFrame) -> str:
    """How good a seed is, how much it focuses, and when it answers yes."""
    accuracy = f"accuracy {exact_accuracy(seed['error_probability'])}, focus {number(seed['focus'], 2)}"
    return ", ".join(filter(None, [accuracy, answering(maps.iloc[0])]))


def answering(row: pd.Series) -> str:
    """When a seed answers yes, from a row of its maps; nothing where that takes more than one threshold."""
    if not row["turn"]:
        return ""
    return f"yes where sum {'>' if row['turn'] > 0 else '<'} {row['threshold_gauged']:.2f}".replace("-", "−")


def size_gallery(material: Material) -> tuple[float, float]:
    """Inches at which it need not be scaled."""
    return natural_size(_shown(data_gallery(material)), "seed")


def draw(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """The gallery, a block for each seed."""
    return draw_gallery(_shown(table), ax, targets)


def draw_all(table: pd.DataFrame, ax: Axes, targets: tuple[int, int] = (2, 4)) -> Axes:
    """All seeds, a panel for each input."""
    return draw_all_seeds(_shown(table), ax, targets, image=_image())


def _on_a_slide() -> bool:
    return canvas((1.0, 1.0))[0] != (1.0, 1.0)


def _image() -> float:
    """Height of an image of many seeds: slides are low."""
    return LOW if _on_a_slide() else IMAGE


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """All of a table; on a slide what can be read from afar: an input of each kind, the typical and the worst seed."""
    if not _on_a_slide():
        return table
    table = table[table["sequence_name"].str.endswith(" 1")]
    return table[table["seed_name"].str.contains("typical|worst")] if "seed_name" in table else table


def caption_gallery(material: Material) -> str:
    """How to read it, and what the rows are."""
    a, b = material.targets
    if _on_a_slide():
        return f"Values: on the scale where {a} has +1 and {b} has −1. The answer depends on the sum alone; ✗: wrong."
    shown = examples(material)
    rows = "; ".join(f"{name}, {rule}" for name, rule in zip(shown["sequence_name"], shown["rule"], strict=True))
    return (
        f"Attention (0 to 1) of {plural(len(roles(material)), 'seed')} on the same inputs, the value of each digit on "
        f"the scale where {a} has +1 and {b} has −1, and their product; the answer depends on its sum alone. The "
        f"rule’s digits are bold and framed; ✗ marks a wrong answer. Rows: {rows}. The network does not see order: a "
        "row stands for all orders of its digits."
    )


def data_all(material: Material) -> pd.DataFrame:
    """The maps of evenly many of the seeds sorted by focus, with quantiles over all seeds beside each cell."""
    shown = examples(material)
    rows = rows_of(material["seeds"][["seed", "focus"]])
    cells = ["seed", "sequence", "position", "digit", "label", "attention", "right"]
    maps = material.some("example_maps", cells)
    maps = maps[maps["seed"].isin(rows["seed"]) & maps["sequence"].isin(shown["sequence"])]
    spread = material["example_maps_spread"]
    spread = spread.loc[spread["measure"] == "attention", ["sequence", "position", *SPREAD]]
    named = shown[["sequence", "sequence_name", "n_wrong", "n_seeds"]]
    return maps.merge(rows, on="seed").merge(named, on="sequence").merge(spread, on=["sequence", "position"])


def size_all(material: Material) -> tuple[float, float]:
    """Inches at which it need not be scaled."""
    return size_of_all(_shown(data_all(material)), image=_image())


def caption_all(material: Material) -> str:
    """How to read it, and how many rows stand for how many seeds."""
    n, drawn = len(material["seeds"]), len(rows_of(material["seeds"][["seed", "focus"]]))
    rows = (
        "a row for each seed"
        if drawn == n
        else f"a row for each of {drawn} seeds, evenly many of all {n:,} in the order of their focus"
    )
    if _on_a_slide():
        return f"{bars(n)} Below: {rows}, the one with the most focus on top; ✗: the answer is wrong.".strip()
    return (
        "The same inputs in all seeds, their digits sorted, the rule’s two first. Above: attention on each digit over "
        f"the seeds.{bars(n)} Below: {rows}, the one with the most focus on top; a mark beside a row (✗): the seed "
        "answers this input wrongly."
    )


GALLERY = Figure("attention_gallery", data_gallery, draw, caption_gallery, size=(9.2, 9.2), fit=size_gallery)
ALL_SEEDS = Figure("attention_all_seeds", data_all, draw_all, caption_all, size=(8.4, 9.2), fit=size_all)
