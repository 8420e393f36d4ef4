"""Read a file as runs of records, from a committed position on, with the bytes of each record kept."""

import csv
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runners.faults import reach
from runners.sources.streams import Bomb, open_decoded
from schemas.record import LONGEST_RECORD, Input, Position, RawChunk

BLOCK = 1 << 23
_NEWLINE, _QUOTE = 10, 34


def read(source: Input) -> Iterator[RawChunk]:
    """All records that are new in a file. A chunk's `after` is the position to commit once it is applied."""
    reach("read")
    if source.format == "parquet":
        yield from _read_parquet(source)
    else:
        yield from _Lines(source).chunks()


def _read_parquet(source: Input) -> Iterator[RawChunk]:
    digest = hashlib.sha256(Path(source.path).read_bytes()).hexdigest()
    done = replace(_at(source, Position()), sha256=digest)
    count = 0
    try:
        for batch in pq.ParquetFile(source.path).iter_batches(batch_size=1 << 17):
            rows = batch.num_rows
            after = replace(done, records=count + rows)
            yield RawChunk(source.source, source.file, "parquet", count + 1, _none(), rows=batch, after=after)
            count += rows
    except (pa.ArrowException, OSError):
        yield _fault(source, "malformed", count + 1, b"", replace(done, records=count + 1))


def _none() -> pa.BinaryArray:
    return pa.array([], pa.binary())


def _at(source: Input, position: Position) -> Position:
    return replace(position, size=source.size, mtime_ns=source.mtime_ns, inode=source.inode)


def _fault(source: Input, reason: str, number: int, raw: bytes, after: Position, header: tuple[str, ...] = ()) -> RawChunk:
    return RawChunk(source.source, source.file, source.format, number, pa.array([raw], pa.binary()), header=header, fault=reason, after=after)


class _Lines:
    """Cuts a stream into records: at newlines, in CSV at those outside of quotes."""

    def __init__(self, source: Input) -> None:
        self.source = source
        self.position = _at(source, replace(source.start, bytes=0, records=0, sha256=""))
        self.digest = hashlib.sha256()
        self.header: tuple[str, ...] = ()

    def chunks(self) -> Iterator[RawChunk]:
        """Every record behind the start."""
        rest = b""
        try:
            with open_decoded(self.source) as stream:
                self._skip(stream)
                while block := stream.read(BLOCK):
                    rest, chunks = self._cut(rest + block)
                    yield from chunks
        except Bomb:
            yield self._set_aside("too_large", rest[:1024])
            return
        except (EOFError, OSError, zlib.error, pa.ArrowException):
            yield self._set_aside("malformed", rest)
            return
        if rest:
            yield from self._cut(rest, at_end=True)[1]

    def _skip(self, stream: "io.BufferedIOBase | object") -> None:
        """Pass over what was read before; of CSV, read the header that lies in it."""
        left, start = self.source.start.bytes, self.source.start
        first = b""
        while left:
            block = stream.read(min(left, BLOCK))  # type: ignore[attr-defined]
            if not block:
                raise EOFError
            first = first or block
            self.digest.update(block)
            left -= len(block)
        if start.bytes and self.source.format == "csv":
            self.header = _header(first[: first.find(b"\n") + 1])
        self.position = _at(self.source, replace(start, sha256=self.digest.hexdigest()))

    def _cut(self, content: bytes, at_end: bool = False) -> tuple[bytes, list[RawChunk]]:
        """The records that are whole, and the bytes behind them."""
        ends = _record_ends(content, self.source.format)
        if at_end:
            ends = np.append(ends, len(content))
        chunks: list[RawChunk] = []
        begin = 0
        if len(ends) and self.source.format == "csv" and not self.header:
            begin = int(ends[0])
            self.header = _header(content[:begin])
            self._pass(content[:begin], 0)
            ends = ends[1:]
        if not len(ends):
            over = len(content) - begin > LONGEST_RECORD and not at_end
            return (b"", [self._set_aside("too_large", content[begin : begin + 1024], content[begin:])]) if over else (content[begin:], chunks)
        chunks += self._records(content, begin, ends)
        return content[int(ends[-1]) :], chunks

    def _records(self, content: bytes, begin: int, ends: np.ndarray) -> list[RawChunk]:
        offsets = np.concatenate(([begin], ends)).astype(np.int64)
        body = content[begin : int(ends[-1])]
        first = self.position.records + 1
        self._pass(body, len(ends))
        blank = _blank(content, offsets)
        records = pa.Array.from_buffers(
            pa.binary(), len(ends), [None, pa.py_buffer((offsets - begin).astype(np.int32)), pa.py_buffer(body)]
        )
        if blank.any():
            records = records.filter(pa.array(~blank))
        return [RawChunk(self.source.source, self.source.file, self.source.format, first, records, header=self.header, after=self.position)]

    def _pass(self, body: bytes, records: int) -> None:
        self.digest.update(body)
        self.position = replace(
            self.position,
            bytes=self.position.bytes + len(body),
            records=self.position.records + records,
            sha256=self.digest.hexdigest(),
        )

    def _set_aside(self, reason: str, raw: bytes, body: bytes = b"") -> RawChunk:
        number = self.position.records + 1
        self._pass(body or raw, 1)
        return _fault(self.source, reason, number, raw, self.position, self.header)


def _record_ends(content: bytes, form: str) -> np.ndarray:
    """The offsets behind the newline of each record."""
    view = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(view == _NEWLINE) + 1
    if form == "csv" and b'"' in content:
        quotes = np.flatnonzero(view == _QUOTE)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return ends


def _blank(content: bytes, offsets: np.ndarray) -> np.ndarray:
    """Lines with nothing in them are no records."""
    sizes = np.diff(offsets)
    blank = sizes <= 2
    for index in np.flatnonzero(blank):
        blank[index] = not content[offsets[index] : offsets[index + 1]].strip()
    return blank


def _header(line: bytes) -> tuple[str, ...]:
    text = line.decode("utf-8-sig", errors="replace")
    return tuple(next(csv.reader(io.StringIO(text)), []))
