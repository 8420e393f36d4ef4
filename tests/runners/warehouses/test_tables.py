"""Every table and column is explained, and making them twice changes nothing."""

import pyarrow as pa
import pytest

from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.tables import TABLES
from runners.warehouses.views import VIEWS
from schemas.errors import CallError


def test_every_table_and_every_column_has_a_comment(lake: Lake) -> None:
    tables = dict(lake.rows("SELECT table_name, comment FROM duckdb_tables() WHERE database_name = 'lake'"))
    assert sorted(tables) == sorted(table.name for table in TABLES)
    assert all(tables.values())
    bare = lake.rows(
        "SELECT table_name, column_name FROM duckdb_columns() c "
        "SEMI JOIN (FROM duckdb_tables() WHERE database_name = 'lake') t USING (table_name) "
        "WHERE c.database_name = 'lake' AND coalesce(c.comment, '') = ''"
    )
    assert bare == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_explains_each_of_its_columns(view: object, lake: Lake) -> None:
    name, columns = view.name, view.columns  # type: ignore[attr-defined]
    assert [row[0] for row in lake.rows(f"DESCRIBE {name}")] == list(columns)
    comment = lake.value(f"SELECT comment FROM duckdb_views() WHERE view_name = '{name}'")
    assert all(f"\n{column}: " in comment for column in columns)


def test_preparing_twice_commits_nothing(lake: Lake) -> None:
    before = _snapshots(lake)
    prepare(lake)
    assert _snapshots(lake) == before


def test_a_new_column_carries_its_comment(lake: Lake) -> None:
    lake.widen("feature_rows", {"visits__count_7d": pa.int64()}, {"visits__count_7d": "visits in 7 days"})
    told = "SELECT comment FROM duckdb_columns() WHERE column_name = 'visits__count_7d'"
    assert lake.value(told) == "visits in 7 days"


def test_a_decimal_that_holds_more_than_is_declared_stays(lake: Lake) -> None:
    lake.widen("events", {"amount": pa.decimal128(14, 2)}, {})
    lake.widen("events", {"amount": pa.decimal128(12, 2)}, {})
    assert lake.value("SELECT data_type FROM duckdb_columns() WHERE column_name = 'amount'") == "DECIMAL(14,2)"


def test_a_type_that_does_not_hold_what_is_stored_is_refused(lake: Lake) -> None:
    lake.widen("events", {"amount": pa.string()}, {})
    with pytest.raises(CallError, match=r"`amount` of `events` is VARCHAR in the warehouse and BIGINT"):
        lake.widen("events", {"amount": pa.int64()}, {})


def _snapshots(lake: Lake) -> int:
    return int(lake.value("SELECT count(*) FROM ducklake_snapshots('lake')"))


def test_a_table_that_is_not_public_says_so(lake: Lake) -> None:
    told = dict(lake.rows("SELECT table_name, comment FROM duckdb_tables() WHERE database_name = 'lake'"))
    internal = {name for name, comment in told.items() if comment.startswith("Internal")}
    assert internal == {"backfill_pieces", "run_commits", "segment_upcoming", "segment_versions"}
