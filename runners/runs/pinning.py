"""What a run is made of, pinned before it reads anything, and whether the world still holds that."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runners.disk import disk_told
from runners.runs.outlook import Outlook
from runners.sources.entry import Ends
from schemas.definitions.project import Project
from schemas.record import Input, Partition

Pins = Mapping[str, Any]
"""As `pinned` gives them, and as JSON gives them back."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "definitions": str,
    "segments": dict,
    "last_run": (str, type(None)),
    "t": int,
    "shards": int,
    "inputs": list,
    "partitions": list,
}
_FILE = ("source", "file", "size", "mtime_ns", "inode")
_PARTITION = ("source", "file", "start", "end")
_EDGE = 1 << 16
"""Bytes at the beginning and at the end of a file by which one that has grown is told from one that was written anew."""


def pinned(outlook: Outlook) -> dict[str, Any]:
    """All that decides what the run will publish, JSON-able. `t` is int64 microseconds UTC."""
    project, inputs = outlook.project, outlook.reading.listing.inputs
    return {
        "definitions": project.meaning,
        "segments": {name: segment.meaning for name, segment in sorted(project.segments.items())},
        "last_run": None if outlook.last is None else outlook.last.run_id,
        "t": outlook.t_at,
        "shards": project.target.shards,
        "inputs": [_file(one) for one in inputs if isinstance(one, Input)],
        "partitions": [_taken(one, _PARTITION) for one in inputs if isinstance(one, Partition)],
    }


def _file(one: Input) -> dict[str, Any]:
    return {**_taken(one, _FILE), "edges": edges(Path(one.path), one.size)}


def _taken(one: Input | Partition, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def edges(path: Path, size: int) -> str:
    """The hash of the first and the last bytes among the first `size` of a file. Errors: JobFailed where it is closed."""
    digest = hashlib.sha256()
    with disk_told(), path.open("rb") as file:
        for begin, end in ((0, min(size, _EDGE)), (max(size - _EDGE, _EDGE), size)):
            file.seek(begin)
            digest.update(file.read(max(end - begin, 0)))
    return digest.hexdigest()


def are_pins(said: Any) -> bool:
    """Whether it has the form of what `pinned` gives."""
    if not isinstance(said, dict) or not all(isinstance(said.get(name), kind) for name, kind in _KINDS.items()):
        return False
    forms = (("inputs", {*_FILE, "edges"}), ("partitions", {*_PARTITION}))
    return all(isinstance(one, dict) and one.keys() == keys for name, keys in forms for one in said[name])


def ends(pins: Pins) -> Ends:
    """Where the partitions of topics are read up to."""
    return {(one["source"], one["file"]): one["end"] for one in pins["partitions"]}


def moved(project: Project, target: str, pins: Pins) -> Iterator[str]:
    """What is another target, or another meaning of the definitions, in words."""
    if target != project.target.name:
        yield f"it is for the target `{target}`, not `{project.target.name}`"
    if pins["definitions"] != project.meaning:
        names = others(pins["segments"], {name: one.meaning for name, one in project.segments.items()})
        yield f"the definitions have changed{': segment ' if names else ''}{listed(names)}"
    if pins["shards"] != project.target.shards:
        yield "the number of shards has changed"


def overtaken(pins: Pins, last_run: str | None) -> Iterator[str]:
    """That another run than the pinned one is the last, in words."""
    if pins["last_run"] != last_run:
        yield f"the run {last_run} was published since" if last_run else "the warehouse has no run any more"


def others(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names under which there is something else now."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def listed(names: list[str]) -> str:
    """Three names, and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(f'`{name}`' for name in names[:3])}{more}"
