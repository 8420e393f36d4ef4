"""A dataset of BigQuery is a warehouse like the embedded one: the same rows, once, whatever dies and whoever else publishes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from runners.publishing.publish import publish
from runners.warehouses.bigquery import scanning
from runners.warehouses.bigquery.clients import open_clients
from runners.warehouses.bigquery.lake import BigQuery
from runners.warehouses.bigquery.opening import open_bigquery
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.tables import TABLES
from runners.warehouses.views import VIEWS
from schemas.errors import CallError, TryAgain
from tests.runners.test_laws import one_history_and_its_record
from tests.support.command_line import asked, segue
from tests.support.emulated import PROJECT, Emulator
from tests.support.oracle_model import World
from tests.support.ordering import events, project_of
from tests.support.publishing import DATASET, opened
from tests.support.staged_runs import correction, event, first_run, plan_of, stage
from tests.support.whole_runs import Target

pytestmark = pytest.mark.services
ROOT = Path(__file__).parents[2]
POINTS = ("staged", "before_commit:2", "rows_appended", "rows_appended:14", "inside_commit", "inside_commit:2", "script_sent")
AFTER = ("after_commit", "before_answer")
CLOCK = {"committed_at"}


@pytest.fixture
def lake(dataset: str, tmp_path: Path) -> Iterator[BigQuery]:
    """An empty dataset, open for writing."""
    with made(dataset, tmp_path) as opened:
        yield opened


def made(dataset: str, folder: Path) -> BigQuery:
    found = open_bigquery(dataset, folder / "work", str(folder / "states"), write=True)
    prepare(found)
    return found


class InBigQuery(Target):
    """A project whose target is a dataset."""

    def __init__(self, folder: Path, world: World, dataset: str, state: str = "states") -> None:
        self.dataset, self.state = dataset, state
        super().__init__(folder, world)

    def define(self, world: World) -> None:
        super().define(world)
        said = {"warehouse": f"bigquery:{self.dataset}", "bigquery": {"state": self.state}}
        self._set(lambda settings: settings["targets"]["dev"].update(said))


@pytest.mark.parametrize("seed", (1, 2))
def test_one_history_whatever_arrives_when_in_how_many_runs_and_shards(dataset: str, tmp_path: Path, seed: int) -> None:
    one_history_and_its_record(tmp_path, seed, lambda folder, world: InBigQuery(folder, world, dataset))


def test_what_is_read_by_what_is_asked_of_it_is_what_is_read_whole(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "SMALL", 0)
    one_history_and_its_record(tmp_path, 3, lambda folder, world: InBigQuery(folder, world, dataset))


def rows(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for the clock's."""
    return {table.name: _rows(lake, table.name, table.schema.names) for table in TABLES}


def _rows(lake: Lake, table: str, names: list[str]) -> list[tuple[Any, ...]]:
    left = f" EXCLUDE ({', '.join(CLOCK & {*names})})" if CLOCK & {*names} else ""
    return lake.rows(f"SELECT *{left} FROM {table} ORDER BY ALL")


def test_the_same_runs_leave_the_same_rows_as_in_the_embedded_warehouse(lake: BigQuery, tmp_path: Path) -> None:
    with open_lake(tmp_path / "lake", write=True) as embedded:
        prepare(embedded)
        for one in (lake, embedded):
            publish(one, first_run(one))
            publish(one, correction(one))
        assert rows(lake) == rows(embedded)


def test_views_say_in_bigquery_what_they_say_here(lake: BigQuery) -> None:
    publish(lake, first_run(lake))
    publish(lake, correction(lake))
    for view in VIEWS:
        told = lake.clients.rest.query(f"SELECT * FROM {lake.clients.sql(view.name)}").result()
        here = lake.arrow(f"SELECT {', '.join(column.name for column in told.schema)} FROM {view.name}")
        assert sorted(map(_said, told)) == sorted(map(_said, here.to_pylist())), view.name


def _said(row: Any) -> str:
    return str([(name, str(value)) for name, value in row.items()])


def test_tables_are_explained_partitioned_and_clustered(lake: BigQuery) -> None:
    events = lake.clients.rest.get_table(lake.clients.reference("events"))
    assert all(column.description for column in events.schema)
    assert events.description
    assert (events.time_partitioning.type_, events.time_partitioning.field) == ("MONTH", "occurred_at")
    assert events.clustering_fields == ["subject", "event"]
    assert lake.clients.rest.get_table(lake.clients.reference("segment_sizes")).description.startswith("How many members")


def test_of_two_machines_that_build_on_one_run_only_one_publishes(lake: BigQuery, dataset: str, tmp_path: Path) -> None:
    with made(dataset, tmp_path / "other") as other:
        late = first_run(other, definitions="d2")
        published = publish(lake, first_run(lake))

        def write() -> None:
            other.insert("run_commits", f"SELECT '{late.run_id}' AS run_id, NULL AS parent_run_id, now() AS committed_at")

        with pytest.raises(TryAgain, match="SEG-0607"):
            other.commit(write, token=late.run_id, parent="")
    assert lake.rows("SELECT run_id FROM run_commits") == [(published.run_id,)]


def test_a_commit_whose_answer_was_lost_is_found_and_not_made_again(lake: BigQuery) -> None:
    published = publish(lake, first_run(lake))
    again = f"SELECT '{published.run_id}' AS run_id, NULL AS parent_run_id, now() AS committed_at"
    lake.commit(lambda: _insert(lake, again), token=published.run_id, parent="")
    assert lake.rows("SELECT run_id FROM run_commits") == [(published.run_id,)]


def _insert(lake: Lake, select: str) -> None:
    lake.insert("run_commits", select)


def test_a_script_that_fails_leaves_every_table_as_it_was(lake: BigQuery) -> None:
    publish(lake, first_run(lake))
    before = rows(lake)

    def write() -> None:
        lake.clear("events")
        lake.script.statements.append("SELECT ERROR('disk')")

    with pytest.raises(Exception, match="SEG-0604"):
        lake.commit(write, token="x", parent=lake.value("SELECT run_id FROM run_commits"))
    lake.pin()
    assert rows(lake) == before


def test_null_lists_come_back_null_and_empty_ones_empty(lake: BigQuery) -> None:
    columns = {"events": {"amount": pa.decimal128(12, 2), "tags": pa.list_(pa.string())}}
    plan = plan_of(lake, 10, fact_columns=columns)
    tags = {"a": ["x", "y"], "b": [], "c": None}
    stage(plan, "events", [event("ann", key, 1, tags=said) for key, said in tags.items()])
    stage(plan, "fates", [{"read": 3, "used": 3}])
    publish(lake, plan)
    assert dict(lake.rows("SELECT event_id, tags FROM events")) == tags


def test_staging_tables_go_with_the_commit(lake: BigQuery) -> None:
    publish(lake, first_run(lake))
    names = [one.table_id for one in lake.clients.rest.list_tables(lake.where)]
    assert [name for name in names if name.startswith("staging_")] == []


def test_a_table_that_somebody_has_removed_is_told(lake: BigQuery) -> None:
    lake.clients.rest.delete_table(lake.clients.reference("sessions"))
    lake.pin()
    with pytest.raises(CallError, match="SEG-0601"):
        lake.rows("SELECT * FROM sessions")


def test_who_only_looks_is_told_that_nothing_is_there_yet(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="SEG-0601"):
        open_bigquery(dataset, tmp_path / "work", str(tmp_path / "states"))


@pytest.fixture(scope="module")
def ended(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """Where each run lies, and how it ended: killed at its point, then run again."""
    folder = tmp_path_factory.mktemp("killed")
    for index, point in enumerate(("none", *POINTS, *AFTER)):
        (folder / point).mkdir()
        (folder / point / DATASET).write_text(f"{PROJECT}.killed{index}")
    command = [sys.executable, str(ROOT / "tests/support/publishing.py"), str(folder), "none", *POINTS, *AFTER]
    environment = {**os.environ, **emulator.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return folder, {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("point", [*POINTS, *AFTER])
def test_killed_and_run_again_the_tables_are_those_of_an_undisturbed_run(
    ended: tuple[Path, dict[str, list[str]]], point: str
) -> None:
    folder, codes = ended
    assert codes[point] == [str(-signal.SIGKILL), "0"]
    assert (folder / point / "fired").read_text() == f"{point}\n"
    with opened(folder / point / "warehouse") as killed, opened(folder / "none" / "warehouse") as undisturbed:
        assert rows(killed) == rows(undisturbed)
    assert list((folder / point / "warehouse" / "staging").iterdir()) == []


def test_a_table_of_bigquery_is_read_once_until_it_changes(dataset: str, emulator: Emulator, tmp_path: Path) -> None:
    project, _, name = dataset.rpartition(".")
    clients = open_clients(project, name)
    clients.rest.create_dataset(name)
    clients.rest.query(f"CREATE TABLE {clients.sql('orders')} (id STRING, who STRING, `at` TIMESTAMP, amount INT64)").result()
    said = "('o1', 'ann', TIMESTAMP '2023-11-14 10:00:00+00', 5), ('o2', NULL, TIMESTAMP '2023-11-14 11:00:00+00', 5)"
    clients.rest.query(f"INSERT INTO {clients.sql('orders')} VALUES {said}").result()
    clients.close()
    fields = {"event_id": "id", "event": "'buy'", "subject": "who", "occurred_at": "at"}
    shop = project_of(tmp_path / "shop", {"bigquery": f"{dataset}.orders"}, fields=fields)
    segue(shop, "run")
    segue(shop, "run")
    assert events(shop) == ["o1"]
    assert [row["reason"] for row in asked(shop, "SELECT reason FROM quarantine")] == ["missing_id"]
    assert [row["read"] for row in asked(shop, "SELECT read FROM run_manifest")] == [2]
