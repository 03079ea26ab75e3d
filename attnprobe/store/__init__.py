"""A run folder: what was trained and what was computed from it, written whole and checked when read.

    run.json                   settings, versions, and the size and SHA-256 of every file below (``manifest``)
    shards/NAME.safetensors    weights and loss history of some seeds (``shards``)
    tables/NAME.parquet        what the analyses found (``tables``)
    figures/, report.pdf       what the reports drew

A file counts once ``run.json`` names it, so a crash leaves the folder as it was before (``folder``); one process
at a time may write (``lock``). :class:`Run` is what users hold.
"""

from attnprobe.store.manifest import Manifest, Source
from attnprobe.store.opening import create_run, open_run
from attnprobe.store.run import HISTORY, Run
from attnprobe.store.shards import Shard

__all__ = ["HISTORY", "Manifest", "Run", "Shard", "Source", "create_run", "open_run"]
