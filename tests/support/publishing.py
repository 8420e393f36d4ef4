"""Publish two made-up runs as a process of its own, so that a test may have it killed: `python publishing.py ROOT`."""

import sys
from pathlib import Path

from runners.faults import reach
from runners.publish import publish
from runners.staging import sweep
from runners.warehouses.ducklake import open_lake
from runners.warehouses.read import last_run
from runners.warehouses.tables import prepare
from tests.support.staged_runs import correction, first_run


def main(root: Path) -> None:
    """Bring the warehouse from wherever it stands to the second run."""
    with open_lake(root, write=True, patience_s=5.0) as lake:
        prepare(lake)
        sweep(lake)
        while lake.value("SELECT count(*) FROM run_commits") < 2:
            publish(lake, first_run(lake) if last_run(lake) is None else correction(lake))
    reach("before_answer")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
