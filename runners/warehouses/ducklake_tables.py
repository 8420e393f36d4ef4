"""Tables and views of a DuckLake: made with their comments, and widened as definitions grow."""

import re
from collections.abc import Iterable, Mapping

import duckdb
import pyarrow as pa

from runners.warehouses.lake import Lake, named, quoted
from runners.warehouses.tables import INSTANT, Table
from runners.warehouses.views import MEMBERS_AS_OF, View
from schemas.errors import CallError
from transforms.faults import reach


def make(lake: Lake, tables: Iterable[Table], views: Iterable[View]) -> None:
    """Make them with their comments; views that are there are made anew, and as_of(T, K) is."""
    for table in tables:
        columns = ", ".join(f"{named(name)} {type_}" for name, type_ in sql_types(table.schema).items())
        lake.run(f"CREATE TABLE {table.name} ({columns})")
        lake.run(f"COMMENT ON TABLE {table.name} IS {quoted(table.comment)}")
        for column in table.schema.names:
            _explain(lake, table.name, column, table.comments[column])
        if table.partition:
            lake.run(f"ALTER TABLE {table.name} SET PARTITIONED BY ({table.partition})")
        reach("table_made")
    for view in views:
        lake.run(f"CREATE OR REPLACE VIEW {view.name} AS {view.sql}")
        lake.run(f"COMMENT ON VIEW {view.name} IS {quoted(view.text)}")
    lake.run(f"CREATE OR REPLACE MACRO as_of(t, k) AS TABLE {MEMBERS_AS_OF}")


def widen(lake: Lake, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> None:
    """Add the columns that `table` lacks and widen those whose type has grown; rows that are there hold null.

    Errors: CallError where a column's type has changed into one that does not hold its values.
    """
    there = lake.columns(table)
    for name, wanted in sql_types(pa.schema(columns.items())).items():
        meaning = comments.get(name, f"`{name}`, as the definitions declare it")
        before, told = there.get(name, (None, None))
        if before is None:
            lake.run(f"ALTER TABLE {table} ADD COLUMN {named(name)} {wanted}")
        elif before != wanted:
            _promote(lake, table, name, before, wanted)
        if told != meaning:
            _explain(lake, table, name, meaning)


def _promote(lake: Lake, table: str, column: str, before: str, wanted: str) -> None:
    """Widen a column; a decimal that already holds more than is wanted stays as it is."""
    if holds(before, wanted):
        return
    try:
        lake.run(f"ALTER TABLE {table} ALTER COLUMN {named(column)} SET DATA TYPE {wanted}")
    except duckdb.CatalogException as error:
        raise CallError(
            "SEG-0606",
            f"column `{column}` of `{table}` is {before} in the warehouse and {wanted} in the definitions",
            "give it another name, or publish into a new warehouse",
        ) from error


def holds(wide: str, narrow: str) -> bool:
    """Whether a type, as SQL writes it, is a decimal that holds all of another."""
    found = [re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", text) for text in (wide, narrow)]
    if not all(found):
        return False
    (width, scale), (narrow_width, narrow_scale) = (map(int, match.groups()) for match in found if match)
    return narrow_scale <= scale and narrow_width - narrow_scale <= width - scale


def _explain(lake: Lake, table: str, column: str, comment: str) -> None:
    lake.run(f"COMMENT ON COLUMN {table}.{named(column)} IS {quoted(comment)}")


def sql_types(schema: pa.Schema) -> dict[str, str]:
    """Column -> DuckDB type."""
    return {column.name: sql_type(column.type) for column in schema}


def sql_type(kind: pa.DataType) -> str:
    """The DuckDB type of an Arrow type."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_fixed_size_binary(kind):
        return "BLOB"
    return _SQL_TYPES[kind]


_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    INSTANT: "TIMESTAMP WITH TIME ZONE",
}
