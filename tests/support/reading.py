"""A reader in a process of its own: `python reading.py ROOT`.

It opens one state of a warehouse, and for each line that it is sent tells what it sees of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.tables import TABLES
from runners.warehouses.views import VIEWS
from tests.support.processes import end_with_parent

ROOT = Path(__file__).parents[2]
SHOWN = [*(table.name for table in TABLES), *(view.name for view in VIEWS)]
Seen = dict[str, list[str]]
"""Table or view -> its number of rows, and the sum of their hashes."""
_CLOCK = {"run_commits": "EXCLUDE (committed_at)"}


def seen(lake: Lake) -> Seen:
    """All that the warehouse says, but for the clock of its commits."""
    told = {name: f"(SELECT * {_CLOCK.get(name, '')} FROM {name})" for name in SHOWN}
    return {name: [*map(str, lake.rows(f"SELECT count(*), sum(hash(t)) FROM {rows} t")[0])] for name, rows in told.items()}


class Reader:
    """A process that holds one state of a warehouse."""

    def __init__(self, root: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, __file__, str(root)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def look(self) -> Seen:
        """What it sees."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("look\n")
        self.process.stdin.flush()
        found: Seen = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def reader(root: Path) -> Iterator[Reader]:
    """A reader for a while. What it holds is the state of its first look."""
    one = Reader(root)
    try:
        yield one
    finally:
        one.process.communicate()


def main(root: Path) -> None:
    """Look whenever a line comes."""
    end_with_parent()
    with open_lake(root) as lake, lake.snapshot():
        for _ in sys.stdin:
            print(json.dumps(seen(lake)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
