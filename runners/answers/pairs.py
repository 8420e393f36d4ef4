"""A file of subjects and instants, read whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.sources.files import format_of
from runners.sources.reading import read
from schemas.errors import CallError
from schemas.record import Input, RawChunk
from transforms.algebra.engine import connect
from transforms.algebra.order import Flags, Ints
from transforms.in_order import PLACE, in_order
from transforms.instants import instant_sql, localised, quick_micros
from transforms.raw import columns

_NAMES = ("subject", "at")
_DATE = len("2026-01-31")
_SHOWN = 5
"""So many bad rows are named."""
_TEXTS = f'SELECT {PLACE}, CAST(subject AS VARCHAR) AS subject, CAST("at" AS VARCHAR) AS "at" FROM rows'
_MICROS, _IS_NAIVE = instant_sql('"at"', "iso")
_INSTANTS = f'SELECT {PLACE}, {_MICROS} AS micros, {_IS_NAIVE} AS is_naive, length("at") = {_DATE} AS is_date FROM rows'


class Pairs(NamedTuple):
    """Subjects and instants, in the order of their file. Instants are int64 microseconds UTC."""

    subject: pa.Array
    at: Ints


def read_pairs(path: Path, timezone: str) -> Pairs:
    """The columns `subject` and `at` of a file. A date is its midnight in the timezone; any other instant says its offset.

    Errors: CallError where the file can not be read, or any of its rows is none; it says which.
    """
    con = connect()
    try:
        parts = [_pairs(chunk, timezone, con) for chunk in _chunks(path)]
    except OSError as error:
        raise CallError("SEG-0912", f"`{path}` can not be read: {error.strerror}", "give --at a file") from None
    finally:
        con.close()
    subjects, instants = zip(*parts, strict=True) if parts else ((), ())
    whole = Pairs(pa.concat_arrays([pa.array([], pa.string()), *subjects]), np.concatenate([*instants, np.empty(0, np.int64)]))
    no_subject, no_instant = np.asarray(pc.equal(whole.subject, "")), whole.at == _NONE
    if (no_subject | no_instant).any():
        raise _refused(path, no_subject, no_instant)
    return whole


_NONE = int(np.iinfo(np.int64).min)
"""Stands for an instant that is none."""


def _chunks(path: Path) -> Iterator[RawChunk]:
    """The rows of the file; all of them must be readable, with both columns."""
    form, compression = format_of(path.name)
    stat = path.stat()
    whole = Input("", path.name, str(path), form, compression, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    for chunk in read(whole):
        if chunk.fault is not None or chunk.is_cut_off:
            raise _broken(path, chunk.first)
        there = {"csv": chunk.header, "parquet": chunk.rows.schema.names if chunk.rows else _NAMES}.get(form, _NAMES)
        if missing := [name for name in _NAMES if name not in there]:
            raise CallError("SEG-0912", f"`{path}` has no column `{missing[0]}`", "it takes `subject` and `at`")
        if len(chunk):
            yield chunk


def _pairs(chunk: RawChunk, timezone: str, con: duckdb.DuckDBPyConnection) -> Pairs:
    """What is no subject is empty, what is no instant _NONE."""
    found = columns(chunk, dict.fromkeys(_NAMES, "text"), con)
    if not found.good.all():
        raise _broken(Path(chunk.file), chunk.first + int(np.flatnonzero(~found.good)[0]))
    texts = found.table
    if any(not pa.types.is_string(kind) for kind in texts.schema.types):
        texts = in_order(con, texts, _TEXTS)
    subject, at = (texts[name].combine_chunks() for name in _NAMES)
    return Pairs(pc.fill_null(subject, ""), _instants(at, timezone, con))


def _instants(at: pa.StringArray, timezone: str, con: duckdb.DuckDBPyConnection) -> Ints:
    quick = quick_micros(at)
    if quick is not None:
        return np.asarray(pc.fill_null(quick, _NONE))
    found = in_order(con, pa.table({"at": at}), _INSTANTS)
    micros = np.asarray(pc.fill_null(found["micros"], _NONE))
    is_date, is_naive = (np.asarray(pc.fill_null(found[name], False)).astype(np.bool_) for name in ("is_date", "is_naive"))
    is_none = (micros == _NONE) | (is_naive & ~is_date)
    return np.where(is_none, _NONE, localised(micros, is_date & ~is_none, timezone))


def _broken(path: Path, row: int) -> CallError:
    return CallError("SEG-0912", f"row {row} of `{path}` can not be read; {_COUNTED}")


_COUNTED = "a header and empty lines are not counted"


def _refused(path: Path, no_subject: Flags, no_instant: Flags) -> CallError:
    what = [f"no {name} in {_rows(flags)}" for name, flags in (("subject", no_subject), ("instant", no_instant)) if flags.any()]
    hint = f"{_COUNTED}; an instant is ISO 8601 with an offset, as 2026-01-31T09:30:00Z, or a date"
    return CallError("SEG-0912", f"`{path}` has {' and '.join(what)}", hint)


def _rows(flags: Flags) -> str:
    """The numbers of the first rows that are flagged, and how many more there are."""
    numbers = np.flatnonzero(flags)
    first = ", ".join(str(number + 1) for number in numbers[:_SHOWN])
    more = f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
    return f"row{'s' if len(numbers) > 1 else ''} {first}{more}"
