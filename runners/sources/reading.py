"""Read a file as runs of records, from a committed position on, with the bytes of each record kept."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runners.sources.streams import FREE, RATIO, UNREADABLE, Bomb, Stream, open_behind, open_decoded
from schemas.record import LONGEST_RECORD, Input, Position, RawChunk
from transforms.algebra.order import Flags, Ints
from transforms.csv_records import record_ends
from transforms.faults import reach
from transforms.raw_csv import fields_of
from transforms.strict import strict

BLOCK = 1 << 23
_NEWLINE = 10
_SPACES = (9, 13, 32)
_MOST = 1 << 17
"""Records of one chunk."""
_STEP = 1 << 12
"""Rows of a Parquet file that are decoded at once."""
_KEPT = 1024
"""Bytes kept of what is too large."""
_BOM = b"\xef\xbb\xbf"


def read(source: Input) -> Iterator[RawChunk]:
    """All records that are new in a file. The last chunk's `after` is the position to commit; it may hold no record."""
    reach("read")
    if source.format == "parquet":
        yield from _read_parquet(source)
    else:
        yield from Lines(source).chunks()


def _read_parquet(source: Input) -> Iterator[RawChunk]:
    with Path(source.path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    done = replace(_at(source, Position()), sha256=digest)
    count = 0
    try:
        file = pq.ParquetFile(source.path)
        for batch in _batches(file, FREE + RATIO * source.size):
            first, count = count + 1, count + batch.num_rows
            passed = source.size * count // max(file.metadata.num_rows, count)
            yield _chunk(source, first, _none(), replace(done, records=count), rows=batch, passed=passed)
        yield _chunk(source, count + 1, _none(), replace(done, records=count))
    except Bomb:
        yield _fault(source, "too_large", count + 1, b"", replace(done, records=count + 1))
    except (pa.ArrowException, OSError):
        yield _fault(source, "malformed", count + 1, b"", replace(done, records=count + 1))


def _batches(file: pq.ParquetFile, left: int) -> Iterator[pa.RecordBatch]:
    """Rows in batches of limited bytes. Raises Bomb where more than `left` bytes come of them."""
    kept: list[pa.RecordBatch] = []
    for batch in map(_decoded, file.iter_batches(batch_size=_STEP)):
        left -= batch.nbytes
        if left < 0:
            raise Bomb
        kept.append(batch)
        if sum(one.nbytes for one in kept) >= BLOCK or len(kept) * _STEP >= _MOST // 2:
            yield pa.concat_batches(kept)
            kept = []
    if kept:
        yield pa.concat_batches(kept)


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Dictionaries written out: a few bytes of indices may stand for any number of text."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _none() -> pa.BinaryArray:
    return pa.array([], pa.binary())


def _at(source: Input, position: Position) -> Position:
    return replace(position, size=source.size, mtime_ns=source.mtime_ns, inode=source.inode)


def _chunk(source: Input, first: int, records: pa.BinaryArray, after: Position, **more: object) -> RawChunk:
    return RawChunk(source.source, source.file, source.format, first, records, after=after, **more)  # type: ignore[arg-type]


def _fault(source: Input, reason: str, number: int, raw: bytes, after: Position) -> RawChunk:
    return _chunk(source, number, pa.array([raw], pa.binary()), after, fault=reason)


class Lines:
    """Cuts a stream into records: at newlines, in CSV at those outside of quotes.

    Attributes:
      position: behind the last whole record.
      rest: what was read behind it.
      is_within: set between the first bytes of a record that is too long and its end.
    """

    def __init__(self, source: Input) -> None:
        self.source = source
        self.position = _at(source, Position())
        self.digest = hashlib.sha256()
        self.header: tuple[str, ...] = ()
        self.rest = b""
        self.is_within = False

    def chunks(self) -> Iterator[RawChunk]:
        """Every record behind the start, and at the end a chunk of none that says how far the file was read."""
        fault, is_cut = "", False
        with open_decoded(self.source) as stream:
            try:
                self.skip(stream)
                yield from self._whole(stream)
            except Bomb:
                fault = "too_large"
            except EOFError:
                is_cut = True  # what would be a record without its newline may be the beginning of a longer one
            except UNREADABLE:
                fault = "malformed"
        waiting = 0
        if fault:
            yield self._set_aside(fault, self.rest)
        elif self.rest and not is_cut and is_record(self.rest, self.source.format, self.header):
            yield from self._records(self.rest, 0, np.array([len(self.rest)]))
        else:
            waiting = len(self.rest)
        yield self._end(replace(self.position, waiting=waiting, is_cut=is_cut))

    def grown(self, source: Input) -> Iterator[RawChunk]:
        """The records that a file which is not compressed has got since; a last line without its newline may go on.

        A chunk of none comes at the end where it tells of more bytes than those before.
        """
        self.source, begin = source, self.position.bytes
        self.position = _at(source, replace(self.position, waiting=0))
        chunk = None
        with open_behind(source, begin) as stream:
            for chunk in self._whole(stream):
                yield chunk
        done, self.rest = replace(self.position, waiting=len(self.rest)), b""
        is_told = done.bytes == begin and source.start.sha256 if chunk is None else done == chunk.after
        if not is_told:
            yield self._end(done)

    def _whole(self, stream: Stream) -> Iterator[RawChunk]:
        """The records that have their newline."""
        while block := stream.read(BLOCK):
            self.rest, chunks = self._cut(self.rest + block)
            yield from (replace(chunk, passed=stream.passed) for chunk in chunks)

    def _end(self, done: Position) -> RawChunk:
        return _chunk(self.source, done.records + 1, _none(), done, header=self.header)

    def skip(self, stream: Stream) -> None:
        """Pass over what was read before; of CSV, read the header that lies in it."""
        start = self.source.start
        left, first, self.position = start.bytes, b"", _at(self.source, start)
        while left:
            block = stream.read(min(left, BLOCK))
            if not block:
                raise EOFError
            first = first or block
            self.digest.update(block)
            left -= len(block)
        if start.bytes and self.source.format == "csv":
            lines = np.split(np.frombuffer(first, np.uint8), record_ends(first, columns=0))
            self.header = next((header for line in lines if (header := _header(line.tobytes()))), ())
        self.position = _at(self.source, replace(start, sha256=self.digest.hexdigest(), waiting=0, is_cut=False))

    def _cut(self, content: bytes, is_all: bool = False) -> tuple[bytes, list[RawChunk]]:
        """The records that are whole, and the bytes behind them; if this `is_all`, a quote open at the end is none."""
        begin = self._begin(content)
        if self.source.format == "csv" and not self.header:
            begin = self._named(content, begin, is_all)
        ends = self._ends(content[begin:] if begin else content, is_all)
        ends += begin
        chunks = list(self._records(content, begin, ends)) if len(ends) else []
        rest = content[int(ends[-1]) if len(ends) else begin :]
        if len(rest) > LONGEST_RECORD and self.source.format == "csv" and not is_all:
            rest, more = self._cut(rest, is_all=True)
            chunks += more
        if len(rest) > LONGEST_RECORD:
            self.is_within = True
            return b"", [*chunks, self._set_aside("too_large", rest)]
        return rest, chunks

    def _named(self, content: bytes, begin: int, is_all: bool) -> int:
        """Where the records of CSV begin: behind the header, which tells how many fields are one."""
        for end in record_ends(content[begin:], 0, is_all) + begin:
            self.header = _header(content[begin : int(end)])
            self._pass(content[begin : int(end)], 0)
            begin = int(end)
            if self.header:
                break
        return begin

    def _ends(self, content: bytes, is_all: bool) -> Ints:
        """The offsets behind the newline of each record."""
        if self.source.format == "csv":
            return record_ends(content, len(self.header), is_all)
        ends = np.flatnonzero(np.frombuffer(content, np.uint8) == _NEWLINE)
        ends += 1
        return ends

    def _begin(self, content: bytes) -> int:
        """Where records begin: behind a byte order mark, and behind the rest of one that is too long."""
        begin = 0
        if self.is_within:
            begin = content.find(b"\n") + 1
            self.is_within = not begin
            begin = begin or len(content)
        elif not self.position.bytes and content.startswith(_BOM):
            begin = len(_BOM)
        self._pass(content[:begin], 0)
        return begin

    def _records(self, content: bytes, begin: int, ends: Ints) -> Iterator[RawChunk]:
        """One chunk of the records between `begin` and the last of `ends`; those too long stand alone."""
        offsets = np.concatenate(([begin], ends)).astype(np.int64, copy=False)
        done = 0
        long = np.flatnonzero(np.diff(offsets) > LONGEST_RECORD) if len(content) > LONGEST_RECORD else offsets[:0]
        for index in long.tolist():
            yield from self._run(content, offsets[done : index + 1])
            yield self._set_aside("too_large", content[offsets[index] : offsets[index + 1]])
            done = index + 1
        yield from self._run(content, offsets[done:])

    def _run(self, content: bytes, offsets: Ints) -> Iterator[RawChunk]:
        """Chunks of consecutive records: many where they are tiny."""
        for done in range(0, len(offsets) - 1, _MOST):
            yield from self._part(content, offsets[done : done + _MOST + 1])

    def _part(self, content: bytes, offsets: Ints) -> Iterator[RawChunk]:
        body, inside = content[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0]
        whole = [None, pa.py_buffer(inside.astype(np.int32)), pa.py_buffer(body)]
        records = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, whole)
        blank = _blank(body, inside)
        if blank.any():
            records = records.filter(pa.array(~blank))
        first = self.position.records + 1
        self._pass(body, len(records))
        if len(records):
            yield _chunk(self.source, first, records, self.position, header=self.header)

    def _pass(self, body: bytes, records: int) -> None:
        """Count bytes as read."""
        if not body:
            return
        self.digest.update(body)
        self.position = replace(
            self.position,
            bytes=self.position.bytes + len(body),
            records=self.position.records + records,
            sha256=self.digest.hexdigest(),
            is_open=not body.endswith((b"\n", _BOM)),
        )

    def _set_aside(self, reason: str, body: bytes) -> RawChunk:
        number = self.position.records + 1
        self._pass(body, 1)
        self.position = replace(self.position, records=number)
        return _fault(self.source, reason, number, body[:_KEPT] if reason == "too_large" else body, self.position)


def is_record(content: bytes, form: str, header: tuple[str, ...]) -> bool:
    """Whether a last line that no newline ends is a record: if it can be read it is, else it still grows."""
    if form == "csv":
        return bool(header) and len(fields_of(content) or ()) == len(header)
    return isinstance(strict(content), bytes)


def _blank(content: bytes, offsets: Ints) -> Flags:
    """Lines with nothing in them are no records."""
    sizes, starts = np.diff(offsets), np.frombuffer(content, np.uint8)[offsets[:-1]]
    return (starts == _NEWLINE) | (
        (sizes == 2) & np.isin(starts, _SPACES) & (np.frombuffer(content, np.uint8)[offsets[1:] - 1] == _NEWLINE)
    )


def _header(line: bytes) -> tuple[str, ...]:
    """The names in the first line of a CSV file that is not blank."""
    text = line.decode("utf-8-sig", errors="replace")
    return tuple(next(csv.reader(io.StringIO(text, newline="")), [])) if text.strip() else ()
