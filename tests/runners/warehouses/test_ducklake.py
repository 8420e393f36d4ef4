"""Opening the warehouse: one writer, any readers, and typed errors where something outside is in the way."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest

from runners.publishing.publish import publish
from runners.warehouses.ducklake import folder, open_lake
from runners.warehouses.failures import CATALOG, told
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.tables import TABLES
from runners.warehouses.views import VIEWS
from schemas.errors import CallError, JobFailed, TryAgain
from tests.support.holding import held
from tests.support.staged_runs import first_run


def test_a_second_writer_is_told_to_try_again(tmp_path: Path) -> None:
    with open_lake(tmp_path, write=True) as lake:
        prepare(lake)
    with held("lock", tmp_path / "lake.lock"), pytest.raises(TryAgain, match="another process is writing"):
        open_lake(tmp_path, write=True)


def test_readers_do_not_mind_a_writer(lake: Lake) -> None:
    publish(lake, first_run(lake))
    with open_lake(lake.root) as reader:
        assert reader.value("SELECT count(*) FROM events") == 2


def test_a_catalog_that_another_process_holds_is_tried_again(lake: Lake) -> None:
    lake.patience_s = 0.3
    with held("catalog", lake.root / "catalog.sqlite"), pytest.raises(TryAgain, match="busy"):
        publish(lake, first_run(lake))
    assert lake.value("SELECT count(*) FROM run_commits") == 0


def test_events_that_are_called_by_their_position_can_be_deleted(lake: Lake) -> None:
    """Their ids hold NUL (semantics 2.7)."""
    lake.run("CREATE TABLE facts AS SELECT 'web' AS source, 'a.csv' || chr(0) || i AS event_id FROM range(3) t(i)")
    lake.delete("facts", ("source", "event_id"), "SELECT source, event_id FROM facts WHERE event_id[-1] < '2'")
    assert lake.rows("FROM facts") == [("web", "a.csv\0002")]


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("content", [b"no catalog at all, and longer than a page's head" * 20, b"SQLite format 3\0" * 400])
def test_a_catalog_that_is_none_is_told_at_once_and_not_waited_for(lake: Lake, content: bytes, write: bool) -> None:
    lake.close()
    (lake.root / "catalog.sqlite").write_bytes(content)
    with pytest.raises(JobFailed, match="is no catalog of a warehouse") as told:
        open_lake(lake.root, write=write, patience_s=3600)
    assert (told.value.code, told.value.exit_code) == ("SEG-0615", 1)


@contextmanager
def _closed_to(path: Path) -> Iterator[None]:
    """A folder, with all in it, that may only be read; root, whom nothing stops, is nobody meanwhile."""
    user = os.geteuid()
    path.chmod(0o555)
    os.seteuid(user or 65534)
    yield
    os.seteuid(user)
    path.chmod(0o755)


@pytest.mark.parametrize("write", [True, False])
def test_a_folder_that_may_only_be_read_is_told_at_once_and_not_waited_for(lake: Lake, write: bool) -> None:
    lake.close()
    for above in list(lake.root.parents)[:3]:
        above.chmod(0o755)
    with _closed_to(lake.root), pytest.raises(JobFailed, match="is closed to this user") as told:
        open_lake(lake.root, write=write, patience_s=3600)
    assert (told.value.code, told.value.exit_code) == ("SEG-0616", 1)


def test_a_catalog_in_which_nothing_was_made_yet_is_no_warehouse(lake: Lake) -> None:
    lake.close()
    (lake.root / "catalog.sqlite").write_bytes(b"")
    with pytest.raises(CallError, match="there is no warehouse"):
        open_lake(lake.root, patience_s=3600)


def test_a_reader_without_a_warehouse_is_told_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="there is no warehouse"):
        open_lake(tmp_path)


def test_a_reader_can_not_write(lake: Lake) -> None:
    with open_lake(lake.root) as reader, pytest.raises(Exception, match="read-only"):
        reader.run("DELETE FROM events")


def test_a_warehouse_that_was_moved_is_the_same(lake: Lake, tmp_path: Path) -> None:
    publish(lake, first_run(lake))
    lake.con.close()
    shutil.copytree(lake.root, tmp_path / "it's elsewhere")
    with open_lake(tmp_path / "it's elsewhere") as reader:
        assert reader.value("SELECT count(*) FROM segment_membership") == 1


def test_rows_lie_in_parquet_alone(lake: Lake) -> None:
    publish(lake, first_run(lake))
    assert list(lake.data.rglob("*.parquet"))


def test_every_table_column_and_view_has_a_comment(lake: Lake) -> None:
    publish(lake, first_run(lake))
    for kind, count in (("table", len(TABLES)), ("view", len(VIEWS))):
        comments = lake.rows(f"SELECT comment FROM duckdb_{kind}s() WHERE database_name = 'lake'")
        assert len(comments) == count
        assert all(comment for (comment,) in comments)
    bare = "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' AND comment IS NULL"
    assert {table for table, _ in lake.rows(bare)} <= {view.name for view in VIEWS}


def test_a_views_comment_explains_each_of_its_columns(lake: Lake) -> None:
    for view in VIEWS:
        shown = [name for (name,) in lake.rows(f"SELECT column_name FROM (DESCRIBE {view.name})")]
        assert shown == list(view.columns)


@pytest.mark.parametrize("address", ["bigquery:p.d", "parquet:x", "ducklake:", "ducklake:postgres:dsn"])
def test_an_address_that_can_not_be_opened_yet_is_refused(address: str) -> None:
    with pytest.raises(CallError):
        folder(address, Path("/project"))


def test_a_relative_folder_is_the_projects() -> None:
    assert folder("ducklake:warehouse", Path("/project")) == Path("/project/warehouse")


def test_a_catalog_that_is_just_being_made_is_tried_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as begun:
        begun.execute("PRAGMA journal_mode = WAL")  # the first that a writer does
    with pytest.raises(TryAgain, match="the warehouse's catalog is busy"):
        open_lake(tmp_path, patience_s=0.1)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('IO Error: Could not write file "/lake/data/x.parquet": Input/output error', "SEG-0625"),
        ("FATAL Error: fsync failed!", "SEG-0625"),
        ('IO Error: Could not write file "/lake/data/x.parquet": No space left on device', "SEG-0604"),
        ('Failed to execute query "COMMIT": database or disk is full', "SEG-0604"),
        ('Failed to execute query "PRAGMA journal_mode=WAL": disk I/O error', "SEG-0604"),
        ('Unable to open database "/lake/catalog.sqlite": disk I/O error', "SEG-0625"),
        ('Unable to open database "/lake/catalog.sqlite": unable to open database file', "SEG-0626"),
    ],
)
def test_what_the_engine_says_of_the_disk_is_told_as_what_it_is(said: str, code: str, tmp_path: Path) -> None:
    (tmp_path / CATALOG).touch()
    (tmp_path / "data").mkdir()
    with pytest.raises(JobFailed) as raised, told(tmp_path):
        raise duckdb.IOException(said)
    assert raised.value.code == code
