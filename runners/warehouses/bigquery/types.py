"""What BigQuery holds of each Arrow type, both ways. It knows no null lists: beside the row it is said which are null."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud.bigquery import SchemaField

ABSENT = "absent_lists"
"""The column that names a row's lists that are null, with commas around each."""
ABSENT_COMMENT = "Internal, may change in any version. The lists of this row that are null, for BigQuery stores those as empty."
_INSTANT = pa.timestamp("us", tz="UTC")
_NAMES = {
    pa.string(): "STRING",
    pa.bool_(): "BOOL",
    pa.int32(): "INT64",
    pa.int64(): "INT64",
    pa.float64(): "FLOAT64",
    pa.binary(): "BYTES",
    pa.date32(): "DATE",
    _INSTANT: "TIMESTAMP",
}
_KINDS = {
    "STRING": pa.string(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": _INSTANT,
    **{name: kind for kind, name in _NAMES.items() if kind != pa.int32()},
}
_WHOLE = 29
"""Digits before the point that NUMERIC holds; a sum of 38 digits is NUMERIC too, as BigQuery's own sums are."""
_FINE = 9
"""Digits behind it."""
_WIDEST = 38


def fields_of(schema: pa.Schema, comments: Mapping[str, str]) -> list[SchemaField]:
    """The columns of a table."""
    fields = [field_of(column.name, column.type, comments.get(column.name, "")) for column in schema]
    return [*fields, *absent_of(fields)]


def absent_of(fields: Iterable[SchemaField]) -> list[SchemaField]:
    """The column that tells of null lists, where there are any lists and it is not there."""
    names = {one.name for one in fields if one.mode == "REPEATED" or one.name == ABSENT}
    return [SchemaField(ABSENT, "STRING", description=ABSENT_COMMENT)] if names and ABSENT not in names else []


def field_of(name: str, kind: pa.DataType, comment: str) -> SchemaField:
    """A column of a type."""
    mode = "REPEATED" if pa.types.is_list(kind) else "NULLABLE"
    value = kind.value_type if pa.types.is_list(kind) else kind
    if pa.types.is_decimal(value):
        type_, precision, scale = _numeric(value.precision, value.scale)
        return SchemaField(name, type_, mode, description=comment, precision=precision, scale=scale)
    return SchemaField(name, _name(value), mode, description=comment)


def _numeric(precision: int, scale: int) -> tuple[str, int, int]:
    if scale <= _FINE and (precision - scale <= _WHOLE or precision == _WIDEST):
        return "NUMERIC", min(precision, _WHOLE + scale), scale
    return "BIGNUMERIC", precision, scale


def _name(kind: pa.DataType) -> str:
    return "BYTES" if pa.types.is_fixed_size_binary(kind) else _NAMES[kind]


def arrow_of(fields: Sequence[SchemaField]) -> pa.Schema:
    """The columns of a table as they are told; what tells of null lists is not."""
    return pa.schema([(one.name, _kind(one)) for one in fields if one.name != ABSENT])


def _kind(field: SchemaField) -> pa.DataType:
    value = _decimal(field) if field.field_type.endswith("NUMERIC") else _KINDS[field.field_type]
    return pa.list_(value) if field.mode == "REPEATED" else value


def _decimal(field: SchemaField) -> pa.DataType:
    """A decimal of the declared scale; as wide as sums are, where its digits are those of one."""
    scale = _FINE if field.scale is None else field.scale
    precision = _WIDEST if field.precision in (None, _WHOLE + scale) else field.precision
    return pa.decimal128(precision, scale)


def text_of(field: SchemaField) -> str:
    """The type of a column, as SQL writes it."""
    exact = f"({field.precision}, {field.scale})" if field.precision else ""
    return f"ARRAY<{field.field_type}{exact}>" if field.mode == "REPEATED" else f"{field.field_type}{exact}"


def stored(rows: pa.Table) -> pa.Table:
    """Rows as BigQuery takes them: null lists are empty, and named."""
    lists = [column.name for column in rows.schema if pa.types.is_list(column.type)]
    if not lists:
        return rows
    named = [pc.if_else(pc.is_null(rows[name]), f",{name},", "") for name in lists]
    absent = pc.binary_join_element_wise(*named, "")
    for name in lists:
        empty = pa.scalar([], rows.schema.field(name).type)
        rows = rows.set_column(rows.column_names.index(name), name, pc.fill_null(rows[name], empty))
    return rows.append_column(ABSENT, absent)


def restored(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows as they were before, with the columns and types of `schema`."""
    columns = [rows[name] for name in schema.names]
    if ABSENT in rows.column_names:
        columns = [_null_again(rows, name) if pa.types.is_list(rows[name].type) else rows[name] for name in schema.names]
    return pa.table(columns, names=schema.names).cast(schema)


def _null_again(rows: pa.Table, name: str) -> pa.ChunkedArray:
    is_null = pc.fill_null(pc.match_substring(rows[ABSENT], f",{name},"), False)
    return pc.if_else(is_null, pa.scalar(None, rows[name].type), rows[name])
