"""The hash of what a record says (semantics 2.6)."""

import binascii
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.expression import quoted
from transforms.columns import content_of, whole_of
from transforms.in_order import PLACE, in_order

_SPACE, _QUOTE, _BACKSLASH = 32, 34, 92
_PLAIN_SCALE = 6
"""Digits behind the point up to which a decimal is never written with an exponent."""


def content_hash(said: Mapping[str, pa.ChunkedArray], con: duckdb.DuckDBPyConnection) -> pa.Array:
    """SHA-256 of each row as canonical JSON: sorted keys, null for none, instants in microseconds, decimals as text."""
    rows = _objects({name: said[name].combine_chunks() for name in sorted(said)}, con)
    hashed = in_order(con, pa.table({"text": rows}), f"SELECT {PLACE}, sha256(text) AS hash FROM rows")["hash"]
    digests = binascii.unhexlify(whole_of(hashed.combine_chunks()))
    return pa.Array.from_buffers(pa.binary(32), len(rows), [None, pa.py_buffer(digests)])


def _objects(columns: Mapping[str, pa.Array], con: duckdb.DuckDBPyConnection) -> pa.StringArray:
    """Each row as a JSON object."""
    texts = {name: text for name, column in columns.items() if (text := _plain(column)) is not None}
    left = {name: column for name, column in columns.items() if name not in texts}
    if left:
        asked = ", ".join(f"{_json(name, column.type)} AS {quoted(name)}" for name, column in left.items())
        written = in_order(con, pa.table(left), f"SELECT {PLACE}, {asked} FROM rows")
        texts |= {name: (written[name].combine_chunks(), "") for name in left}
    parts: list[pa.Array | str] = []
    before = "{"
    for name in columns:
        text, quote = texts[name]
        parts += [f'{before}"{name}":{quote}', text]
        before = f"{quote},"
    return pc.binary_join_element_wise(*parts, before[:-1] + "}", "", null_handling="replace", null_replacement="null")


def _plain(column: pa.Array) -> tuple[pa.StringArray, str] | None:
    """The values as JSON, null for none, and the quote still to be set around them. None where the engine must write them."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.int64()).cast(pa.string()), ""
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string()), ""
    if pa.types.is_decimal(kind) and kind.scale <= _PLAIN_SCALE and kind.scale < kind.precision:
        return _in_quotes(column.cast(pa.string()))
    return _in_quotes(column) if pa.types.is_string(kind) and not _needs_escapes(column) else None


def _in_quotes(text: pa.StringArray) -> tuple[pa.StringArray, str]:
    return (pc.binary_join_element_wise('"', text, '"', ""), "") if text.null_count else (text, '"')


def _needs_escapes(text: pa.StringArray) -> bool:
    content = content_of(text)
    return bool(((content < _SPACE) | (content == _QUOTE) | (content == _BACKSLASH)).any())


def _json(name: str, kind: pa.DataType) -> str:
    """The value of a column as JSON text, null where there is none."""
    column = quoted(name)
    if pa.types.is_decimal(kind) or pa.types.is_date(kind):
        return f"'\"' || CAST({column} AS VARCHAR) || '\"'"
    return f"CAST(to_json({column}) AS VARCHAR)"
