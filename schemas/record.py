"""Raw records: the files and topics that hold them, a run of their bytes, and how far each has been read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pyarrow as pa

Format = Literal["ndjson", "csv", "parquet"]
Compression = Literal["none", "gzip", "zstd"]

LONGEST_RECORD = 16 << 20
"""Bytes of one record; a longer one is set aside as too_large."""
DEEPEST_RECORD = 32
"""Levels of nesting of one record; a deeper one is set aside as too_large."""
USUAL_RECORD = 256
"""Bytes that a record of a topic is taken to have where only their number is known: progress is told in bytes."""


@dataclass(frozen=True)
class Position:
    """How far a file has been read, and what was seen there.

    Attributes:
      bytes: decoded bytes of all records read.
      records: records read.
      sha256: of these bytes, as hexadecimal digits; of a Parquet file, of the whole file.
      size, mtime_ns, inode: of the file when it was read; mtime_ns is 0 where it was too fresh to be trusted.
      is_open: the last record was taken without a newline after it, so nothing but a newline may follow.
      waiting: bytes at the end of the file that are no record yet; they are read once their line is complete.
      is_cut: the file is compressed and its end is missing, as while it is uploaded.
    """

    bytes: int = 0
    records: int = 0
    sha256: str = ""
    size: int = 0
    mtime_ns: int = 0
    inode: int = 0
    is_open: bool = False
    waiting: int = 0
    is_cut: bool = False

    def to_json(self) -> dict[str, Any]:
        """The position as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Position":
        """The position that `to_json` gave."""
        return cls(**fields)


@dataclass(frozen=True)
class Offset:
    """How far a partition of a topic has been read.

    Attributes:
      offset: that of the next record.
    """

    offset: int

    def to_json(self) -> dict[str, Any]:
        """The position as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Offset":
        """The position that `to_json` gave."""
        return cls(**fields)


def position_of(fields: Mapping[str, Any]) -> Position | Offset:
    """The position that either's `to_json` gave."""
    return Offset.from_json(fields) if "offset" in fields else Position.from_json(fields)


@dataclass(frozen=True)
class Input:
    """A file to read, from a committed position up to what was there when it was listed.

    Attributes:
      source: the name of its source.
      file: its name: the path from the project's folder, with slashes.
      path: where to open it.
      size, mtime_ns, inode: when it was listed; nothing beyond `size` is read.
      start: where an earlier run ended, or the beginning.
    """

    source: str
    file: str
    path: str
    format: Format
    compression: Compression
    size: int
    mtime_ns: int
    inode: int
    start: Position = Position()

    @property
    def unread(self) -> int:
        """The bytes behind the position from which it is read; all, where they are not those of its records."""
        is_plain = self.compression == "none" and self.format != "parquet"
        return self.size - (self.start.bytes if is_plain else 0)


@dataclass(frozen=True)
class Partition:
    """A partition of a topic to read, from a committed offset up to what was its end when it was listed.

    Attributes:
      source: the name of its source.
      start: the offset of the first record to read.
      end: the offset behind the last one.
      bootstrap: where the brokers are asked for; never shown, it may be a secret.
      group: the group in whose name it is read, for those who watch the brokers.
    """

    source: str
    topic: str
    number: int
    start: int
    end: int
    bootstrap: str = field(repr=False)
    group: str = ""

    @property
    def file(self) -> str:
        """Its name among the positions of its source."""
        return f"{self.topic}/{self.number}"

    @property
    def unread(self) -> int:
        """About how many bytes are behind the position from which it is read."""
        return (self.end - self.start) * USUAL_RECORD

    @property
    def size(self) -> int:
        """About how many bytes are read of it."""
        return self.unread


@dataclass(frozen=True)
class TableRows(Partition):
    """Rows of a table, which is like a topic of one partition: those with numbers, or from instants, in [start, end).

    `bootstrap` is the address of the database; `topic` names it and the table.

    Attributes:
      rows: about how many there are.
    """

    rows: int = 0

    @property
    def unread(self) -> int:
        """About how many bytes they have."""
        return self.rows * USUAL_RECORD


AnyInput = Input | Partition


@dataclass(frozen=True)
class RawChunk:
    """A run of records of one file, or of one partition of a topic, uninterpreted.

    Attributes:
      source, file: whose they are; of a topic, `topic/partition`.
      format: how a record is written.
      first: the number of the first record; a file's records count from 1.
      numbers: int64, the number of each record, where they do not follow one another: offsets have gaps.
      received_at: for each record the instant at which the medium received it, null where it does not tell; else None.
      records: the bytes of each record, its line end included, in one buffer without gaps; of a Parquet file, empty.
      rows: the rows of a Parquet file, one a record, else None.
      header: the column names of a CSV file.
      fault: the reason for which the reader already sets all of these records aside; their bytes may be cut short.
      after: the position behind these records.
      passed: about how many bytes of the file, packed as they are, have been read; for telling how far a run is.
    """

    source: str
    file: str
    format: Format
    first: int
    records: pa.BinaryArray
    rows: pa.RecordBatch | None = None
    header: tuple[str, ...] = ()
    fault: str | None = None
    after: Position | Offset = Position()
    passed: int = 0
    numbers: pa.Int64Array | None = None
    received_at: pa.TimestampArray | None = None

    def __len__(self) -> int:
        return len(self.records) if self.rows is None else self.rows.num_rows

    @property
    def is_cut_off(self) -> bool:
        """Whether what lies behind these records is no whole record, or is missing."""
        return isinstance(self.after, Position) and (bool(self.after.waiting) or self.after.is_cut)

    @property
    def place(self) -> str:
        """What the numbers of its records count within, as positions are written: the file, or topic and partition."""
        if isinstance(self.after, Position):
            return self.file
        topic, _, partition = self.file.rpartition("/")
        return f"{topic}\0{partition:0>20}"
