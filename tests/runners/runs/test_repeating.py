"""A publication that failed half way is finished from the same staging."""

import subprocess
import sys
from pathlib import Path

import pytest

from runners.publishing.publish import publish
from runners.warehouses.lake import Lake
from runners.warehouses.read import state_paths
from schemas.errors import TryAgain
from tests.support.staged_runs import first_run

_HOLD = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_that_found_the_catalog_busy_keeps_its_states_for_the_next_attempt(lake: Lake) -> None:
    lake.patience_s = 0.2
    plan = first_run(lake)
    command = [sys.executable, "-c", _HOLD, str(lake.root / "catalog.sqlite")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TryAgain) as refused:
            publish(lake, plan)
    assert refused.value.exit_code == 75
    assert publish(lake, plan).status == "published"
    assert [Path(lake.states.place(path)).read_bytes() for (path,) in state_paths(lake).values()] == [b"state", b"state"]
