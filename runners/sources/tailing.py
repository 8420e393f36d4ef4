"""Files as they grow: at each look what is new in them, at a cost that does not grow with what was read before."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from runners.sources.files import (
    Positions,
    changed,
    input_of,
    is_as_it_was,
    matches,
    see_that_its_line_ended,
    sources_of_files,
    waits,
)
from runners.sources.reading import Lines, read
from runners.sources.streams import open_behind, open_decoded
from schemas.cut import ALL, Partition, Share
from schemas.definitions.project import Project
from schemas.record import Input, Position, RawChunk

_WHOLE = b"PAR1"
"""What a Parquet file ends with when all of it is there."""


@dataclass
class Tail:
    """A file that is followed.

    What was read of it in this process is trusted while it is the same file and does not shrink; of another one, and when the
    file is seen for the first time, what was read before is verified as a run does it.

    Attributes:
      start: how far it was read; None: never.
      seen: the file at the last look.
      lines: its reader, if the file is one of lines and not compressed and was read in this process.
    """

    source: str
    file: str
    path: Path
    start: Position | None
    seen: os.stat_result | None = None
    lines: Lines | None = None

    def look(self) -> Input | None:
        """The file as it is now, if it has changed since the last look."""
        before, self.seen = self.seen, self.path.stat()
        if self._is_as_it_was(before, self.seen):
            return None
        if before is None or not _goes_on(before, self.seen):
            self.lines = None
        return input_of(self.source, self.file, self.path, self.seen, self.start)

    def _is_as_it_was(self, before: os.stat_result | None, now: os.stat_result) -> bool:
        if before is None:
            return self.start is not None and is_as_it_was(now, self.start)
        return _marks(before) == _marks(now)

    def read(self, found: Input) -> Iterator[RawChunk]:
        """What is new. Errors: SourceChanged where what was read is not there any more."""
        is_plain = found.compression == "none" and found.format != "parquet"
        for chunk in self._grown(found) if is_plain else self._again(found):
            self.start = cast(Position, chunk.after)
            yield chunk

    def _grown(self, found: Input) -> Iterator[RawChunk]:
        self.lines = self.lines or _verified(found)
        if found.start.is_open and not self.lines.is_within:
            with open_behind(found, found.start.bytes) as stream:
                see_that_its_line_ended(found, stream.read(1))
        yield from self.lines.grown(found)

    def _again(self, found: Input) -> Iterator[RawChunk]:
        """Compressed files are read from their beginning on; Parquet files once, when all of one is there."""
        if waits(found) is None if self.start else found.format != "parquet" or _ending(found) == _WHOLE:
            yield from read(found)


def _marks(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _goes_on(before: os.stat_result, now: os.stat_result) -> bool:
    """Whether it is the same file, and longer: one that was written to and is as long as before may be another within."""
    return (before.st_dev, before.st_ino) == (now.st_dev, now.st_ino) and before.st_size < now.st_size


def _verified(found: Input) -> Lines:
    """A reader behind what was read before. Errors: SourceChanged where that is not there any more."""
    lines = Lines(found)
    try:
        with open_decoded(found) as stream:
            lines.skip(stream)
    except EOFError:
        raise changed(found) from None
    if found.start.sha256 and lines.position.sha256 != found.start.sha256:
        raise changed(found)
    return lines


def _ending(found: Input) -> bytes:
    with Path(found.path).open("rb") as file:
        file.seek(max(0, found.size - len(_WHOLE)))
        return file.read(len(_WHOLE))


class Tails:
    """The files of a project's sources that are of a share, followed from positions on; of one that vanishes no more is told."""

    def __init__(self, project: Project, positions: Positions, share: Share = ALL) -> None:
        self.project, self.positions, self.share = project, positions, share
        self.tails: dict[Partition, Tail] = {}

    def look(self) -> list[Input]:
        """The files that have changed since the last look. Errors: CallError for a link, or a name that is no text."""
        found = list[Input]()
        for source in sources_of_files(self.project):
            for name, path in sorted(dict(matches(self.project, source, [])).items()):
                if not self.share.has((source.name, name)):
                    continue
                with suppress(FileNotFoundError):  # it is gone since its folder was listed
                    found += filter(None, [self._tail(source.name, name, path).look()])
        return found

    def _tail(self, source: str, name: str, path: Path) -> Tail:
        if (source, name) not in self.tails:
            known = self.positions.get(source, {}).get(name)
            self.tails[source, name] = Tail(source, name, path, None if known is None else Position.from_json(known))
        return self.tails[source, name]

    def read(self, found: Input) -> Iterator[RawChunk]:
        """What is new in a file. Errors: SourceChanged where what was read is not there any more."""
        with suppress(FileNotFoundError):  # it is gone since it was looked at
            yield from self.tails[found.source, found.file].read(found)
