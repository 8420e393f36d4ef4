"""What the next run and the commands are told of the warehouse."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.publishing.publish import publish
from runners.runs.run_plan import SegmentVersion
from runners.warehouses import read
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.published import LastRun, last_run, runs, versions
from schemas.definitions.datatype import DataType
from schemas.definitions.project import Project
from schemas.errors import CallError
from tests.support.consent_rows import project as bare_project
from tests.support.consent_rows import source
from tests.support.staged_runs import at, correction, first_run, plan_of

FIELDS = {"subject": "subject", "valid_from": "at"}
PROJECT: Project = dataclasses.replace(
    bare_project(),
    sources={"orders": source("orders", "profiles", fields=FIELDS), "ledger": source("ledger", "consents")},
    event_columns={"amount": DataType.parse("decimal(12,2)"), "brand": DataType.parse("string")},
    profile_columns={"country": DataType.parse("string")},
)
"""It declares a `brand`, which no run has stored yet."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Two runs: the second one knows of a withdrawal, and gives `vip` a new meaning."""
    with open_lake(tmp_path_factory.mktemp("published") / "warehouse", write=True) as lake:
        prepare(lake)
        publish(lake, first_run(lake))
        publish(lake, correction(lake))
        publish(lake, plan_of(lake, 30, definitions="d2", versions={"vip": SegmentVersion(2, "m2")}))
        yield lake


def test_before_the_first_run_there_is_nothing(lake: Lake) -> None:
    assert last_run(lake) is None
    assert read.state_paths(lake) == {}
    assert versions(lake) == {}
    assert len(runs(lake)) == 0


def test_the_last_run_says_where_the_next_one_starts(published: Lake) -> None:
    last = last_run(published)
    assert last is not None
    assert (last.t_at, last.definitions, last.shards) == (at(30), "d2", 2)
    assert last.positions == {"orders": {"a.ndjson": 30_000}}


def test_what_was_published_is_known_without_reading_it(lake: Lake) -> None:
    plan = first_run(lake)
    publish(lake, plan)
    assert last_run(lake) == LastRun.of(plan)


def test_a_new_meaning_is_a_new_version_and_the_old_one_stays_known(published: Lake) -> None:
    assert versions(published) == {"vip": [(SegmentVersion(1, "m1"), False), (SegmentVersion(2, "m2"), True)]}


def test_runs_are_listed_oldest_first(published: Lake) -> None:
    listed = runs(published)
    assert listed["read"].to_pylist() == [4, 1, 0]
    assert set(listed["status"].to_pylist()) == {"published"}


def facts_of(subject: str, lake: Lake, known_at: int) -> dict[str, pa.Table]:
    return read.facts_of_subjects(lake, PROJECT, pa.array([subject]), known_at)


def test_the_facts_of_a_subject_are_those_received_by_k(published: Lake) -> None:
    before = facts_of("ann", published, at(19) - 1)
    after = facts_of("ann", published, at(19))
    assert before["consents"]["action"].to_pylist() == ["GRANT"]
    assert sorted(after["consents"]["action"].to_pylist()) == ["GRANT", "WITHDRAW"]
    assert before["events"]["event_id"].to_pylist() == ["1"]


def test_a_subject_is_a_value_and_never_sql(published: Lake) -> None:
    assert len(facts_of("x' OR 'a' = 'a", published, at(50))["events"]) == 0


def test_exported_facts_have_the_canonical_columns_and_nulls_for_what_is_not_stored(
    published: Lake, tmp_path: Path
) -> None:
    paths = read.export_facts(published, PROJECT, PROJECT.sources, tmp_path / "facts")
    assert {name: pq.read_schema(path) for name, path in paths.items()} == PROJECT.schemas
    events = pq.read_table(paths["events"])
    assert sorted(map(str, events["amount"].to_pylist())) == ["9.50", "9.50"]
    assert events["brand"].to_pylist() == [None, None]
    assert len(pq.read_table(paths["profiles"])) == 0


def test_a_warehouse_of_a_version_that_knew_fewer_kinds_of_facts_is_told_of_and_the_next_run_makes_the_table(lake: Lake) -> None:
    publish(lake, first_run(lake))
    lake.commit(lambda: lake.run("DROP TABLE scores"), "as it was")
    with pytest.raises(CallError, match="is of an earlier version: it has no table `scores`"):
        read.facts_of_subjects(lake, PROJECT, pa.array(["ann"]), at(10))
    prepare(lake)
    assert len(read.facts_of_subjects(lake, PROJECT, pa.array(["ann"]), at(10))["scores"]) == 0
