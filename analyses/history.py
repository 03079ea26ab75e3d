"""How did the loss fall? The losses recorded in training, as one table."""

from __future__ import annotations

import pandas as pd

from analyses.analysis import Analysis, Tables
from attnprobe.store import HISTORY, Run


def compute(run: Run, tables: Tables) -> pd.DataFrame:
    """Gather the shards' histories."""
    return run.history()


ANALYSES = (Analysis("How did the loss fall?", HISTORY, compute),)
