"""JSON lines as columns of text: records written alike are read at once, the others by the engine."""

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from transforms.algebra.order import Ints
from transforms.columns import Columns, text_or_fault
from transforms.json_engine import read_each
from transforms.layouts import Alike, alike


def of_json(records: pa.BinaryArray, paths: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> Columns:
    """Read the paths of every record that is one JSON object by the letter of RFC 8259, no key twice.

    `paths` says what each is read as: `text`, `number` or `list`. Numbers keep their text, and become texts within lists.
    """
    text, code = text_or_fault(records)
    parts, rest = alike(text, np.flatnonzero(code < 0), list(paths))
    if len(rest):
        parts.append(_each(text, code, rest, paths, con))
    count = int((code < 0).sum())
    kept = text if count == len(text) else text.filter(pa.array(code < 0))
    others = frozenset[str]().union(*(part.others for part in parts))
    table, undeclared = _together(parts, list(paths), count), sum(part.undeclared for part in parts)
    return Columns(table, code, undeclared, others, kept)


def _each(
    text: pa.StringArray,
    code: Ints,
    rest: Ints,
    paths: Mapping[str, str],
    con: duckdb.DuckDBPyConnection,
) -> Alike:
    """Read the rest of the records; marks those that can not be."""
    each = read_each(text if len(rest) == len(text) else text.take(pa.array(rest)), paths, con)
    code[rest] = each.code
    columns = [each.table[index].combine_chunks() for index in range(len(paths))]
    return Alike(rest[each.good], columns, each.undeclared, each.others)


def _together(parts: Sequence[Alike], paths: Sequence[str], count: int) -> pa.Table:
    """What was read of the records, in their order."""
    if not paths:
        return pa.table({"_": pa.nulls(count)})
    if len(parts) == 1:
        return pa.table(parts[0].columns, names=list(paths))
    columns = [pa.chunked_array([part.columns[index] for part in parts], pa.string()) for index in range(len(paths))]
    rows = np.concatenate([part.rows for part in parts]) if parts else np.empty(0, np.int64)
    return pa.table(columns, names=list(paths)).combine_chunks().take(pa.array(np.argsort(rows)))
