"""Tables of warehouses as sources: the rows that were appended since they were read."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from runners.sources.rows import chunks
from runners.sources.topics import Found, fitting
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import named
from schemas.definitions.paths import inside
from schemas.definitions.project import Project
from schemas.definitions.source import Source
from schemas.definitions.whence import DATASET_TABLE, TABLE
from schemas.errors import CallError, JobFailed, SourceChanged, TryAgain
from schemas.record import Offset, RawChunk, TableRows

_ROWS = 50_000
"""Of one chunk."""
_NUMBER = "segue_row_number"


def is_table(source: Source) -> bool:
    """Whether a source is a table."""
    return bool(source.table or source.bigquery)


def see_that_all_can_be_followed(project: Project) -> None:
    """Errors: CallError where a source is a table: runs read it, and no stream follows it."""
    for source in filter(is_table, project.sources.values()):
        message = f"`{source.name}` is a table, which a stream does not follow"
        raise CallError("SEG-0412", message, "`segue run` reads what was appended to it")


def find(project: Project, source: Source, known: Mapping[str, Mapping[str, Any]]) -> Found:
    """The rows of a table that were appended since.

    Args:
      known: how far it was read, by its name.

    Errors: CallError where the address is none; SourceChanged where rows are gone; TryAgain where another process writes.
    """
    if source.bigquery:
        from runners.sources.bigquery import find as find_in_bigquery

        address = fitting(source.bigquery, DATASET_TABLE, "PROJECT.DATASET.TABLE", os.environ, "table")
        return find_in_bigquery(source.name, address, known)
    table, bootstrap = _table_and_address(project, source)
    whole = TableRows(source.name, table, 0, 0, 0, bootstrap)
    start = Offset.from_json(known[whole.file]).offset if whole.file in known else 0
    with _asked(whole) as con:
        there = _is_there(con, table)
        end, rows = con.execute(_BOUNDS.format(_sql(table), start)).fetchall()[0] if there else (start, 0)
    if end < start:
        message = f"the table `{table}` ends at row {end} and was read up to {start}: rows were taken out, or it is another one"
        raise SourceChanged("SEG-0702", message, "read everything again with --full-refresh")
    return Found((replace(whole, start=start, end=end, rows=rows),), (), there)


def _table_and_address(project: Project, source: Source) -> tuple[str, str]:
    """The table, and the database with a path that is the project's to read."""
    written = fitting(source.table, TABLE, "duckdb:FILE#TABLE or ducklake:DIR#TABLE", os.environ, "table")
    address, _, table = written.partition("#")
    kind, _, place = address.partition(":")
    try:
        return table, f"{kind}:{inside(project.root, place, project.roots)}"
    except ValueError as error:
        message = f"the database of `{source.name}` lies outside of the project"
        raise CallError("SEG-0401", message, "name a path inside the project, or below one of its `roots`") from error


_BOUNDS = "SELECT coalesce(max(rowid) + 1, 0), count(*) FILTER (rowid >= {1}) FROM {0}"


def read(one: TableRows) -> Iterator[RawChunk]:
    """The rows, numbered as the database numbers them."""
    if one.bootstrap.startswith("bigquery:"):
        from runners.sources.bigquery import read as read_bigquery

        yield from read_bigquery(one)
        return
    within = f"rowid >= {one.start} AND rowid < {one.end}"
    with _asked(one) as con:
        asked = con.execute(f"SELECT *, rowid AS {_NUMBER} FROM {_sql(one.topic)} WHERE {within}")
        yield from chunks(one, ((batch.drop_columns([_NUMBER]), batch[_NUMBER]) for batch in asked.to_arrow_reader(_ROWS)))


@contextmanager
def _asked(one: TableRows) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database, for reading alone."""
    kind, _, place = one.bootstrap.partition(":")
    if not Path(place).exists():
        raise CallError("SEG-0402", f"there is no database at `{place}`", f"see `from` of the source `{one.source}`")
    if kind == "ducklake":
        with open_lake(Path(place)) as lake, lake.told():
            yield lake.con
        return
    try:
        with closing(duckdb.connect(place, read_only=True)) as con:
            con.execute("SET TimeZone = 'UTC'")
            yield con
    except duckdb.IOException as error:
        busy = "lock" in str(error).lower()
        if busy:
            raise TryAgain("SEG-0703", f"another process writes to `{place}`", "try again when it has finished") from error
        raise JobFailed("SEG-0617", f"`{place}` can not be read as a database", "restore it from a copy") from error


def _is_there(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    schema, _, name = table.rpartition(".")
    asked = "SELECT EXISTS (FROM duckdb_tables() WHERE schema_name = ? AND table_name = ? AND database_name = current_database())"
    return bool(con.execute(asked, [schema or "main", name]).fetchall()[0][0])


def _sql(table: str) -> str:
    return ".".join(map(named, table.split(".")))
