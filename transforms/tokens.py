"""The structure of JSON records: quotes, colons, commas and brackets, found in vectors; nothing is parsed one by one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.spans import Bytes, Flags, Places

QUOTE, COLON, COMMA, BACKSLASH = 34, 58, 44, 92
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 123, 125, 91, 93
Index = npt.NDArray[np.int64]


class Tokens(NamedTuple):
    """The structural characters of records: those outside of strings, and the quotes around strings.

    `at` is where each lies, `kind` which it is, `first` the first token of each record (one more than records). `depth`
    counts the brackets that are open behind the token; None where no record nests.
    """

    at: Places
    kind: Bytes
    first: Index
    depth: Places | None


def tokens(content: Bytes, offsets: Places, has_escapes: bool) -> Tokens:
    """Find the tokens of records that are valid JSON objects, or blank."""
    folded = content | 32  # [ and {, ] and } differ in this bit alone
    found = (content == QUOTE) | (content == COLON) | (content == COMMA) | (folded == OPEN_OBJECT) | (folded == CLOSE_OBJECT)
    if has_escapes:
        found[_escaped(content)] = False
    at = np.flatnonzero(found)
    kind = content[at]
    quotes = kind == QUOTE
    kept = quotes | (np.cumsum(quotes, dtype=np.int32) & 1 == 0)
    at, kind = at[kept].astype(np.int32), kind[kept]
    first = np.searchsorted(at, offsets)
    return Tokens(at, kind, first, _depths(kind, len(offsets) - 1))


def _escaped(content: Bytes) -> Index:
    """The places of characters behind a backslash that is not escaped itself."""
    slashes = np.flatnonzero(content == BACKSLASH)
    begins = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)
    in_run = np.arange(len(slashes)) - np.repeat(begins, np.diff(np.append(begins, len(slashes))))
    return slashes[in_run % 2 == 0] + 1


def _depths(kind: Bytes, records: int) -> Places | None:
    folded = kind | 32
    opens = folded == OPEN_OBJECT
    if int(np.count_nonzero(opens)) <= records and not (kind == OPEN_ARRAY).any():
        return None
    steps = opens.astype(np.int8) - (folded == CLOSE_OBJECT)
    return np.cumsum(steps, dtype=np.int32)


def deepest(found: Tokens) -> Places:
    """How deep each record nests."""
    if found.depth is None:
        return np.ones(len(found.first) - 1, np.int32)
    depths = np.zeros(len(found.first) - 1, np.int32)
    rows = np.flatnonzero(np.diff(found.first))
    if len(rows):
        depths[rows] = np.maximum.reduceat(found.depth, found.first[rows])
    return depths


def skip_space(content: Bytes, places: Places, step: int = 1) -> Places:
    """From each place on to the first character that is no white space; with step -1, back to behind the last one."""
    look = 0 if step > 0 else -1
    while True:
        space = _is_space(content[places + look])
        if not space.any():
            return places
        places = places + space * np.int32(step)


def _is_space(characters: Bytes) -> Flags:
    return (characters == 32) | (characters == 10) | (characters == 13) | (characters == 9)


def bare_values(content: Bytes, found: Tokens) -> tuple[Index, Places]:
    """Numbers, true, false and null, and what stands where one is missing.

    Gives the token before each, and where each begins.
    """
    ahead = found.kind[1:]
    before = (found.kind[:-1] == COLON) | (found.kind[:-1] == COMMA) | (found.kind[:-1] == OPEN_ARRAY)
    ends = (ahead == COMMA) | (ahead == CLOSE_OBJECT) | (ahead == CLOSE_ARRAY)
    token = np.flatnonzero(before & ends)
    return token, skip_space(content, found.at[token] + np.int32(1))


def records_of(found: Tokens, token: Index) -> Index:
    """The record that each token belongs to."""
    return np.searchsorted(found.first, token, "right") - 1
