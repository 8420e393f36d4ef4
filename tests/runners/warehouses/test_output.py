"""What programs get: exact, and never cut short."""

import fcntl
import io
import json
import os
import struct
import termios
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.warehouses.output import Format, write_parquet, write_rows
from schemas.errors import CallError

TABLE = pa.table(
    {
        "at": pa.array([datetime(2020, 1, 2, 3, 4, 5, 6, UTC), None], pa.timestamp("us", "UTC")),
        "day": pa.array([date(2020, 2, 29), None]),
        "amount": pa.array([Decimal("12345678901234567.10"), None], pa.decimal128(38, 2)),
        "tags": pa.array([["a", None], []], pa.list_(pa.string())),
        "times": pa.array([[datetime(1969, 12, 31, tzinfo=UTC)], None], pa.list_(pa.timestamp("us", "UTC"))),
        "n": pa.array([9007199254740993, None], pa.int64()),
        "share": pa.array([0.1, float("nan")]),
        "ok": pa.array([True, None]),
        "raw": pa.array([b"\x00\xff", None]),
        "text": pa.array(["=ä\"'\n", None]),
    }
)


def _written(form: Format, table: pa.Table = TABLE) -> str:
    out = io.StringIO()
    write_rows(table.to_reader(1), form, out)
    return out.getvalue()


def test_json_is_one_array_of_objects() -> None:
    first = (
        '{"at": "2020-01-02T03:04:05.000006Z", "day": "2020-02-29", "amount": "12345678901234567.10", "tags": ["a", null], '
        '"times": ["1969-12-31T00:00:00.000000Z"], "n": 9007199254740993, "share": 0.1, "ok": true, "raw": "AP8=", '
        '"text": "=ä\\"\'\\n"}'
    )
    nulls = '"times": null, "n": null, "share": null, "ok": null, "raw": null, "text": null'
    second = f'{{"at": null, "day": null, "amount": null, "tags": [], {nulls}}}'
    assert _written("json") == f"[\n{first},\n{second}\n]\n"
    assert _written("json", TABLE.slice(0, 0)) == "[]\n"


def test_csv_guards_against_formulas_and_leaves_nulls_empty() -> None:
    header, *lines = _written("csv").split("\n", 1)
    assert header == "at,day,amount,tags,times,n,share,ok,raw,text"
    assert lines[0].startswith('2020-01-02T03:04:05.000006Z,2020-02-29,12345678901234567.10,"[""a"", null]"')
    assert '"\'=ä""\'\n"\n' in lines[0]
    assert lines[0].endswith(",,,[],,,,,,\n")
    assert _written("csv", pa.table({"n": [-5], "t": ["-5"]})) == "n,t\n-5,'-5\n"


def _seen(table: pa.Table, columns: int) -> list[str]:
    """The lines that a terminal of so many columns shows."""
    outer, inner = os.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(inner, "w") as out:
        write_rows(table.to_reader(), "text", out)
    with os.fdopen(outer, "rb", buffering=0) as terminal:
        return b"".join(_until_it_is_closed(terminal)).decode().splitlines()


def _until_it_is_closed(terminal: BinaryIO) -> Iterator[bytes]:
    """What comes piece by piece; the end of a terminal is an error."""
    with suppress(OSError):
        while piece := terminal.read(4_096):
            yield piece


def test_a_table_that_a_terminal_is_too_narrow_for_has_a_line_for_each_value() -> None:
    table = pa.table({"segment": ["a" * 20, "b"], "n": [1, None]})
    assert _seen(table, 22 + 1) == ["segment" + " " * 15 + "n", f"{'-' * 20}  -", f"{'a' * 20}  1", "b"]
    assert _seen(table, 22) == [f"segment  {'a' * 20}", "n        1", "", "segment  b", "n"]
    assert _seen(table, 10) == _seen(table, 22), "nothing is cut"
    assert _seen(table.slice(0, 0), 5) == ["segment  n", "-------  -"]


def test_where_no_terminal_reads_a_table_is_as_wide_as_it_is() -> None:
    header, *_ = _written("text", pa.table({"a" * 300: [1], "b": ["x" * 500]})).splitlines()
    assert header == f"{'a' * 300}  b"


def test_text_is_aligned_with_numbers_to_the_right() -> None:
    assert (
        _written("text", pa.table({"name": ["ann", "b"], "n": [1, 200]}))
        == "name    n\n----  ---\nann     1\nb     200\n"
    )


def test_text_shows_what_a_terminal_would_obey_and_the_other_forms_leave_it() -> None:
    place = pa.table({"position": ["a.ndjson\0\x1b[31m\n7"]})
    assert _written("text", place).splitlines()[-1] == r"a.ndjson\x00\x1b[31m 7"
    assert _written("csv", place) == 'position\n"a.ndjson\0\x1b[31m\n7"\n'
    assert json.loads(_written("json", place)) == place.to_pylist()


def test_instants_beyond_the_calendar_are_written_all_the_same() -> None:
    far = pa.table({"at": pa.array([2**62, -62_135_596_800_000_000], pa.timestamp("us", "UTC"))})
    assert _written("csv", far) == "at\ninfinity\n0001-01-01T00:00:00.000000Z\n"


def test_a_parquet_file_keeps_the_types(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert write_parquet(TABLE.to_reader(), path) == 2
    assert pq.read_schema(path).equals(TABLE.schema)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_can_not_be_written_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    for name, code in (("nowhere/x.parquet", "No such file"), ("x.csv", "no Parquet file")):
        with pytest.raises(CallError, match=code):
            write_parquet(TABLE.to_reader(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
