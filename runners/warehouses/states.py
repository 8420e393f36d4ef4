"""State files: a folder a run, below a folder of this machine or at an address such as gs://BUCKET/FOLDER."""

import hashlib
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Set
from pathlib import Path
from typing import NamedTuple

from transforms.faults import reach
from transforms.places import read_at

FOLDER = "state"
GRACE_S = 86_400
"""Where writers of several machines may publish, a state that no commit names may be of one that is about to."""
READ_S = 3_600
"""One that a commit has named, and none does any more, may be read by a run that was overtaken: it will not be published."""


def run_of(path: str) -> str:
    """The run that a file, as a commit names it, is of."""
    return path.split("/")[1]


def shard_of(path: str) -> int:
    """The shard whose state a file is."""
    return int(path.rpartition("/")[2].partition(".")[0])


class StateFile(NamedTuple):
    """A state of one shard: where it lies below the base, its size and its hash."""

    path: str
    size: int
    digest: str


class States(ABC):
    """The states of a warehouse. What no commit names, any more or yet, is nobody's.

    Attributes:
      grace_s: so long those stay that nobody names, since others may write here at the same time; 0: nobody else does.
    """

    grace_s: float

    @abstractmethod
    def place(self, path: str) -> str:
        """Where a file lies that a commit names."""

    @abstractmethod
    def take(self, staged: Path, run_id: str) -> list[StateFile]:
        """Bring the staged files of a run to their place.

        A publication that died in between has brought some already: all that lie there are the run's.
        """

    @abstractmethod
    def placed(self, run_id: str) -> list[str]:
        """The files of a run, by their shards."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """The size of a file; None where it is not there."""

    @abstractmethod
    def drop(self, named: Collection[str], published: Collection[str] = ()) -> int:
        """Remove all files but those that are named; gives of how many runs. Those that were published wait for less."""

    def _oldest(self, run_id: str, published: Collection[str]) -> float:
        """What of a run that nobody names is not younger, by the clock, goes."""
        return time.time() - (min(self.grace_s, READ_S) if run_id in published else self.grace_s)

    def digest(self, path: str) -> str:
        """The SHA-256 of a file."""
        return hashlib.sha256(read_at(self.place(path))).hexdigest()


class LocalStates(States):
    """States in a folder of this machine."""

    def __init__(self, root: Path, grace_s: float = 0) -> None:
        self.root, self.grace_s = root, grace_s

    def place(self, path: str) -> str:
        """Where a file lies."""
        return str(self.root / path)

    def take(self, staged: Path, run_id: str) -> list[StateFile]:
        """Move the files: another name in the same file system, where it is the same."""
        target = self.root / FOLDER / run_id
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(staged.glob("*.arrow")):
            sync(path)
            shutil.move(path, target / path.name)
            reach("state_copied")
        sync(target)
        return [StateFile(path, (self.root / path).stat().st_size, self.digest(path)) for path in self.placed(run_id)]

    def placed(self, run_id: str) -> list[str]:
        """The files of a run."""
        return [f"{FOLDER}/{run_id}/{one.name}" for one in sorted((self.root / FOLDER / run_id).glob("*.arrow"))]

    def size(self, path: str) -> int | None:
        """The size of a file."""
        place = self.root / path
        return place.stat().st_size if place.is_file() else None

    def drop(self, named: Collection[str], published: Collection[str] = ()) -> int:
        """Remove folders, and from others files whose shard has a newer state, that are old enough."""
        folder, kept = self.root / FOLDER, {self.root / path for path in named}
        made = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        old = [path for path in made if path.stat().st_mtime <= self._oldest(path.name, published)]
        return sum(_is_cleared(path, kept) for path in old)


def _is_cleared(folder: Path, kept: Set[Path]) -> bool:
    """Remove the files of a folder that are not kept, and the folder where none is. Gives whether anything went."""
    files = {*folder.iterdir()}
    if not files & kept:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    for path in files - kept:
        path.unlink(missing_ok=True)
    return not files <= kept


def sync(path: Path) -> None:
    """Bring a file or a folder to the disk: the catalog must never name a file that a power cut takes back."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
