"""Files that are followed: new ones, and what is appended to those that are there."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runners.sources.entry import read
from runners.sources.files import list_files
from schemas.cut import Heard, Partition
from schemas.definitions.project import Project
from schemas.record import AnyInput, RawChunk

IDLE_US = 5_000_000
"""A partition that has told nothing for so long holds up nobody, microseconds."""
_LOOK_S = 0.2
"""Between two looks at the folders."""

Positions = Mapping[str, Mapping[str, Mapping[str, Any]]]


def _now() -> int:
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class OpenFiles:
    """Opens a follower of all files of a project; it can be pickled."""

    project: Project

    def __call__(self, positions: Positions) -> "FileFollower":
        """A follower from these positions on."""
        return FileFollower(self.project, positions)


class FileFollower:
    """Reads what is new in the files of a project's sources."""

    def __init__(self, project: Project, positions: Positions, clock: Callable[[], int] = _now) -> None:
        self.project, self.clock = project, clock
        self.positions = {source: dict(files) for source, files in positions.items()}
        self.told_at: dict[Partition, int] = {}
        self.waiting: list[AnyInput] = []
        self.chunks: Iterator[RawChunk] = iter(())
        self.looked_at = 0

    def poll(self) -> RawChunk | None:
        """The next records of a file, None where there are none now."""
        chunk = next(self.chunks, None)
        if chunk is None and self._next_file():
            chunk = next(self.chunks, None)
        if chunk is not None:
            self.positions.setdefault(chunk.source, {})[chunk.file] = chunk.after.to_json()
            if len(chunk):
                self.told_at[chunk.source, chunk.file] = self.clock()
        return chunk

    def _next_file(self) -> bool:
        if not self.waiting and self.clock() - self.looked_at >= _LOOK_S * 1_000_000:
            self.looked_at = self.clock()
            self.waiting = [*list_files(self.project, self.positions).inputs][::-1]
        if self.waiting:
            self.chunks = read(self.waiting.pop())
            return True
        return False

    def heard(self) -> Heard:
        """The clock, and the files that are not idle: those of events that told of any lately, and all that wait."""
        now = self.clock()
        self.told_at = {partition: at for partition, at in self.told_at.items() if now - at < IDLE_US}
        events = [one for one in self.told_at if self.project.sources[one[0]].kind == "events"]
        behind = [(one.source, one.file) for one in self.waiting]
        return Heard(now, tuple(dict.fromkeys([*events, *behind])))

    def close(self) -> None:
        """Nothing stays open between two polls but the file that is being read."""
        self.chunks = iter(())
