"""The exercise's own picture: attention, values and loss, side by side and legible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patheffects import withStroke

from reports.contrast import TEXT, contrast, letters_on
from reports.facts import imported
from reports.figure import Figure, Material
from reports.style import empty, log_axis, look, maps, scale_beside, thousands, tidy, tints
from reports.words import exact_accuracy, number

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

    from attnprobe.model import AttentionModel

__all__ = ["FIGURES", "chosen", "plot", "standing"]

SHOWN_ABOVE = 0.1  # values are shown where attention exceeds this
SEQUENCES = 8


def plot(model: AttentionModel, N: int, traj: Sequence[float]) -> Canvas:
    """The exercise's three panels for a model: attention, values where attention > 0.1, loss.

    Parameters
    ----------
    model : AttentionModel
        Of the exercise's alphabet: 2s and 4s are written in red.
    N : int
        Random sequences to show, at least 1.
    traj : sequence of float
        The loss trajectory that ``fit`` returned, in nats.

    Returns
    -------
    matplotlib.figure.Figure
        It shows itself in a notebook; ``figure.savefig(...)`` keeps it.
    """
    import torch
    from matplotlib import pyplot as plt

    from attnprobe.task import make_batch

    X, _ = make_batch(N)
    with torch.no_grad():
        embedded = model.embed(X)
        attention = model.attention(embedded)[:, 0].numpy()
        values = model.values(embedded)[:, :, 0].numpy()
    with look():
        figure, axes = plt.subplots(1, 3, figsize=(11, 1.6 + 0.25 * N), layout="constrained")
        draw_attention(X.numpy(), attention, axes[0], (2, 4))
        limit = float(np.abs(values).max())
        labels = (f"−{limit:.2g}", "0", f"{limit:.2g}")
        draw_values(X.numpy(), values, attention, axes[1], (2, 4), limit, labels, maps.raw)
        draw_loss(np.arange(1, len(traj) + 1), np.asarray(traj), axes[2])
    return figure


def draw_attention(digits: np.ndarray, attention: np.ndarray, ax: Axes, targets: tuple[int, int]) -> Axes:
    """Attention (n, length) as equal cells from 0 to 1, each with its digit, the targets in red."""
    image = ax.imshow(attention, cmap=maps.attention, vmin=0, vmax=1)
    _write_digits(digits, ax, image, targets, tints.red)
    _cells(ax, digits, "Attention")
    scale_beside(ax, image, (0, 0.5, 1), ("0", "0.5", "1"))
    return ax


def draw_values(
    digits: np.ndarray,
    values: np.ndarray,
    attention: np.ndarray,
    ax: Axes,
    targets: tuple[int, int],
    limit: float,
    labels: Sequence[str],
    colours: Colormap | None = None,
) -> Axes:
    """Values (n, length) where attention > 0.1, on a diverging scale centred on 0; other cells are blank.

    ``labels`` are written at -limit, 0 and limit of the scale; ``colours`` are those of the two digits if not given.
    """
    enough = attention > SHOWN_ABOVE
    image = ax.imshow(np.ma.masked_where(~enough, values), cmap=colours or maps.diverging, vmin=-limit, vmax=limit)
    _write_digits(digits, ax, image, targets)
    _cells(ax, digits, f"Value (attention > {SHOWN_ABOVE})")
    scale_beside(ax, image, (-limit, 0, limit), labels)
    return ax


def draw_loss(steps: np.ndarray, loss: np.ndarray, ax: Axes, color: str | None = None) -> Axes:
    """The loss over steps, logarithmic."""
    if not len(loss):
        return empty(ax, "none recorded", "Loss")
    ax.plot(steps, loss, color=color or tints.ink, linewidth=0.9)
    if len(loss) and np.nanmin(loss) > 0:
        ax.set_yscale("log")
        log_axis(ax.yaxis)
    thousands(ax.xaxis)
    ax.locator_params(axis="x", nbins=3)
    ax.set_xlabel("step")
    ax.set_ylabel("batch loss (nats)")
    ax.set_title("Loss")
    return tidy(ax)


def _write_digits(
    digits: np.ndarray, ax: Axes, image: AxesImage, targets: tuple[int, int], of_targets: str | None = None
) -> None:
    """The digit of every cell, the targets bold and in a colour if given; a halo where that would not read."""
    shown: np.ma.MaskedArray[Any, Any] = np.ma.masked_invalid(np.ma.asarray(image.get_array()))
    cells, blank = image.to_rgba(shown), np.ma.getmaskarray(shown)
    for (row, column), digit in np.ndenumerate(digits):
        cell = cells[row, column]
        tint = tints.faint if blank[row, column] else letters_on(cell)
        if digit in targets and of_targets:
            tint = of_targets
        text = ax.text(column, row, str(digit), ha="center", va="center", fontsize=7.5, color=tint)
        text.set_fontweight("bold" if digit in targets else "normal")
        if contrast(tint, cell) < TEXT:
            text.set_path_effects([withStroke(linewidth=1.8, foreground=tints.paper)])


def _cells(ax: Axes, digits: np.ndarray, title: str) -> None:
    n, length = digits.shape
    ax.set_xticks(range(0, length, 1 if length <= 12 else 5))
    ax.set_yticks(range(n), [str(row + 1) for row in range(n)])
    ax.set_xticks(np.arange(length + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=tints.paper, linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("position")
    ax.set_ylabel("sequence")
    ax.set_title(title)


# --- the same picture for three seeds of a run ----------------------------------------------------


def chosen(material: Material) -> dict[str, pd.Series]:
    """The seeds that stand for the run: typical (median rank), best and worst."""
    by_rank = material["seeds"].sort_values("rank", ignore_index=True)
    places = {"typical": (len(by_rank) - 1) // 2, "best": 0, "worst": len(by_rank) - 1}
    return {which: by_rank.iloc[place] for which, place in places.items()}


def standing(material: Material) -> dict[str, pd.Series]:
    """The same, each seed once: of two seeds the better and the worse, of one that one."""
    n = len(material["seeds"])
    wanted = {1: ("typical",), 2: ("best", "worst")}.get(n, ("typical", "best", "worst"))
    return {which: seed for which, seed in chosen(material).items() if which in wanted}


def _figure(which: str) -> Figure:
    def data(material: Material) -> pd.DataFrame:
        """The seed's map (rows with a position) and its loss (rows with a step)."""
        seed = chosen(material)[which]["seed"]
        patterns = material.some("attention_maps", ["seed", "sequence", "position", "digit", "attention"])
        digits = material["digits"]
        history = material["history"]
        gauged = digits.loc[digits["seed"] == seed, ["digit", "value_gauged"]]
        shown = (patterns["seed"] == seed) & (patterns["sequence"] < SEQUENCES)
        cells = patterns[shown].merge(gauged, on="digit", how="left")
        cells = cells.sort_values(["sequence", "position"])
        loss = history.loc[history["seed"] == seed, ["seed", "step", "loss"]]
        columns = ["seed", "sequence", "position", "digit", "attention", "value_gauged"]
        empty = dict.fromkeys(("step", "loss"), np.nan)
        rest = dict.fromkeys(columns[1:], np.nan)
        return pd.concat([cells[columns].assign(**empty), loss.assign(**rest)], ignore_index=True)

    def draw(table: pd.DataFrame, axes: Sequence[Axes], targets: tuple[int, int] = (2, 4)) -> Sequence[Axes]:
        """The three panels."""
        cells, loss = table[table["position"].notna()], table[table["step"].notna()]
        n = cells["sequence"].nunique()
        digits = cells["digit"].to_numpy().astype(int).reshape(n, -1)
        attention = cells["attention"].to_numpy().reshape(n, -1)
        values = cells["value_gauged"].to_numpy().reshape(n, -1)
        draw_attention(digits, attention, axes[0], targets)
        labels = (f"{targets[1]}: −1", "0", f"{targets[0]}: +1")
        draw_values(digits, values, attention, axes[1], targets, 1.0, labels)
        draw_loss(loss["step"].to_numpy(), loss["loss"].to_numpy(), axes[2])
        return axes

    def caption(material: Material) -> str:
        """Who it is and how good."""
        seed = chosen(material)[which]
        meaning = {"typical": "Typical seed (middle rank)", "best": "Best seed", "worst": "Worst seed"}[which]
        if len(material["seeds"]) == 1:
            meaning = "The one seed"
        if seed["status"] != "trained":
            if imported(material):
                return f"{meaning}: {seed['seed']}. It is not finite."
            return f"{meaning}: {seed['seed']}. Its training became not finite at step {seed['steps']:,}."
        return (
            f"{meaning}: {seed['seed']}. Accuracy {exact_accuracy(seed['error_probability'])}, expected loss "
            f"{number(seed['loss'], 2)} nats, focus {number(seed['focus'], 2)} (chance "
            f"{number(seed['focus_chance'], 2)})."
        )

    return Figure(f"exercise_{which}", data, draw, caption, size=(10, 2.9), panels=3)


FIGURES = tuple(_figure(which) for which in ("typical", "best", "worst"))
