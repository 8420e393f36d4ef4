"""SQL that a person gives: one statement that reads the warehouse, and nothing beyond it."""

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from runners.warehouses.failures import lost, table_file
from runners.warehouses.lake import Lake, named, quoted
from runners.warehouses.output import WHOLE
from runners.warehouses.views import MEMBERS_AS_OF
from schemas.errors import CallError, SegueError

FUNCTIONS = frozenset({"range", "generate_series", "unnest", "as_of"})
"""Table functions that a query may call. Any other may reach files: `sqlite_scan` does, even in a locked engine."""

SCHEMAS = frozenset({"information_schema"})

_HUGE = ("HUGEINT", "UHUGEINT")
_PROPOSED = re.compile(r"^(?:Candidate bindings:|Did you mean)[ :]*(.+?)\??$", re.MULTILINE)
"""Where the engine names what was perhaps meant."""

AS_OF = f"CREATE OR REPLACE TEMP MACRO as_of(t, k) AS TABLE {MEMBERS_AS_OF}"
"""As the warehouse keeps it, where one of an earlier version does not."""


def lock(lake: Lake) -> None:
    """Keep a session of people's SQL inside the warehouse: no file but the tables', no setting, for good."""
    lake.run(AS_OF)
    lake.run(f"SET allowed_directories = [{quoted(str(lake.data)) if lake.data else ''}]")
    lake.run("SET enable_external_access = false")
    lake.run("SET lock_configuration = true")


def query(lake: Lake, sql: str, batch_rows: int = 50_000) -> pa.RecordBatchReader:
    """The result of one SELECT, WITH, VALUES, DESCRIBE, SHOW or SUMMARIZE, batch by batch.

    `lake` is opened for reading and locked. Errors: CallError for any other statement, for a function or a file
    outside the warehouse, and for what the engine can not make sense of.
    """
    _allow(lake, sql)
    try:
        found = lake.con.sql(sql)
        reader = found.to_arrow_reader(batch_rows)
    except duckdb.Error as error:
        raise _failed(error, lake) from error
    pairs = zip(reader.schema, found.types, strict=True)
    schema = pa.schema([field.with_metadata(WHOLE) if str(kind) in _HUGE else field for field, kind in pairs])
    return pa.RecordBatchReader.from_batches(schema, _batches(lake, reader, schema))


def _batches(lake: Lake, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches of a result that is computed as it is read, so that what is wrong with it may come late."""
    try:
        for batch in reader:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _failed(error, lake) from error


def _failed(error: Exception, lake: Lake) -> SegueError:
    """What went wrong; an error of data quotes a person's, so that only its kind is told."""
    if file := table_file(str(error), lake.root):
        return lost(lake.root, file)
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        return CallError("SEG-0612", f"the query failed on a value: {type(error).__name__}", "TRY_CAST gives null instead")
    proposed = _PROPOSED.search(str(error))
    hint = f"did you mean {proposed[1].strip()}?" if proposed else ""
    return CallError("SEG-0612", f"the query failed: {_first_line(error)}", hint)


def show(lake: Lake, table: str, limit: int | None = None) -> pa.RecordBatchReader:
    """The rows of one table or view, all of them without a limit. Raises CallError with the nearest name."""
    known = tables(lake)
    if table not in known:
        nearest = difflib.get_close_matches(table, known, 1)
        hint = f"did you mean `{nearest[0]}`?" if nearest else f"there are {', '.join(sorted(known))}"
        raise CallError("SEG-0613", f"there is no table `{table}`", hint)
    end = "" if limit is None else f" LIMIT {int(limit)}"
    return lake.con.execute(f"SELECT * FROM {named(table)}{end}").to_arrow_reader(50_000)


def tables(lake: Lake) -> dict[str, str]:
    """Every table and view with its comment."""
    return {**lake.comments("table"), **lake.comments("view")}


def _allow(lake: Lake, sql: str) -> None:
    """See by the engine's own syntax tree that a statement only reads what it may."""
    found = json.loads(lake.rows(f"SELECT json_serialize_sql({quoted(sql)})")[0][0])
    if found["error"]:
        if found["error_type"] == "parser":
            raise CallError("SEG-0612", f"the query can not be read: {_first_line(found['error_message'])}")
        raise _not_a_query()
    if len(found["statements"]) != 1:
        raise _not_a_query()
    readable = {name.lower() for name in tables(lake)} | {name.lower() for name in _common(found)}
    for node in _nodes(found):
        _allow_node(node, readable)


def _not_a_query() -> CallError:
    return CallError(
        "SEG-0612", "a query is one statement that reads", "SELECT, WITH, VALUES, DESCRIBE, SHOW or SUMMARIZE"
    )


def _allow_node(node: dict[str, Any], readable: set[str]) -> None:
    if node.get("type") == "TABLE_FUNCTION":
        function = node["function"]["function_name"].lower()
        if function not in FUNCTIONS:
            raise CallError("SEG-0612", f"the function `{function}` is not open to queries", "query tables and views")
    if node.get("type") == "BASE_TABLE":
        name, schema, catalog = (
            str(node.get(key, "")).lower() for key in ("table_name", "schema_name", "catalog_name")
        )
        ours = schema in ("", "main", "lake") and catalog in ("", "lake") and name in readable
        if not ours and not (schema in SCHEMAS and catalog in ("", "lake")):
            nearest = difflib.get_close_matches(name, sorted(readable), 1)
            hint = f"did you mean `{nearest[0]}`?" if nearest else ""
            raise CallError("SEG-0613", f"there is no table `{node['table_name']}` in the warehouse", hint)


def _common(found: dict[str, Any]) -> Iterator[str]:
    """The names that WITH gives."""
    for node in _nodes(found):
        for entry in node.get("map", []) if isinstance(node.get("map"), list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("key"), str) and re.fullmatch(r"\w+", entry["key"]):
                yield entry["key"]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a syntax tree."""
    open_parts = [tree]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, dict):
            yield part
            open_parts += part.values()
        elif isinstance(part, list):
            open_parts += part


def _first_line(error: Exception | str) -> str:
    return str(error).strip().splitlines()[0]
