"""A whole job that is killed while it reads, decodes or keeps its states; test_killed_runs.py has the points of publishing."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.warehouses.ducklake import open_lake
from runners.warehouses.tables import TABLES

ROOT = Path(__file__).parents[2]
POINTS = ("read:3", "decoded", "state_written")
CLOCK = {"committed_at", "started_at", "finished_at", "seconds"}
OF_ITS_OWN = {*CLOCK, "run_id", "from_run", "inputs", "path", "positions", "sha256"}
"""What two projects with the same content do not share: the clock, and what names their files."""


def segue(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(project), *arguments]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=900, check=False)


def made(folder: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "runners.main", "init", str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def tables(project: Path) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with open_lake(project / "warehouse") as lake:
        for table in TABLES:
            there = {name for (name,) in lake.rows(f"SELECT column_name FROM (DESCRIBE {table.name})")}
            left = f" EXCLUDE ({', '.join(sorted(there & OF_ITS_OWN))})" if there & OF_ITS_OWN else ""
            found[table.name] = lake.rows(f"SELECT CAST(COLUMNS(*{left}) AS VARCHAR) FROM {table.name} ORDER BY ALL")
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    project = made(tmp_path_factory.mktemp("left_alone") / "shop")
    assert segue(project, "run", "--as-of", "2026-03-01").returncode == 0
    return tables(project)


@pytest.mark.parametrize("point", POINTS)
def test_a_job_that_is_killed_and_run_again_publishes_what_an_undisturbed_one_does(
    tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]], point: str
) -> None:
    project, fired = made(tmp_path / "shop"), tmp_path / "fired"
    killed = segue(project, "run", "--as-of", "2026-03-01", SEGUE_FAULT=point, SEGUE_FAULT_LOG=str(fired))
    assert killed.returncode == -signal.SIGKILL
    assert fired.read_text() == f"{point}\n"
    again = segue(project, "run", "--as-of", "2026-03-01")
    assert again.returncode == 0, again.stderr
    assert tables(project) == undisturbed
