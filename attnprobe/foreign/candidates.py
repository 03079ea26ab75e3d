"""Which dict of a checkpoint is the state dict: the file itself, or a dict somewhere in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Candidate", "candidates"]

DEEPEST = 4
MOST_DICTS = 1_000


@dataclass(frozen=True, eq=False)
class Candidate:
    """A dict with tensors. ``key`` is its place, such as ``model.state_dict``; empty for the file itself."""

    key: str
    tensors: dict[str, torch.Tensor]


def candidates(value: Any) -> list[Candidate]:
    """Every dict in ``value`` that holds tensors under text keys, outermost first.

    Dicts are looked for in dicts with text keys only, so an optimizer's state, which is numbered, is not one.
    """
    found: list[Candidate] = []
    level = [("", value)]
    seen = 0
    for _ in range(DEEPEST):
        below = []
        for key, at in level:
            seen += 1
            if not isinstance(at, dict) or seen > MOST_DICTS:
                continue
            texts = {name: part for name, part in at.items() if isinstance(name, str)}
            tensors = {name: part for name, part in texts.items() if isinstance(part, torch.Tensor)}
            if tensors:
                found.append(Candidate(key, tensors))
            below += [
                (f"{key}.{name}" if key else name, part) for name, part in texts.items() if isinstance(part, dict)
            ]
        level = below
    return found
