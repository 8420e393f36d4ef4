"""Fields and properties of a source: expressions over raw columns, each value of its type or flagged as bad."""

import re
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import quoted
from schemas.definitions.source import INSTANTS, Field, Source
from transforms.in_order import PLACE, in_order
from transforms.instants import in_range_sql, instant_sql
from transforms.typed import quick_values, typed_sql

_TYPES = {"purpose_major": DataType("int"), "retroactive": DataType("bool"), "value": DataType("float")}
_NUMBERS = ("int", "float", "decimal")
_LARGEST_MAJOR = 2**31 - 1
_CAST = re.compile(
    r"""('(?:[^']|'')*')|CAST\(("(?:[^"]|"")+") AS ([A-Z]+(?: WITH TIME ZONE)?(?:\([0-9]+,[0-9]+\))?)\)"""
)
_NAME = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")+)\"""")
"""A text, or a name and what it is."""


def _paths_of(source: Source) -> list[str]:
    """The raw paths that a source reads, sorted."""
    fields, properties = source.fields.values(), source.properties.values()
    expressions = [*(one.expression for one in fields), *(one.expression for one in properties)]
    paths = {path for expression in expressions for path in expression.paths}
    return sorted(paths | {use.on for use in source.lookups.values()})


def kinds_of(source: Source) -> dict[str, str]:
    """What the raw paths are read as: `number` or `list`, each where nothing else reads them; all others are texts."""
    found: dict[str, set[str]] = {path: set() for path in _paths_of(source)}
    for one, kind in _wanted(source).values():
        name = "list" if kind.item else "number" if kind.kind in _NUMBERS else "text"
        for path in one.expression.paths:
            found[path].add(name if _plain(one) else "text")
    return {path: names.pop() if len(names) == 1 else "text" for path, names in found.items()}


def typed_columns(raw: pa.Table, source: Source, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The fields `f:name`, properties `p:name` and lookup keys `k:name` of all rows.

    `bad:…` beside them flags values that are not of their type, `naive:…` instants without an offset; where there is no
    such column, there is no such value. Instants are int64 microseconds, as if UTC.
    """
    wanted = _wanted(source)
    quick = {name: value for name, (one, kind) in wanted.items() if (value := _quick(raw, name, one, kind)) is not None}
    left = {name: one for name, one in wanted.items() if name not in quick}
    found = pa.table(quick) if quick else None
    if left or source.lookups:
        # The engine does not tell `ID` from `id`: it sees raw columns by their number.
        numbered = raw.rename_columns([_number(raw.schema, path) for path in raw.column_names])
        slow = _computed(numbered, _sql(left, source, raw.schema), con)
        keys = {f"k:{_number(raw.schema, use.on)}": f"k:{use.on}" for use in source.lookups.values()}
        slow = slow.rename_columns([keys.get(name, name) for name in slow.column_names])
        found = slow if found is None else pa.table([*found.columns, *slow.columns], [*quick, *slow.column_names])
    return found if found is not None else pa.table({"_": pa.nulls(len(raw))})


def _wanted(source: Source) -> dict[str, tuple[Field, DataType]]:
    """Every column that is asked for, and its type."""
    kinds = {name: DataType("timestamp") for name in INSTANTS} | _TYPES
    fields = {f"f:{name}": (one, kinds.get(name, DataType("string"))) for name, one in source.fields.items()}
    properties = {f"p:{name}": (Field(one.expression), one.type) for name, one in source.properties.items()}
    return fields | properties


def _quick(raw: pa.Table, name: str, one: Field, kind: DataType) -> pa.Array | None:
    """The values of a plain column of text that are all written plainly; None where the engine must look at them."""
    plain = _plain(one)
    is_text = plain is not None and pa.types.is_string(raw.schema.field(plain).type)
    if not is_text or one.format != "iso" or name == "f:purpose_major":
        return None
    return quick_values(raw[plain].combine_chunks(), kind)


def _plain(one: Field) -> str | None:
    """The column that an expression is, where it is only that."""
    path = next(iter(one.expression.paths), "")
    return path if one.expression.sql == quoted(path) else None


def _computed(raw: pa.Table, sql: str, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Run the query. Where an expression fails on a value, look for the row by halves and flag it as bad."""
    try:
        return in_order(con, raw, sql)
    except (duckdb.DataError, duckdb.InvalidInputException, UnicodeDecodeError):  # a message cut within a character
        if len(raw) > 1:
            half = len(raw) // 2
            return pa.concat_tables([_computed(part, sql, con) for part in (raw.slice(0, half), raw.slice(half))])
        schema = in_order(con, raw.slice(0, 0), sql).schema
        return pa.table([_of_bad_row(column) for column in schema], schema=schema)


def _of_bad_row(column: pa.Field) -> pa.Array:
    """What stands for a value of a row that could not be computed: flagged as bad, and not as missing."""
    if column.name.startswith("bad:"):
        return pa.array([True])
    return pa.array(["?"]) if pa.types.is_string(column.type) else pa.nulls(1, column.type)


def _number(raw: pa.Schema, path: str) -> str:
    return f"c{raw.get_field_index(path)}"


def _numbered(sql: str, raw: pa.Schema) -> str:
    """An expression with the numbers of raw columns in place of their names."""
    return _NAME.sub(lambda found: found[0] if found[1] is None else quoted(_number(raw, found[1].replace('""', '"'))), sql)


def _sql(wanted: Mapping[str, tuple[Field, DataType]], source: Source, raw: pa.Schema) -> str:
    texts, typed = [PLACE], [PLACE]
    for name, (one, kind) in wanted.items():
        _add(name, one, kind, source, raw, texts, typed)
    for use in source.lookups.values():
        number = _number(raw, use.on)
        texts.append(f"{number} AS {quoted('k:' + number)}")
        typed.append(quoted("k:" + number))
    shown = "".join(
        f", {_shown(f'c{index}', one.type)} AS c{index}, c{index} AS {quoted(f'r:c{index}')}" for index, one in enumerate(raw)
    )
    inner = f"SELECT {', '.join(dict.fromkeys(texts))} FROM (SELECT {PLACE}{shown} FROM rows)"
    return f"SELECT {', '.join(dict.fromkeys(typed))} FROM ({inner})"


def _shown(name: str, kind: pa.DataType) -> str:
    """A raw column as text; one that has a type is written first."""
    if pa.types.is_string(kind):
        return name
    return f"CAST(to_json({name}) AS VARCHAR)" if pa.types.is_nested(kind) else f"CAST({name} AS VARCHAR)"


def _add(
    name: str,
    one: Field,
    kind: DataType,
    source: Source,
    raw: pa.Schema,
    texts: list[str],
    typed: list[str],
) -> None:
    """Say how a column is read. A plain column that has its type already is taken as it is."""
    place, bad, naive = quoted(name), quoted("bad:" + name), quoted("naive:" + name)
    plain = _plain(one)
    if plain is not None and raw.field(plain).type == kind.arrow and kind.kind not in ("float", "int"):
        texts.append(f"{quoted('r:' + _number(raw, plain))} AS {place}")
        typed.append(place if kind.kind != "timestamp" else f"{in_range_sql(f'epoch_us({place})')} AS {place}")
        if kind.kind == "timestamp":
            typed.append(f"({place} IS NOT NULL AND {in_range_sql(f'epoch_us({place})')} IS NULL) AS {bad}")
        return
    text, failed = _forgiving(_numbered(one.expression.sql, raw))
    texts += [f"CAST({text} AS VARCHAR) AS {place}", *([f"({failed}) AS {quoted('failed:' + name)}"] if failed else [])]
    wrong = f"{place} IS NOT NULL OR {quoted('failed:' + name)}" if failed else f"{place} IS NOT NULL"
    if kind.kind == "timestamp":
        value, is_naive = instant_sql(place, one.format)
        if (one.timezone or source.timezone) != "UTC":
            typed.append(f"coalesce({is_naive}, false) AS {naive}")
    else:
        value = typed_sql(place, kind)
    if name == "f:purpose_major":
        value = f"CASE WHEN {value} BETWEEN 0 AND {_LARGEST_MAJOR} THEN {value} END"
    typed += [f"{value} AS {place}", f"(({wrong}) AND {value} IS NULL) AS {bad}"]


def _forgiving(sql: str) -> tuple[str, str]:
    """An expression with casts of columns that give null where they fail, and whether one of them does."""
    casts = [(found[2], found[3]) for found in _CAST.finditer(sql) if found[1] is None]
    text = _CAST.sub(lambda found: found[0] if found[1] is not None else f"TRY_{found[0]}", sql)
    return text, " OR ".join(
        f"({column} IS NOT NULL AND TRY_CAST({column} AS {kind}) IS NULL)" for column, kind in casts
    )
