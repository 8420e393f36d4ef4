"""Rows of tables as raw records."""

from collections.abc import Iterator

import pyarrow as pa

from schemas.record import USUAL_RECORD, Offset, RawChunk, TableRows


def chunks(one: TableRows, numbered: Iterator[tuple[pa.RecordBatch, pa.Int64Array]]) -> Iterator[RawChunk]:
    """Rows and their numbers as chunks; one without any, where there are none: they are read nonetheless."""
    none, done, is_any = pa.array([], pa.binary()), 0, False
    for rows, numbers in numbered:
        done, is_any = done + rows.num_rows, True
        first = numbers[0].as_py() if rows.num_rows else one.start
        more = {"after": Offset(one.end), "passed": done * USUAL_RECORD}
        yield RawChunk(one.source, one.file, "parquet", first, none, rows, numbers=numbers, **more)
    if not is_any:
        yield RawChunk(one.source, one.file, "ndjson", one.start, none, after=Offset(one.end), numbers=pa.array([], pa.int64()))
