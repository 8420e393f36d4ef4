"""Raw records as columns of text: JSON lines, CSV and Parquet rows, each bad record told from the good ones."""

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.record import RawChunk
from transforms.algebra.order import Flags
from transforms.columns import MALFORMED, Columns
from transforms.raw_csv import of_csv
from transforms.raw_json import of_json

_BINARY = pa.large_binary()


def columns(chunk: RawChunk, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> Columns:
    """Read the paths (names, nested ones with dots) of every record of a chunk, each read as `text`, `number` or `list`."""
    if chunk.rows is not None:
        return _of_rows(chunk.rows, list(paths))
    return of_csv(chunk, list(paths)) if chunk.format == "csv" else of_json(chunk.records, paths, con)


def _of_rows(rows: pa.RecordBatch, paths: Sequence[str]) -> Columns:
    names = rows.schema.names
    there = {name: rows.column(index) for index, name in enumerate(names)}
    found = {path: _nested(there, path, rows.num_rows) for path in paths}
    used = {path.split(".")[0] for path in paths} | set(paths)
    table = pa.table(found) if found else pa.table({"_": pa.nulls(rows.num_rows)})
    unread = [name for name in names if name not in used]
    code = np.full(rows.num_rows, -1, np.int64)
    for column in found.values():
        code[_no_text(column)] = MALFORMED
    good = table if (code < 0).all() else table.filter(pa.array(code < 0))
    within = {path for field in rows.schema for path in _within(field.type, field.name)}
    return Columns(good, code, len(good) * len(unread), frozenset(unread) | within.difference(paths))


def _within(kind: pa.DataType, above: str) -> Iterator[str]:
    """The paths below a struct."""
    for field in kind if pa.types.is_struct(kind) else ():
        yield f"{above}.{field.name}"
        yield from _within(field.type, f"{above}.{field.name}")


def _no_text(column: pa.Array) -> Flags:
    """The rows in which a text is not UTF-8 or holds NUL, as no text of other formats may."""
    wrong = np.zeros(len(column), np.bool_)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        wrong |= np.asarray(pc.fill_null(pc.match_substring(column.cast(_BINARY), b"\0"), False)).astype(np.bool_)
    if not _is_valid(column):
        wrong |= np.array([not _is_valid(column.slice(row, 1)) for row in range(len(column))])
    return wrong


def _is_valid(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _nested(there: Mapping[str, pa.Array], path: str, count: int) -> pa.Array:
    if path in there:
        return _plain(there[path])
    head, *rest = path.split(".")
    column = there.get(head)
    for name in rest:
        known = column is not None and pa.types.is_struct(column.type) and column.type.get_field_index(name) >= 0
        column = pc.struct_field(column, name) if known else None
    return pa.nulls(count, pa.string()) if column is None else _plain(column)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
