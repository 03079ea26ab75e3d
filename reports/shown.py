"""Attention maps of the sequences and seeds that somebody asks for, without a report: `attnprobe show`, `reports.show`.

    few seeds (up to 40)    a gallery: digits in cells, attention, values, contributions, answers; one block for each
                            sequence or for each seed, whichever are fewer
    many seeds              a panel for each sequence: quantiles over the seeds, and an image with a row for each seed

The picture, its CSV and the lines for a terminal come from one table of `analyses.maps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.files import write_bytes
from attnprobe.seeds import seeds_of
from attnprobe.store import Run
from reports.all_seeds import draw_all_seeds, rows_of
from reports.all_seeds import natural_size as size_of_all
from reports.by_digit import BARS
from reports.cells import Sort
from reports.drawing import Drawing
from reports.examples import answering
from reports.gallery import Blocks, draw_gallery, in_short, natural_size
from reports.options import FORMATS
from reports.sheet import wrapped
from reports.style import canvas, look, style_named, tints
from reports.words import exact_accuracy, number

if TYPE_CHECKING:
    from analyses.choosing import Chosen

__all__ = ["NAME", "SORTS", "Shown", "files", "kinds", "prepare", "show", "write"]

NAME = "shown.pdf"  # in the run folder
SORTS = ("position", "digit")
DEFAULT_N = 6
FEW_SEEDS = 40  # more are drawn as images
MOST_CELLS = 4_000  # positions in a gallery
MOST_PANELS = 24
MOST_NUMBERS = 2_000_000  # positions in all seeds
MOST_LINES = 40  # in a terminal
FILLED = 0.95  # of a line: letters of few dots are wider
HOW_ROWS = " Rows: seeds, the one with the most focus (expected attention on the rule’s digits) on top; ✗: wrong."
MARGIN, LINE, NARROWEST = 0.15, 0.13, 4.5  # inches


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown, and how.

    Attributes
    ----------
    table : DataFrame
        What is drawn, a row a position; the CSV beside the picture.
    answers : DataFrame
        One row a sequence and seed: all that were asked for.
    words : str
        How the sequences were chosen, and how to read the picture.
    """

    table: pd.DataFrame
    answers: pd.DataFrame
    words: str
    targets: tuple[int, int]
    sort: Sort
    blocks: Blocks | None  # None: a panel for each sequence, and a row for each seed

    def picture(self, style: str = "paper") -> Drawing:
        """The picture, in one of the styles of ``reports.style``: its own size, or as large as fits on a slide."""
        with look(style):
            width, height = size_of_all(self.table) if self.blocks is None else natural_size(self.table, self.blocks)
            width = max(width, NARROWEST)
            words = wrapped(self.words, FILLED * width, 7, "normal")
            foot = LINE * (len(words) + 0.5)
            (across, down), dots, scale = _on_canvas(width + 2 * MARGIN, height + foot + 2 * MARGIN)
            picture = Drawing(figsize=(across, down))
            picture.style, picture.fine = style, dots
            FigureCanvasAgg(picture)
            x, y = MARGIN * scale / across, MARGIN * scale / down
            above = y + foot * scale / down
            ax = picture.add_axes((x, above, 1 - 2 * x, 1 - above - y))
            if self.blocks is None:
                draw_all_seeds(self.table, ax, self.targets, sort=self.sort)
            else:
                draw_gallery(self.table, ax, self.targets, blocks=self.blocks, sort=self.sort)
            for k, line in enumerate(reversed(words)):
                picture.text(x, y + LINE * k * scale / down, line, fontsize=7 * scale, color=tints.muted)
        return picture

    def file(self, kind: str, style: str = "paper") -> bytes:
        """The picture as ``pdf``, ``png`` or ``svg``; the same bytes each time."""
        return self.picture(style).saved(kind)

    def csv(self) -> bytes:
        """What is drawn."""
        return self.table.to_csv(index=False, lineterminator="\n").encode()

    def lines(self) -> str:
        """Sequence, label, seed, probability of yes, answer and attention on the rule's digits, for a terminal."""
        rows = self.answers.head(MOST_LINES)
        on = {f"on {digit}s": rows[f"attention_{digit}"].map(in_places) for digit in self.targets}
        table = pd.DataFrame(
            {
                "sequence": rows["digits"],
                "label": np.where(rows["label"], "yes", "no"),
                "seed": rows["seed"],
                "P(yes)": rows["probability"].map(in_short),
                "answer": np.where(rows["right"], "right", "WRONG"),
                **on,
            }
        )
        table["sequence"] = table["sequence"].mask(table["sequence"].eq(table["sequence"].shift()), "")
        text = table.to_string(index=False)
        left = len(self.answers) - len(rows)
        return text + (f"\n({len(self.answers):,} rows, {len(rows)} shown)" if left else "")


def show(
    run: Run,
    sequences: Any = None,
    seeds: Iterable[int] | None = None,
    *,
    choose: str | None = None,
    n: int | None = None,
    sort: str = "position",
    style: str = "paper",
) -> Drawing:
    """Attention maps of any sequences in any seeds, as a picture that a notebook displays.

    Parameters
    ----------
    run : Run
        Its tables need not have been computed.
    sequences : str, iterable of str, iterable of iterables of int, or array (n, length), optional
        Such as ``"2224401357"``; see ``analyses.maps``.
    seeds : iterable of int, optional
        Seeds of the run; the first eight if not given. Up to 40 are shown cell by cell, more as an image.
    choose : {"random", "closest", "errors"}, optional
        The rule that chooses sequences where none are given (``analyses.choose``); random if not given.
    n : int, optional
        How many are chosen; 6 if not given.
    sort : {"position", "digit"}
        Cells as they stand in the sequence, or the rule's two digits first and the others in ascending order.
    style : {"paper", "slides", "dark"}

    Returns
    -------
    Drawing
        A matplotlib figure; ``figure.savefig(...)`` keeps it.

    Raises
    ------
    AttnprobeError
        When a sequence does not fit the task, the run has no such seed, there are no errors to show, or there is
        more than one picture holds.
    """
    style_named(style)
    return prepare(run, sequences, seeds, choose=choose, n=n, sort=sort).picture(style)


def prepare(
    run: Run,
    sequences: Any = None,
    seeds: Iterable[int] | None = None,
    *,
    choose: str | None = None,
    n: int | None = None,
    sort: str = "position",
) -> Shown:
    """What :func:`show` draws, by the same arguments."""
    import analyses

    run.require_seeds()
    if sort not in SORTS:
        raise AttnprobeError(
            f"sort = {sort!r} is not allowed.{did_you_mean(sort, SORTS)} It must be position or digit."
        )
    if sequences is not None and (choose is not None or n is not None):
        raise AttnprobeError("Give sequences, or how to choose them (choose, n), but not both.")
    asked = seeds_of(run, run.seeds[:8] if seeds is None else seeds)
    chosen = _chosen(run, sequences, asked, choose, n)
    _check_room(len(asked), *chosen.digits.shape)
    maps = analyses.maps(run, chosen.digits, asked)
    return _laid_out(run, maps, chosen, cast(Sort, sort))


def in_places(share: float) -> str:
    """A share in two places."""
    return "–" if np.isnan(share) else f"{share:.2f}"


def kinds(asked: str | None, out: Path | None) -> list[str]:
    """The formats that were asked for, as ``pdf,png`` or by the ending of a file; PDF if neither says.

    Raises
    ------
    AttnprobeError
        When there is no such format, or the two do not agree.
    """
    found = list(dict.fromkeys(kind.strip().lower() for kind in asked.split(","))) if asked is not None else []
    for kind in found:
        if kind not in FORMATS:
            hint = did_you_mean(kind, FORMATS)
            raise AttnprobeError(f"--format {kind!r} is not allowed.{hint} It must be one of {', '.join(FORMATS)}.")
    if out is None:
        return found or ["pdf"]
    ending = out.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise AttnprobeError(f"--out {str(out)!r} is not allowed: its name must end in .pdf, .png or .svg.")
    if ending not in (found or [ending]):
        raise AttnprobeError(f"--out {str(out)!r} ends in .{ending}, and --format says {asked}. Leave one of them out.")
    return found or [ending]


def files(out: Path, kinds: Sequence[str], may_replace: bool) -> list[Path]:
    """The files of a picture: one of each kind, and the CSV.

    Raises
    ------
    AttnprobeError
        When one is there already and may not be replaced.
    """
    found = [out.with_suffix(f".{kind}") for kind in (*kinds, "csv")]
    there = [path for path in found if path.exists() and not may_replace]
    if there:
        raise AttnprobeError(f"{there[0]} exists already. Give another name, or --force to replace it.")
    return found


def write(shown: Shown, files: Sequence[Path], style: str = "paper") -> None:
    """Write the files that :func:`files` named; nothing where one of them cannot be drawn."""
    data = {path: shown.csv() if path.suffix == ".csv" else shown.file(path.suffix[1:], style) for path in files}
    for path, content in data.items():
        write_bytes(path, content)


def _chosen(run: Run, sequences: Any, seeds: np.ndarray, choose: str | None, n: int | None) -> Chosen:
    """The sequences, with their names and how they came to be chosen."""
    import analyses
    from analyses.choosing import given

    if sequences is not None:
        return given(run, sequences)
    return analyses.choose(run, choose or "random", DEFAULT_N if n is None else n, seeds)


def _check_room(seeds: int, sequences: int, length: int) -> None:
    """Raise where a picture would hold more than can be read, or drawn."""
    cells = seeds * sequences * length
    size = f"{seeds:,} seed{'s' if seeds > 1 else ''} and {sequences:,} sequence{'s' if sequences > 1 else ''}"
    if seeds <= FEW_SEEDS and cells > MOST_CELLS:
        raise AttnprobeError(
            f"{size} of {length} digits are {cells:,} cells; a picture of up to {FEW_SEEDS} seeds holds "
            f"{MOST_CELLS:,}. Ask for fewer seeds or sequences."
        )
    if seeds > FEW_SEEDS and (sequences > MOST_PANELS or cells > MOST_NUMBERS):
        raise AttnprobeError(
            f"{size} of {length} digits are more than a picture holds: of more than {FEW_SEEDS} seeds it holds up to "
            f"{MOST_PANELS} sequences and {MOST_NUMBERS:,} cells. Ask for fewer seeds or sequences."
        )


def _laid_out(run: Run, maps: pd.DataFrame, chosen: Chosen, sort: Sort) -> Shown:
    """Names for what is drawn; for many seeds, the rows of the image and quantiles over all seeds."""
    from analyses.attention_maps import answers_in, focus_of, over_seeds

    task, seeds = run.config.task, maps["seed"].unique()
    answers = answers_in(maps, task)
    rule = f"{run.path.name}, rule {task.rule}. {chosen.rule} "
    names = dict(enumerate(chosen.names))
    if len(seeds) > FEW_SEEDS:
        rows = rows_of(focus_of(run, seeds))
        drawn = maps[maps["seed"].isin(rows["seed"])].merge(rows, on="seed")
        drawn = drawn.assign(sequence_name=drawn["sequence"].map(names))
        drawn = drawn.merge(over_seeds(maps), on=["sequence", "position"])
        return Shown(drawn, answers, rule + BARS + HOW_ROWS, task.targets, sort, None)
    blocks: Blocks = "sequence" if len(chosen.names) < len(seeds) else "seed"
    maps = maps.assign(
        seed_name="seed " + maps["seed"].astype(str),
        sequence_name=maps["sequence"].map(names),
        remark=maps[blocks].map(_of_sequences(answers) if blocks == "sequence" else _of_seeds(run, maps)),
    )
    a, b = task.targets
    how = f"Values: on the scale where {a} has +1 and {b} has −1. The answer depends on the sum alone; ✗: it is wrong."
    return Shown(maps, answers, rule + how, task.targets, sort, blocks)


def _of_sequences(answers: pd.DataFrame) -> dict[int, str]:
    """The digits of each sequence."""
    return dict(zip(answers["sequence"], answers["digits"], strict=True))


def _of_seeds(run: Run, maps: pd.DataFrame) -> dict[int, str]:
    """How good each seed is, if the run's tables say so, and when it answers yes."""
    known = run.table("seeds", ["seed", "error_probability", "focus"]) if "seeds" in run.tables else None
    found = {}
    for seed, rows in maps.groupby("seed"):
        parts = [answering(rows.iloc[0])]
        if known is not None:
            row = known[known["seed"] == seed].iloc[0]
            focus = number(row["focus"], 2)
            parts.insert(0, f"accuracy {exact_accuracy(row['error_probability'])}, focus {focus}")
        found[seed] = ", ".join(filter(None, parts))
    return found


def _on_canvas(width: float, height: float) -> tuple[tuple[float, float], float, float]:
    """Size of the canvas in the current style, its dots an inch, and how far a picture of this size is scaled."""
    (across, down), _ = canvas((1.0, 1.0))
    (across, down), dots = canvas((max(width, height * across / down) if across != down else width, height))
    return (across, down), dots, min(across / width, down / height)
