"""Remove what runs that died have left in the warehouse's folder; people are in it."""

import os
import shutil
from pathlib import Path

from runners.publishing.placing import RUN
from runners.warehouses.lake import HANDED, SPILL, Lake
from runners.warehouses.states import run_of


def sweep(lake: Lake, keep: Path | None = None) -> int:
    """Remove what runs that died have left: staging folders, states and facts that no commit names, spill, orders,
    old orphans.

    Only the holder of the lock may. Returns how many folders went.
    """
    dead = [path for path in _folders(lake.staging) if path != keep]
    committed = {run_id for (run_id,) in lake.rows("SELECT run_id FROM run_commits")}
    adopted = lake.adopts.glob(f"*/{RUN}*") if lake.adopts else ()
    dead += [path for path in adopted if path.name.removeprefix(RUN) not in committed]
    dead += [*left_by_the_dead(lake.root / SPILL), *left_by_the_dead(lake.root / HANDED)]
    for path in dead:
        shutil.rmtree(path, ignore_errors=True)
    lake.drop_orphans()
    return len(dead) + lake.states.drop(_named_states(lake))


def _named_states(lake: Lake) -> set[str]:
    """The runs whose states the last commit names."""
    return {run_of(path) for (path,) in lake.rows("SELECT DISTINCT path FROM kernel_state")}


def left_by_the_dead(parent: Path) -> list[Path]:
    """The folders that are called by a process of this machine which is gone: `<process>-...`."""
    return [path for path in _folders(parent) if not _runs(int(path.name.partition("-")[0]))]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
