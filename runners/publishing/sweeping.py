"""Remove what runs that died have left in the warehouse's folder; people are in it."""

import shutil
from collections.abc import Collection
from pathlib import Path

from runners.publishing.placing import RUN
from runners.warehouses.lake import HANDED, SPILL, Lake
from runners.warehouses.leasing import sweep_leases
from transforms.faults import reach


def sweep(lake: Lake) -> int:
    """Remove what runs that died have left: staging folders, states and facts that no commit names, spill, orders,
    old orphans.

    Only the holder of the lock may. Returns how many folders went.
    """
    dead = _folders(lake.staging)
    committed = {run_id for (run_id,) in lake.rows("SELECT run_id FROM run_commits")}
    adopted = lake.adopts.glob(f"*/{RUN}*") if lake.adopts else ()
    dead += [path for path in adopted if path.name.removeprefix(RUN) not in committed]
    for path in dead:
        shutil.rmtree(path, ignore_errors=True)
    reach("swept")
    lake.drop_orphans()
    left = sweep_leases(lake.root / SPILL) + sweep_leases(lake.root / HANDED)
    return len(dead) + left + drop_states(lake, _named_states(lake))


def drop_states(lake: Lake, named: Collection[str]) -> int:
    """Remove the states but those that are named, as soon as nobody can need them. Gives of how many runs."""
    if not lake.states.grace_s:
        return lake.states.drop(named)
    lately = "SELECT run_id FROM run_commits WHERE committed_at > now() - INTERVAL 2 DAY"  # of older ones age is enough
    return lake.states.drop(named, {run_id for (run_id,) in lake.rows(lately)})


def _named_states(lake: Lake) -> set[str]:
    """The files that the last commit names."""
    return {path for (path,) in lake.rows("SELECT DISTINCT path FROM kernel_state")}


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
