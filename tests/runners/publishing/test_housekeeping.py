"""Housekeeping beside writers and readers: in whatever order they come, nothing that is referenced is removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.housekeeping import PUBLISHING, TIDYING

ROOT = Path(__file__).parents[3]
FIRST = 0
"""The seed of the first schedule."""


def told(folder: Path, *arguments: str) -> list[str]:
    """What the script prints, which must end well."""
    command = [sys.executable, str(ROOT / "tests/support/housekeeping.py"), str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, f"{done.stdout[-200:]}\n{done.stderr[-4000:]}"
    return done.stdout.splitlines()


@pytest.mark.parametrize("count", [2, pytest.param(200, marks=pytest.mark.soak)])
def test_beside_writers_and_readers_nothing_that_is_referenced_is_removed(tmp_path: Path, count: int) -> None:
    *seeds, stood = told(tmp_path, str(FIRST), str(count))
    assert len(seeds) == count
    points = set(stood.split()[1:])
    assert points and (count < 200 or points == {*PUBLISHING, *TIDYING})


def test_tidying_that_is_killed_leaves_a_whole_warehouse_and_the_next_one_ends_it(tmp_path: Path) -> None:
    assert told(tmp_path) == [f"killed {point}" for point in TIDYING]
