"""A path at which no record has a value is told, with the name among those that records do have which is most like it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.definitions.source import Source
from tests.support.raw_files import chunks_of, decoded, source_of, written

AT = '"id":"1","who":"ann","at":"2025-01-01T00:00:00Z"'


def nested(path: str) -> Source:
    return source_of(properties={"amount": {"from": path, "type": "int"}})


def unseen(path: Path, source: Source) -> dict[str, str] | None:
    """What is said of the first chunk of a file."""
    return decoded(chunks_of(path), source)[0].unseen


@pytest.mark.parametrize("other", ["1", "[1]", '"\\n"', "{}"])
def test_a_name_beside_the_path_is_proposed_however_records_are_written(other: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", f'{{{AT},"props":{{"amount":1}},"more":{other}}}\n'.encode() * 2)
    assert unseen(path, nested("props.amout")) == {"props.amout": "props.amount"}
    assert unseen(path, nested("props.amount")) == {}


def test_a_path_within_what_is_no_object_has_no_name_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", f'{{{AT},"props":[1]}}\n{{{AT},"props":{{}}}}\n{{{AT}}}\n'.encode())
    assert unseen(path, nested("props.amount")) == {"props.amount": ""}


def test_a_column_of_csv_is_proposed_and_one_that_is_empty_throughout_is_unseen(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", b"id,whoo,at,amounts,day\n1,ann,2025-01-01T00:00:00Z,5,\n")
    found = unseen(path, source_of(properties={"amount": "int", "day": "date", "rate": "float"}))
    assert found == {"who": "whoo", "amount": "amounts", "day": "", "rate": ""}


def test_a_column_of_parquet_is_proposed_also_within_a_struct(tmp_path: Path) -> None:
    row = {"id": "1", "who": "ann", "at": "2025-01-01T00:00:00Z", "props": {"amount": 1, "deep": {"rate": 2}}}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "x.parquet")
    assert unseen(tmp_path / "x.parquet", nested("props.amout")) == {"props.amout": "props.amount"}
    assert unseen(tmp_path / "x.parquet", nested("props.deep.rat")) == {"props.deep.rat": "props.deep.rate"}
    assert unseen(tmp_path / "x.parquet", nested("props.amount")) == {}


def test_one_record_with_a_value_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", f'{{{AT}}}\n{{{AT},"amount":null}}\n{{{AT},"amount":1}}\n'.encode())
    assert unseen(path, source_of(properties={"amount": "int"})) == {}


def test_a_null_in_every_record_is_no_value(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", f'{{{AT},"amount":null,"amounts":1}}\n'.encode())
    assert unseen(path, source_of(properties={"amount": "int"})) == {"amount": "amounts"}


def test_of_a_chunk_in_which_no_record_can_be_read_nothing_is_said(tmp_path: Path) -> None:
    for content in (b"broken\n", b""):
        assert unseen(written(tmp_path / "x.ndjson", content), source_of()) is None


def test_a_path_that_is_read_is_never_proposed_for_another(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", f'{{{AT},"amount":1}}\n'.encode())
    assert unseen(path, source_of(properties={"amount": "int", "amounts": "int"})) == {"amounts": ""}
