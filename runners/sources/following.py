"""Files that are followed: new ones, and what is appended to those that are there."""

from collections.abc import Callable, Iterator

from runners.disk import disk_told
from runners.sources.files import Positions
from runners.sources.tailing import Tails
from schemas.cut import ALL, Heard, Partition, Share
from schemas.definitions.project import Project
from schemas.record import Input, RawChunk

IDLE_US = 5_000_000
"""A partition that has told nothing for so long holds up nobody, microseconds."""
_LOOK_S = 0.2
"""Between two looks at the folders."""


class FileFollower:
    """Reads what is new in the files of a project's sources, as far as they are of a share."""

    def __init__(self, project: Project, positions: Positions, clock: Callable[[], int], share: Share = ALL) -> None:
        self.project, self.clock = project, clock
        self.tails = Tails(project, positions, share)
        self.told_at: dict[Partition, int] = {}
        self.waiting: list[Input] = []
        self.chunks: Iterator[RawChunk] = iter(())
        self.ahead: RawChunk | None = None
        self.looked_at = 0

    def poll(self) -> RawChunk | None:
        """The next records of a file, None where there are none now. Errors: SourceChanged; JobFailed for a closed file."""
        with disk_told():
            chunk = self._next_chunk()
            while chunk is None and self._next_file():
                chunk = self._next_chunk()
        if chunk is not None and len(chunk):
            self.told_at[chunk.source, chunk.file] = self.clock()
        return chunk

    def _next_chunk(self) -> RawChunk | None:
        """Of the file that is being read."""
        chunk, self.ahead = self.ahead, None
        return next(self.chunks, None) if chunk is None else chunk

    def _next_file(self) -> bool:
        if not self.waiting and self.clock() - self.looked_at >= _LOOK_S * 1_000_000:
            self.waiting = self.tails.look()[::-1]
            self.looked_at = self.clock()
        if self.waiting:
            self.chunks = self.tails.read(self.waiting.pop())
            return True
        return False

    def heard(self) -> Heard:
        """The clock, and the files that are not idle: those of events that told of any lately, and all that wait."""
        now = self.clock()
        self.told_at = {partition: at for partition, at in self.told_at.items() if now - at < IDLE_US}
        events = [one for one in self.told_at if self.project.sources[one[0]].kind == "events"]
        with disk_told():
            self.ahead = self._next_chunk()
        behind = [(one.source, one.file) for one in self.waiting]
        if self.ahead is not None and len(self.ahead):
            behind.append((self.ahead.source, self.ahead.file))
        return Heard(now, tuple(dict.fromkeys([*events, *behind])))

    def close(self) -> None:
        """Nothing stays open between two polls but the file that is being read."""
        self.chunks, self.ahead = iter(()), None
