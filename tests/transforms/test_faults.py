import os
import subprocess
import sys
from pathlib import Path

import pytest

from transforms.faults import reach

ROOT = Path(__file__).parents[2]


def test_without_the_variable_every_point_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEGUE_FAULT", raising=False)
    reach("staged")


def test_another_point_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_FAULT", "after_commit")
    reach("staged")


def test_the_named_passage_kills_and_is_written_down(tmp_path: Path) -> None:
    log = tmp_path / "fired"
    code = "from transforms.faults import reach\nfor turn in range(5):\n    print(turn, flush=True)\n    reach('read')"
    environment = {**os.environ, "SEGUE_FAULT": "read:3", "SEGUE_FAULT_LOG": str(log)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (-9, "0\n1\n2\n")
    assert log.read_text() == "read:3\n"
