"""A condition on the rows of a table, as a value: its text, its checked tree, the columns that it needs.

    condition = Condition.parse("accuracy < 0.99 and focus > 0.5")
    condition.columns                 # ('accuracy', 'focus')
    condition.holds(frame)            # one True or False a row

The language is that of pandas' ``DataFrame.query``, as far as it compares columns: names of columns, numbers, text,
``True`` and ``False``; ``+ - * / // % **``; comparisons, chained too; ``in`` and ``not in`` a list; ``and or not``,
also written ``& | ~``. There is nothing else in it, and Python's own compiler and ``eval`` are never asked, so that an
expression from a stranger can compute on columns and reach nothing besides. Its length, depth and number of
operations are limited, so that it can neither hang nor take memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from attnprobe.condition.evaluate import evaluate, unknown_column
from attnprobe.condition.parse import parse
from attnprobe.condition.tree import Column, Node, walk

__all__ = ["Condition", "unknown_column"]


@dataclass(frozen=True)
class Condition:
    """What must hold of a row; equal conditions have equal texts.

    Attributes
    ----------
    text : str
        As it was written.
    tree : Node
        What it means, see :mod:`attnprobe.condition.tree`.
    columns : tuple of str
        The columns that it needs, in the order in which it names them.
    """

    text: str
    tree: Node = field(compare=False, repr=False)
    columns: tuple[str, ...] = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises
        ------
        AttnprobeError
            When the text is none, or beyond the limits. Whether there are such columns is asked later.
        """
        tree = parse(text)
        names = [node.name for node in walk(tree) if isinstance(node, Column)]
        return cls(text, tree, tuple(dict.fromkeys(names)))

    def holds(self, frame: pd.DataFrame) -> np.ndarray:
        """Whether it holds, for each row: bool (rows,).

        Raises
        ------
        AttnprobeError
            When a column is not there, kinds do not go together (text with a number), or a whole number leaves 64 bits.
        """
        return evaluate(self.tree, self.text, self.columns, frame)
