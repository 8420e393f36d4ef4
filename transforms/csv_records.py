"""Where the records of CSV end: at newlines outside of quotes, as in RFC 4180.

A quote opens a field only at its beginning, and closes it only at its end. One that does neither is a character like any
other; so one that is never closed costs its own line, and not those behind it. Whether it is one of these must not hang
on how much of a file is there yet, or a text whose other lines are still to come would be cut: either a later quote
tells, or many lines behind it that are whole records without a quote. Until then its lines wait.
"""

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.algebra.order import Flags, Ints
from transforms.columns import content_of, offsets_of

_COMMA, _NEWLINE, _RETURN, _QUOTE = 44, 10, 13, 34
_ENOUGH = 10
"""So many lines, each with as many fields as the header has names and no quote, are no text within quotes."""


def record_ends(content: bytes, columns: int, is_all: bool = False) -> Ints:
    """The offsets behind the newline of each record of so many columns, 0 where that is not known.

    Where a quote is still open at the end, its record is not there yet; if that `is_all`, the quote is one like any other.
    """
    view = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(view == _NEWLINE) + 1
    quotes = np.flatnonzero(view == _QUOTE)
    if not len(quotes):
        return ends
    outside = np.searchsorted(quotes, ends) % 2 == 0
    lines = np.diff(np.flatnonzero(outside), prepend=-1, append=len(ends)).max()
    if lines > _ENOUGH or (is_all and len(quotes) % 2) or _stray(view, quotes, np.arange(len(quotes))).any():
        return _one_by_one(content, _pattern(columns, is_all, _ENOUGH))
    return ends[outside]


@lru_cache
def _pattern(columns: int, is_all: bool, enough: int) -> re.Pattern[bytes]:
    """One record: a field is taken as it is found first, or the end of what is there yet would decide."""
    line = rb'[^,"\n]*+(?:,[^,"\n]*+){%d}\n' % (columns - 1)
    opens = rb'(?!"[^"\n]*+\n(?:%b){%d})"' % (line, enough) if columns > 1 else rb'"'
    opened = opens + rb'[^"]*+(?:""[^"]*+)*+'
    plain = rb"[^,\n]*+" if is_all else rb"(?!%b\Z)[^,\n]*+" % opened
    field = rb'(?>%b"(?=,|\r?\n|\r?\Z)|%b)' % (opened, plain)
    return re.compile(rb"%b(?:,%b)*+\r?\n" % (field, field))


def with_stray_quotes(records: pa.StringArray) -> Flags:
    """The records with a quote that neither begins nor ends a field, or is not closed."""
    view, offsets = content_of(records), offsets_of(records)
    offsets = offsets - offsets[0]
    quotes = np.flatnonzero(view == _QUOTE)
    first = np.searchsorted(quotes, offsets)
    counts = np.diff(first)
    record = np.repeat(np.arange(len(records)), counts)
    found = counts % 2 == 1
    found[record[_stray(view, quotes, np.arange(len(quotes)) - first[record])]] = True
    return found


def _stray(view: npt.NDArray[np.uint8], quotes: Ints, number: Ints) -> Flags:
    """The quotes that stand where their number says none can: those with even numbers open, the others close."""
    around = np.concatenate(([_NEWLINE], view, [_NEWLINE, _NEWLINE])).astype(np.uint8, copy=False)
    before, behind, second = around[quotes], around[quotes + 2], around[quotes + 3]
    opens = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
    closes = (
        (behind == _COMMA) | (behind == _NEWLINE) | (behind == _QUOTE) | ((behind == _RETURN) & (second == _NEWLINE))
    )
    return np.where(number % 2 == 0, ~opens, ~closes)


def _one_by_one(content: bytes, pattern: re.Pattern[bytes]) -> Ints:
    """The slow way, for a block with stray quotes in it."""
    ends, at = list[int](), 0
    while found := pattern.match(content, at):
        at = found.end()
        ends.append(at)
    return np.array(ends, np.int64)
