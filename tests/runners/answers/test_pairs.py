"""A file of subjects and instants is read whole and in its order, or refused by the numbers of its rows."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.answers.pairs import read_pairs
from schemas.errors import CallError

MIDNIGHT = 1_769_904_000_000_000  # 2026-02-01T00:00:00Z
HOUR = 3_600_000_000


def read(path: Path, timezone: str = "UTC") -> list[tuple[str, int]]:
    found = read_pairs(path, timezone)
    return list(zip(found.subject.to_pylist(), found.at.tolist(), strict=True))


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_csv_is_read_by_the_names_of_its_columns_in_its_order(tmp_path: Path) -> None:
    text = "at,label,subject\n2026-02-01T01:00:00Z,1,ben\n2026-02-01T00:00:00Z,0,ada\n\n2026-02-01T01:00:00Z,1,ben"
    asked = read(written(tmp_path, "a.csv", text))
    assert asked == [("ben", MIDNIGHT + HOUR), ("ada", MIDNIGHT), ("ben", MIDNIGHT + HOUR)]


def test_ndjson_is_read_also_packed(tmp_path: Path) -> None:
    lines = '{"subject": "ada", "at": "2026-02-01T00:00:00.000001Z", "n":1}', '{"at": "2026-02-01T02:00+02:00", "subject": "ben"}'
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert read(tmp_path / "a.ndjson.gz") == [("ada", MIDNIGHT + 1), ("ben", MIDNIGHT)]


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (datetime(2026, 2, 1, tzinfo=UTC), pa.timestamp("us", "UTC")),
        (datetime(2026, 2, 1, tzinfo=UTC), pa.timestamp("ns", "Europe/Berlin")),
        (date(2026, 2, 1), pa.date32()),
        ("2026-02-01T00:00:00Z", pa.large_string()),
    ],
)
def test_parquet_is_read_by_its_types(tmp_path: Path, at: object, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"subject": pa.array([7, 8]), "at": pa.array([at, at], kind)}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [("7", MIDNIGHT), ("8", MIDNIGHT)]


def test_a_date_is_its_midnight_in_the_projects_zone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "subject,at\nada,2026-02-01\nada,2026-07-01\n")
    assert read(path, "Europe/Berlin") == [("ada", MIDNIGHT - HOUR), ("ada", MIDNIGHT + (150 * 24 - 2) * HOUR)]


def test_a_file_without_rows_asks_for_nothing(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.csv", "subject,at\n")) == read(written(tmp_path, "a.ndjson", "")) == []


BAD = "subject,at\nada,2026-02-01\n,2026-02-01\nben,soon\nada,\nada,2026-02-01T00:00:00\nada,2026-02-30\nada,17\nada,0\n"


def refusal(path: Path) -> str:
    with pytest.raises(CallError) as refused:
        read(path)
    assert refused.value.code == "SEG-0912"
    return refused.value.message


def test_rows_without_a_subject_or_an_instant_are_refused_by_their_numbers(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "a.csv", BAD))
    assert "no subject in row 2 and no instant in rows 3, 4, 5, 6, 7 and 1 more" in said
    assert "soon" not in said


def test_a_naive_time_of_parquet_is_no_instant(tmp_path: Path) -> None:
    pq.write_table(pa.table({"subject": ["ada"], "at": pa.array([0], pa.timestamp("us"))}), tmp_path / "a.parquet")
    assert "no instant in row 1" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "subject,when\nada,2026-02-01\n", "has no column `at`"),
        ("a.csv", "", "has no column `subject`"),
        ("a.csv", "subject,at\nada,2026-02-01\nada\n", "row 2 of"),
        ("a.ndjson", '{"subject": "ada", "at": "2026-02-01"}\n{"subject": "ada"', "row 2 of"),
        ("a.ndjson", '{"subject": "ada", "at": "2026-02-01"}\n{"subject": "ada"}\n', "no instant in row 2"),
        ("a.ndjson", "[]\n", "row 1 of"),
        ("a.parquet", "PAR1", "row 1 of"),
    ],
)
def test_a_file_that_is_not_readable_as_a_whole_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    assert said in refusal(written(tmp_path, name, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "can not be read" in refusal(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "can not be read" in refusal(tmp_path / "folder.csv")


def test_many_rows_are_read_in_their_order(tmp_path: Path) -> None:
    at = np.arange(300_000) * HOUR
    rows = pa.table({"subject": pa.array(at).cast(pa.string()), "at": pa.array(at).cast(pa.timestamp("us", "UTC"))})
    pq.write_table(rows, tmp_path / "a.parquet")
    assert np.array_equal(read_pairs(tmp_path / "a.parquet", "UTC").at, at)
