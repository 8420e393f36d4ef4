"""A run that is killed at any point and run again leaves the tables of a run that was left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runners.warehouses.ducklake import open_lake
from tests.support.published import Tables, tables_of

ROOT = Path(__file__).parents[3]
POINTS = ("staged", "staged:2", "before_commit", "before_commit:2", "inside_commit", "inside_commit:2")
AFTER = ("after_commit", "after_commit:2", "before_answer")


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """Where each run lies, and how it ended: killed at its point, then run again."""
    folder = tmp_path_factory.mktemp("killed")
    done = _python(str(ROOT / "tests/support/publishing.py"), str(folder), "none", *POINTS, *AFTER)
    assert done.returncode == 0, done.stderr
    return folder, {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


@pytest.fixture(scope="module")
def undisturbed(ended: tuple[Path, dict[str, list[str]]]) -> Tables:
    return tables_of(ended[0] / "none" / "warehouse")


@pytest.mark.parametrize("point", [*POINTS, *AFTER])
def test_killed_and_run_again_the_tables_are_those_of_an_undisturbed_run(
    ended: tuple[Path, dict[str, list[str]]], undisturbed: Tables, point: str
) -> None:
    folder, codes = ended
    root = folder / point / "warehouse"
    assert codes[point] == [str(-signal.SIGKILL), "0"]
    assert (folder / point / "fired").read_text() == f"{point}\n"
    assert tables_of(root) == undisturbed
    with open_lake(root) as lake:
        named = {path for (path,) in lake.rows("SELECT path FROM kernel_state")}
    assert named <= {str(path.relative_to(root)) for path in root.glob("state/*/*.arrow")}
    assert list((root / "staging").iterdir()) == []
