"""CSV records as columns of text; a quoted field may hold commas and line ends."""

import csv
import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from schemas.record import LONGEST_RECORD, RawChunk
from transforms.algebra.order import Ints
from transforms.columns import MALFORMED, Columns, text_or_fault, whole_of
from transforms.csv_records import with_stray_quotes

csv.field_size_limit(LONGEST_RECORD)  # as long as a record may be: no field is too long for one way of reading only


def of_csv(chunk: RawChunk, paths: Sequence[str]) -> Columns:
    """Read the columns of a chunk; one that the header names twice is none."""
    raw, code = text_or_fault(chunk.records)
    twice = [path for path in paths if chunk.header.count(path) > 1]
    if twice:
        code[:] = MALFORMED
    kept = raw.filter(pa.array(code < 0))
    found, bad = _read(kept, chunk.header)
    rows = np.flatnonzero(code < 0)
    code[rows[bad]] = MALFORMED
    count = len(kept) - len(bad)
    picked = {
        path: found[chunk.header.index(path)] if path in chunk.header else pa.nulls(count, pa.string())
        for path in paths
    }
    table = pa.table(picked) if picked else pa.table({"_": pa.nulls(count)})
    others = [name for name in chunk.header if name not in paths]
    return Columns(table, code, count * len(others), frozenset(others))


def _read(records: pa.StringArray, header: Sequence[str]) -> tuple[list[pa.Array], Ints]:
    """All columns of the good records, and which are bad. Those with stray quotes would mislead the engine about others."""
    stray = with_stray_quotes(records)
    plain = records if not stray.any() else records.filter(pa.array(~stray))
    found, bad = _fast(plain, header) or _one_by_one(plain, header)
    if not stray.any():
        return found, bad
    more, worse = _one_by_one(records.filter(pa.array(stray)), header)
    rows, others = np.flatnonzero(~stray), np.flatnonzero(stray)
    index = pa.array(np.argsort(np.concatenate((np.delete(rows, bad), np.delete(others, worse)))))
    columns = [pa.concat_arrays(pair).take(index) for pair in zip(found, more, strict=True)]
    return columns, np.sort(np.concatenate((rows[bad], others[worse])))


def _fast(records: pa.StringArray, header: Sequence[str]) -> tuple[list[pa.Array], Ints] | None:
    """All columns, and which records are bad; None where the engine sees other records than the reader cut."""
    bad: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        bad.append(row.number)
        return "skip"

    whole = pa.py_buffer(whole_of(records))
    if not whole.size:
        return [pa.array([], pa.string()) for _ in header], np.array([], np.int64)
    names = [str(index) for index in range(len(header))]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(whole),
            pacsv.ReadOptions(column_names=names, use_threads=False, block_size=whole.size + 1),
            pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note, ignore_empty_lines=False),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if len(table) + len(bad) != len(records):
        return None
    return [column.combine_chunks() for column in table.columns], np.array(bad, np.int64) - 1


def _one_by_one(records: pa.StringArray, header: Sequence[str]) -> tuple[list[pa.Array], Ints]:
    """The slow way, for a chunk with stray quotes or line ends in it: each record must be one row by itself."""
    rows = [fields_of(record.encode()) for record in records.to_pylist()]
    fits = np.array([row is not None and len(row) == len(header) for row in rows], np.bool_)
    good = [row for row, one in zip(rows, fits, strict=True) if one and row is not None]
    columns = [pa.array([row[index] or None for row in good], pa.string()) for index in range(len(header))]
    return columns, np.flatnonzero(~fits)


def fields_of(record: bytes) -> list[str] | None:
    """The fields of one record; None where it is not exactly one by RFC 4180."""
    try:
        rows = list(csv.reader(io.StringIO(record.decode("utf-8"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError):
        return None
    return rows[0] if len(rows) == 1 else None
