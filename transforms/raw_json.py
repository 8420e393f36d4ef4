"""JSON lines as columns of text: the engine reads the clean records, what it is too lenient with is read strictly."""

import json
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.record import DEEPEST_RECORD
from transforms.algebra.order import Flags, Ints
from transforms.columns import MALFORMED, TOO_LARGE, Columns, offsets_of, text_or_fault

_NON_FINITE = r"[:\[,\s]-?(?:[nN][aA][nN]|[iI][nN][fF])|[0-9][eE]\+?[0-9]{3}"
_STRAY_COMMA = r",\s*[}\]]"
_LONG_NUMBER = r"[:\[,\s-][0-9.]{17}"
_ESCAPED = r"\\u0000"
_SUSPECT = "|".join((_NON_FINITE, _STRAY_COMMA, _LONG_NUMBER, _ESCAPED))
"""What the engine accepts though it is no JSON, or would round to a double."""
_FEW = 1 << 22


def of_json(records: pa.BinaryArray, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> Columns:
    """Read the paths of every record that is one JSON object by the letter of RFC 8259, no key twice."""
    raw, code = text_or_fault(records)
    suspect = np.asarray(pc.match_substring_regex(raw, _SUSPECT)).astype(np.bool_) | _maybe_deep(records)
    raw = _read_strictly(raw, code, suspect, records)
    found = _found(raw, code, paths, con)
    twice, undeclared = np.zeros(len(found), np.bool_), 0
    for column in found.column_names[len(paths) :]:
        heads = {path.split(".")[0] for path in paths} if column == "keys" else None
        again, unknown = _keys(found[column].combine_chunks(), heads)
        twice |= again
        undeclared += unknown
    good = np.flatnonzero(code < 0)
    code[good[twice]] = MALFORMED
    table = found.select(list(range(len(paths)))) if paths else pa.table({"_": pa.nulls(len(found))})
    kept = raw.filter(pa.array(code < 0))
    return Columns(table.filter(pa.array(~twice)) if twice.any() else table, code, undeclared, kept)


def _maybe_deep(records: pa.BinaryArray) -> Flags:
    """Records with more brackets opened than levels allowed."""
    if not len(records):
        return np.zeros(0, np.bool_)
    content = np.frombuffer(records.buffers()[2], np.uint8)
    opened = np.searchsorted(np.flatnonzero((content | 32) == ord("{")), offsets_of(records))
    return np.diff(opened) > DEEPEST_RECORD


def _read_strictly(raw: pa.Array, code: Ints, suspect: Flags, records: pa.BinaryArray) -> pa.Array:
    """The suspects again; their numbers become text, exactly as written."""
    rows = np.flatnonzero(suspect & (code < 0))
    if not len(rows):
        return raw
    found = [strict(record) for record in records.take(pa.array(rows)).to_pylist()]
    code[rows] = [-1 if isinstance(one, bytes) else one for one in found]
    mask = np.zeros(len(raw), np.bool_)
    mask[rows] = True
    again = pa.array([one if isinstance(one, bytes) else b"" for one in found], pa.binary())
    return pc.replace_with_mask(raw, pa.array(mask), again.cast(pa.string()))


def _found(raw: pa.Array, code: Ints, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The paths of the good records, then the keys of the objects they are in; marks those that are no object."""
    kept = raw if (code < 0).all() else raw.filter(pa.array(code < 0))
    try:
        found = _extracted(kept, paths, con)
    except duckdb.InvalidInputException:
        valid = _asked(kept, "SELECT coalesce(json_valid(raw), false) AS ok FROM raw", con)["ok"]
        kept = _narrowed(kept, code, np.asarray(valid).astype(np.bool_))
        found = _extracted(kept, paths, con)
    hollow = np.asarray(pc.equal(pc.list_value_length(found["keys"]), 0)).astype(np.bool_)
    if not hollow.any():
        return found
    objects = ~hollow
    objects[hollow] = np.asarray(pc.starts_with(pc.utf8_ltrim_whitespace(kept.filter(pa.array(hollow))), "{")).astype(
        np.bool_
    )
    _narrowed(kept, code, objects)
    return found.filter(pa.array(objects))


def _narrowed(kept: pa.Array, code: Ints, good: Flags) -> pa.Array:
    code[np.flatnonzero(code < 0)[~good]] = MALFORMED
    return kept.filter(pa.array(good))


def _extracted(raw: pa.Array, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> pa.Table:
    wanted = ", ".join(_pointer(path) for path in paths) or "'$'"
    parents = sorted({path.rsplit(".", 1)[0] for path in paths if "." in path})
    listed = [f"v[{index + 1}] AS c{index}" for index in range(len(paths))]
    inside = [f"json_keys(raw, {_pointer(parent)}) AS k{index}" for index, parent in enumerate(parents)]
    within = [f"k{index}" for index in range(len(parents))]
    inner = ", ".join([f"json_extract_string(raw, [{wanted}]) AS v", "json_keys(raw) AS keys", *inside])
    found = _asked(raw, f"SELECT {', '.join([*listed, 'keys', *within])} FROM (SELECT {inner} FROM raw)", con)
    return found.rename_columns([*paths, "keys", *within])


def _asked(raw: pa.Array, sql: str, con: duckdb.DuckDBPyConnection) -> pa.Table:
    con.register("raw", pa.table({"raw": raw}))
    try:
        return con.execute(sql).to_arrow_table()
    finally:
        con.unregister("raw")


def _pointer(path: str) -> str:
    pointer = "$" + "".join('."' + part.replace('"', '\\"') + '"' for part in path.split("."))
    return "'" + pointer.replace("'", "''") + "'"


def _keys(keys: pa.ListArray, known: set[str] | None) -> tuple[Flags, int]:
    """Which objects have a key twice, and how many keys are not among the known ones."""
    row = np.asarray(pc.list_parent_indices(keys)).astype(np.int64)
    encoded = pc.list_flatten(keys).dictionary_encode()
    name, names = np.asarray(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()
    place = row * len(names) + name
    twice = np.zeros(len(keys), np.bool_)
    if len(keys) * len(names) <= _FEW:
        again = np.flatnonzero(np.bincount(place, minlength=1) > 1)
    else:
        places, times = np.unique(place, return_counts=True)
        again = places[times > 1]
    twice[again // max(len(names), 1)] = True
    unknown = 0 if known is None else int(np.array([one not in known for one in names], np.bool_)[name].sum())
    return twice, unknown


def strict(record: bytes) -> bytes | int:
    """One JSON object again, with numbers as text; the code of a reason where it is none by RFC 8259, or too deep."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    def number(word: str) -> str:
        if word.lstrip("-").rstrip("0123456789") and float(word) in (float("inf"), float("-inf")):
            raise ValueError
        return word

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError
        return found

    try:
        value = json.loads(record, object_pairs_hook=unique, parse_constant=refuse, parse_float=number, parse_int=str)
        written = json.dumps(value, ensure_ascii=False).encode("utf-8") if isinstance(value, dict) else b""
    except RecursionError:
        return TOO_LARGE
    except ValueError:
        return MALFORMED
    if not written or b"\\u0000" in written:
        return MALFORMED
    return written if _depth(value) <= DEEPEST_RECORD else TOO_LARGE


def _depth(value: object) -> int:
    deepest, open_values = 0, [(value, 1)]
    while open_values:
        one, depth = open_values.pop()
        if isinstance(one, dict | list):
            deepest = max(deepest, depth)
            open_values += [(part, depth + 1) for part in (one.values() if isinstance(one, dict) else one)]
    return deepest
