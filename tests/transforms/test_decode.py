"""Values become what their type says, exactly as written; the rest of the record follows its source's definition."""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import consent
from schemas.definitions.source import Source
from tests.support.raw_files import accepted, chunks_of, decoded, rejected, source_of, written

START = '"id":"1","who":"ann","at":"2025-01-01T00:00:00Z"'


def value_of(tmp_path: Path, name: str, written_as: str, source: Source | None = None) -> Any:
    results = decoded(
        chunks_of(written(tmp_path / "x.ndjson", f'{{{START},"{name}":{written_as}}}\n'.encode())),
        source or source_of(),
    )
    return accepted(results)[name].to_pylist() or rejected(results)["reason"].to_pylist()[0]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("amount", "1.5", [Decimal("1.50")]),
        ("amount", '"1.005"', [Decimal("1.01")]),
        ("amount", "-1.005", [Decimal("-1.01")]),
        ("amount", "1234567890.12499999999999999", [Decimal("1234567890.12")]),
        ("amount", "2.5e-1", [Decimal("0.25")]),
        ("amount", '" 1"', "bad_type"),
        ("amount", '""', "bad_type"),
        ("amount", "null", [None]),
        ("items", "9223372036854775807", [2**63 - 1]),
        ("items", "-0", [0]),
        ("items", "3.0", "bad_type"),
        ("rate", "1e3", [1000.0]),
        ("rate", '"nan"', "bad_type"),
        ("gift", '"TRUE"', [True]),
        ("gift", "false", [False]),
        ("day", '"2024-02-29"', [date(2024, 2, 29)]),
        ("day", '"2023-02-29"', "bad_type"),
        ("tags", "[1,2]", [[1, 2]]),
        ("tags", "[]", [[]]),
        ("tags", "[1,2.5]", "bad_type"),
    ],
)
def test_values_are_read_as_written(name: str, text: str, value: Any, tmp_path: Path) -> None:
    assert value_of(tmp_path, name, text) == value


NUMBERS = ("1.50", "-0", "1e2", "1E+02", "100000000000000000000000.10", "7")


@pytest.mark.parametrize("beside", ["", ',"x":"\\u00e9 12"', ',"x":[1]'])
def test_a_number_in_a_column_of_text_keeps_how_it_is_written(beside: str, tmp_path: Path) -> None:
    source = source_of(
        properties={"note": "string", "words": "list(string)", "inner": {"from": "y.z", "type": "string"}}
    )
    rows = "".join(f'{{{START}{beside},"note":{text},"words":[{text}],"y":{{"z":{text}}}}}\n' for text in NUMBERS)
    found = accepted(decoded(chunks_of(written(tmp_path / "x.ndjson", rows.encode())), source))
    assert found["note"].to_pylist() == list(NUMBERS)
    assert found["inner"].to_pylist() == list(NUMBERS)
    assert found["words"].to_pylist() == [[text] for text in NUMBERS]


@pytest.mark.parametrize(
    ("form", "zone", "text", "value"),
    [
        ("iso", "UTC", "2025-03-01T10:00:00Z", "2025-03-01T10:00:00"),
        ("iso", "UTC", "2025-03-01 10:00:00.1234567+02:00", "2025-03-01T08:00:00.123456"),
        ("iso", "UTC", "1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999"),
        ("iso", "UTC", "2025-03-01", "2025-03-01T00:00:00"),
        ("iso", "Europe/Berlin", "2025-03-01T10:00", "2025-03-01T09:00:00"),
        ("iso", "Europe/Berlin", "2025-03-01T10:00:00Z", "2025-03-01T10:00:00"),
        ("iso", "Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00"),
        ("iso", "Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:30:00"),
        ("iso", "UTC", "2025-03-01T25:00:00Z", None),
        ("iso", "UTC", "March 1", None),
        ("date", "Europe/Berlin", "2025-07-01", "2025-06-30T22:00:00"),
        ("s", "UTC", "1735689600.9999999", "2025-01-01T00:00:00.999999"),
        ("s", "UTC", "-0.0000001", "1969-12-31T23:59:59.999999"),
        ("ms", "UTC", "1735689600001", "2025-01-01T00:00:00.001"),
        ("us", "UTC", "1735689600000001", "2025-01-01T00:00:00.000001"),
        ("s", "UTC", "999999999999999999", None),
        ("%d.%m.%Y %H:%M", "Europe/Berlin", "01.07.2025 12:00", "2025-07-01T10:00:00"),
        ("%d.%m.%Y", "UTC", "2025", None),
    ],
)
def test_instants_are_utc_microseconds(form: str, zone: str, text: str, value: str | None, tmp_path: Path) -> None:
    fields = {"event": "'x'", "subject": "who", "occurred_at": {"from": "at", "format": form}}
    chunks = chunks_of(written(tmp_path / "x.csv", f'who,at\nann,"{text}"\n'.encode()))
    results = decoded(chunks, source_of(fields=fields, timezone=zone, properties={}))
    expected = [] if value is None else [datetime.fromisoformat(value).replace(tzinfo=UTC)]
    assert accepted(results)["occurred_at"].to_pylist() == expected
    assert rejected(results)["reason"].to_pylist() == (["bad_type"] if value is None else [])


def test_a_naive_instant_among_the_properties_is_local_to_its_source(tmp_path: Path) -> None:
    source = source_of(properties={"due": "timestamp"}, timezone="Europe/Berlin")
    assert value_of(tmp_path, "due", '"2025-07-01T12:00:00"', source) == [datetime(2025, 7, 1, 10, tzinfo=UTC)]


def test_without_a_mapped_id_the_position_is_the_id_and_what_was_received_is_when_it_occurred(tmp_path: Path) -> None:
    fields = {"event": "'x'", "subject": "who", "occurred_at": "at"}
    found = accepted(
        decoded(
            chunks_of(written(tmp_path / "x.ndjson", f"{{{START}}}\n\n{{{START}}}\n".encode())),
            source_of(fields=fields),
        )
    )
    assert found["event_id"].to_pylist() == [f"x.ndjson\0{number:020d}" for number in (1, 2)]
    assert found["received_at"].equals(found["occurred_at"])


def test_a_record_is_hashed_as_canonical_json(tmp_path: Path) -> None:
    source = source_of(properties={"amount": "decimal(12,2)", "note": "string"})
    found = accepted(decoded(chunks_of(written(tmp_path / "x.ndjson", f'{{{START},"amount":1.5}}\n'.encode())), source))
    text = '{"amount":"1.50","event":"buy","event_id":"1","note":null,"occurred_at":1735689600000000,"subject":"ann"}'
    assert found["record_hash"].to_pylist() == [hashlib.sha256(text.encode()).digest()]


def test_what_is_not_declared_is_counted(tmp_path: Path) -> None:
    results = decoded(
        chunks_of(written(tmp_path / "x.ndjson", f'{{{START},"x":1,"y":{{"z":2}}}}\n{{{START}}}\n'.encode())),
        source_of(),
    )
    assert sum(one.undeclared for one in results) == 2


@pytest.mark.parametrize(
    ("expression", "text", "value"),
    [
        ("cast(items as int) * 2", "4", [8]),
        ("cast(items as int) * 2", '"x"', "bad_type"),
        ("cast(items as int) * cast(items as int)", "9223372036854775807", "bad_type"),
        ("case when items = 'none' then '0' else cast(items as int) end", '"none"', [0]),
        ("items.count", '{"count":7}', [7]),
    ],
)
def test_fields_are_expressions_over_text(expression: str, text: str, value: Any, tmp_path: Path) -> None:
    source = source_of(properties={"items": {"from": expression, "type": "int"}})
    assert value_of(tmp_path, "items", text, source) == value


def test_one_row_that_fails_in_an_expression_costs_only_itself(tmp_path: Path) -> None:
    source = source_of(properties={"items": {"from": "cast(items as int) * cast(items as int)", "type": "int"}})
    rows = b"".join(b'{%s,"items":%d}\n' % (START.encode(), 2**40 if number == 13 else number) for number in range(100))
    results = decoded(chunks_of(written(tmp_path / "x.ndjson", rows)), source)
    assert len(accepted(results)) == 99
    assert rejected(results)["position"].to_pylist() == [f"x.ndjson\0{14:020d}"]


def test_ids_are_normalised_and_an_id_of_spaces_is_missing(tmp_path: Path) -> None:
    rows = b'{"id":"1","who":" Ann ","at":"2025-01-01"}\n{"id":"2","who":"  ","at":"2025-01-01"}\n'
    results = decoded(
        chunks_of(written(tmp_path / "x.ndjson", rows)), source_of(normalise={"subject": ["trim", "lower"]})
    )
    assert accepted(results)["subject"].to_pylist() == ["ann"]
    assert rejected(results)["reason"].to_pylist() == ["missing_id"]


def test_columns_of_a_lookup_are_taken_by_key(tmp_path: Path) -> None:
    source = source_of(lookups={"products": {"on": "product", "take": ["brand"]}})
    lookups = {"products": pa.table({"key": ["p1"], "brand": ["acme"]})}
    rows = f'{{{START},"product":"p1"}}\n{{{START},"product":"p2"}}\n'.encode()
    results = decoded(chunks_of(written(tmp_path / "x.ndjson", rows)), source, lookups=lookups)
    assert not len(rejected(results))


def test_text_in_parquet_that_is_not_utf8_or_holds_nul_costs_only_its_row(tmp_path: Path) -> None:
    who = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(np.array([0, 3, 5, 8], np.int32)), pa.py_buffer(b"ann\xff\xfeb\0b")]
    )
    at = pa.array([1735689600000000] * 3, pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"id": ["1", "2", "3"], "who": who, "at": at}), tmp_path / "x.parquet")
    results = decoded(chunks_of(tmp_path / "x.parquet"), source_of())
    assert accepted(results)["subject"].to_pylist() == ["ann"]
    assert rejected(results)["reason"].to_pylist() == ["malformed"] * 2
    assert b"\\xff\\xfe" in rejected(results)["raw"][0].as_py()


def test_parquet_keeps_its_types_and_answers_like_json(tmp_path: Path) -> None:
    at = pa.array([1735689600000000], pa.timestamp("us", "UTC"))
    columns = {
        "id": ["1"],
        "who": pa.array(["ann"]).dictionary_encode(),
        "at": at,
        "amount": [1.5],
        "items": [3],
        "tags": [[1, 2]],
    }
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    rows = f'{{{START},"amount":1.5,"items":3,"tags":[1,2]}}\n'.encode()
    told = decoded(chunks_of(tmp_path / "x.parquet"), source_of())
    assert accepted(told).equals(accepted(decoded(chunks_of(written(tmp_path / "x.ndjson", rows)), source_of())))


def test_parquet_values_of_another_type_are_set_aside(tmp_path: Path) -> None:
    columns = {
        "id": ["1", "2"],
        "who": ["a", "b"],
        "at": ["2025-01-01"] * 2,
        "items": [3.0, None],
        "rate": [1.0, float("nan")],
    }
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    assert rejected(decoded(chunks_of(tmp_path / "x.parquet"), source_of()))["reason"].to_pylist() == ["bad_type"] * 2


def test_a_delta_says_which_columns_it_sets_to_null(tmp_path: Path) -> None:
    fields = {"subject": "who", "valid_from": "at"}
    source = source_of(kind="profiles", fields=fields, properties={"city": "string", "plan": "string"})
    found = accepted(
        decoded(chunks_of(written(tmp_path / "x.ndjson", f'{{{START},"city":null}}\n{{{START}}}\n'.encode())), source)
    )
    assert found["explicit_nulls"].to_pylist() == [["city"], []]


@pytest.mark.parametrize("name", ["it's", 'q"r', "') = 'NULL' OR ('1", "$[0]", "a/b", "~0", "*"])
def test_names_of_raw_columns_are_names_whatever_they_hold(tmp_path: Path, name: str) -> None:
    column = '"' + name.replace('"', '""') + '"'
    source = source_of(
        kind="profiles",
        fields={"subject": "who", "valid_from": "at"},
        properties={"city": {"from": column, "type": "string"}},
    )
    rows = [{"who": "ann", "at": "2025-01-01T00:00:00Z", name: value} for value in ("x", None)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found = accepted(decoded(chunks_of(written(tmp_path / "x.ndjson", content)), source))
    assert found["city"].to_pylist() == ["x", None]
    assert found["explicit_nulls"].to_pylist() == [[], ["city"]]
    assert found["payload"].to_pylist() == ["delta"] * 2


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("expression", ["id", "lower(id)", "_place"])
def test_raw_columns_whose_names_differ_in_case_are_others(tmp_path: Path, form: str, expression: str) -> None:
    row = {"ID": "order-1", "id": "alice", "_place": "alice", "at": "2025-01-01T00:00:00Z", "Amt": "50", "amt": "1"}
    texts = {
        "ndjson": json.dumps(row) + "\n",
        "csv": ",".join(row) + "\n" + ",".join(row.values()) + "\n",
    }
    path = tmp_path / f"x.{form}"
    if form == "parquet":
        pq.write_table(pa.table({name: [value] for name, value in row.items()}), path)
    else:
        written(path, texts[form].encode())
    fields = {"event_id": "ID", "event": "'buy'", "subject": expression, "occurred_at": "at"}
    amounts = {"big": {"from": "cast(Amt as int) + 0", "type": "int"}, "small": {"from": "amt", "type": "int"}}
    found = accepted(decoded(chunks_of(path), source_of(fields=fields, properties=amounts))).to_pylist()
    assert [(one["event_id"], one["subject"], one["big"], one["small"]) for one in found] == [("order-1", "alice", 50, 1)]


CLAIM = {
    "event_id": '"1"',
    "subject": '"ann"',
    "purpose": '"ads"',
    "action": '"GRANT"',
    "claimed_at": '"2025-01-01T00:00:00Z"',
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"purpose": '"Ads"'}, "unknown_purpose"),
        ({"purpose": '"*"'}, "malformed"),
        ({"action": '"grant"'}, "malformed"),
        ({"subject": "null"}, "malformed"),
        ({"claimed_at": '"soon"'}, "malformed"),
        ({"purpose_major": "99999999999"}, "malformed"),
        ({"purpose_major": '"one"'}, "malformed"),
        ({"received_at": '"2024-01-01T00:00:00Z"'}, "future"),
    ],
)
def test_ledger_rows_fail_closed(change: dict[str, str], reason: str | None, tmp_path: Path) -> None:
    source = source_of(kind="consents", fields={}, properties=None)
    row = "{" + ",".join(f'"{name}":{text}' for name, text in {**CLAIM, **change}.items()) + "}\n"
    results = decoded(chunks_of(written(tmp_path / "x.ndjson", row.encode())), source)
    assert rejected(results)["reason"].to_pylist() == ([] if reason is None else [reason])
    for name, default in consent.DEFAULTS.items() if reason is None else ():
        assert accepted(results)[name].to_pylist() == [default]
