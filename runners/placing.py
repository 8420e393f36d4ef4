"""Bring what the workers wrote to where the warehouse will name it: until the commit does, it is an orphan."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from runners.staging import Staged, Staging
from runners.warehouses.lake import Lake
from schemas.kinds import KINDS
from transforms.stage import AWAKE

LARGE = 1 << 24
"""Bytes from which a table's files are adopted. Fewer are written anew as one: many small files make reading slow."""
RUN = "run_id="
"""Begins the name of a folder of adopted files: the engine reads the column `run_id` from there."""


def place_states(lake: Lake, staged: Staging, run_id: str) -> list[Path]:
    """Move the state files to `state/<run_id>/`.

    A publication that died in between has moved some already: all that lie there are the run's.
    """
    target = lake.states / run_id
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(staged.states.glob("*.arrow")):
        _sync(path)
        path.replace(target / path.name)
    _sync(target)
    return placed_states(lake, run_id)


def shard_of(path: Path) -> int:
    """The shard whose state lies in a file."""
    return int(path.name.partition(".")[0])


def layered(before: Mapping[int, tuple[Path, ...]], placed: Iterable[Path]) -> dict[int, tuple[Path, ...]]:
    """The layers of each shard's state once some files are new: who is awake lies over the lower layer that was."""
    below = {shard: paths[:1] for shard, paths in before.items()}
    return {**before, **{shard_of(path): _over(below, path) for path in placed}}


def _over(below: Mapping[int, tuple[Path, ...]], path: Path) -> tuple[Path, ...]:
    return (*below[shard_of(path)], path) if path.name.endswith(AWAKE) else (path,)


def placed_states(lake: Lake, run_id: str) -> list[Path]:
    """The state files of a run, by the number of their shard."""
    return sorted((lake.states / run_id).glob("*.arrow"))


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
    _sync(target)
    return target


def _bring(path: Path, target: Path) -> None:
    """A second name for the file; a copy where the file system knows no second names."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    _sync(target)


def _sync(path: Path) -> None:
    """Bring a file or a folder to the disk: the catalog must never name a file that a power cut takes back."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
