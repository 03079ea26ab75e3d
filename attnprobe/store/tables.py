"""A table as one Parquet file, and back: with limits, because a small file can claim to be a very large table."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from attnprobe.errors import AttnprobeError, did_you_mean, shown
from attnprobe.schema import DTYPES, Schema

__all__ = ["decode", "encode"]

ROWS_A_GROUP = 100_000
LONGEST_TEXT = 1000  # characters of a text in a cell
LONGEST_NAME = 100  # characters of a column's name
LONGEST_HEADER = 16 * 2**20  # bytes of one piece of a file's own description
MOST_PARTS = 1_000_000  # of a list in it


def encode(schema: Schema, frame: pd.DataFrame) -> bytes:
    """A frame, checked against its schema, as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(
        schema.table(frame), buffer, compression="zstd", row_group_size=ROWS_A_GROUP, write_page_checksum=True
    )
    return buffer.getvalue()


def decode(name: str, data: bytes, most_rows: int, columns: list[str] | None = None) -> pd.DataFrame:
    """The frame that a file holds, or some of its columns.

    Raises
    ------
    AttnprobeError
        When there is no such column, or the file is no such table, or larger than a table of this run can be.
    """
    try:
        file = _opened(data)
        _check(file, most_rows)
        unknown = [column for column in columns or [] if column not in file.schema_arrow.names]
        if unknown:
            raise AttnprobeError(
                f"Table {name!r} has no column {unknown[0]!r}."
                f"{did_you_mean(unknown[0], file.schema_arrow.names)} "
                f"Its columns are: {', '.join(file.schema_arrow.names)}."
            )
        frame: pd.DataFrame = _plain(file.read(columns=columns)).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, AttnprobeError):
            raise
        raise AttnprobeError(
            f"Table {name!r} cannot be read ({shown(str(error))}). Compute it again: attnprobe analyze RUN {name}"
        ) from None
    return frame


def _opened(data: bytes) -> pq.ParquetFile:
    def opened(**more: object) -> pq.ParquetFile:
        return pq.ParquetFile(
            io.BytesIO(data),
            page_checksum_verification=True,
            thrift_string_size_limit=LONGEST_HEADER,
            thrift_container_size_limit=MOST_PARTS,
            **more,
        )

    texts = [field.name for field in opened().schema_arrow if pa.types.is_string(field.type)]
    return opened(read_dictionary=texts)  # each text once, however often it occurs


def _check(file: pq.ParquetFile, most_rows: int) -> None:
    rows = file.metadata.num_rows
    if not 0 <= rows <= most_rows:
        raise ValueError(f"it claims {rows:,} rows; a table of this run has at most {most_rows:,}")
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        raise ValueError("two of its columns have the same name")
    for field in file.schema_arrow:
        if not (field.name.isidentifier() and field.name.isascii() and len(field.name) <= LONGEST_NAME):
            raise ValueError(f"it has a column {shown(field.name)}, which no table has")
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if kind not in DTYPES.values() or (kind != field.type and not pa.types.is_string(kind)):
            raise ValueError(f"its column {field.name!r} is {shown(str(field.type))}, which no column of a table is")


def _plain(table: pa.Table) -> pa.Table:
    """Texts as texts, after a look at how long they are; nothing is missing but numbers that are not whole."""
    table = table.replace_schema_metadata(None)  # it may tell pandas anything
    for place, field in enumerate(table.schema):
        if table.column(place).null_count and not pa.types.is_floating(field.type):
            raise ValueError(f"its column {field.name!r} has missing values")
        if pa.types.is_dictionary(field.type):
            column = table.column(place)
            texts = (text for chunk in column.chunks for text in chunk.dictionary.to_pylist() if text)
            if any(len(text) > LONGEST_TEXT for text in texts):
                raise ValueError(f"its column {field.name!r} holds a text of more than {LONGEST_TEXT:,} characters")
            plain = pa.field(field.name, pa.string(), metadata=field.metadata)
            table = table.set_column(place, plain, column.cast(pa.string()))
    return table
