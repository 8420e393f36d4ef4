"""Publish two made-up runs in processes that may be killed: `python publishing.py FOLDER POINT...`.

One interpreter imports everything and forks a child for each run, so that twenty runs cost one start.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from runners.publishing.publish import publish
from runners.publishing.sweeping import sweep
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.published import last_run
from tests.support.staged_runs import correction, first_run
from transforms.faults import reach

DATASET = "dataset"


def opened(root: Path, *, write: bool = False) -> Lake:
    """The warehouse in a folder, or the dataset of BigQuery that a file beside it names."""
    name = root.parent / DATASET
    if not name.exists():
        return open_lake(root, write=write, patience_s=5.0)
    from runners.warehouses.bigquery.opening import open_bigquery

    return open_bigquery(name.read_text(), root, str(root), write=write, patience_s=5.0)


def _leave() -> None:
    """Everything is as it always is."""


def bring_up(root: Path, narrow: Callable[[], None] = _leave, patience_s: float = 5.0) -> None:
    """Bring the warehouse from wherever it stands to the second run; the process is narrowed once its first one is staged."""
    with opened(root, write=True) as lake:
        lake.patience_s = patience_s
        prepare(lake)
        sweep(lake)
        while lake.value("SELECT count(*) FROM run_commits") < 2:
            plan = first_run(lake) if last_run(lake) is None else correction(lake)
            narrow()
            publish(lake, plan)
    reach("before_answer")


def in_child(root: Path, fault: str = "") -> int:
    """Run it in a child that dies at `fault`; gives its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        os.environ.update(SEGUE_FAULT=fault, SEGUE_FAULT_LOG=str(root.parent / "fired"))
        bring_up(root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, points: list[str]) -> None:
    """For each point print how the killed run and the one after it ended."""
    for point in points:
        root = folder / point / "warehouse"
        root.mkdir(parents=True, exist_ok=True)
        print(point, in_child(root, "" if point == "none" else point), in_child(root), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
