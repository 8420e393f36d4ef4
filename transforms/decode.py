"""Decode: from raw records of a source to canonical, typed batches; what can not be read is set aside with its bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import consent, event, profile, rejection
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression, quoted
from schemas.definitions.source import Field, Source
from schemas.record import RawChunk
from transforms.algebra.claims import effective_at, quarantined
from transforms.algebra.order import Flags, Ints
from transforms.instants import INSTANT, instant_sql, localised
from transforms.raw import Columns, columns
from transforms.typed import content_hash, normal_sql, typed_sql

_INSTANTS = ("occurred_at", "valid_from", "claimed_at", "received_at", "expires_at")
_OWN = {"events": "occurred_at", "profiles": "valid_from", "consents": "claimed_at"}
_TYPES = {"purpose_major": DataType("int"), "retroactive": DataType("bool")}


@dataclass(frozen=True)
class DecodePlan:
    """What decoding needs beside the source: the union of the columns, the lookups, the registered purposes."""

    event_columns: Mapping[str, DataType]
    profile_columns: Mapping[str, DataType]
    purposes: tuple[str, ...]
    lookups: Mapping[str, pa.Table] = field(default_factory=dict)

    def schema(self, kind: str) -> pa.Schema:
        """The canonical columns of a kind."""
        if kind == "consents":
            return consent.SCHEMA
        return event.with_properties(self.event_columns) if kind == "events" else profile.with_properties(self.profile_columns)


class Decoded(NamedTuple):
    """What became of a chunk: read = accepted + rejected."""

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch
    undeclared: int


def decode(chunk: RawChunk, source: Source, plan: DecodePlan, con: duckdb.DuckDBPyConnection) -> Decoded:
    """Read every record of a chunk by its source's definition."""
    schema = plan.schema(source.kind)
    numbers = chunk.first + np.arange(len(chunk))
    if chunk.fault is not None:
        reasons = np.full(len(chunk), rejection.REASONS.index(chunk.fault))
        return Decoded(_empty(schema), _rejected(chunk, numbers, reasons), 0)
    read = columns(chunk, _paths(source), con)
    found = _typed(read, source, con)
    positions = _positions(chunk.file, numbers[read.good])
    canonical, reason = _canonical(found, source, plan, positions, read, con)
    code = read.code.copy()
    code[read.good] = reason
    keep = reason < 0
    accepted = pa.Table.from_arrays([canonical[name].combine_chunks() for name in schema.names], schema=schema)
    if not keep.all():
        accepted = accepted.filter(pa.array(keep))
    return Decoded(_batch(accepted), _rejected(chunk, numbers, code), read.undeclared)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], column.type) for column in schema], schema=schema)


def _batch(table: pa.Table) -> pa.RecordBatch:
    whole = table.combine_chunks()
    return whole.to_batches()[0] if len(whole) else _empty(table.schema)


def _paths(source: Source) -> list[str]:
    expressions = [one.expression for one in (*source.fields.values(), *source.properties.values())]
    paths = {path for expression in expressions for path in expression.paths}
    return sorted(paths | {use.on for use in source.lookups.values()})


def _typed(read: Columns, source: Source, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The fields and properties of the records: `f:name` and `p:name`, with `bad:` flags of what is not of its type."""
    raw = {name: read.table.schema.field(name).type for name in read.table.column_names}
    texts, typed = [], []
    for name, one in source.fields.items():
        kind = DataType("timestamp") if name in _INSTANTS else _TYPES.get(name, DataType("string"))
        _add(f"f:{name}", one, kind, source, raw, texts, typed)
    for name, declared in source.properties.items():
        _add(f"p:{name}", Field(declared.expression), declared.type, source, raw, texts, typed)
    for use in source.lookups.values():
        texts.append(f"CAST({quoted(use.on)} AS VARCHAR) AS {quoted('k:' + use.on)}")
        typed.append(quoted("k:" + use.on))
    con.register("raw_columns", read.table)
    inner = f"SELECT {', '.join(dict.fromkeys(texts))} FROM raw_columns"
    found = con.execute(f"SELECT {', '.join(dict.fromkeys(typed))} FROM ({inner})").to_arrow_table()
    con.unregister("raw_columns")
    return found


def _add(
    name: str,
    one: Field,
    kind: DataType,
    source: Source,
    raw: Mapping[str, pa.DataType],
    texts: list[str],
    typed: list[str],
) -> None:
    """Say how a column is read. A plain column that has its type already is taken as it is."""
    place, bad, naive = quoted(name), quoted("bad:" + name), quoted("naive:" + name)
    plain = one.expression.paths[0] if one.expression.sql == quoted(next(iter(one.expression.paths), "")) else None
    if plain is not None and raw.get(plain) == kind.arrow:
        texts.append(f"{quoted(plain)} AS {place}")
        typed.append(place if kind.kind != "timestamp" else f"epoch_us({place}) AS {place}")
        return
    texts.append(f"{_as_text(one.expression, raw)} AS {place}")
    if kind.kind != "timestamp":
        value = typed_sql(place, kind)
        typed += [f"{value} AS {place}", f"({place} IS NOT NULL AND {value} IS NULL) AS {bad}"]
        return
    micros, is_naive = instant_sql(place, one.format)
    typed += [f"{micros} AS {place}", f"({place} IS NOT NULL AND {micros} IS NULL) AS {bad}"]
    if (one.timezone or source.timezone) != "UTC":
        typed.append(f"coalesce({is_naive}, false) AS {naive}")


def _as_text(expression: Expression, raw: Mapping[str, pa.DataType]) -> str:
    """The expression over text; columns that have a type are written as text first."""
    sql = expression.sql
    for path in expression.paths:
        if not pa.types.is_string(raw[path]):
            wide = pa.types.is_nested(raw[path])
            sql = sql.replace(quoted(path), f"CAST({'to_json(' if wide else ''}{quoted(path)}{')' if wide else ''} AS VARCHAR)")
    return f"CAST({sql} AS VARCHAR)"


def _canonical(
    found: pa.Table, source: Source, plan: DecodePlan, positions: pa.Array, read: Columns, con: duckdb.DuckDBPyConnection
) -> tuple[dict[str, pa.ChunkedArray], Ints]:
    """The canonical columns of all records, and for each the code of the reason for which it is set aside, or -1."""
    count = len(found)
    said = {name: _field(found, name, source) for name in source.fields}
    said["subject"] = _normal(said["subject"], source, con)
    own = said[_OWN[source.kind]]
    received = said.get("received_at")
    said["received_at"] = own if received is None else pc.coalesce(received, own)
    said |= {"source": pa.chunked_array([pa.array([source.name]).take(pa.array(np.zeros(count, np.int64)))])}
    properties = {name: _property(found, name, declared.type) for name, declared in source.properties.items()}
    reason = _reasons(found, source, said)
    if source.kind == "events":
        said.setdefault("event_id", pa.chunked_array([positions]))
    elif source.kind == "profiles":
        said |= {"position": pa.chunked_array([positions]), **_payload(source, read, count, con)}
    else:
        said |= _with_defaults(said)
    said["record_hash"] = content_hash(_hashed(source, said, properties), con)
    said |= properties | _looked_up(found, source, plan)
    for column in plan.schema(source.kind):
        said.setdefault(column.name, pa.chunked_array([pa.nulls(count, column.type)]))
    if source.kind == "consents":
        _judge(said, plan, reason)
    return {name: column.cast(plan.schema(source.kind).field(name).type) for name, column in said.items() if name in plan.schema(source.kind).names}, reason


def _hashed(source: Source, said: Mapping[str, pa.ChunkedArray], properties: Mapping[str, pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """What the content of a record is: everything but when it was received, and from where."""
    if source.kind == "events":
        core = ("event", "event_id", "occurred_at", "subject")
    elif source.kind == "profiles":
        core = ("subject", "valid_from", "payload", "explicit_nulls")
    else:
        core = tuple(name for name in consent.SCHEMA.names if name in said and name not in ("received_at", "source", "effective_at"))
    return {**{name: said[name] for name in core}, **properties}


def _field(found: pa.Table, name: str, source: Source) -> pa.ChunkedArray:
    column = found[f"f:{name}"]
    if name not in _INSTANTS:
        return column
    naive = f"naive:f:{name}"
    return _instant(column, found[naive] if naive in found.column_names else None, source.fields[name].timezone or source.timezone)


def _instant(micros: pa.ChunkedArray, naive: pa.ChunkedArray | None, timezone: str) -> pa.ChunkedArray:
    if naive is None:
        return micros.cast(INSTANT)
    values = np.asarray(pc.fill_null(micros, 0)).astype(np.int64)
    local = localised(values, np.asarray(naive).astype(np.bool_), timezone)
    return pa.chunked_array([pa.array(local, mask=np.asarray(micros.is_null()).astype(np.bool_)).cast(INSTANT)])


def _property(found: pa.Table, name: str, kind: DataType) -> pa.ChunkedArray:
    column = found[f"p:{name}"]
    return column.cast(INSTANT) if kind.kind == "timestamp" else column.cast(kind.arrow)


def _normal(subject: pa.ChunkedArray, source: Source, con: duckdb.DuckDBPyConnection) -> pa.ChunkedArray:
    if not source.normalise:
        return subject
    con.register("ids", pa.table({"subject": subject}))
    column = con.execute(f"SELECT {normal_sql('subject', source.normalise)} AS subject FROM ids").to_arrow_table()["subject"]
    con.unregister("ids")
    return column


def _reasons(found: pa.Table, source: Source, said: Mapping[str, pa.ChunkedArray]) -> Ints:
    """Why each record is set aside; -1 for those that are not."""
    code = np.full(len(found), -1, np.int64)
    wrong = np.zeros(len(found), np.bool_)
    for name in found.column_names:
        if name.startswith("bad:"):
            wrong |= np.asarray(found[name]).astype(np.bool_)
    for name in (_OWN[source.kind], *(["event"] if source.kind == "events" else [])):
        wrong |= np.asarray(said[name].is_null()).astype(np.bool_)
    code[wrong] = rejection.REASONS.index("malformed" if source.kind == "consents" else "bad_type")
    if source.kind != "consents":
        code[_empty_text(said["subject"])] = rejection.REASONS.index("missing_id")
        if "event_id" in said:
            code[_empty_text(said["event_id"])] = rejection.REASONS.index("missing_id")
    return code


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
    con.register("raw", pa.table({"raw": read.raw}))
    cases = ", ".join(
        "CASE WHEN json_type(raw, '" + "$" + "".join(f'."{part}"' for part in path.split(".")) + f"') = 'NULL' THEN '{name}' END"
        for name, path in paths.items()
    )
    nulls = con.execute(f"SELECT list_filter([{cases}], lambda x: x IS NOT NULL) AS n FROM raw").to_arrow_table()["n"]
    con.unregister("raw")
    return nulls.cast(pa.list_(pa.string()))


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
    taken = {}
    for name, use in source.lookups.items():
        lookup = plan.lookups[name]
        index = pc.index_in(found[f"k:{use.on}"], value_set=lookup["key"].combine_chunks())
        taken |= {column: lookup[column].take(index) for column in use.take}
    return taken


def _positions(file: str, numbers: Ints) -> pa.Array:
    written = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 20, "0")
    return pc.binary_join_element_wise(pa.scalar(file), written, "\0")


def _rejected(chunk: RawChunk, numbers: Ints, code: Ints) -> pa.RecordBatch:
    bad = np.flatnonzero(code >= 0)
    raw = chunk.records.take(pa.array(bad)) if chunk.rows is None else _written(chunk.rows, bad)
    columns = [
        pa.array([chunk.source]).take(pa.array(np.zeros(len(bad), np.int64))),
        _positions(chunk.file, numbers[bad]),
        pa.array(rejection.REASONS).take(pa.array(code[bad])),
        raw.cast(pa.binary()),
        pa.nulls(len(bad), INSTANT),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rejection.SCHEMA)


def _written(rows: pa.RecordBatch, bad: Sequence[int]) -> pa.Array:
    """Rows of a Parquet file as text: they have no bytes of their own."""
    return pa.array([str(row).encode() for row in rows.take(pa.array(bad)).to_pylist()], pa.binary())
