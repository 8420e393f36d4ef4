"""Results for people and programs: text, JSON, CSV and Parquet, never cut short."""

import base64
import csv
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import CallError

Format = Literal["text", "json", "csv"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WHOLE = {b"whole": b"true"}
"""Marks a field of decimals that are integers too wide for 64 bits, as the sum of a column of integers is."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BETWEEN = "  "
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""With one of these at its beginning a spreadsheet takes a text for a formula."""


def write_rows(reader: pa.RecordBatchReader, form: Format, out: TextIO) -> int:
    """Write all rows in a format; gives how many there were."""
    return {"text": _write_text, "json": _write_json, "csv": _write_csv}[form](reader, out)


def write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write all rows to a Parquet file that keeps the types; it is there whole or not at all.

    Errors: CallError where no such file can be written.
    """
    if path.suffix != ".parquet":
        raise CallError("SEG-0900", f"`{path.name}` is no Parquet file", "name it FILE.parquet")
    partial, count = path.with_name(f"{path.name}.partial"), 0
    try:
        with pq.ParquetWriter(partial, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
                count += batch.num_rows
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or "it can not be written"
        raise CallError("SEG-0900", f"`{path}` can not be written: {reason}", "name a file in a folder of yours") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return count


def _write_json(reader: pa.RecordBatchReader, out: TextIO) -> int:
    """One array of objects: instants ISO 8601 UTC with six digits and Z, decimals as text, lists as arrays."""
    count = 0
    out.write("[")
    for names, row in _rows(reader, _plain):
        out.write(("," if count else "") + "\n")
        out.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False))
        count += 1
    out.write("\n]\n" if count else "]\n")
    return count


def _write_csv(reader: pa.RecordBatchReader, out: TextIO) -> int:
    """A header and rows. Nulls are empty, lists JSON; a text that would be a formula begins with an apostrophe."""
    writer, count = csv.writer(out, lineterminator="\n"), 0
    writer.writerow(map(_guarded, reader.schema.names))
    texts = [pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in reader.schema.types]
    for _, row in _rows(reader, _cell):
        writer.writerow(_guarded(cell) if is_text else cell for cell, is_text in zip(row, texts, strict=True))
        count += 1
    return count


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _write_text(reader: pa.RecordBatchReader, out: TextIO) -> int:
    """A table with aligned columns, numbers to the right; what a terminal would obey is written out."""
    kinds = reader.schema.types
    rows = [[_CONTROL.sub(_visible, cell) for cell in row] for _, row in _rows(reader, _cell)]
    lines = [list(reader.schema.names), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(kinds))]
    if rows and sum(widths) + len(_BETWEEN) * (len(widths) - 1) > _columns(out):
        return _write_records(lines[0], rows, out)
    right = [pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) for kind in kinds]
    out.write(_aligned(lines[0], widths, right))
    out.write(_aligned(["-" * width for width in widths], widths, right))
    for line in rows:
        out.write(_aligned(line, widths, right))
    return len(rows)


def _visible(found: re.Match[str]) -> str:
    return " " if found[0] in "\t\n\r" else f"\\x{ord(found[0]):02x}"


def _columns(out: TextIO) -> float:
    """How wide a terminal is; what is no terminal has no edge."""
    return os.get_terminal_size(out.fileno()).columns or math.inf if out.isatty() else math.inf


def _write_records(names: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO) -> int:
    """Each row as lines of a name and a value, with an empty line between rows."""
    width = max(map(len, names))
    records = ("".join(_aligned(pair, (width, 0), (False, False)) for pair in zip(names, row, strict=True)) for row in rows)
    out.write("\n".join(records))
    return len(rows)


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    placed = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return _BETWEEN.join(placed).rstrip() + "\n"


def _rows(
    reader: pa.RecordBatchReader, shape: Callable[[Any, pa.DataType], Any]
) -> Iterator[tuple[list[str], tuple[Any, ...]]]:
    for batch in reader:
        columns = [
            [shape(value, field.type) for value in _values(column, field)]
            for column, field in zip(batch.columns, batch.schema, strict=True)
        ]
        for row in zip(*columns, strict=True):
            yield batch.schema.names, row


def _values(column: pa.Array, field: pa.Field) -> list[Any]:
    """Python values; instants as microseconds, which reach further than `datetime`."""
    if field.metadata and WHOLE.items() <= field.metadata.items():
        return [None if value is None else int(value) for value in column.to_pylist()]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    return list(column.to_pylist())


def _plain(value: Any, kind: pa.DataType) -> Any:
    """A value as JSON has it."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind) and isinstance(value, int):
        return _instant(value)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [_plain(part, kind.value_type) for part in value]
    if pa.types.is_struct(kind):
        return {field.name: _plain(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return [[_plain(key, kind.key_type), _plain(part, kind.item_type)] for key, part in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return _instant(round((value.astimezone(UTC) - _EPOCH) / timedelta(microseconds=1)))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str | int | bool) else str(value)


def _instant(at: int) -> str:
    """ISO 8601 UTC with six digits and Z."""
    try:
        return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")
    except OverflowError:
        return "infinity" if at > 0 else "-infinity"


def _cell(value: Any, kind: pa.DataType) -> str:
    """A value as text; null is empty."""
    plain = _plain(value, kind)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return str(plain).lower()
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict) else str(plain)
