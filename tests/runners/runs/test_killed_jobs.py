"""A whole job that is stopped by hand, or finds the disk full."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runners.warehouses.ducklake import open_lake
from runners.warehouses.tables import TABLES

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize(
    ("point", "asked"),
    [("decoded", "SIGINT"), ("state_written", "SIGINT"), ("state_written:2", "SIGTERM"), ("before_commit", "SIGINT")],
)
def test_a_job_that_is_stopped_says_so_publishes_nothing_and_leaves_nothing(
    tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]], point: str, asked: str
) -> None:
    project, fired, temporary = made(tmp_path / "shop"), tmp_path / "fired", tmp_path / "temporary"
    temporary.mkdir()
    fault = {"SEGUE_FAULT": point, "SEGUE_FAULT_LOG": str(fired), "SEGUE_FAULT_SIGNAL": asked}
    stopped = segue(project, "run", "--as-of", "2026-03-01", TMPDIR=str(temporary), **fault)
    assert fired.read_text() == f"{point}\n"
    assert (stopped.returncode, stopped.stdout) == (130, "")
    assert stopped.stderr.splitlines()[-1].startswith("SEG-0130 stopped")
    assert "Traceback" not in stopped.stderr
    left = {path.name for path in (project / "warehouse").rglob("*") if path.is_file()}
    assert left <= {"lake.lock", "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}
    assert list(temporary.iterdir()) == []
    assert tables(project)["run_commits"] == []
    assert segue(project, "run", "--as-of", "2026-03-01").returncode == 0
    assert tables(project) == undisturbed


_NARROW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
from runners.main import main
main(sys.argv[1:])
"""


def test_a_disk_that_is_full_while_files_are_staged_is_told_and_publishes_nothing(tmp_path: Path) -> None:
    project = made(tmp_path / "shop")
    dice = Random(7)
    rows = [
        {"id": f"{dice.randbytes(600).hex()}", "name": "order_completed", "user": "one", "at": "2026-01-10T09:00:00Z"}
        for _ in range(4_000)
    ]
    (project / "data/events.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-c", _NARROW, "--project-dir", str(project), "run"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    full = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert full.returncode == 1
    assert "SEG-0604" in full.stderr
    assert "Traceback" not in full.stderr
    assert tables(project)["run_commits"] == []
    again = segue(project, "run")
    assert again.returncode == 0, again.stderr
    assert "4,000 events" in again.stdout
