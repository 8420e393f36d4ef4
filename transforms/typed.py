"""Text to declared types, checked as written, and the hash of a record's content."""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import quoted
from transforms.instants import instant_sql

_INT = "[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"


def typed_sql(text: str, kind: DataType) -> str:
    """An expression over a text: its value of the type, null where it is none. `3.0` is not an int."""
    if kind.kind == "string":
        return text
    if kind.kind == "int":
        return f"CASE WHEN regexp_full_match({text}, '{_INT}') THEN TRY_CAST({text} AS BIGINT) END"
    if kind.kind == "bool":
        return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind.kind == "date":
        return (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN TRY_CAST({text} AS DATE) END"
        )
    if kind.kind == "timestamp":
        return instant_sql(text, "iso")[0]
    if kind.item is not None:
        return _list_sql(text, kind.item)
    value = f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN TRY_CAST({text} AS {kind.duckdb}) END"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if kind.kind == "float" else value


def _list_sql(text: str, item: DataType) -> str:
    """A list is written as JSON; one bad item makes the whole list bad."""
    items = f"TRY_CAST(TRY_CAST({text} AS JSON) AS VARCHAR[])"
    made = f"list_transform({items}, lambda x: {typed_sql('x', item)})"
    good = f"len(list_filter({items}, lambda x: x IS NULL OR ({typed_sql('x', item)}) IS NOT NULL)) = len({items})"
    return f"CASE WHEN json_valid({text}) AND json_type({text}) = 'ARRAY' AND {good} THEN {made} END"


def normal_sql(column: str, steps: Sequence[str]) -> str:
    """Ids made equal: `trim` and `lower`, in order."""
    for step in steps:
        column = f"{step}({column})"
    return column


def content_hash(said: Mapping[str, pa.ChunkedArray], con: duckdb.DuckDBPyConnection) -> pa.ChunkedArray:
    """SHA-256 of each row as canonical JSON: sorted keys, null for none, instants in microseconds, decimals as text."""
    parts = [
        f"'{',' if index else '{'}\"{name}\":' || {_json(name, said[name].type)}"
        for index, name in enumerate(sorted(said))
    ]
    con.register("said", pa.table(dict(said)))
    sql = f"SELECT unhex(sha256({' || '.join(parts)} || '}}')) AS hash FROM said"
    column = con.execute(sql).to_arrow_table()["hash"]
    con.unregister("said")
    return column.cast(pa.binary()).cast(pa.binary(32))


def _json(name: str, kind: pa.DataType) -> str:
    """The value of a column as JSON text; `null` where there is none."""
    column = quoted(name)
    if pa.types.is_timestamp(kind):
        text = f"CAST(epoch_us({column}) AS VARCHAR)"
    elif pa.types.is_decimal(kind) or pa.types.is_date(kind):
        text = f"'\"' || CAST({column} AS VARCHAR) || '\"'"
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        text = f"CAST({column} AS VARCHAR)"
    else:
        text = f"CAST(to_json({column}) AS VARCHAR)"
    return f"coalesce({text}, 'null')"
