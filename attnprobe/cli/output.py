"""What commands print, and the rows of a query as a readable table, CSV, JSON or Parquet."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attnprobe.cli import standard
from attnprobe.errors import AttnprobeError, printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["format_of", "put", "say"]

FORMATS = ("table", "csv", "json", "parquet")
MOST_ROWS = 40


def say(quiet: bool, *lines: str) -> None:
    if not quiet:
        print(printable("\n".join(lines)), flush=True)


def format_of(asked: str | None, out: Path | None) -> str:
    """The output format that was asked for, or that fits the place the output goes to."""
    if asked is None and out is not None:
        asked = out.suffix.removeprefix(".").lower()
        if asked not in FORMATS:
            raise AttnprobeError(f"--out {str(out)!r}: the ending says no format. Give --format csv, json or parquet.")
    if out is None and 1 in standard.closed:
        raise AttnprobeError("Standard output is closed: give --out FILE.")
    kind = asked or ("table" if sys.stdout.isatty() else "csv")
    if kind not in FORMATS:
        raise AttnprobeError(f"--format {kind!r} is not allowed: it must be one of {', '.join(FORMATS)}.")
    if kind == "parquet" and out is None and sys.stdout.isatty():
        raise AttnprobeError("--format parquet is not for a terminal: give --out FILE, or send it into a pipe.")
    return kind


def put(frame: pd.DataFrame, kind: str, out: Path | None) -> None:
    from attnprobe.files import write_bytes

    data = _encoded(frame, kind)
    if out is not None:
        write_bytes(out, data)
        print(f"{len(frame):,} rows written to {printable(str(out))}", file=sys.stderr)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # `attnprobe query ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if kind == "table" and len(frame) > MOST_ROWS:
        print(f"({len(frame):,} rows, {MOST_ROWS} shown; --format csv gives all)", file=sys.stderr)


def _encoded(frame: pd.DataFrame, kind: str) -> bytes:
    if kind == "csv":
        return frame.to_csv(index=False, lineterminator="\n").encode()
    if kind == "json":
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")  # every digit; null for no number
        return (json.dumps(rows, indent=1) + "\n").encode()
    if kind == "parquet":
        return bytes(frame.to_parquet(index=False))
    width = os.get_terminal_size().columns if sys.stdout.isatty() else None
    text = frame.to_string(
        index=False, max_rows=MOST_ROWS, line_width=width, float_format=lambda x: f"{x:.6g}", na_rep="-"
    )
    return (text + "\n").encode()
