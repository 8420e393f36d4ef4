"""A chunk that goes between machines as one batch comes out as it went in."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.record import Offset, Position, RawChunk
from tests.support.raw_files import chunks_of, written
from transforms.coder import RecordBatchCoder
from transforms.known import is_account, is_closing
from transforms.packed import packed, unpacked

NONE = pa.array([], pa.binary())
LINES = pa.array([b'{"a":1}\n', b"\xff\n", b""], pa.binary())
RECEIVED_AT = pa.array([1, None, 3], pa.timestamp("us", "UTC"))
ROWS = pa.record_batch({"a": pa.array([1, None]), "records": pa.array([["x"], []]), "b": pa.array([{"c": 1}, None])})
CHUNKS = {
    "lines": RawChunk("web", "d/a.ndjson", "ndjson", 5, LINES, after=Position(9, 7, "ab", 20, 3, 4), passed=11),
    "csv": RawChunk("web", "a.csv", "csv", 1, LINES, header=("a", "", "é"), after=Position(is_open=True)),
    "set aside": RawChunk("web", "a", "ndjson", 1, LINES[:1], fault="too_large", after=Position(1, 1)),
    "none, cut off": RawChunk("web", "a.gz", "ndjson", 3, NONE, after=Position(records=2, waiting=4, is_cut=True)),
    "rows": RawChunk("web", "a.parquet", "parquet", 1, NONE, rows=ROWS, after=Position(records=2)),
    "no rows": RawChunk("web", "a.parquet", "parquet", 3, NONE, rows=ROWS[:0], after=Position(records=2)),
    "a topic": RawChunk(
        "orders", "t/0", "ndjson", 2, LINES, numbers=pa.array([2, 5, 9]), received_at=RECEIVED_AT, after=Offset(10)
    ),
    "a part of others": RawChunk("web", "a", "ndjson", 2, LINES[1:], numbers=pa.array([1, 2, 3])[1:], after=Offset(4)),
}


def coded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """As it goes between machines."""
    coder = RecordBatchCoder()
    return coder.decode(coder.encode(batch))


@pytest.mark.parametrize("kind", CHUNKS)
def test_a_chunk_of_any_kind_comes_out_as_it_went_in(kind: str) -> None:
    assert unpacked(packed(CHUNKS[kind])) == CHUNKS[kind]
    assert unpacked(coded(packed(CHUNKS[kind]))) == CHUNKS[kind]


@pytest.mark.parametrize("kind", CHUNKS)
def test_a_chunk_is_taken_for_nothing_else(kind: str) -> None:
    batch = coded(packed(CHUNKS[kind]))
    assert (is_closing(batch), is_account(batch)) == (False, False)


@given(st.lists(st.binary(max_size=9), max_size=6), st.integers(0, 1 << 62), st.booleans())
def test_the_bytes_of_records_are_kept_whatever_they_are(records: list[bytes], first: int, is_within: bool) -> None:
    chunk = RawChunk("web", "a", "ndjson", first, pa.array(records, pa.binary()), after=Position(first, is_open=is_within))
    assert unpacked(coded(packed(chunk))) == chunk


def test_all_chunks_of_files_come_out_as_they_were_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"until_at": [1, 2], "kind": ["closing", None]}), tmp_path / "x.parquet")
    paths = [
        tmp_path / "x.parquet",
        written(tmp_path / "x.csv", b'a,b\n1,"x\ny"\n2'),
        written(tmp_path / "x.ndjson.gz", b'{"a":1}\n{"a":2}'),
    ]
    (tmp_path / "y.ndjson.gz").write_bytes(gzip.compress(b'{"a":1}\n{"a":2}\n')[:-9])
    for path in (*paths, tmp_path / "y.ndjson.gz"):
        for chunk in chunks_of(path):
            assert unpacked(coded(packed(chunk))) == chunk
