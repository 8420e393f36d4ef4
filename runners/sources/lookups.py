"""Lookups: small tables that belong to the definitions, read whole before a run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.sources.files import files_of, format_of
from runners.sources.reading import read
from schemas.definitions.expression import Expression, quoted
from schemas.definitions.project import Project
from schemas.definitions.source import Field, Property, Source
from schemas.errors import CallError
from schemas.record import Input, RawChunk
from transforms.algebra.engine import connect
from transforms.decode import property_of
from transforms.fields import kinds_of, typed_columns
from transforms.raw import columns

KEY = "key"


def read_lookups(project: Project) -> dict[str, pa.Table]:
    """Each lookup by name: the column `key` as text, and its columns by their types; of equal keys the first row.

    Errors: CallError for a file that can not be read whole, or holds a value that is not of its type.
    """
    lookups = [source for source in project.sources.values() if source.kind == "lookup"]
    con = connect()
    try:
        return {source.name: _first_rows(_read(project, source, con)) for source in lookups}
    finally:
        con.close()


def _read(project: Project, source: Source, con: duckdb.DuckDBPyConnection) -> pa.Table:
    schema = pa.schema([(KEY, pa.string()), *((name, kind.arrow) for name, kind in source.columns.items())])
    paths = [path for pattern in source.files for path in files_of(project, pattern)]
    parts = [_typed(chunk, source, con).cast(schema) for path in paths for chunk in _chunks(path, source)]
    return pa.concat_tables([schema.empty_table(), *parts])


def _first_rows(table: pa.Table) -> pa.Table:
    """Of rows with one key the first; without a key a row is found by nothing."""
    keyed = table.filter(pc.is_valid(table[KEY]))
    numbered = pa.table({"key": keyed[KEY], "row": pa.array(np.arange(len(keyed)))})
    first = numbered.group_by("key", use_threads=False).aggregate([("row", "min")])
    return keyed.take(first["row_min"])


def _chunks(path: Path, source: Source) -> Iterator[RawChunk]:
    """The rows of a file; all of it must be readable, with every column that is asked for."""
    form, compression = format_of(path.name)
    stat = path.stat()
    whole = Input(source.name, path.name, str(path), form, compression, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    for chunk in read(whole):
        if chunk.fault is not None or chunk.is_cut_off:
            raise _refused(source, chunk, "can not be read", chunk.first)
        if form == "parquet" and chunk.rows is None:
            continue
        there = chunk.header if chunk.rows is None else chunk.rows.schema.names
        missing = [name for name in (str(source.key), *source.columns) if name not in there]
        if missing:
            raise _refused(source, chunk, f"has no column `{missing[0]}`")
        if len(chunk):
            yield chunk


def _typed(chunk: RawChunk, source: Source, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The key as text and the columns by their types, as properties of events are read (semantics 2.8)."""
    as_events = replace(
        source,
        fields={KEY: Field(Expression.parse_field(quoted(str(source.key))))},
        properties={
            name: Property(Expression.parse_field(quoted(name)), kind) for name, kind in source.columns.items()
        },
    )
    rows = columns(chunk, kinds_of(as_events), con)
    if not rows.good.all():
        raise _refused(source, chunk, "can not be read", chunk.first + int(np.flatnonzero(~rows.good)[0]))
    found = typed_columns(rows.table, as_events, con)
    for name in (one for one in found.column_names if one.startswith("bad:p:")):
        bad = np.flatnonzero(np.asarray(found[name]).astype(np.bool_))
        if len(bad):
            column = name.removeprefix("bad:p:")
            what = f"holds no {source.columns[column]} in `{column}`"
            raise _refused(source, chunk, what, chunk.first + int(bad[0]))
    typed = {name: property_of(found, name, kind, source.timezone) for name, kind in source.columns.items()}
    return pa.table({KEY: found[f"f:{KEY}"], **typed})


def _refused(source: Source, chunk: RawChunk, what: str, row: int | None = None) -> CallError:
    place = f"`{chunk.file}`" if row is None else f"row {row} of `{chunk.file}`"
    return CallError("SEG-0410", f"the lookup `{source.name}`: {place} {what}", "a lookup is read whole or not at all")
