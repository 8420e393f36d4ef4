"""Scores are read alike from every format, and one that says nothing is set aside."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.definitions.source import Source
from tests.support.oracle_model import Score, score_hash
from tests.support.raw_files import accepted, chunks_of, decoded, rejected, source_of, written

AT = 1_735_689_600_000_000  # 2025-01-01
ROW = {"who": "ann", "model": "churn", "version": "3", "p": 0.8, "class": "high", "since": "2025-01-01T00:00:00Z"}
FIELDS = {"subject": "who", "model": "model", "version": "version", "value": "p", "label": "class", "valid_from": "since"}


def scores_of(**fields: str | None) -> Source:
    said = {name: path for name, path in {**FIELDS, **fields}.items() if path is not None}
    return source_of(kind="scores", fields=said, properties=None)


def rows_of(tmp_path: Path, *rows: dict[str, Any]) -> list[Any]:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return chunks_of(written(tmp_path / "x.ndjson", content))


def in_form(path: Path, form: str, row: dict[str, Any]) -> Path:
    if form == "parquet":
        pq.write_table(pa.table({name: [value] for name, value in row.items()}), path / "x.parquet")
        return path / "x.parquet"
    texts = {"ndjson": json.dumps(row) + "\n", "csv": f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"}
    return written(path / f"x.{form}", texts[form].encode())


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_a_score_reads_alike_in_every_format(tmp_path: Path, form: str) -> None:
    (found,) = accepted(decoded(chunks_of(in_form(tmp_path, form, ROW)), scores_of())).to_pylist()
    read = {name: found[name] for name in ("subject", "model", "version", "value", "label")}
    assert read == {"subject": "ann", "model": "churn", "version": "3", "value": 0.8, "label": "high"}
    assert found["valid_from"] == found["received_at"]
    assert found["record_hash"].hex() == score_hash(Score("x", "ann", "churn", "3", AT, AT, 0.8, "high"))


@pytest.mark.parametrize("value", [0.1, 1.0, -2.5, 123456789.123])
def test_a_number_alone_is_hashed_with_a_label_of_null(tmp_path: Path, value: float) -> None:
    found = accepted(decoded(rows_of(tmp_path, {**ROW, "p": value}), scores_of(label=None, version=None)))
    assert found["record_hash"][0].as_py().hex() == score_hash(Score("x", "ann", "churn", None, AT, AT, value))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"p": None}, []),
        ({"class": None}, []),
        ({"p": None, "class": None}, ["bad_type"]),
        ({"p": "much"}, ["bad_type"]),
        ({"p": "NaN"}, ["bad_type"]),
        ({"model": None}, ["bad_type"]),
        ({"since": None}, ["bad_type"]),
        ({"since": "soon"}, ["bad_type"]),
        ({"who": ""}, ["missing_id"]),
        ({"version": None}, []),
        ({"since": "2999-01-01T00:00:00Z"}, []),
    ],
)
def test_a_score_that_says_nothing_is_set_aside_and_one_dated_ahead_is_not(
    tmp_path: Path, change: dict[str, Any], reason: list[str]
) -> None:
    assert rejected(decoded(rows_of(tmp_path, {**ROW, **change}), scores_of()))["reason"].to_pylist() == reason


def test_where_only_a_label_is_mapped_it_is_needed(tmp_path: Path) -> None:
    results = decoded(rows_of(tmp_path, ROW, {**ROW, "class": None}), scores_of(value=None))
    assert accepted(results)["label"].to_pylist() == ["high"]
    assert rejected(results)["reason"].to_pylist() == ["bad_type"]


def test_a_source_of_one_model_names_it_in_its_definition(tmp_path: Path) -> None:
    assert accepted(decoded(rows_of(tmp_path, ROW), scores_of(model="'value'")))["model"].to_pylist() == ["value"]
