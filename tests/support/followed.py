"""Files that are followed, at a clock that is told what time it is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from runners.sources.following import FileFollower
from schemas.cut import ALL, Share
from schemas.definitions.project import Project
from schemas.record import RawChunk
from tests.support.raw_files import source_of

SECOND = 1_000_000
_FIELDS: dict[str, dict[str, Any]] = {
    "events": {},
    "profiles": {"kind": "profiles", "fields": {"subject": "who", "valid_from": "at"}},
    "identities": {
        "kind": "identities",
        "fields": {"from_id": "who", "to_id": "whom", "linked_at": "at"},
        "properties": None,
    },
}


class Followed:
    """A follower of the sources of one kind each, `NAME=pattern`, and its clock."""

    def __init__(
        self, root: Path, positions: dict[str, Any] | None = None, share: Share = ALL, **patterns: str
    ) -> None:
        wanted = patterns or {"events": "*.*"}
        sources = {name: source_of(source=name, **_FIELDS[name], **{"from": {"files": one}}) for name, one in wanted.items()}
        project = cast(Project, SimpleNamespace(root=root, roots=(), sources=sources))
        self.at = SECOND
        self.follower = FileFollower(project, positions or {}, lambda: self.at, share)

    def poll(self) -> RawChunk | None:
        return self.follower.poll()

    def look(self) -> list[RawChunk]:
        """All that is new a second later."""
        self.at += SECOND
        chunks = list[RawChunk]()
        while (chunk := self.poll()) is not None:
            chunks.append(chunk)
        return chunks

    def records(self) -> list[bytes]:
        """The records that are new a second later."""
        return records(self.look())

    def active(self) -> list[str]:
        """The files that are not idle."""
        return [file for _, file in self.follower.heard().active]


def records(chunks: list[RawChunk]) -> list[bytes]:
    return [one.as_py() for chunk in chunks if chunk.fault is None for one in chunk.records]


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def committed(chunks: list[RawChunk]) -> dict[str, Any]:
    """The positions behind chunks, as they are committed."""
    positions: dict[str, Any] = {}
    for chunk in chunks:
        positions.setdefault(chunk.source, {})[chunk.file] = chunk.after.to_json()
    return positions
