"""Writers, tidying and readers at once, one schedule a seed: `python housekeeping.py FOLDER FIRST COUNT`.

A process stands still at a named point; meanwhile others look, or try to write; then it goes on, or is killed. Prints the
points at which any stood. One interpreter imports everything and forks, so that a schedule costs no start.
`python housekeeping.py FOLDER` kills tidying at each of its points.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import GRACE
from runners.warehouses.whole import see_data, see_states
from schemas.errors import TryAgain
from tests.support.aged import age
from tests.support.processes import end_with_parent
from tests.support.reading import Seen, seen
from tests.support.tidied_runs import publish_next, tidy

PUBLISHING = ("staged", "audited", "before_commit", "inside_commit", "after_commit")
TIDYING = ("files_merged", "files_rewritten", "snapshots_expired", "file_removed", "file_removed:3")
BEGUN, LAST = 3, 5
"""So many runs are there when a schedule begins, and when it has ended."""
BUSY = 75
AT_ONCE = "INTERVAL 0 SECOND"
DAY = timedelta(days=1)
_LOOK, _ENOUGH = b"?", b"."
_AGES = (timedelta(minutes=20), timedelta(hours=2), timedelta(hours=20), timedelta(days=3))


def in_child(work: Callable[[], object], fault: str = "", log: Path | None = None) -> int:
    """Begin a process that does some work and ends, with 75 where the warehouse is busy; it stands still at `fault`."""
    child = os.fork()
    if child == 0:
        end_with_parent()
        os.environ.update(SEGUE_FAULT=fault, SEGUE_FAULT_SIGNAL="SIGSTOP", SEGUE_FAULT_LOG=str(log or ""))
        try:
            work()
        except TryAgain:
            os._exit(BUSY)
        os._exit(0)
    return child


def stands(child: int) -> bool:
    """Wait for it: whether it stands still, and has not ended well."""
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def code_of(child: int) -> int:
    """How it ended."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def told_by(work: Callable[[], Any]) -> Any:
    """What some work gives, done in a process of its own."""
    end, mouth = os.pipe()
    child = in_child(lambda: os.write(mouth, json.dumps(work()).encode()))
    os.close(mouth)
    with os.fdopen(end) as ear:
        said = ear.read()
    assert code_of(child) == 0
    return json.loads(said)


def state(root: Path) -> dict[str, Any]:
    """What a warehouse says, and that all that it names is there."""
    with open_lake(root) as lake:
        see_states(lake, by_hash=True)
        see_data(lake)
        return {"runs": lake.value("SELECT count(*) FROM run_commits"), "seen": seen(lake)}


class Reader:
    """A process that holds one state of a warehouse, and says what it sees of it."""

    def __init__(self, root: Path) -> None:
        ear, self.mouth = os.pipe()
        self.ear, mouth = os.pipe()
        self.child = in_child(lambda: _read(root, ear, mouth))
        os.close(ear)
        os.close(mouth)
        self.opened_ago = timedelta()
        self.first = self.look()

    def look(self) -> Seen:
        """What it sees."""
        os.write(self.mouth, _LOOK)
        size = int.from_bytes(self._hear(8), "big")
        found: Seen = json.loads(self._hear(size))
        return found

    def _hear(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            part = os.read(self.ear, size - len(heard))
            assert part, "the reader died"
            heard += part
        return heard

    def close(self) -> None:
        """Let it end well."""
        os.write(self.mouth, _ENOUGH)
        assert code_of(self.child) == 0
        os.close(self.mouth)
        os.close(self.ear)


def _read(root: Path, ear: int, mouth: int) -> None:
    with open_lake(root) as lake, lake.snapshot():
        while os.read(ear, 1) == _LOOK:
            said = json.dumps(seen(lake)).encode()
            os.write(mouth, len(said).to_bytes(8, "big") + said)


@dataclass
class Schedule:
    """One world: what is done in which order follows from the seed alone."""

    root: Path
    undisturbed: dict[int, Seen]
    random: Random
    readers: list[Reader] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """The points at which a process stood."""
        return self.root.parent / "fired"

    def run(self) -> None:
        """A few rounds, then all that is left to do; nothing that is referenced was removed."""
        for _ in range(self.random.randint(2, 3)):
            self._round()
        self._close(len(self.readers))
        while self._state()["runs"] < LAST:
            assert not stands(in_child(lambda: publish_next(self.root)))
        assert not stands(in_child(lambda: tidy(self.root, AT_ONCE)))
        assert self._state()["runs"] == LAST

    def _round(self) -> None:
        self._maybe_open()
        work, points = self.random.choice([(self._publish, PUBLISHING), (self._tidy, TIDYING), (self._tidy, TIDYING)])
        child = in_child(work, self.random.choice([*points, ""]), self.log)
        if stands(child):
            self._meanwhile()
            is_killed = self.random.random() < 0.5
            os.kill(child, signal.SIGKILL if is_killed else signal.SIGCONT)
            assert code_of(child) == (-signal.SIGKILL if is_killed else 0)
        self._state()
        self._look()
        self._age()

    def _publish(self) -> None:
        publish_next(self.root)

    def _tidy(self) -> None:
        tidy(self.root, GRACE)

    def _meanwhile(self) -> None:
        """Who has the lock stands still: readers come and look, and who wants to write is told to wait."""
        self._maybe_open()
        self._look()
        assert code_of(in_child(self.random.choice([self._publish, self._tidy]))) == BUSY

    def _maybe_open(self) -> None:
        if len(self.readers) < 2 and self.random.random() < 0.6:
            self.readers.append(Reader(self.root))

    def _look(self) -> None:
        for one in self.readers:
            assert one.look() == one.first
            assert one.first in self.undisturbed.values()

    def _state(self) -> dict[str, Any]:
        """A new reader sees whole runs, and each file that they name."""
        found: dict[str, Any] = told_by(lambda: state(self.root))
        assert found["seen"] == self.undisturbed[found["runs"]]
        return found

    def _age(self) -> None:
        """Time goes by: whom the grace does not cover any longer has gone."""
        by = self.random.choice(_AGES)
        for one in self.readers:
            one.opened_ago += by
        self.readers.sort(key=lambda one: one.opened_ago, reverse=True)
        self._close(sum(one.opened_ago >= DAY for one in self.readers))
        age(self.root, by)

    def _close(self, count: int) -> None:
        for one in self.readers[:count]:
            one.close()
        del self.readers[:count]


def made(folder: Path) -> dict[int, Seen]:
    """The warehouse that schedules begin with, and what one that nobody disturbs says after each run."""
    found, root = {}, folder / "undisturbed"
    open_lake(folder / "seen", write=True).close()  # the engine's extensions are looked at once, not in each child
    for number in range(1, LAST + 1):
        assert code_of(in_child(lambda: publish_next(root))) == 0
        found[number] = told_by(lambda: state(root))["seen"]
        if number == BEGUN:
            shutil.copytree(root, folder / "begun")
    return found


def main(folder: Path, first: int, count: int) -> None:
    """Run so many schedules."""
    undisturbed = made(folder)
    for seed in range(first, first + count):
        root = folder / str(seed)
        shutil.copytree(folder / "begun", root)
        print("seed", seed, flush=True)
        Schedule(root, undisturbed, Random(seed)).run()
        shutil.rmtree(root)
    print("stood", *sorted(set((folder / "fired").read_text().split())))


def kill(folder: Path) -> None:
    """Tidying that is killed leaves a whole warehouse, and what is left of it the next one does."""
    undisturbed = made(folder)[BEGUN + 1]
    assert code_of(in_child(lambda: publish_next(folder / "begun"))) == 0  # with so many runs there are files to merge
    for point in TIDYING:
        root = folder / f"killed-{point}"
        shutil.copytree(folder / "begun", root)
        child = in_child(lambda root=root: tidy(root, AT_ONCE), point)  # type: ignore[misc]
        assert stands(child)
        os.kill(child, signal.SIGKILL)
        assert code_of(child) == -signal.SIGKILL
        assert told_by(lambda root=root: state(root))["seen"] == undisturbed  # type: ignore[misc]
        assert not stands(in_child(lambda root=root: tidy(root, AT_ONCE)))  # type: ignore[misc]
        assert told_by(lambda root=root: state(root))["seen"] == undisturbed  # type: ignore[misc]
        assert told_by(lambda root=root: left(root)) == [1, 0]  # type: ignore[misc]
        print("killed", point, flush=True)


def left(root: Path) -> list[int]:
    """How many snapshots there are, and files of tables that none of them has."""
    with open_lake(root) as lake:
        snapshots, named = lake.value("SELECT count(*) FROM ducklake_snapshots('lake')"), see_data(lake)
        return [int(snapshots), sum(path.is_file() for path in (root / "data").rglob("*")) - named]


if __name__ == "__main__":
    place, rest = Path(sys.argv[1]), [int(one) for one in sys.argv[2:]]
    main(place, *rest) if rest else kill(place)
