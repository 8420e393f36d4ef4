"""JSON records as columns of text: the raw text of every path that is asked for, exactly as written.

The engine's parser decides the grammar. It is too lenient in four things, which are checked here: a key twice in one
object, NaN and Infinity (also as 1e999), a comma before a closing bracket, and depth.
"""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.record import DEEPEST_RECORD
from transforms.spans import (
    Bytes,
    Flags,
    Hashes,
    Places,
    flags,
    gathered,
    hashed,
    hashed_texts,
    laid_out,
    mixed,
    numbers,
    placed,
    replaced,
    unescaped,
    words,
)
from transforms.tokens import (
    BACKSLASH,
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    OPEN_ARRAY,
    QUOTE,
    Index,
    Tokens,
    bare_values,
    deepest,
    records_of,
    skip_space,
    tokens,
)

GOOD, MALFORMED, TOO_LARGE = 0, 1, 2
_SPACE, _MINUS, _NINE, _NULL = 32, 45, 57, 110
_BYTES_OF_ONE, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_SHORT_NUMBER, _LONG_NUMBER = 5, 64
_DEEPER = np.uint64(0xD6E8FEB86659FD93)


class Scanned(NamedTuple):
    """What the records of a chunk say, in the order of the records.

    Attributes:
      texts: by path the raw text of its values: strings without quotes and escapes, all else as written; null where a
        record has no such key, says null, or is not good.
      nulls: by path the records that say null in so many words.
      nested: by path the records whose value is an object or an array.
      fault: GOOD, MALFORMED or TOO_LARGE.
      undeclared: values of good records that no path reads.
    """

    texts: dict[str, pa.Array]
    nulls: dict[str, Flags]
    nested: dict[str, Flags]
    fault: np.ndarray
    undeclared: int


class _Keys(NamedTuple):
    """The keys of all objects: their colon's token, record, the hash of their path from the root (0 below an array) and
    of their name, and the token that opens their object, counted from the record's first."""

    token: Index
    record: Index
    path: Hashes
    name: Hashes
    object: Index
    first: Index


def scan(records: pa.BinaryArray, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> Scanned:
    """Read the values of `paths` (names; nested ones joined by dots) of every record."""
    content, offsets = laid_out(records)
    fault = _grammar(records, content, offsets, con)
    has_escapes = bool((content == BACKSLASH).any())
    found = tokens(content, offsets, has_escapes)
    fault[deepest(found) > DEEPEST_RECORD] = TOO_LARGE
    fault[_wrong_values(content, found, con)] = MALFORMED
    keys = _keys(content, found, has_escapes, con)
    fault[_with_twins(keys, len(records))] = MALFORMED
    reader = _Reader(content, found, keys, fault == GOOD, has_escapes, con)
    values = {path: reader.values(path) for path in paths}
    return Scanned(
        {path: value[0] for path, value in values.items()},
        {path: value[1] for path, value in values.items()},
        {path: value[2] for path, value in values.items()},
        fault,
        reader.undeclared(paths),
    )


def _grammar(records: pa.BinaryArray, content: Bytes, offsets: Places, con: duckdb.DuckDBPyConnection) -> np.ndarray:
    """Which records are no JSON objects in UTF-8; their bytes are blanked, so that nothing is found in them."""
    text = pa.Array.from_buffers(pa.string(), len(records), [None, numbers(offsets).buffers()[1], pa.py_buffer(content)])
    con.register("records", pa.table({"r": text}))
    told = con.execute("SELECT coalesce(json_valid(r), false) AS ok FROM records").to_arrow_table()["ok"]
    con.unregister("records")
    good = np.asarray(told).astype(np.bool_)
    begins = skip_space(content, offsets[:-1]) if len(records) else offsets[:0]
    good &= content[begins] == 123
    for row in np.flatnonzero(~good):
        content[offsets[row] : offsets[row + 1]] = _SPACE
    return np.where(good, GOOD, MALFORMED).astype(np.int8)


def _wrong_values(content: Bytes, found: Tokens, con: duckdb.DuckDBPyConnection) -> Index:
    """The records with a comma that nothing follows, or with a number that is none: NaN, Infinity, 1e999."""
    token, begin = bare_values(content, found)
    head, ahead = content[begin], content[begin + 1]
    closes = (head == CLOSE_OBJECT) | ((head == CLOSE_ARRAY) & (found.kind[token] != OPEN_ARRAY))
    letters = (head == 78) | (head | 32 == 105) | ((head == _NULL) & (ahead != 117)) | ((head == _MINUS) & (ahead > _NINE))
    wrong = closes | letters
    number = np.flatnonzero((head <= _NINE) & ~wrong & (found.at[token + 1] - begin >= _SHORT_NUMBER))
    wrong[number[_is_infinite(content, begin[number], found.at[token[number] + 1], con)]] = True
    return records_of(found, token[wrong])


def _is_infinite(content: Bytes, starts: Places, ends: Places, con: duckdb.DuckDBPyConnection) -> Flags:
    """Whether a number with an exponent is beyond every double."""
    sizes, suspect = ends - starts, ends - starts > _LONG_NUMBER
    view = words(content)
    for done in range(0, min(int(sizes.max(initial=0)), _LONG_NUMBER), 8):
        rows = np.flatnonzero(sizes > done)
        unlike = (view[starts[rows] + done] | np.uint64(0x2020202020202020)) ^ np.uint64(0x6565656565656565)
        suspect[rows] |= ((unlike - _BYTES_OF_ONE) & ~unlike & _HIGH_BITS) != 0
    rows = np.flatnonzero(suspect)
    if not len(rows):
        return suspect
    con.register("suspects", pa.table({"t": gathered(content, starts[rows], ends[rows])}))
    sql = "SELECT contains(lower(t), 'e') AND coalesce(isinf(TRY_CAST(t AS DOUBLE)), true) AS inf FROM suspects"
    suspect[rows] = np.asarray(con.execute(sql).to_arrow_table()["inf"]).astype(np.bool_)
    con.unregister("suspects")
    return suspect


def _keys(content: Bytes, found: Tokens, has_escapes: bool, con: duckdb.DuckDBPyConnection) -> _Keys:
    token = np.flatnonzero(found.kind == COLON)
    starts = found.at[token - 2] + np.int32(1)
    ends = found.at[token - 1]
    name = hashed(content, starts, ends - starts)
    if has_escapes:
        _resolve(content, starts, ends, name, con)
    first = np.searchsorted(token, found.first)
    record = np.repeat(np.arange(len(first) - 1), np.diff(first))
    if found.depth is None:
        return _Keys(token, record, name, name, np.zeros(len(token), np.int64), first)
    path, opener = _paths(found, token, name)
    return _Keys(token, record, path, name, opener - found.first[record], first)


def _resolve(content: Bytes, starts: Places, ends: Places, name: Hashes, con: duckdb.DuckDBPyConnection) -> None:
    """Hash keys that are written with escapes by what they mean."""
    rows = _holding(np.flatnonzero(content == BACKSLASH), starts, ends)
    if len(rows):
        name[rows] = hashed_texts(unescaped(gathered(content, starts[rows], ends[rows]), con))


def _holding(places: Index, starts: Places, ends: Places) -> Index:
    """The spans that hold any of the sorted places."""
    return np.flatnonzero(np.searchsorted(places, starts) < np.searchsorted(places, ends))


def _paths(found: Tokens, token: Index, name: Hashes) -> tuple[Hashes, Index]:
    """The hash of each key's path, and the token that opens its object; level by level."""
    assert found.depth is not None
    depth, path = found.depth[token], np.zeros(len(token), np.uint64)
    opener = np.zeros(len(token), np.int64)
    opens = np.flatnonzero((found.kind | 32) == 123)
    levels = found.depth[opens]
    for level in range(1, min(int(depth.max(initial=0)), DEEPEST_RECORD) + 1):
        rows = np.flatnonzero(depth == level)
        here = opens[levels == level]
        opener[rows] = here[np.searchsorted(here, token[rows]) - 1]
        if level == 1:
            path[rows] = name[rows]
            continue
        above = opener[rows] - 1
        parent = np.minimum(np.searchsorted(token, above), len(token) - 1)
        known = (found.kind[above] == COLON) & (path[parent] != 0)
        path[rows] = np.where(known, _below(path[parent], name[rows]), np.uint64(0))
    return path, opener


def _below(parent: Hashes, name: Hashes) -> Hashes:
    return mixed(parent * _DEEPER + name)


def _with_twins(keys: _Keys, records: int) -> Index:
    """The records in which an object has a key twice. Records of one layout are alike in this: one of each is looked at."""
    ordinal = np.arange(len(keys.token)) - keys.first[keys.record]
    place = mixed((ordinal.astype(np.uint64) << np.uint64(32)) ^ keys.object.astype(np.uint64))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mixed(keys.name ^ place), dtype=np.uint64)))
    layout = sums[keys.first[1:]] - sums[keys.first[:-1]]
    _, one_of_each, which = np.unique(layout, return_index=True, return_inverse=True)
    sizes = keys.first[one_of_each + 1] - keys.first[one_of_each]
    owner = np.repeat(np.arange(len(one_of_each)), sizes)
    index = np.arange(len(owner)) + np.repeat(keys.first[one_of_each] - (np.cumsum(sizes) - sizes), sizes)
    group = owner.astype(np.uint64) * _DEEPER + keys.object[index].astype(np.uint64)
    order = np.lexsort((keys.name[index], group))
    group, name = group[order], keys.name[index][order]
    twins = np.flatnonzero((group[1:] == group[:-1]) & (name[1:] == name[:-1]))
    bad = np.zeros(len(one_of_each), np.bool_)
    bad[owner[order][twins]] = True
    return np.flatnonzero(bad[which]) if records else np.empty(0, np.int64)


class _Reader:
    """Reads paths from records whose structure is known."""

    def __init__(
        self, content: Bytes, found: Tokens, keys: _Keys, good: Flags, has_escapes: bool, con: duckdb.DuckDBPyConnection
    ) -> None:
        self.content, self.found, self.keys, self.good, self.con = content, found, keys, good, con
        self.slashes = np.flatnonzero(content == BACKSLASH) if has_escapes else None
        self.width = self._width()

    def _width(self) -> int:
        """How many keys every record has, where all have the same ones in the same order; else 0."""
        counts = np.diff(self.keys.first)
        width = int(counts[0]) if len(counts) else 0
        if not width or not (counts == width).all():
            return 0
        grid = self.keys.path.reshape(-1, width)
        return width if bool((grid == grid[0]).all()) else 0

    def places(self, path: str) -> Index:
        """The keys that have this path, in good records."""
        sought = np.uint64(_hash_of(path))
        if self.width:
            column = np.flatnonzero(self.keys.path[: self.width] == sought)
            places = column[:1] + self.width * np.arange(len(self.good)) if len(column) else column
        else:
            places = np.flatnonzero(self.keys.path == sought)
        return places if self.good.all() else places[self.good[self.keys.record[places]]]

    def values(self, path: str) -> tuple[pa.Array, Flags, Flags]:
        """The text of a path in each record, which say null, and which hold an object or array."""
        places, count = self.places(path), len(self.good)
        token, record = self.keys.token[places], self.keys.record[places]
        starts, ends, is_string, is_nested = self._spans(token, path.count(".") + 2)
        is_null = ~is_string & (self.content[starts] == _NULL)
        nulls, nested = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        nulls[record[is_null]], nested[record[is_nested]] = True, True
        said = slice(None) if not is_null.any() else np.flatnonzero(~is_null)
        texts = gathered(self.content, starts[said], ends[said])
        if self.slashes is not None:
            rows = _holding(self.slashes, starts[said], ends[said])
            rows = rows[is_string[said][rows]]
            texts = replaced(texts, rows, unescaped(texts.take(numbers(rows)), self.con)) if len(rows) else texts
        return placed(texts, record[said], count), nulls, nested

    def _spans(self, token: Index, level: int) -> tuple[Places, Places, Flags, Flags]:
        """Where the value behind each colon begins and ends, and whether it is a string, or an object or array."""
        at, kind = self.found.at, self.found.kind[token + 1]
        is_string = kind == QUOTE
        is_nested = (kind | 32) == 123
        starts = at[np.where(is_string, token + 1, token)] + np.int32(1)
        ends = at[np.where(is_string, token + 2, token + 1)]
        bare = np.flatnonzero(~is_string & ~is_nested)
        starts[bare] = skip_space(self.content, starts[bare])
        ends[bare] = skip_space(self.content, ends[bare], -1)
        wide = np.flatnonzero(is_nested)
        if len(wide) and self.found.depth is not None:
            closes = np.flatnonzero(((self.found.kind | 32) == 125) & (self.found.depth == level - 1))
            starts[wide] = at[token[wide] + 1]
            ends[wide] = at[closes[np.searchsorted(closes, token[wide] + 1)]] + 1
        return starts, ends, is_string, is_nested

    def undeclared(self, paths: Sequence[str]) -> int:
        """How many values of good records lie at no path."""
        keys = self.keys
        top = keys.object == 0
        total = int(np.count_nonzero(top & self.good[keys.record]))
        return total - sum(len(self.places(head)) for head in {path.split(".")[0] for path in paths})


def _hash_of(path: str) -> int:
    """The hash of a path: of its first name, then deeper by each name."""
    names = hashed_texts(pa.array(path.split("."), pa.string()))
    whole = names[:1]
    for index in range(1, len(names)):
        whole = _below(whole, names[index : index + 1])
    return int(whole[0])
