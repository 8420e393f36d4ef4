"""Bring what the workers wrote to where the warehouse will name it: until the commit does, it is an orphan."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from runners.publishing.staging import Staged, Staging
from runners.warehouses.lake import Lake
from runners.warehouses.states import shard_of, sync
from schemas.kinds import KINDS
from transforms.faults import reach
from transforms.stage import AWAKE

LARGE = 1 << 24
"""Bytes from which a table's files are adopted. Fewer are written anew as one: many small files make reading slow."""
RUN = "run_id="
"""Begins the name of a folder of adopted files: the engine reads the column `run_id` from there."""


def layered(before: Mapping[int, tuple[str, ...]], placed: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """The layers of each shard's state once some files are new: who is awake lies over the lower layer that was."""
    below = {shard: paths[:1] for shard, paths in before.items()}
    return {**before, **{shard_of(path): _over(below, path) for path in placed}}


def _over(below: Mapping[int, tuple[str, ...]], path: str) -> tuple[str, ...]:
    return (*below[shard_of(path)], path) if path.endswith(AWAKE) else (path,)


def place_facts(lake: Lake, staged: Staging, run_id: str) -> dict[str, Path]:
    """Let the large tables' files lie among the warehouse's data too, where it adopts any; gives the folder of each, by table.

    The staged files of facts are rows of the warehouse as they are, but for the run's id.
    """
    folder = lake.adopts
    if folder is None or set(str(folder)) & set("=*?["):  # letters that the engine reads as more than a name
        return {}
    large = [name for name in KINDS if sum(path.stat().st_size for path in staged.tables[name].files) >= LARGE]
    return {name: _adopt(folder / name / f"{RUN}{run_id}", staged.tables[name]) for name in large}


def _adopt(target: Path, table: Staged) -> Path:
    shutil.rmtree(target, ignore_errors=True)  # of an attempt that was not committed
    target.mkdir(parents=True)
    for path in table.files:
        _bring(path, target / path.name)
    sync(target)
    return target


def _bring(path: Path, target: Path) -> None:
    """A second name for the file; a copy where the file system knows no second names."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    sync(target)
    reach("facts_placed")
