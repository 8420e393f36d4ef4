"""The rivals that Segue is measured against answer as one: SQL by hand and a plain Beam pipeline."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from benchmarks.by_beam import by_beam
from benchmarks.by_sql import by_sql
from benchmarks.world import HERE, Size, reveal, write_world
from runners.runs.outlook import Options
from runners.runs.running import open_target, run_batch
from runners.warehouses.ducklake import open_lake
from schemas.definitions.catalog import read_project
from tests.support.worlds import language

AT = "2026-01-01T00:00:00Z"
SMALL = Size(events=6_000, subjects=600)
Members = set[tuple[str, str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "project"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("data", "later", "warehouse", "target"))
    write_world(folder, SMALL)
    reveal(folder)
    return folder


@pytest.fixture(scope="module")
def by_hand(world: Path) -> Path:
    by_sql(world, world / "by_sql", AT)
    return world / "by_sql"


def test_sql_by_hand_and_plain_beam_find_the_same_members(world: Path, by_hand: Path) -> None:
    (world / "by_beam").mkdir()
    by_beam(world, world / "by_beam", AT)
    lines = [line for path in (world / "by_beam").glob("*.csv") for line in path.read_text().split()]
    beam: Members = {(segment, subject) for segment, _, subject in (line.partition(",") for line in lines)}
    assert beam == set(_rows(f"FROM '{by_hand / 'memberships.parquet'}'"))
    assert len(lines) == len(beam)


def test_segue_answers_as_the_sql_by_hand(world: Path, by_hand: Path) -> None:
    project = read_project(world, language())
    with open_target(project) as lake:
        run_batch(lake, project, Options(now=0), lambda *_: None)
    hashed = "subject, event_id, received_at, amount, record_hash"
    columns = ", ".join(row[0] for row in _rows(f"DESCRIBE FROM '{by_hand / 'feature_rows.parquet'}'"))
    with open_lake(world / "warehouse", write=False) as lake:
        for what, table, file in (
            (hashed, "events", "events.parquet"),
            ("segment, subject", "segment_membership", "memberships.parquet"),
            (columns, "feature_rows", "feature_rows.parquet"),
        ):
            ours = lake.rows(f"SELECT {what} FROM {table} ORDER BY ALL")
            assert ours == lake.rows(f"SELECT {what} FROM '{by_hand / file}' ORDER BY ALL"), table


def test_every_segment_of_the_project_has_members_and_there_are_ten(world: Path, by_hand: Path) -> None:
    project = read_project(world, language())
    assert project.warnings == ()
    found = {name for (name,) in _rows(f"SELECT DISTINCT segment FROM '{by_hand / 'memberships.parquet'}'")}
    assert found == set(project.segments)
    assert len(found) == 10


def test_the_feature_rows_have_the_columns_that_the_project_declares(world: Path, by_hand: Path) -> None:
    columns = [column.name for group in read_project(world, language()).features.values() for column in group.columns]
    described = _rows(f"DESCRIBE FROM '{by_hand / 'feature_rows.parquet'}'")
    assert [row[0] for row in described] == ["subject", "as_of", *columns]
    assert len(columns) == 10


def test_an_event_that_came_twice_is_kept_once_as_first_received(world: Path, by_hand: Path) -> None:
    best: dict[tuple[str, str], tuple[str, str]] = {}
    for path in (world / "data" / "events").glob("*.ndjson"):
        for record in map(json.loads, path.read_text().splitlines()):
            key, found = (record["user"], record["id"]), (record["received_at"], _digest(record))
            best[key] = min(best.get(key, found), found)
    kept = _rows(f"SELECT subject, event_id, hex(record_hash) FROM '{by_hand / 'events.parquet'}'")
    assert len(kept) == len(best) < SMALL.events
    assert {(subject, event, digest.lower()) for subject, event, digest in kept} == {
        (*key, digest) for key, (_, digest) in best.items()
    }


def test_one_in_twenty_subjects_is_active_at_the_end(world: Path) -> None:
    lines = (world / "data" / "events" / "recent.ndjson").read_text().splitlines()
    active = {json.loads(line)["user"] for line in lines}
    assert len(lines) == SMALL.events // 100
    assert len(active) <= SMALL.subjects // 20


def test_one_seed_gives_one_world(world: Path, tmp_path: Path) -> None:
    write_world(tmp_path, SMALL)
    for name in ("events/history.ndjson", "consents.ndjson", "profiles.ndjson"):
        assert (tmp_path / "data" / name).read_bytes() == (world / "data" / name).read_bytes()


def _digest(record: dict[str, object]) -> str:
    micros = (datetime.fromisoformat(str(record["at"])) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    amount = None if record["amount"] is None else f"{record['amount']:.2f}"
    content = {
        "amount": amount,
        "category": record["category"],
        "device": record["device"],
        "event": record["name"],
        "event_id": record["id"],
        "occurred_at": micros,
        "subject": record["user"],
    }
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _rows(sql: str) -> list[tuple[str, ...]]:
    return duckdb.sql(sql).fetchall()
