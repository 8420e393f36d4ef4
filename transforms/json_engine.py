"""JSON records of any layout, read by the engine; what it is too lenient with is found before, and read strictly."""

from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.record import DEEPEST_RECORD
from transforms.algebra.order import Flags, Ints
from transforms.columns import MALFORMED, Columns, offsets_of
from transforms.in_order import PLACE, in_order
from transforms.strict import strict

_NON_FINITE = r"[:\[,\s]-?(?:[nN][aA][nN]|[iI][nN][fF])|[0-9][eE]\+?[0-9]{3}|[0-9.]{200}"
_STRAY_COMMA = r",\s*[}\]]"
_ESCAPED = r"\\u0000"
_SUSPECT = "|".join((_NON_FINITE, _STRAY_COMMA, _ESCAPED))
"""What the engine accepts though it is no JSON."""
_REWRITTEN = r'(?:"\s*:|[\[,])\s*(?:-?[0-9]+[.eE]|-0)'
"""Where there may be a number that the engine would write in another way."""
_LONG = r"[:\[,\s]-?(?:[0-9.]{17}|0\.000)"
"""Where that way may also be another number, or one with an exponent."""
_WITHIN = r"[0-9][.eE]|[\[,]-?0[\],]"
"""The same, in a list as the engine writes it."""
_NUMBERS = "'DOUBLE', 'BIGINT', 'UBIGINT'"
_KINDS = {"text": _NUMBERS, "number": _NUMBERS, "list": f"{_NUMBERS}, 'ARRAY'"}
"""By what a path is read as, the values that are read as they are written."""
_NUMBER = r'((?:"(?:[^"\\]|\\.)*"|[^"0-9-])*)(-?[0-9][0-9.eE+-]*)'
"""The next number of a record, and what is before it: whole texts, and what is neither text nor number."""
_FEW, _SOME = 1 << 22, 1_000


def read_each(raw: pa.StringArray, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> Columns:
    """Read the paths of the records that are JSON objects by the letter, no key twice, none too deep.

    `paths` says what each is read as: `text`, `number` or `list`.
    """
    code = np.full(len(raw), -1, np.int64)
    suspect = np.asarray(pc.match_substring_regex(raw, _SUSPECT)).astype(np.bool_)
    rows = np.flatnonzero(suspect | (_opened(raw, b"{[") > DEEPEST_RECORD))
    told = [strict(record.encode()) for record in raw.take(pa.array(rows)).to_pylist()]
    code[rows] = [-1 if isinstance(one, bytes) else one for one in told]
    found, raw = _objects(raw, code, paths, con)
    twice = _twice(found["keys"].combine_chunks()) | _twice_within(raw, con)
    if twice.any():
        code[np.flatnonzero(code < 0)[twice]] = MALFORMED
        found = found.filter(pa.array(~twice))
    undeclared = _undeclared(found["keys"], {path.split(".")[0] for path in paths})
    table = found.select(list(range(len(paths)))) if paths else pa.table({"_": pa.nulls(len(found))})
    others = pa.concat_arrays([pc.unique(undeclared), _beside(table, raw, con)]).to_pylist()
    return Columns(table, code, len(undeclared), frozenset(others).difference(paths))


def _opened(records: pa.StringArray, brackets: bytes) -> Ints:
    """How many of the brackets there are in each record."""
    content = np.frombuffer(records.buffers()[2] or b"", np.uint8)
    found = np.zeros(len(content), np.bool_)
    for bracket in brackets:
        found |= content == bracket
    return np.diff(np.searchsorted(np.flatnonzero(found), offsets_of(records)))


def _objects(
    raw: pa.StringArray, code: Ints, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection
) -> tuple[pa.Table, pa.StringArray]:
    """The paths of the records that are objects, their keys, and the records; marks those that are none."""
    sql = f"SELECT {PLACE}, coalesce(json_valid(raw), false) AS ok FROM rows"
    valid = np.asarray(in_order(con, pa.table({"raw": raw}), sql)["ok"]).astype(np.bool_)
    code[(code < 0) & ~valid] = MALFORMED
    kept = raw if (code < 0).all() else raw.filter(pa.array(code < 0))
    found = _extracted(kept, paths, con)
    hollow = np.asarray(pc.equal(pc.list_value_length(found["keys"]), 0)).astype(np.bool_)
    if not hollow.any():
        return found, kept
    objects = ~hollow
    begins = pc.starts_with(pc.utf8_ltrim_whitespace(kept.filter(pa.array(hollow))), "{")
    objects[hollow] = np.asarray(begins).astype(np.bool_)
    return found.filter(pa.array(objects)), _narrowed(kept, code, objects)


def _narrowed(kept: pa.StringArray, code: Ints, good: Flags) -> pa.StringArray:
    code[np.flatnonzero(code < 0)[~good]] = MALFORMED
    return kept.filter(pa.array(good))


def _extracted(raw: pa.StringArray, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The text of each path, and the keys of each record."""
    other = pc.match_substring_regex(raw, _REWRITTEN)
    table = pa.table({"raw": raw, "other": pc.if_else(other, raw, pa.scalar(None, pa.string()))})
    texts = [path for path, kind in paths.items() if kind == "text"]
    parts = [
        f"json_extract_string(raw, {_pointers(paths)}) AS v, json_keys(raw) AS keys",
        f"coalesce(list_has_any(json_type(other, {_pointers(texts)}), ['DOUBLE', 'BIGINT']), false) AS is_other",
    ]
    columns = "".join(f"v[{index}] AS c{index}, " for index in range(1, len(paths) + 1))
    sql = f"SELECT {PLACE}, {columns}keys, is_other FROM (SELECT {PLACE}, {', '.join(parts)} FROM rows)"
    found = in_order(con, table, sql).rename_columns([*paths, "keys", "is_other"])
    rewritten = np.asarray(found["is_other"]).astype(np.bool_) | _has(table["other"], _LONG)
    for path in (path for path, kind in paths.items() if kind == "list"):
        rewritten |= _has(found[path], _WITHIN)
    found = found.drop_columns("is_other")
    return _as_written(found, raw, rewritten, paths, con) if rewritten.any() and paths else found


def _has(texts: pa.ChunkedArray, pattern: str) -> Flags:
    return np.asarray(pc.fill_null(pc.match_substring_regex(texts, pattern), False)).astype(np.bool_)


def _as_written(
    found: pa.Table, raw: pa.StringArray, rows: Flags, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection
) -> pa.Table:
    """The table with the numbers of some rows as they are written."""
    some = raw.filter(pa.array(rows))
    columns = [
        f"CASE WHEN kind[{index}] IN ({_KINDS[kind]}) THEN w[{index}] ELSE v[{index}] END AS c{index}"
        for index, kind in enumerate(paths.values(), 1)
    ]
    wanted = _pointers(paths)
    parts = [
        f"json_extract_string({text}, {wanted}) AS {name}" for text, name in (("raw", "v"), ("numbers_as_texts", "w"))
    ]
    inner = f"SELECT {PLACE}, {', '.join(parts)}, json_type(raw, {wanted}) AS kind FROM rows"
    table = pa.table({"raw": some, "numbers_as_texts": _with_numbers_as_texts(some)})
    said = in_order(con, table, f"SELECT {PLACE}, {', '.join(columns)} FROM ({inner})")
    mask = pa.array(rows)
    for index, path in enumerate(paths):
        column = pc.replace_with_mask(found[path].combine_chunks(), mask, said[index].combine_chunks())
        found = found.set_column(index, path, column)
    return found


def _with_numbers_as_texts(raw: pa.StringArray) -> pa.StringArray:
    """The records with quotes around their numbers."""
    more = pc.binary_join_element_wise(raw, "0", "")  # with one number behind, so that none is sought within a text
    return pc.utf8_slice_codeunits(pc.replace_substring_regex(more, _NUMBER, r'\1"\2"'), 0, -3)


def _pointers(paths: Iterable[str]) -> str:
    return f"[{', '.join(map(pointer_sql, paths))}]" if paths else "['$']"


def pointer_sql(path: str) -> str:
    """A raw path as the engine's literal, whatever characters its names hold."""
    parts = (part.replace("~", "~0").replace("/", "~1") for part in path.split("."))
    return "'" + "".join(f"/{part}" for part in parts).replace("'", "''") + "'"


def _twice(keys: pa.ListArray) -> Flags:
    """Which records have a key twice."""
    row = np.asarray(pc.list_parent_indices(keys)).astype(np.int64)
    encoded = pc.list_flatten(keys).dictionary_encode()
    names = len(encoded.dictionary)
    place = row * names + np.asarray(encoded.indices).astype(np.int64)
    twice = np.zeros(len(keys), np.bool_)
    if len(keys) * names <= _FEW:
        again = np.flatnonzero(np.bincount(place, minlength=1) > 1)
    else:
        places, times = np.unique(place, return_counts=True)
        again = places[times > 1]
    twice[again // max(names, 1)] = True
    return twice


def _undeclared(keys: pa.ChunkedArray, known: set[str]) -> pa.ChunkedArray:
    """The keys that are not among the known ones."""
    named = pc.list_flatten(keys)
    return named.filter(pc.invert(pc.is_in(named, value_set=pa.array(sorted(known), pa.string()))))


def _beside(table: pa.Table, raw: pa.StringArray, con: duckdb.DuckDBPyConnection) -> pa.StringArray:
    """The names within objects that lie, in the first records, beside paths at which none has a value."""
    missing = [path for path in table.column_names if "." in path and table[path].null_count == len(table)]
    parents = sorted({path.rpartition(".")[0] for path in missing})
    if not parents or not len(table):
        return pa.array([], pa.string())
    keys = "SELECT unnest(json_keys(raw, {})) AS key, {} AS parent FROM rows"
    con.register("rows", pa.table({"raw": raw.slice(0, _SOME)}))
    each = (keys.format(pointer_sql(parent), place) for place, parent in enumerate(parents))
    found = con.execute(" UNION ".join(each)).to_arrow_table().combine_chunks()
    con.unregister("rows")
    above = pa.array(parents).take(found["parent"].combine_chunks())
    return pc.binary_join_element_wise(above, found["key"].combine_chunks(), ".")


def _twice_within(raw: pa.StringArray, con: duckdb.DuckDBPyConnection) -> Flags:
    """The records in which an object within has a key twice."""
    twice = np.zeros(len(raw), np.bool_)
    rows = np.flatnonzero(_opened(raw, b"{") > 1)
    if len(rows):
        con.register("rows", pa.table({"row": rows, "raw": raw.take(pa.array(rows))}))
        again = "SELECT row FROM rows, json_tree(raw) WHERE parent IS NOT NULL GROUP BY row, parent, key HAVING count(*) > 1"
        twice[con.execute(f"SELECT DISTINCT row FROM ({again})").to_arrow_table()["row"].to_numpy()] = True
        con.unregister("rows")
    return twice
