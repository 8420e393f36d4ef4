"""Raw records as columns of text: JSON lines, CSV and Parquet rows, each bad record told from the good ones."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from schemas.record import DEEPEST_RECORD, RawChunk
from transforms.algebra.order import Flags

_LONG_NUMBER = 16
_SUSPECTS = (b":NaN", b": NaN", b",NaN", b"[NaN", b"Infinity", b",}", b",]", b", }", b", ]", b",\t", b"//", b"/*")


class Columns(NamedTuple):
    """The records that could be read: a column for each path, text unless the format has types, and which they are.

    `undeclared` counts values that no path reads; -1 where that was not counted. `raw` is the text of JSON records.
    """

    table: pa.Table
    good: Flags
    undeclared: int
    raw: pa.Array | None = None


def columns(chunk: RawChunk, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> Columns:
    """Read the paths (names, nested ones with dots) of every record of a chunk."""
    if chunk.rows is not None:
        return _of_rows(chunk.rows, paths)
    return _of_csv(chunk, paths) if chunk.format == "csv" else _of_json(chunk.records, paths, con)


def _of_rows(rows: pa.RecordBatch, paths: Sequence[str]) -> Columns:
    there = {name: rows.column(name) for name in rows.schema.names}
    found = {path: _nested(there, path, rows.num_rows) for path in paths}
    used = {path.split(".")[0] for path in paths}
    table = pa.table(found) if found else pa.table({"_": pa.nulls(rows.num_rows)})
    return Columns(table, np.ones(rows.num_rows, np.bool_), sum(rows.num_rows for name in there if name not in used))


def _nested(there: Mapping[str, pa.Array], path: str, count: int) -> pa.Array:
    if path in there:
        return _plain(there[path])
    head, *rest = path.split(".")
    column = there.get(head)
    for name in rest:
        known = column is not None and pa.types.is_struct(column.type) and column.type.get_field_index(name) >= 0
        column = pc.struct_field(column, name) if known else None
    return pa.nulls(count, pa.string()) if column is None else _plain(column)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _of_csv(chunk: RawChunk, paths: Sequence[str]) -> Columns:
    good = np.ones(len(chunk.records), np.bool_)
    bad: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        bad.append(row.number)
        return "skip"

    whole = pa.py_buffer(b"".join(_texts(chunk.records)))
    names = list(chunk.header)
    table = pacsv.read_csv(
        pa.BufferReader(whole),
        pacsv.ReadOptions(column_names=names, use_threads=False, block_size=max(1 << 20, whole.size + 1)),
        pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note, ignore_empty_lines=False),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
        ),
    )
    good[np.array(bad, np.int64) - 1] = False
    picked = {path: table[path].combine_chunks() if path in names else pa.nulls(len(table), pa.string()) for path in paths}
    undeclared = len(table) * len([name for name in names if name not in paths])
    return Columns(pa.table(picked), good, undeclared)


def _texts(records: pa.BinaryArray) -> Iterable[bytes]:
    """The bytes of all records: they lie behind one another in one buffer."""
    offsets = np.frombuffer(records.buffers()[1], np.int32)[records.offset :]
    yield memoryview(records.buffers()[2])[offsets[0] : offsets[len(records)]].tobytes()


def _of_json(records: pa.BinaryArray, paths: Sequence[str], con: duckdb.DuckDBPyConnection) -> Columns:
    raw, good = _utf8(records)
    whole = next(iter(_texts(records)))
    doubtful = _doubtful(records, whole, paths)
    if doubtful.any():
        raw, good = _checked(raw, good, doubtful, records)
    con.register("raw", pa.table({"raw": raw}))
    valid = con.execute(
        "SELECT coalesce(json_valid(raw) AND starts_with(ltrim(raw, ' \t\r\n'), '{'), false) AS ok FROM raw"
    ).to_arrow_table()
    good &= np.asarray(valid["ok"]).astype(np.bool_)
    if not good.all():
        raw = raw.filter(pa.array(good))
        con.register("raw", pa.table({"raw": raw}))
    wanted = ", ".join("'" + _pointer(path).replace("'", "''") + "'" for path in paths) or "'$.x'"
    listed = ", ".join(f'v[{index + 1}] AS "{path.replace(chr(34), chr(34) * 2)}"' for index, path in enumerate(paths)) or "NULL AS _"
    table = con.execute(f"SELECT {listed} FROM (SELECT json_extract_string(raw, [{wanted}]) AS v FROM raw)").to_arrow_table()
    con.unregister("raw")
    return Columns(table, good, -1, raw)


def _pointer(path: str) -> str:
    return "$" + "".join('."' + part.replace('"', '\\"') + '"' for part in path.split("."))


def _utf8(records: pa.BinaryArray) -> tuple[pa.Array, Flags]:
    """The records as text; those that are not UTF-8 or hold NUL are null."""
    good = np.ones(len(records), np.bool_)
    whole = next(iter(_texts(records)))
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        for index, record in enumerate(records):  # the chunk holds a bad record: look for it
            try:
                record.as_py().decode("utf-8")
            except UnicodeDecodeError:
                good[index] = False
    if b"\0" in whole:
        good &= ~np.asarray(pc.match_substring(records, b"\0")).astype(np.bool_)
    safe = records if good.all() else pc.if_else(pa.array(good), records, pa.scalar(b"", pa.binary()))
    return safe.cast(pa.string()), good


def _doubtful(records: pa.BinaryArray, whole: bytes, paths: Sequence[str]) -> Flags:
    """Records for which the engine's JSON reader is too lenient, or would round: they are read again, strictly."""
    flags = np.zeros(len(records), np.bool_)
    for pattern in _SUSPECTS:
        if pattern in whole:
            flags |= np.asarray(pc.match_substring(records, pattern)).astype(np.bool_)
    for key in {path.split(".")[0] for path in paths}:
        quoted = json.dumps(key).encode()
        if whole.count(quoted) > len(records):
            flags |= np.asarray(pc.count_substring(records, quoted)).astype(np.int64) > 1
    return flags | _deep(records, whole) | _long_numbers(records, whole)


def _deep(records: pa.BinaryArray, whole: bytes) -> Flags:
    if whole.count(b"{") + whole.count(b"[") <= 3 * len(records):
        return np.zeros(len(records), np.bool_)
    opened = pc.add(pc.count_substring(records, b"{"), pc.count_substring(records, b"["))
    return np.asarray(opened).astype(np.int64) > DEEPEST_RECORD


def _long_numbers(records: pa.BinaryArray, whole: bytes) -> Flags:
    """Records with a run of digits and point that is too long for a double."""
    content = np.frombuffer(whole, np.uint8)
    digits = ((content >= 48) & (content <= 57)) | (content == 46)
    edges = np.flatnonzero(digits[1:] != digits[:-1]) + 1
    edges = np.concatenate(([0] if len(digits) and digits[0] else [], edges, [len(digits)])).astype(np.int64)
    starts, ends = edges[0::2][: len(edges) // 2], edges[1::2]
    long = starts[(ends - starts) >= _LONG_NUMBER]
    flags = np.zeros(len(records), np.bool_)
    if len(long):
        offsets = np.frombuffer(records.buffers()[1], np.int32)[records.offset : records.offset + len(records) + 1]
        flags[np.searchsorted(offsets - offsets[0], long, "right") - 1] = True
    return flags


def _checked(raw: pa.Array, good: Flags, doubtful: Flags, records: pa.BinaryArray) -> tuple[pa.Array, Flags]:
    """Read the doubtful records strictly; their numbers become text, exactly as written."""
    rows = np.flatnonzero(doubtful & good)
    texts = [strict(records[int(row)].as_py()) for row in rows]
    good = good.copy()
    good[rows] = [text is not None for text in texts]
    mask = np.zeros(len(raw), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(raw, pa.array(mask), pa.array([text or "" for text in texts], pa.string())), good


def strict(record: bytes) -> str | None:
    """One JSON object again, with numbers as text; None where it is none by the letter of RFC 8259, or too deep."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key twice")
        return found

    try:
        value = json.loads(record, object_pairs_hook=unique, parse_constant=refuse, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) and _depth(value) <= DEEPEST_RECORD else None


def _depth(value: object) -> int:
    deepest, open_values = 0, [(value, 1)]
    while open_values:
        one, depth = open_values.pop()
        if isinstance(one, dict | list):
            deepest = max(deepest, depth)
            open_values += [(part, depth + 1) for part in (one.values() if isinstance(one, dict) else one)]
    return deepest
