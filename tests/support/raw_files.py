"""Builders of raw files and of the sources that read them."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard

from runners.sources.files import format_of
from runners.sources.reading import read
from schemas.definitions.source import Source, SourceForm, resolve_source
from schemas.kinds import schemas_of
from schemas.record import Input, Position, RawChunk
from transforms.algebra.engine import connect
from transforms.decode import Decoded, DecodePlan, decode

BEGINNING = Position()
PROPERTIES = {
    "amount": "decimal(12,2)",
    "items": "int",
    "rate": "float",
    "gift": "bool",
    "day": "date",
    "tags": "list(int)",
}

_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content),
    ".zst": lambda content: bytes(zstandard.compress(content)),
}


def source_of(**changes: Any) -> Source:
    """A source of events with one property of every kind."""
    fields = {"event_id": "id", "event": "'buy'", "subject": "who", "occurred_at": "at"}
    form = {"source": "orders", "from": {"files": "x"}, "fields": fields, "properties": PROPERTIES, **changes}
    given = {name: part for name, part in form.items() if part is not None}
    return resolve_source(SourceForm.model_validate(given), "sources/orders.yaml")


def input_of(path: Path, start: Position = BEGINNING) -> Input:
    """The whole file as an input."""
    form, compression = format_of(path.name)
    stat = path.stat()
    return Input("orders", path.name, str(path), form, compression, stat.st_size, stat.st_mtime_ns, stat.st_ino, start)


def written(path: Path, content: bytes) -> Path:
    """The content at a path, compressed as its name says."""
    path.write_bytes(_PACKERS[path.suffix](content) if path.suffix in _PACKERS else content)
    return path


def chunks_of(path: Path, start: Position = BEGINNING) -> list[RawChunk]:
    """All chunks of a file."""
    return list(read(input_of(path, start)))


def decoded(chunks: Iterable[RawChunk], source: Source, **more: Any) -> list[Decoded]:
    """Every chunk, decoded."""
    declared = {source.kind: {name: one.type for name, one in source.properties.items()}}
    plan = DecodePlan(schemas_of(declared), ("ads",), **more)
    con = connect()
    try:
        return [decode(chunk, source, plan, con) for chunk in chunks]
    finally:
        con.close()


def accepted(results: Iterable[Decoded]) -> pa.Table:
    """What was accepted of all chunks."""
    return pa.Table.from_batches([one.accepted for one in results])


def rejected(results: Iterable[Decoded]) -> pa.Table:
    """What was set aside of all chunks."""
    return pa.Table.from_batches([one.rejected for one in results])
