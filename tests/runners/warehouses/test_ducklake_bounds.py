"""Bounds of whole columns: the engine keeps some that are too narrow, so a catalog keeps none, and readers find all rows."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from runners.warehouses.ducklake import open_lake
from runners.warehouses.failures import CATALOG
from runners.warehouses.lake import Lake

SMALL, LARGE = "(1, NULL), (2, 0)", "(3, 36), (4, 300)"
"""The first of two files has no value; the bounds of the second commit do not hold for the first."""
ALL = [(1, None), (2, 0), (3, 36), (4, 300)]


def parts(lake: Lake) -> None:
    lake.run("CREATE TABLE parts (part BIGINT, value BIGINT)")
    lake.run("ALTER TABLE parts SET PARTITIONED BY (part)")


def in_catalog(root: Path, *statements: str) -> list[tuple[Any, ...]]:
    """What the last of some statements to a catalog that nobody holds gives."""
    with closing(sqlite3.connect(root / CATALOG)) as con, con:
        return [con.execute(statement).fetchall() for statement in statements][-1]


def test_what_a_table_has_is_found_whatever_commits_wrote_it(lake: Lake) -> None:
    parts(lake)
    lake.run(f"INSERT INTO parts VALUES {SMALL}")
    lake.run(f"INSERT INTO parts VALUES {LARGE}")
    assert lake.rows("FROM parts ORDER BY ALL") == ALL
    assert lake.rows("SELECT count(*) FROM parts WHERE value < 20") == [(1,)]
    assert lake.rows("SELECT count(*) FROM parts WHERE value > 20") == [(2,)]
    assert lake.rows("SELECT min(value), max(value) FROM parts") == [(0, 300)]


def test_a_catalog_that_keeps_bounds_forgets_them_when_it_is_next_opened_for_writing(tmp_path: Path) -> None:
    with open_lake(tmp_path, write=True) as lake:
        parts(lake)
        lake.run(f"INSERT INTO parts VALUES {SMALL}")
        lake.run(f"INSERT INTO parts VALUES {LARGE}")
    triggers = in_catalog(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    in_catalog(tmp_path, *(f"DROP TRIGGER {name}" for (name,) in triggers))
    in_catalog(tmp_path, "UPDATE ducklake_table_column_stats SET min_value = '36', max_value = '300' WHERE column_id = 2")
    with open_lake(tmp_path) as reader:
        assert reader.rows("SELECT count(*) FROM parts WHERE value < 20") == [(0,)]
    with open_lake(tmp_path, write=True), open_lake(tmp_path) as reader:
        assert reader.rows("SELECT count(*) FROM parts WHERE value < 20") == [(1,)]
    assert len(triggers) == len(in_catalog(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")) == 2
