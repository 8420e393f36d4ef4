"""The published tables read by another tool: DuckDB alone, with the line that README and docs/tables.md give."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from runners.main import call
from runners.warehouses.ducklake import extension

ROOT = Path(__file__).parents[3]
OPEN = re.compile(r'duckdb -cmd "(.*)"')


@pytest.fixture
def attached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """A project that was run and moved, attached from its folder."""
    assert call(["--quiet", "init", str(tmp_path / "first")]) == 0
    assert call(["--quiet", "--project-dir", str(tmp_path / "first"), "run"]) == 0
    shutil.move(tmp_path / "first", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config={**settings, "extension_directory": str(tmp_path / "extensions")}) as con:
        _downloaded(con, tmp_path / "extensions")
        (line,) = {found for name in ("README.md", "docs/tables.md") for found in OPEN.findall((ROOT / name).read_text())}
        con.execute(line)
        yield con


def _downloaded(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Put the extensions where INSTALL finds them, so that it asks no network."""
    ((version, platform),) = con.execute("SELECT version(), platform FROM pragma_platform()").fetchall()
    (folder / version / platform).mkdir(parents=True)
    for name in ("sqlite_scanner", "ducklake"):
        shutil.copy(extension(name), folder / version / platform)


def test_another_tool_reads_tables_and_views(attached: duckdb.DuckDBPyConnection) -> None:
    members = attached.execute("SELECT segment, subject FROM segue.segment_membership ORDER BY ALL").fetchall()
    assert members == [("good_customers", "ada"), ("left_basket", "ben")]
    assert attached.execute("SELECT segment, subject FROM segment_membership ORDER BY ALL").fetchall() == members
    for (name,) in attached.execute("SELECT view_name FROM duckdb_views() WHERE database_name = 'segue'").fetchall():
        assert attached.execute(f"SELECT count(*) FROM segue.{name}").fetchall()


def test_another_tool_asks_who_was_a_member_by_what_was_known_then(attached: duckdb.DuckDBPyConnection) -> None:
    ((t, k),) = attached.execute("SELECT t, k FROM run_manifest").fetchall()
    members = attached.execute("SELECT segment, subject FROM segment_membership ORDER BY ALL").fetchall()
    asked = "SELECT segment, subject FROM as_of($t, $k) ORDER BY ALL"
    assert attached.execute(asked, {"t": t, "k": k}).fetchall() == members
    assert attached.execute(asked, {"t": t, "k": k - timedelta(microseconds=1)}).fetchall() == []


def test_another_tool_can_not_write(attached: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="read-only"):
        attached.execute("DELETE FROM segue.events")


def test_a_feature_says_in_words_what_it_holds(attached: duckdb.DuckDBPyConnection) -> None:
    told = dict(
        attached.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = 'segue' AND column_name LIKE 'orders__%'"
        ).fetchall()
    )
    assert told["orders__spend_30d"] == (
        "sum of amount over order_completed, the last 30 days; 0 where there are none, null where analytics may not use them"
    )
    assert told["orders__number_lifetime"].startswith("number of events over order_completed, ever; 0 where")
