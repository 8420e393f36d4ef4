"""What the benchmark of publishing calls changed is changed in each table, and DuckDB writes the same rows beside it."""

from pathlib import Path

import pytest

from benchmarks.publishing import Figure, bench, told
from runners.warehouses.ducklake import open_lake

ROWS, CHANGED = 300, (10, 20)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Figure]]:
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("SEGUE_EMULATORS", raising=False)
        return folder, [*bench(folder, ROWS, CHANGED, 0)]


def test_tables_are_filled_and_then_changed_and_the_smallest_change_is_made_in_small_tables_too(
    measured: tuple[Path, list[Figure]],
) -> None:
    _, figures = measured
    assert [(one.rows, one.changed) for one in figures] == [(0, 300), (300, 10), (300, 20), (0, 20), (20, 10)]
    assert all(one.written >= 5 * one.changed and len(told(one)) > 80 for one in figures)
    assert all(one.publish.wall > one.audit > 0 < min(one.insert.wall, one.copy.wall) for one in figures)


def test_a_changed_row_is_one_in_each_table_and_each_tenth_is_told_anew(measured: tuple[Path, list[Figure]]) -> None:
    folder, _ = measured
    numbers = """
    SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM segment_upcoming), (SELECT count(*) FROM feature_rows),
      (SELECT count(*) FROM segment_transitions WHERE known_to IS NULL), (SELECT count(*) FROM segment_changes),
      (SELECT count(*) FROM segment_transitions WHERE known_to IS NOT NULL), (SELECT count(*) FROM segment_membership)
    """
    with open_lake(folder / "lake") as lake:
        late = lake.value("SELECT count(*) FROM segment_changes WHERE kind = 'corrected'")
        assert lake.rows(numbers) == [(330, 300, 330, 330 - late, 330, late, 300 - 30 + late)]
        assert 0 < late < 30


def test_duckdb_holds_the_same_rows(measured: tuple[Path, list[Figure]]) -> None:
    import duckdb

    folder, _ = measured
    columns = "subject, event_id, occurred_at, record_hash, amount"
    with open_lake(folder / "lake") as lake, duckdb.connect(str(folder / "plain" / "plain.duckdb")) as plain:
        rows = f"SELECT {columns} FROM events ORDER BY ALL"
        assert lake.rows(rows) == plain.execute(f"SET TimeZone = 'UTC'; {rows}").fetchall()
