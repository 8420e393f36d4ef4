"""Every table of the warehouse: columns, comments, partitions; made once, and widened as definitions grow."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

import duckdb
import pyarrow as pa

from runners.warehouses.ducklake import Lake, named, quoted
from runners.warehouses.views import VIEWS, View
from schemas import change, feature_row, kernel_state, lifecycle, rejection, run, session, transition, verdict
from schemas.errors import CallError
from schemas.kinds import KINDS

INSTANT = pa.timestamp("us", tz="UTC")
RUN_ID = pa.field("run_id", pa.string())
_RUN_COMMENT = "the run that wrote this row"
_INTERNAL = "Internal, may change in any version."


@dataclass(frozen=True)
class Table:
    """A table: its columns, what they mean, and what it is partitioned by ('' for nothing)."""

    name: str
    schema: pa.Schema
    comment: str
    comments: Mapping[str, str]
    partition: str = ""


def _of(module: ModuleType, partition: str = "") -> Table:
    """The table of a noun; every row also says which run wrote it."""
    schema: pa.Schema = module.SCHEMA
    if "run_id" not in schema.names:
        schema = schema.append(RUN_ID)
    return Table(module.TABLE, schema, module.COMMENT, {"run_id": _RUN_COMMENT, **module.COMMENTS}, partition)


EXPOSURES = Table(
    "exposures",
    pa.schema(
        [
            ("change_id", pa.string()),
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("subject", pa.string()),
            ("emitted_at", INSTANT),
            ("wrong_since_at", INSTANT),
            ("learned_at", INSTANT),
            RUN_ID,
        ]
    ),
    "What was emitted before a restriction was known.",
    {
        "change_id": "the correction in segment_changes",
        "segment": "name of the segment",
        "version": "number of the segment's meaning",
        "subject": "whose membership was emitted",
        "emitted_at": "K of the run that published the membership",
        "wrong_since_at": "instant from which it was wrong",
        "learned_at": "K of the run that learned of the restriction",
        "run_id": "the run that learned of it",
    },
)
RUN_COMMITS = Table(
    "run_commits",
    pa.schema([RUN_ID, ("parent_run_id", pa.string()), ("committed_at", INSTANT)]),
    f"{_INTERNAL} One row a commit: a run whose id is here is published, and is not published again.",
    {
        "run_id": "the run",
        "parent_run_id": "the run that it builds on; null for the first",
        "committed_at": "when it was committed, by the clock",
    },
)
UPCOMING = Table(
    "segment_upcoming",
    pa.schema(
        [
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("subject", pa.string()),
            ("next_transition_at", INSTANT),
            RUN_ID,
        ]
    ),
    f"{_INTERNAL} The next instant after T at which a subject's answer flips if nothing more arrives: see segment_membership.",
    {
        "segment": "name of the segment",
        "version": "number of the segment's meaning",
        "subject": "the subject",
        "next_transition_at": "the instant, as of the run that last wrote it",
        "run_id": _RUN_COMMENT,
    },
)
VERSIONS = Table(
    "segment_versions",
    pa.schema(
        [
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("meaning", pa.string()),
            ("from_run", pa.string()),
            ("current", pa.bool_()),
        ]
    ),
    f"{_INTERNAL} The numbers that the meanings of each segment were given.",
    {
        "segment": "name of the segment",
        "version": "number of the meaning; it rises when the meaning changes, and is never used again",
        "meaning": "hash of the definition with all below it",
        "from_run": "the run that first published it",
        "current": "whether it is the version in force",
    },
)
FACTS = {name: _of(kind.noun) for name, kind in KINDS.items()}
TRANSITIONS, CHANGES, QUARANTINE = _of(transition), _of(change), _of(rejection)
FEATURE_ROWS = _of(feature_row, partition="year(as_of), month(as_of), day(as_of)")
SESSIONS, LIFECYCLES, VERDICTS, MANIFEST, STATES = _of(session), _of(lifecycle), _of(verdict), _of(run), _of(kernel_state)

TABLES: tuple[Table, ...] = (
    *(*FACTS.values(), QUARANTINE),
    *(TRANSITIONS, CHANGES, UPCOMING, VERSIONS, FEATURE_ROWS),
    *(SESSIONS, LIFECYCLES, VERDICTS, EXPOSURES, MANIFEST, RUN_COMMITS, STATES),
)


def prepare(lake: Lake) -> None:
    """Make the tables and views that are not there yet, with their comments."""
    there = {name for (name,) in lake.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'")}
    shown = dict(lake.rows("SELECT view_name, comment FROM duckdb_views() WHERE database_name = 'lake'"))
    missing = [table for table in TABLES if table.name not in there]
    stale = [view for view in VIEWS if shown.get(view.name) != view.text]
    if missing or stale:
        lake.commit(lambda: _make(lake, missing, stale), "make the tables")


def _make(lake: Lake, tables: Iterable[Table], views: Iterable[View]) -> None:
    for table in tables:
        columns = ", ".join(f"{named(name)} {type_}" for name, type_ in sql_types(table.schema).items())
        lake.run(f"CREATE TABLE {table.name} ({columns})")
        lake.run(f"COMMENT ON TABLE {table.name} IS {quoted(table.comment)}")
        for column in table.schema.names:
            _explain(lake, table.name, column, table.comments[column])
        if table.partition:
            lake.run(f"ALTER TABLE {table.name} SET PARTITIONED BY ({table.partition})")
    for view in views:
        lake.run(f"CREATE OR REPLACE VIEW {view.name} AS {view.sql}")
        lake.run(f"COMMENT ON VIEW {view.name} IS {quoted(view.text)}")


def widen(lake: Lake, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> None:
    """Add the columns that `table` lacks and widen those whose type has grown; rows that are there hold null.

    Errors: CallError where a column's type has changed into one that does not hold its values.
    """
    there = {
        name: (type_, comment)
        for name, type_, comment in lake.rows(
            "SELECT column_name, data_type, comment FROM duckdb_columns() "
            f"WHERE database_name = 'lake' AND table_name = {quoted(table)}"
        )
    }
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
    if _holds(before, wanted):
        return
    try:
        lake.run(f"ALTER TABLE {table} ALTER COLUMN {named(column)} SET DATA TYPE {wanted}")
    except duckdb.CatalogException as error:
        raise CallError(
            "SEG-0606",
            f"column `{column}` of `{table}` is {before} in the warehouse and {wanted} in the definitions",
            "give it another name, or publish into a new warehouse",
        ) from error


def _holds(wide: str, narrow: str) -> bool:
    found = [re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", text) for text in (wide, narrow)]
    if not all(found):
        return False
    (width, scale), (narrow_width, narrow_scale) = (map(int, match.groups()) for match in found if match)
    return narrow_scale <= scale and narrow_width - narrow_scale <= width - scale


def _explain(lake: Lake, table: str, column: str, comment: str) -> None:
    lake.run(f"COMMENT ON COLUMN {table}.{named(column)} IS {quoted(comment)}")


def sql_types(schema: pa.Schema) -> dict[str, str]:
    """Column -> DuckDB type."""
    return {column.name: _sql_type(column.type) for column in schema}


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
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
