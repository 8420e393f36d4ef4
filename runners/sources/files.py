"""Files as sources: what there is to read, and that what was read before is still there."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.sources.reading import is_record
from runners.sources.streams import UNREADABLE, Bomb, Stream, open_decoded
from schemas.definitions.paths import matching
from schemas.definitions.project import Project
from schemas.definitions.source import Source
from schemas.errors import CallError, SourceChanged
from schemas.record import AnyInput, Compression, Format, Input, Position

FORMATS: dict[str, Format] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_BLOCK = 1 << 22

Positions = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By source and file, or `topic/partition`: `Position` or `Offset` as JSON."""


@dataclass(frozen=True)
class Listing:
    """What there is to read of all sources: what their globs match, and their topics hold.

    Attributes:
      inputs: the files and partitions that hold anything that was not read yet.
      vanished: files and partitions that were read and are gone; their records are committed.
      empty: patterns that no file matches.
      waiting: of files that are not read on, the bytes at their end that are no record yet, if there are any.
      absent: topics that are not there.
      shortened: partitions that do not hold their first records any more.
      lost: records that were deleted before they were read, in words; their sources go on without them.
    """

    inputs: tuple[AnyInput, ...]
    vanished: tuple[str, ...]
    empty: tuple[str, ...]
    waiting: Mapping[str, int]
    absent: tuple[str, ...] = ()
    shortened: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def list_files(project: Project, positions: Positions) -> Listing:
    """List the files of every source that is read by a run.

    Errors: SourceChanged where what was read of a file is not there any more.
    """
    inputs: list[AnyInput] = []
    vanished: list[str] = []
    empty: list[str] = []
    waiting: dict[str, int] = {}
    for source in sources_of_files(project):
        known = positions.get(source.name, {})
        there = dict(matches(project, source, empty))
        vanished += sorted(name for name in known if name not in there)
        for name, path in sorted(there.items()):
            start = Position.from_json(known[name]) if name in known else None
            found, left = _input(source.name, name, path, start)
            if found is not None:
                inputs.append(found)
            elif left:
                waiting[name] = left
    return Listing(tuple(inputs), tuple(vanished), tuple(empty), waiting)


def sources_of_files(project: Project) -> list[Source]:
    """The sources that are read from files by a run."""
    return [source for source in project.sources.values() if source.kind != "lookup" and source.files]


def matches(project: Project, source: Source, empty: list[str]) -> Iterator[tuple[str, Path]]:
    """The files of a source, by name and path; the patterns that match none are added to `empty`."""
    root = f"{project.root.as_posix().rstrip('/')}/"
    for pattern in source.files:
        found = files_of(project, pattern)
        if not found:
            empty.append(pattern)
        yield from ((path.as_posix().removeprefix(root), path) for path in found)


def files_of(project: Project, pattern: str) -> list[Path]:
    """The files that a pattern of a source matches, as its definition was checked.

    Errors: CallError for a link, or a name that is no text.
    """
    try:
        found = list(matching(project.root, pattern, project.roots))
    except ValueError as refused:
        raise CallError("SEG-0403", f"`{pattern}`: {refused}", "give the file itself a name that matches") from None
    for path in found:
        _see_name(path)
    return found


def _see_name(path: Path) -> None:
    name = os.fsencode(path).decode(errors="backslashreplace")
    if name != str(path):
        raise CallError("SEG-0414", f"the name of the file `{name}` is not UTF-8", "give it another name")


def _input(source: str, name: str, path: Path, start: Position | None) -> tuple[Input | None, int]:
    """The file from where it was read to, or none where nothing is new, and how many bytes there are no record yet."""
    stat = path.stat()
    if start is not None and is_as_it_was(stat, start):
        return None, start.waiting
    found = input_of(source, name, path, stat, start)
    waiting = None if start is None else waits(found)
    return (found, 0) if waiting is None else (None, waiting)


def is_as_it_was(stat: os.stat_result, start: Position) -> bool:
    """Whether nothing says that a file is another than when it was read."""
    return (start.size, start.mtime_ns, start.inode) == (stat.st_size, stat.st_mtime_ns, stat.st_ino)


def input_of(source: str, name: str, path: Path, stat: os.stat_result, start: Position | None) -> Input:
    """A file as it is now, from where it was read to."""
    form, compression = format_of(name)
    at = start or Position()
    return Input(source, name, str(path), form, compression, stat.st_size, stat.st_mtime_ns, stat.st_ino, at)


def waits(found: Input) -> int | None:
    """How many bytes there are, behind what was read, that are no record yet; None where there are records.

    Errors: SourceChanged where what was read is not there any more.
    """
    more = _behind(found)
    is_read = more is None or found.start.is_cut or _holds_records(more, found)
    return None if is_read else len(more or b"")


def format_of(name: str) -> tuple[Format, Compression]:
    """How a file is written, by its name. Errors: CallError."""
    suffixes = Path(name).suffixes
    compression = COMPRESSIONS.get(suffixes[-1] if suffixes else "", "none")
    ending = suffixes[-1 if compression == "none" else -2] if len(suffixes) > (compression != "none") else ""
    if ending not in FORMATS:
        raise CallError(
            "SEG-0407", f"`{name}` is of no format that is read", "use .ndjson, .csv or .parquet, each also .gz or .zst"
        )
    return FORMATS[ending], compression


def _behind(found: Input) -> bytes | None:
    """The first bytes behind what was read, None if they can not be had; what was read must be there unchanged."""
    start = found.start
    if found.format == "parquet":
        with Path(found.path).open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == start.sha256
        if not same:
            raise _changed(found, "a Parquet file does not grow")
        return b""
    with open_decoded(found) as stream:
        if _digest(stream, start.bytes) != start.sha256:
            raise changed(found)
        try:
            more = stream.read(_BLOCK)
        except (*UNREADABLE, Bomb):
            return None  # the reader tells what can not be read
    see_that_its_line_ended(found, more)
    return more


def see_that_its_line_ended(found: Input, more: bytes) -> None:
    """See that a last line which was read without its newline does not go on. Errors: SourceChanged."""
    if found.start.is_open and more and not more.startswith((b"\n", b"\r")):
        raise _changed(found, f"its last line, up to byte {found.start.bytes}, was read as it was and goes on now")


def _holds_records(more: bytes, found: Input) -> bool:
    """Whether any of it is a record already: the header that CSV takes to tell is known to its reader alone."""
    whole = found.format == "csv" or b"\n" in more or len(more) == _BLOCK
    return bool(more) and (whole or is_record(more, found.format, ()))


def _digest(stream: Stream, left: int) -> str:
    """The hash of the first bytes; empty where there are not so many, or they can not be read any more."""
    digest = hashlib.sha256()
    with suppress(*UNREADABLE, Bomb):
        while left and (block := stream.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest() if not left else ""


def changed(found: Input) -> SourceChanged:
    """What was read of a file is not there any more."""
    start = found.start
    what = f"its first {start.bytes} bytes, {start.records} records, are others now; a file changes only by growing"
    return _changed(found, what)


def _changed(found: Input, rule: str) -> SourceChanged:
    message = f"`{found.file}` is not what it was when it was read: {rule}"
    return SourceChanged("SEG-0700", message, "read everything again with --full-refresh, or restore the file")
