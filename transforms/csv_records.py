"""Where the records of CSV end: at newlines outside of quotes, as in RFC 4180.

A quote opens a field only at its beginning, and closes it only at its end. One that does neither is a character like any
other; so one that is never closed costs its own line, and not those behind it.
"""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.algebra.order import Flags, Ints
from transforms.columns import content_of, offsets_of

_COMMA, _NEWLINE, _RETURN, _QUOTE = 44, 10, 13, 34
_OPEN = rb'"[^"]*+(?:""[^"]*+)*+'
_QUOTED = _OPEN + rb'"(?=,|\r?\n|\Z)'
_FIELD = rb"(?:" + _QUOTED + rb"|[^,\n]*+)"
_FIELD_OR_OPEN = rb"(?:" + _QUOTED + rb"|(?!" + _OPEN + rb"\Z)[^,\n]*+)"
_RECORD, _WHOLE_RECORD = (re.compile(one + rb"(?:," + one + rb")*+\n") for one in (_FIELD, _FIELD_OR_OPEN))


def record_ends(content: bytes, is_all: bool) -> Ints:
    """The offsets behind the newline of each record.

    Where a quote is still open at the end, its record is not there yet; if that `is_all`, the quote is one like any other.
    """
    view = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(view == _NEWLINE) + 1
    quotes = np.flatnonzero(view == _QUOTE)
    if not len(quotes):
        return ends
    if _stray(view, quotes, np.arange(len(quotes))).any() or (is_all and len(quotes) % 2):
        return _one_by_one(content, _RECORD if is_all else _WHOLE_RECORD)
    return ends[np.searchsorted(quotes, ends) % 2 == 0]


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
