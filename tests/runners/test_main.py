"""How a call ends, whatever else the process is doing."""

import subprocess
import sys
from pathlib import Path

import pytest

WORKING = """
import sys, threading
import duckdb
from runners.main import main

begun = threading.Event()

def work() -> None:
    con = duckdb.connect()
    while con.execute("SELECT sum(hash(range)) FROM range(300000)").fetchall():
        begun.set()

threading.Thread(target=work, daemon=True).start()
begun.wait()
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("arguments", "code"), [(["ls"], 2), (["schema", "segment"], 0)])
def test_a_call_that_ends_while_an_engine_is_at_work_says_all_and_ends_with_its_code(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    """The engine's thread comes back into an interpreter that is being taken down, and aborts the process (134)."""
    command = [sys.executable, "-c", WORKING, "--project-dir", str(tmp_path), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, "terminate" in ended.stderr) == (code, False)
    assert ended.stdout.endswith("}\n") if code == 0 else "SEG-0400" in ended.stderr
