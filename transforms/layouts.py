"""JSON records written alike: once one of them is understood, the others are read by arithmetic on where quotes stand.

A record has a layout when the text around its values is, byte for byte, that of a record which was read by the letter.
So no key can come twice in it, no bracket can be missing, and a number keeps its text. Records that have an escape, an
array, or a layout of their own are left to others.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.order import Flags, Ints
from transforms.columns import LOW_BYTES, eight_bytes, offsets_of
from transforms.strict import strict

_BACKSLASH, _QUOTE, _SPACE = 92, 34, 32
_PART = re.compile(rb'"[^"]*"\s*:|"[^"]*"|[^\s{}\[\],:"]+')
_SCALAR = r"^(?:true|false|-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,64})?)$"
"""What is neither a text nor null; numbers that could be beyond a double are left to others."""
_TRIES, _POOR = 8, 2
"""How many records are tried as an example, and how many of them may be like few others before no more are tried."""

Path = tuple[str, ...]


class Layout(NamedTuple):
    """The text before each value and behind the last, without the quotes of texts; and the keys that lead to each value."""

    literals: tuple[bytes, ...]
    paths: tuple[Path, ...]

    def undeclared(self, paths: Sequence[Path]) -> int:
        """How many keys of the record begin no path."""
        return len({path[0] for path in self.paths} - {path[0] for path in paths})

    def others(self, paths: Sequence[Path]) -> frozenset[str]:
        """Where values lie that no path reads."""
        return frozenset(".".join(one) for one in self.paths if not any(one[: len(path)] == path for path in paths))

    def can_tell(self, path: Path) -> bool:
        """Whether what lies at a path is a value or nothing, and no object."""
        return not any(one[: len(path)] == path and len(one) > len(path) for one in self.paths)


class Alike(NamedTuple):
    """Records of one layout: their rows, ascending, and the text of each path: null where it says null or there is none."""

    rows: Ints
    columns: list[pa.Array]
    undeclared: int
    others: frozenset[str]


class _Spans(NamedTuple):
    """Where a value of each row begins and ends, and which are texts, in quotes."""

    begin: Ints
    end: Ints
    is_text: Flags

    def at(self, keep: Flags) -> "_Spans":
        """Those of some rows."""
        return _Spans(self.begin[keep], self.end[keep], self.is_text[keep])


def alike(records: pa.StringArray, rows: Ints, paths: Sequence[str]) -> tuple[list[Alike], Ints]:
    """Read what can be read so of the `rows`; gives the rows left beside it."""
    found, reader, poor = list[Alike](), None, 0
    wanted = [tuple(path.split(".")) for path in paths]
    for index in range(_TRIES):
        if not len(rows) or poor == _POOR:
            break
        layout = layout_of(records[int(rows[index * len(rows) // _TRIES])].as_py().encode())
        if layout is None or not all(map(layout.can_tell, wanted)):
            continue
        reader = reader or _Reader(records)
        one = reader.read(layout, rows, wanted)
        found.append(one)
        poor += len(one.rows) * _TRIES < len(rows)
        rows = np.setdiff1d(rows, one.rows, assume_unique=True) if len(one.rows) < len(rows) else rows[:0]
    return found, rows


def layout_of(record: bytes) -> Layout | None:
    """The layout of a record; None where it is none by the letter, or one with escapes, arrays or empty objects."""
    written = strict(record) if b"\\" not in record else None
    if not isinstance(written, bytes):
        return None
    paths = _leaves(json.loads(written))
    if paths is None:
        return None
    values = [part.span() for part in _PART.finditer(record) if not part[0].endswith(b":")]
    edges = [0, *(edge for span in values for edge in span), len(record)]
    texts = [record[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    return Layout(tuple(texts), tuple(paths))


def _leaves(value: Mapping[str, object], above: Path = ()) -> list[Path] | None:
    """The path of each value, as written; None where one is an array, or an object without any."""
    found: list[Path] = []
    for key, part in value.items():
        inner = _leaves(part, (*above, key)) if isinstance(part, dict) else [(*above, key)]
        if inner is None or isinstance(part, list):
            return None
        found += inner
    return found or None


class _Reader:
    """Where the quotes of records stand, and how many quotes, escapes and bytes of white space or control they have."""

    def __init__(self, records: pa.StringArray) -> None:
        self.buffer = records.buffers()[2]
        self.content = np.frombuffer(self.buffer, np.uint8)
        self.words = eight_bytes(self.content)
        self.offsets = offsets_of(records)
        self.quotes = np.flatnonzero(self.content == _QUOTE)
        self.first_quote = np.searchsorted(self.quotes, self.offsets)
        self.controls = self._count(self.content < _SPACE)
        self.is_plain = self._count(self.content == _BACKSLASH) == 0

    def _count(self, found: Flags) -> Ints:
        return np.diff(np.searchsorted(np.flatnonzero(found), self.offsets))

    def read(self, layout: Layout, rows: Ints, paths: Sequence[Path]) -> Alike:
        """The records of a layout among the rows."""
        literals = b"".join(layout.literals)
        controls = sum(byte < _SPACE for byte in literals)
        rows = rows[self.is_plain[rows] & (self.controls[rows] == controls)]
        rows, spans = self._spans(layout, rows)
        nulls = [self._nulls(span) for span in spans]
        wrong = np.zeros(len(rows), np.bool_)
        for span, null in zip(spans, nulls, strict=True):
            wrong |= self._wrong(span, null)
        if wrong.any():
            rows, spans, nulls = rows[~wrong], [span.at(~wrong) for span in spans], [null[~wrong] for null in nulls]
        there = {path: index for index, path in enumerate(layout.paths)}
        columns = [
            self._texts(spans[there[path]], nulls[there[path]]) if path in there else pa.nulls(len(rows), pa.string())
            for path in paths
        ]
        return Alike(rows, columns, layout.undeclared(paths) * len(rows), layout.others(paths))

    def _spans(self, layout: Layout, rows: Ints) -> tuple[Ints, list[_Spans]]:
        """The rows that have the layout, and where their values are, value by value."""
        at, quote, spans = self.offsets[rows], self.first_quote[rows], list[_Spans]()
        for literal, behind in pairwise(layout.literals):
            fits = self._holds(literal, at)
            if not fits.all():
                rows, at, quote = rows[fits], at[fits], quote[fits]
                spans = [span.at(fits) for span in spans]
            at, quote = at + len(literal), quote + literal.count(b'"')
            spans.append(self._span(at, quote, behind, rows))
            _, end, is_text = spans[-1]
            at, quote = end + is_text, quote + 2 * is_text
        last = layout.literals[-1]
        fits = (at + len(last) == self.offsets[rows + 1]) & self._holds(last, at)
        for span in spans:
            fits &= span.end >= span.begin
        return (rows, spans) if fits.all() else (rows[fits], [span.at(fits) for span in spans])

    def _holds(self, literal: bytes, at: Ints) -> Flags:
        """Whether the text stands at each place, with a byte behind it or the end of all."""
        size = len(literal)
        holds = (at >= 0) & (at + size < len(self.content) + (at + size == self.offsets[-1]))
        if not holds.any():
            return holds
        place = at if holds.all() else np.where(holds, at, 0)
        for begin in range(0, size, 8):
            part = literal[begin : begin + 8]
            holds &= (self.words[place + begin] & LOW_BYTES[len(part)]) == np.uint64(int.from_bytes(part, "little"))
        return holds

    def _span(self, at: Ints, quote: Ints, behind: bytes, rows: Ints) -> _Spans:
        """The value that begins at each place: a text ends at the next quote, another before the text that is behind it."""
        is_text = self.content[at] == _QUOTE
        closing = self.quotes.take(quote + 1, mode="clip")
        if is_text.all():
            return _Spans(at + 1, closing, is_text)
        gap = behind.find(b'"')
        bare = self.offsets[rows + 1] - len(behind) if gap < 0 else self.quotes.take(quote, mode="clip") - gap
        return _Spans(at + is_text, np.where(is_text, closing, bare), is_text)

    def _nulls(self, span: _Spans) -> Flags:
        if span.is_text.all():
            return ~span.is_text
        null = ~span.is_text & (span.end - span.begin == 4)
        null[null] = self._holds(b"null", span.begin[null])
        return null

    def _wrong(self, span: _Spans, null: Flags) -> Flags:
        """The values that are no text, null, or other scalar."""
        bare = ~(span.is_text | null)
        if bare.any():
            texts = self._texts(span.at(bare), np.zeros(int(bare.sum()), np.bool_))
            bare[bare] = ~np.asarray(pc.match_substring_regex(texts, _SCALAR)).astype(np.bool_)
        return bare

    def _texts(self, span: _Spans, null: Flags) -> pa.StringArray:
        """The bytes between: every second text of those that begin or end where a value does."""
        edges = np.empty(2 * len(null) + 1, np.int32)
        edges[:-1:2], edges[1::2], edges[-1] = span.begin, span.end, self.offsets[-1]
        buffers = [None, pa.py_buffer(edges), self.buffer]
        every = pa.Array.from_buffers(pa.string(), 2 * len(null), buffers)
        index = pa.array(np.arange(len(null)) * 2)
        return every.take(index if not null.any() else pc.if_else(pa.array(null), pa.scalar(None, pa.int64()), index))
