"""attnprobe: what does attention do, across many training seeds, in a model small enough to be understood completely?

The core: what is asked (:class:`Task`), what answers (:class:`AttentionModel`), many of them trained
(:func:`train`) and kept (:class:`Run`). Tables live in the package ``analyses``, figures and the report in
``reports``. Names are loaded when first used: importing this package loads neither torch nor numba.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnprobe.circuit import Circuit
    from attnprobe.config import Config
    from attnprobe.errors import AttnprobeError
    from attnprobe.foreign.export import export_weights
    from attnprobe.foreign.importing import import_weights
    from attnprobe.model import AttentionModel
    from attnprobe.outcome import Outcome
    from attnprobe.population import Population
    from attnprobe.store import Run, open_run
    from attnprobe.task import Task, make_batch
    from attnprobe.training.batch import train
    from attnprobe.training.reference import fit

__version__ = "0.1.0"

_HOMES = {
    "AttentionModel": "attnprobe.model",
    "AttnprobeError": "attnprobe.errors",
    "Circuit": "attnprobe.circuit",
    "Config": "attnprobe.config",
    "Outcome": "attnprobe.outcome",
    "Population": "attnprobe.population",
    "Run": "attnprobe.store",
    "Task": "attnprobe.task",
    "export_weights": "attnprobe.foreign.export",
    "fit": "attnprobe.training.reference",
    "import_weights": "attnprobe.foreign.importing",
    "make_batch": "attnprobe.task",
    "open_run": "attnprobe.store",
    "train": "attnprobe.training.batch",
}

__all__ = [
    "AttentionModel",
    "AttnprobeError",
    "Circuit",
    "Config",
    "Outcome",
    "Population",
    "Run",
    "Task",
    "export_weights",
    "fit",
    "import_weights",
    "make_batch",
    "open_run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'attnprobe' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
