"""What is read of a chunk before any type is known: columns of text, and the records that could not be read."""

import difflib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import rejection
from schemas.record import LONGEST_RECORD
from transforms.algebra.order import Flags, Ints

MALFORMED = rejection.REASONS.index("malformed")
TOO_LARGE = rejection.REASONS.index("too_large")
LOW_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
"""A mask of so many low bytes."""

_LIKE = 1000
"""Among so many names one is sought that is like another."""


class Columns(NamedTuple):
    """The records that could be read: a column for each path, text unless the format has types, and which they are.

    `code` has an entry for every record: -1, or the code of the reason for which it is set aside.
    `undeclared` counts values that no path reads, `others` names where they lie. `raw` is the text of JSON records that
    could be read.
    """

    table: pa.Table
    code: Ints
    undeclared: int
    others: frozenset[str] = frozenset()
    raw: pa.Array | None = None

    def unseen(self) -> dict[str, str] | None:
        """The paths at which no record has a value, and for each the name among the others that is most like it, if any.

        None where no record could be read.
        """
        if not self.good.any():
            return None
        missing = [path for path in self.table.column_names if self.table[path].null_count == len(self.table)]
        names = sorted(self.others)[:_LIKE]
        return {path: next(iter(difflib.get_close_matches(path, names, 1)), "") for path in missing}

    @property
    def good(self) -> Flags:
        """Which records could be read."""
        return self.code < 0


def text_or_fault(records: pa.BinaryArray) -> tuple[pa.StringArray, Ints]:
    """The records as text. Those that are not UTF-8 or hold NUL are empty and MALFORMED, those too long TOO_LARGE."""
    code = np.full(len(records), -1, np.int64)
    code[np.diff(offsets_of(records)) > LONGEST_RECORD] = TOO_LARGE  # of files the reader has cut them already
    if len(records) and not content_of(records).min(initial=1):
        code[np.asarray(pc.match_substring(records, b"\0")).astype(np.bool_)] = MALFORMED
    try:
        text = records.cast(pa.string())
    except pa.ArrowInvalid:  # rare: look for the bad ones
        code[[not _is_utf8(record) for record in records.to_pylist()]] = MALFORMED
        return _blanked(records, code), code
    return text if (code < 0).all() else _blanked(records, code), code


def _blanked(records: pa.BinaryArray, code: Ints) -> pa.StringArray:
    return pc.if_else(pa.array(code < 0), records, pa.scalar(b"", pa.binary())).cast(pa.string())


def _is_utf8(record: bytes) -> bool:
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def whole_of(records: pa.Array) -> bytes:
    """A copy of the bytes of all records."""
    return content_of(records).tobytes()


def content_of(records: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of all records: they lie behind one another in one buffer."""
    offsets = offsets_of(records)
    return np.frombuffer(records.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]


def offsets_of(records: pa.Array) -> Ints:
    """Where each record begins in the buffer, and where the last one ends."""
    if not len(records):
        return np.zeros(1, np.int64)
    offsets = np.frombuffer(records.buffers()[1], np.int32)
    return offsets[records.offset : records.offset + len(records) + 1].astype(np.int64)


def eight_bytes(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The eight bytes from each place on as one number, the first the lowest; zeros behind the end."""
    padded = np.concatenate((content, np.zeros(8, np.uint8)))
    return np.ndarray((len(content) + 1,), "<u8", padded, 0, (1,))
