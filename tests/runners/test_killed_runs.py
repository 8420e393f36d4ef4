"""A run that is killed at any point and run again leaves the tables of a run that was left alone."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.warehouses.ducklake import Lake, open_lake
from runners.warehouses.tables import TABLES

ROOT = Path(__file__).parents[2]
POINTS = ("staged", "staged:2", "before_commit", "before_commit:2", "inside_commit", "inside_commit:2")
AFTER = ("after_commit", "after_commit:2", "before_answer")
CLOCK = {"committed_at"}


def _publish(root: Path, fault: str = "", limit: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SEGUE_FAULT": fault,
        "SEGUE_FAULT_LOG": str(root.parent / "fired"),
    }
    limited = None if limit is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return subprocess.run(
        [sys.executable, str(ROOT / "tests/support/publishing.py"), str(root)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited,
    )


def _tables(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    with open_lake(root) as lake:
        return {table.name: _rows(lake, table.name, set(table.schema.names)) for table in TABLES}


def _rows(lake: Lake, table: str, columns: set[str]) -> list[tuple[Any, ...]]:
    left = f" EXCLUDE ({', '.join(sorted(columns & CLOCK))})" if columns & CLOCK else ""
    return lake.rows(f"SELECT CAST(COLUMNS(*{left}) AS VARCHAR) FROM {table} ORDER BY ALL")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    root = tmp_path_factory.mktemp("undisturbed") / "warehouse"
    done = _publish(root)
    assert done.returncode == 0, done.stderr
    return _tables(root)


@pytest.mark.parametrize("point", [*POINTS, *AFTER])
def test_killed_and_run_again_the_tables_are_those_of_an_undisturbed_run(
    tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]], point: str
) -> None:
    root = tmp_path / "warehouse"
    assert _publish(root, point).returncode == -signal.SIGKILL
    assert (tmp_path / "fired").read_text() == f"{point}\n"
    done = _publish(root)
    assert done.returncode == 0, done.stderr
    assert _tables(root) == undisturbed
    with open_lake(root) as lake:
        named = {path for (path,) in lake.rows("SELECT path FROM kernel_state")}
    assert named <= {str(path.relative_to(root)) for path in root.glob("state/*/*.arrow")}
    assert list((root / "staging").iterdir()) == []


def test_a_full_disk_is_a_typed_error_and_publishes_nothing(
    tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    root = tmp_path / "warehouse"
    with open_lake(root, write=True) as lake:
        from runners.warehouses.tables import prepare

        prepare(lake)
    size = max(path.stat().st_size for path in root.glob("catalog.sqlite*"))
    done = _publish(root, limit=size + 2_000)
    assert "JobFailed: SEG-0604" in done.stderr
    assert _tables(root)["run_commits"] == []
    assert _publish(root).returncode == 0
    assert _tables(root) == undisturbed
