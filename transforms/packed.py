"""Chunks of raw records as elements of a stream: one RecordBatch each, so that they are coded as Arrow."""

import json

import pyarrow as pa

from schemas.record import RawChunk, position_of
from transforms.known import KIND

CHUNK = b"chunk"
_ABOUT, _LINKED = b"about", b"linked"
_COLUMNS = ("records", "numbers", "received_at")


def packed(chunk: RawChunk, linked: str = "") -> pa.RecordBatch:
    """The chunk as one batch: the bytes of each record, or the rows of a Parquet file, and all else as metadata.

    `linked` is the file of the ids that lie in one shard, as its reader was told; empty where it was told nothing.
    """
    said = {
        "source": chunk.source,
        "file": chunk.file,
        "format": chunk.format,
        "first": chunk.first,
        "header": chunk.header,
        "fault": chunk.fault,
        "after": chunk.after.to_json(),
        "passed": chunk.passed,
        "is_rows": chunk.rows is not None,
    }
    there = {name: column for name in _COLUMNS if (column := getattr(chunk, name)) is not None}
    batch = pa.RecordBatch.from_pydict(there) if chunk.rows is None else chunk.rows
    return batch.replace_schema_metadata({KIND: CHUNK, _ABOUT: json.dumps(said).encode(), _LINKED: linked.encode()})


def linked_by(batch: pa.RecordBatch) -> str:
    """The file of the ids that lie in one shard; empty where its reader was told nothing."""
    return str(batch.schema.metadata[_LINKED].decode())


def unpacked(batch: pa.RecordBatch) -> RawChunk:
    """What was packed."""
    said = json.loads(batch.schema.metadata[_ABOUT])
    is_rows, after, header = said.pop("is_rows"), position_of(said.pop("after")), tuple(said.pop("header"))
    bare = batch.replace_schema_metadata(None)
    if is_rows:
        return RawChunk(**said, records=pa.array([], pa.binary()), rows=bare, header=header, after=after)
    columns = {name: bare.column(name) for name in bare.schema.names}
    return RawChunk(**said, **columns, header=header, after=after)
