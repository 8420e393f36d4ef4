"""Many processes on one warehouse: each run is published once, and nobody sees what is not published, or a part of it."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.warehouses.ducklake import open_lake
from tests.support import contending
from tests.support.contending import UNAUDITED

pytestmark = pytest.mark.usefixtures("every_core")

ROOT = Path(__file__).parents[3]
SCRIPT = str(ROOT / "tests/support/contending.py")
SEEN = f"""
SELECT commits, runs, events, distinct_runs, transitions, changes, unaudited
FROM (SELECT count(*) AS commits FROM run_commits), (SELECT count(*) AS runs FROM run_manifest),
     (SELECT count(*) AS events, count(DISTINCT run_id) AS distinct_runs,
             count(*) FILTER (subject = '{UNAUDITED}') AS unaudited FROM events),
     (SELECT count(*) AS transitions FROM segment_transitions), (SELECT count(*) AS changes FROM segment_changes)
"""
TABLES = 5
"""So many tables are read in one transaction."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    contending.made(tmp_path / "warehouse")
    return tmp_path / "warehouse"


def begin(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, SCRIPT, *arguments], stdout=subprocess.PIPE, text=True, env=environment)


def ended(process: "subprocess.Popen[str]") -> list[str]:
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return said.split()


def looks(root: Path) -> Iterator[tuple[int, ...]]:
    """What a reader sees, in one transaction each time; now and then it opens the warehouse anew."""
    while True:
        with open_lake(root) as lake:
            for _ in range(100):
                with lake.snapshot():
                    yield lake.rows(SEEN)[0]


def see(root: Path, times: int) -> tuple[int, int]:
    """Read while another process fails and publishes. Gives how often it failed, and how often it published."""
    stop = root.parent / "stop"
    writer = begin("write", str(root), str(stop))
    try:
        before = 0
        for number, (commits, *others, unaudited) in enumerate(looks(root)):
            assert unaudited == 0
            assert {*others} == {commits} and commits >= before
            before = commits
            if (number >= times and commits > 2) or writer.poll() is not None:  # it may take longer to begin than to be read
                break
    finally:
        stop.touch()
    failed, committed = map(int, ended(writer))
    return failed, committed


@pytest.mark.parametrize("reads", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_readers_see_runs_whole_and_audited_or_not_at_all(warehouse: Path, reads: int) -> None:
    failed, committed = see(warehouse, reads // TABLES)
    assert failed >= committed > 2


def publish_at_once(root: Path, processes: int, times: int) -> Counter[str]:
    """What became of each attempt; the warehouse holds each run once, and nothing is left of the others."""
    counted = Counter(ended(begin("collide", str(root), str(processes), str(times))))
    with open_lake(root) as lake:
        assert lake.rows(SEEN) == [(*[counted["published"]] * 6, 0)]
        assert lake.value("SELECT count(DISTINCT run_id) FROM run_commits") == counted["published"]
        assert not any(lake.staging.iterdir())
    return counted


@pytest.mark.parametrize("times", [4, pytest.param(10, marks=pytest.mark.soak)])
def test_runs_that_four_processes_publish_at_once_are_published_once(warehouse: Path, times: int) -> None:
    counted = publish_at_once(warehouse, 4, times)
    assert counted.total() == 4 * times and counted["already"] > 0
