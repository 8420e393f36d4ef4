"""Another process that holds the lock of a warehouse, or its catalog."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

_HOLD = """
import fcntl, sqlite3, sys
if sys.argv[1] == "lock":
    held = open(sys.argv[2], "w")
    fcntl.flock(held, fcntl.LOCK_EX)
else:
    held = sqlite3.connect(sys.argv[2], isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def begin_to_hold(kind: Literal["lock", "catalog"], path: Path) -> "subprocess.Popen[str]":
    """The process, which holds it until its stdin is closed: at the latest when this process ends."""
    command = [sys.executable, "-c", _HOLD, kind, str(path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


@contextmanager
def held(kind: Literal["lock", "catalog"], path: Path) -> Iterator[None]:
    """It is held inside."""
    with begin_to_hold(kind, path) as other:
        yield
        assert other.stdin is not None
        other.stdin.close()
