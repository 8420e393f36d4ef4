"""Decode: from raw records to canonical, typed batches; what can not be read is set aside with its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import consent, rejection
from schemas.definitions.datatype import DataType
from schemas.definitions.source import INSTANTS, Source
from schemas.kinds import KINDS
from schemas.record import RawChunk
from transforms.algebra.claims import codes, effective_at, quarantined
from transforms.algebra.order import Flags, Ints
from transforms.columns import Columns
from transforms.content_hash import content_hash
from transforms.fields import kinds_of, typed_columns
from transforms.in_order import PLACE, in_order
from transforms.instants import INSTANT, localised
from transforms.json_engine import pointer_sql
from transforms.raw import columns
from transforms.typed import normal_sql

_NEEDED = {"events": (("event",),), "scores": (("model",), ("value", "label"))}
"""Fields beside the own instant of which, each time, a record says at least one."""


@dataclass(frozen=True)
class DecodePlan:
    """What decoding needs beside the source: the canonical columns of each kind, the registered purposes, the lookups."""

    schemas: Mapping[str, pa.Schema]
    purposes: tuple[str, ...]
    lookups: Mapping[str, pa.Table] = field(default_factory=dict)


class _Told(NamedTuple):
    """What the medium tells of each record that could be read: its position, and when it was received, where it does."""

    positions: pa.Array
    received_at: pa.Array | None


class Decoded(NamedTuple):
    """What became of a chunk: read = accepted + rejected.

    `unseen` are the paths at which no record has a value (see Columns). `rows` says for each accepted row which record of
    the chunk it is, counted from 0.
    """

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch
    undeclared: int
    unseen: dict[str, str] | None
    rows: Ints


def decode(chunk: RawChunk, source: Source, plan: DecodePlan, con: duckdb.DuckDBPyConnection) -> Decoded:
    """Read every record of a chunk by its source's definition."""
    schema = plan.schemas[source.kind]
    if chunk.fault is not None or not len(chunk):
        rows = np.arange(len(chunk))
        fault = np.full(len(chunk), rejection.REASONS.index(chunk.fault or "malformed"))
        return Decoded(_empty(schema), rejections(chunk, rows, fault), 0, None, rows[:0])
    read = columns(chunk, kinds_of(source), con)
    found = typed_columns(read.table, source, con)
    told = _told(chunk, np.flatnonzero(read.good))
    canonical, reason = _canonical(found, source, plan, told, read, con)
    code = read.code.copy()
    code[read.good] = reason
    keep = reason < 0
    accepted = pa.Table.from_arrays([canonical[name].combine_chunks() for name in schema.names], schema=schema)
    if not keep.all():
        accepted = accepted.filter(pa.array(keep))
    bad = np.flatnonzero(code >= 0)
    rejected = rejections(chunk, bad, code[bad])
    return Decoded(_batch(accepted), rejected, read.undeclared, read.unseen(), np.flatnonzero(code < 0))


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], column.type) for column in schema], schema=schema)


def _batch(table: pa.Table) -> pa.RecordBatch:
    whole = table.combine_chunks()
    return whole.to_batches()[0] if len(whole) else _empty(table.schema)


def _canonical(
    found: pa.Table,
    source: Source,
    plan: DecodePlan,
    told: _Told,
    read: Columns,
    con: duckdb.DuckDBPyConnection,
) -> tuple[dict[str, pa.ChunkedArray], Ints]:
    """The canonical columns of all records, and for each the code of the reason for which it is set aside, or -1."""
    count = len(found)
    said = {"subject" if name == "from_id" else name: _field(found, name, source) for name in source.fields}
    for name in KINDS[source.kind].ids:
        said[name] = _normal(said[name], source, con)
    received = (said.get("received_at"), told.received_at, said[KINDS[source.kind].own])
    said["received_at"] = pc.coalesce(*(one for one in received if one is not None))
    said |= {"source": pa.chunked_array([pa.array([source.name]).take(pa.array(np.zeros(count, np.int64)))])}
    properties = {
        name: property_of(found, name, declared.type, source.timezone) for name, declared in source.properties.items()
    }
    reason = _reasons(found, source, said)
    if source.kind == "events":
        said.setdefault("event_id", pa.chunked_array([told.positions]))
    elif source.kind == "consents":
        said |= _with_defaults(said)
    else:
        said["position"] = pa.chunked_array([told.positions])
    if source.kind == "identities":
        said["to_id"] = _named(said["to_id"])
    if source.kind == "profiles":
        said |= _payload(source, read, count, con)
    schema = plan.schemas[source.kind]
    absent = {column.name: pa.chunked_array([pa.nulls(count, column.type)]) for column in schema if column.name not in said}
    hashed = {name: absent.get(name, said.get(name)) for name in KINDS[source.kind].content} | properties
    said["record_hash"] = pa.chunked_array([content_hash(hashed, con)])
    said = absent | said | properties | _looked_up(found, source, plan)
    if source.kind == "consents":
        _judge(said, plan, reason)
    return {name: said[name].cast(schema.field(name).type) for name in schema.names}, reason


def _field(found: pa.Table, name: str, source: Source) -> pa.ChunkedArray:
    column = found[f"f:{name}"]
    if name not in INSTANTS:
        return column
    naive = f"naive:f:{name}"
    return _instant(
        column, found[naive] if naive in found.column_names else None, source.fields[name].timezone or source.timezone
    )


def _instant(micros: pa.ChunkedArray, naive: pa.ChunkedArray | None, timezone: str) -> pa.ChunkedArray:
    if naive is None:
        return micros.cast(INSTANT)
    values = np.asarray(pc.fill_null(micros, 0)).astype(np.int64)
    local = localised(values, np.asarray(naive).astype(np.bool_), timezone)
    return pa.chunked_array([pa.array(local, mask=np.asarray(micros.is_null()).astype(np.bool_)).cast(INSTANT)])


def property_of(found: pa.Table, name: str, kind: DataType, timezone: str) -> pa.ChunkedArray:
    """A property of `typed_columns` as it is stored; naive instants are those of the timezone."""
    column, naive = found[f"p:{name}"], f"naive:p:{name}"
    if kind.kind != "timestamp":
        return column.cast(kind.arrow)
    return _instant(column, found[naive] if naive in found.column_names else None, timezone)


def _normal(subject: pa.ChunkedArray, source: Source, con: duckdb.DuckDBPyConnection) -> pa.ChunkedArray:
    if not source.normalise:
        return subject
    sql = f"SELECT {PLACE}, {normal_sql('subject', source.normalise)} AS subject FROM rows"
    return in_order(con, pa.table({"subject": subject}), sql)["subject"]


def _reasons(found: pa.Table, source: Source, said: Mapping[str, pa.ChunkedArray]) -> Ints:
    """Why each record is set aside; -1 for those that are not."""
    code = np.full(len(found), -1, np.int64)
    wrong = np.zeros(len(found), np.bool_)
    for name in found.column_names:
        if name.startswith("bad:"):
            wrong |= np.asarray(found[name]).astype(np.bool_)
    for names in ((KINDS[source.kind].own,), *_NEEDED.get(source.kind, ())):
        absent = [np.asarray(said[name].is_null()).astype(np.bool_) for name in names if name in said]
        wrong |= np.logical_and.reduce(absent)
    code[wrong] = rejection.REASONS.index("malformed" if source.kind == "consents" else "bad_type")
    if source.kind != "consents":
        code[_empty_text(said["subject"])] = rejection.REASONS.index("missing_id")
        if "event_id" in said:
            code[_empty_text(said["event_id"])] = rejection.REASONS.index("missing_id")
    if source.kind == "identities":
        blocked = _blocked(said["subject"], source) | _blocked(said["to_id"], source)
        code[blocked & (code < 0)] = rejection.REASONS.index("blocked")
    return code


def _blocked(ids: pa.ChunkedArray, source: Source) -> Flags:
    """Ids that many people share by mistake, spaces around them or nothing else."""
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(ids))
    blank = np.asarray(pc.fill_null(pc.and_(pc.equal(bare, ""), pc.not_equal(ids, "")), False)).astype(np.bool_)
    return blank | (codes(bare, source.blocked) >= 0)


def _named(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The ids, null where there is none."""
    return pc.if_else(pc.equal(ids, ""), pa.scalar(None, pa.string()), ids)


def _empty_text(column: pa.ChunkedArray) -> Flags:
    return np.asarray(pc.equal(pc.fill_null(column, ""), "")).astype(np.bool_)


def _payload(source: Source, read: Columns, count: int, con: duckdb.DuckDBPyConnection) -> dict[str, pa.ChunkedArray]:
    payload = pa.array([source.payload]).take(pa.array(np.zeros(count, np.int64)))
    return {"payload": pa.chunked_array([payload]), "explicit_nulls": _explicit_nulls(source, read, count, con)}


def _explicit_nulls(source: Source, read: Columns, count: int, con: duckdb.DuckDBPyConnection) -> pa.ChunkedArray:
    """The columns that a delta sets to null in so many words; only JSON can tell."""
    paths = {name: one.expression.paths[0] for name, one in source.properties.items() if len(one.expression.paths) == 1}
    if read.raw is None or source.payload == "snapshot" or not paths:
        return pa.chunked_array([pa.array([[]], pa.list_(pa.string())).take(pa.array(np.zeros(count, np.int64)))])
    cases = ", ".join(
        f"CASE WHEN json_type(raw, {pointer_sql(path)}) = 'NULL' THEN '{name}' END" for name, path in paths.items()
    )
    sql = f"SELECT {PLACE}, list_filter([{cases}], lambda x: x IS NOT NULL) AS nulls FROM rows"
    return in_order(con, pa.table({"raw": read.raw}), sql)["nulls"].cast(pa.list_(pa.string()))


def _with_defaults(said: Mapping[str, pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    filled = {name: pc.fill_null(said[name], value) for name, value in consent.DEFAULTS.items() if name in said}
    return {name: column.cast(consent.SCHEMA.field(name).type) for name, column in filled.items()}


def _judge(said: dict[str, pa.ChunkedArray], plan: DecodePlan, reason: Ints) -> None:
    """Which ledger rows are set aside for good, and when the others take effect."""
    table = pa.table({name: said[name].cast(consent.SCHEMA.field(name).type) for name in consent.SCHEMA.names})
    why = quarantined(table, plan.purposes)
    told = np.asarray(pc.fill_null(pc.index_in(why, value_set=pa.array(rejection.REASONS)), -1)).astype(np.int64)
    reason[:] = np.where(reason >= 0, reason, told)
    said["effective_at"] = pa.chunked_array([effective_at(table)])


def _looked_up(found: pa.Table, source: Source, plan: DecodePlan) -> dict[str, pa.ChunkedArray]:
    """The columns taken from lookups: null where the key is not there."""
    taken: dict[str, pa.ChunkedArray] = {}
    for name, use in source.lookups.items():
        lookup = plan.lookups[name]
        index = pc.index_in(found[f"k:{use.on}"], value_set=lookup["key"].combine_chunks())
        taken |= {column: lookup[column].take(index) for column in use.take}
    return taken


def _told(chunk: RawChunk, rows: Ints) -> _Told:
    """What is told of some records of a chunk (semantics 2.1, 2.7)."""
    numbers = pa.array(chunk.first + rows) if chunk.numbers is None else chunk.numbers.take(pa.array(rows))
    written = pc.utf8_lpad(numbers.cast(pa.string()), 20, "0")
    received_at = None if chunk.received_at is None else chunk.received_at.take(pa.array(rows)).cast(INSTANT)
    return _Told(pc.binary_join_element_wise(pa.scalar(chunk.place), written, "\0"), received_at)


def rejections(chunk: RawChunk, rows: Ints, code: Ints, received_at: pa.Array | None = None) -> pa.RecordBatch:
    """Records of a chunk set aside whole, with positions and bytes; `code` is an index of `rejection.REASONS`."""
    raw = chunk.records.take(pa.array(rows)) if chunk.rows is None else _written(chunk.rows, rows)
    told = _told(chunk, rows)
    received_at = told.received_at if received_at is None else received_at
    columns = [
        pa.array([chunk.source]).take(pa.array(np.zeros(len(rows), np.int64))),
        told.positions,
        pa.array(rejection.REASONS).take(pa.array(code)),
        raw.cast(pa.binary()),
        pa.nulls(len(rows), INSTANT) if received_at is None else received_at,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rejection.SCHEMA)


def _written(rows: pa.RecordBatch, bad: Ints) -> pa.Array:
    """Rows of a Parquet file as text: they have no bytes of their own."""
    wanted = rows.take(pa.array(bad))
    try:
        written = [str(row).encode() for row in wanted.to_pylist()]
    except UnicodeDecodeError:
        texts = [index for index, kind in enumerate(wanted.schema.types) if pa.types.is_string(kind)]
        for index in texts:
            wanted = wanted.set_column(index, wanted.schema.names[index], wanted.column(index).cast(pa.binary()))
        written = [str(row).encode() for row in wanted.to_pylist()]
    return pa.array(written, pa.binary())
