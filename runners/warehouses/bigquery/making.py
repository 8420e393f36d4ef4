"""Tables and views of a BigQuery dataset: made with their descriptions, and widened as definitions grow."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import sqlglot
from google.cloud import bigquery

from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, Clients
from runners.warehouses.bigquery.layout import LAYOUTS, Layout
from runners.warehouses.bigquery.types import absent_of, arrow_of, field_of, fields_of, text_of
from runners.warehouses.ducklake_tables import holds, sql_type
from runners.warehouses.tables import Table
from runners.warehouses.views import View
from schemas.errors import CallError

GUARD = "published_run"
"""The table whose one row names the last published run: who publishes changes it, so that no two do at once."""
_GUARD_COMMENT = "Internal, may change in any version. Its one row names the last published run; a commit replaces it."
TRAVEL_H = 48
"""For how long BigQuery keeps what was deleted."""

# Days are listed otherwise than DuckDB lists them.
_SIZES = """
WITH moves AS (
  SELECT segment, version, DATE(`at`) AS day, COUNTIF(member) AS entered, COUNTIF(NOT member) AS exited
  FROM segment_transitions WHERE known_to IS NULL GROUP BY segment, version, day
), last_run AS (
  SELECT DATE(t) AS day FROM run_manifest ORDER BY k DESC LIMIT 1
), spans AS (
  SELECT v.segment, v.version, COALESCE(MIN(m.day), MAX(r.day)) AS first_day, MAX(r.day) AS last_day
  FROM segment_versions v CROSS JOIN last_run r
  LEFT JOIN moves m ON m.segment = v.segment AND m.version = v.version
  WHERE v.`current` GROUP BY v.segment, v.version
), days AS (
  SELECT segment, version, day FROM spans, UNNEST(GENERATE_DATE_ARRAY(first_day, GREATEST(first_day, last_day))) AS day
)
SELECT d.day, d.segment, d.version,
       SUM(COALESCE(m.entered, 0) - COALESCE(m.exited, 0)) OVER (PARTITION BY d.segment, d.version ORDER BY d.day) AS members,
       COALESCE(m.entered, 0) AS entered, COALESCE(m.exited, 0) AS exited
FROM days d
LEFT JOIN moves m ON m.segment = d.segment AND m.version = d.version AND m.day = d.day
"""
_OWN = {"segment_sizes": _SIZES}


def make_dataset(clients: Clients, location: str) -> None:
    """Make the dataset if it is not there."""
    wanted = bigquery.Dataset(f"{clients.project}.{clients.dataset}")
    wanted.max_time_travel_hours = TRAVEL_H
    if location:
        wanted.location = location
    clients.rest.create_dataset(wanted, exists_ok=True, retry=AGAIN, timeout=TIMEOUT_S)


def make_tables(clients: Clients, tables: Iterable[Table]) -> None:
    """Make tables that are not there yet."""
    for table in tables:
        layout = LAYOUTS.get(table.name, Layout())
        wanted = bigquery.Table(clients.reference(table.name), fields_of(table.schema, table.comments))
        wanted.description = table.comment
        wanted.time_partitioning = layout.partitioning
        wanted.clustering_fields = list(layout.clustered) or None
        clients.rest.create_table(wanted, exists_ok=True, retry=AGAIN, timeout=TIMEOUT_S)


def make_guard(clients: Clients) -> None:
    """Make the guard with its one row: who comes second finds it made."""
    said = f"CREATE TABLE IF NOT EXISTS {clients.sql(GUARD)} AS SELECT '' AS run_id"
    clients.rest.query(said, job_retry=None, retry=AGAIN).result(retry=AGAIN)
    made = bigquery.Table(clients.reference(GUARD))
    made.description = _GUARD_COMMENT
    clients.rest.update_table(made, ["description"], retry=AGAIN, timeout=TIMEOUT_S)


def make_views(clients: Clients, views: Iterable[View]) -> None:
    """Make views, or make them anew."""
    for view in views:
        wanted = bigquery.Table(clients.reference(view.name))
        wanted.view_query = view_query(clients, view)
        wanted.description = view.text
        clients.rest.delete_table(wanted, not_found_ok=True, retry=AGAIN, timeout=TIMEOUT_S)
        clients.rest.create_table(wanted, exists_ok=True, retry=AGAIN, timeout=TIMEOUT_S)


def view_query(clients: Clients, view: View) -> str:
    """The query of a view in BigQuery's dialect, its tables with their full names."""
    read = "bigquery" if view.name in _OWN else "duckdb"
    tree = sqlglot.parse_one(_OWN.get(view.name, view.sql), read=read)
    common = {one.alias for one in tree.find_all(sqlglot.exp.CTE)}
    for table in tree.find_all(sqlglot.exp.Table):
        if table.name and table.name not in common:
            table.set("db", sqlglot.to_identifier(clients.dataset, quoted=True))
            table.set("catalog", sqlglot.to_identifier(clients.project, quoted=True))
    return tree.sql("bigquery", unsupported_level=sqlglot.ErrorLevel.IGNORE)  # where nulls come last, of what is never null


def widen(clients: Clients, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> bool:
    """Add the columns that a table lacks, widen those whose type has grown, and say what they are; whether any did.

    Errors: CallError where a column's type has changed into one that does not hold its values.
    """
    there = clients.rest.get_table(clients.reference(table), retry=AGAIN, timeout=TIMEOUT_S)
    wanted = [field_of(name, kind, comments.get(name) or _declared(name)) for name, kind in columns.items()]
    known = {one.name: one for one in there.schema}
    added = [one for one in (*wanted, *absent_of([*there.schema, *wanted])) if one.name not in known]
    grown = [one for one in wanted if one.name in known and _has_grown(known[one.name], one)]
    told = {one.name: one for one in wanted if one.name in known and known[one.name].description != one.description}
    for one in grown:
        _promote(clients, table, known[one.name], one)
    if added or told:
        _update(clients, there, [*(_described(one, told.get(one.name)) for one in there.schema), *added])
        _add(clients, table, added)
    return bool(added or grown or told)


def _described(field: bigquery.SchemaField, told: bigquery.SchemaField | None) -> bigquery.SchemaField:
    said = field.to_api_repr()
    return bigquery.SchemaField.from_api_repr({**said, "description": told.description}) if told else field


def _update(clients: Clients, table: bigquery.Table, schema: Sequence[bigquery.SchemaField]) -> None:
    table.schema = list(schema)
    clients.rest.update_table(table, ["schema"], retry=AGAIN, timeout=TIMEOUT_S)


def _add(clients: Clients, table: str, fields: Iterable[bigquery.SchemaField]) -> None:
    """Add the columns that the update of a schema has not made columns of rows: an emulator keeps the two apart."""
    asked = clients.rest.query(f"SELECT * FROM {clients.sql(table)} LIMIT 0", job_retry=None, retry=AGAIN).result(retry=AGAIN)
    there = {one.name for one in asked.schema}
    for one in fields:
        if one.name not in there:
            _alter(clients, table, f"ADD COLUMN IF NOT EXISTS `{one.name}` {text_of(one)}")


def _declared(name: str) -> str:
    return f"`{name}`, as the definitions declare it"


def _has_grown(before: bigquery.SchemaField, wanted: bigquery.SchemaField) -> bool:
    old, new = (arrow_of([one]).field(0).type for one in (before, wanted))
    if pa.types.is_list(old) and pa.types.is_list(new):
        old, new = old.value_type, new.value_type
    return bool(old != new) and not holds(sql_type(old), sql_type(new))


def _promote(clients: Clients, table: str, before: bigquery.SchemaField, wanted: bigquery.SchemaField) -> None:
    """Widen a decimal; nothing else grows without a loss."""
    if not (_is_decimal(before) and _is_decimal(wanted)):
        raise CallError(
            "SEG-0606",
            f"column `{wanted.name}` of `{table}` is {text_of(before)} in the warehouse and {text_of(wanted)} in the definitions",
            "give it another name, or publish into a new warehouse",
        )
    _alter(clients, table, f"ALTER COLUMN `{wanted.name}` SET DATA TYPE {text_of(wanted)}")


def _is_decimal(field: bigquery.SchemaField) -> bool:
    return bool(field.field_type.endswith("NUMERIC")) and field.mode != "REPEATED"


def _alter(clients: Clients, table: str, change: str) -> None:
    clients.rest.query(f"ALTER TABLE {clients.sql(table)} {change}", job_retry=None, retry=AGAIN).result(retry=AGAIN)
