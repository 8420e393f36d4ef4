"""What there is to read of every source, and its records, whatever medium they come from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from runners.sources import kafka, reading, tables
from runners.sources.files import Listing, Positions, list_files
from runners.sources.tables import is_table
from runners.sources.topics import Found, Topic, find, tell_group
from schemas.definitions.project import Project
from schemas.errors import SegueError
from schemas.record import AnyInput, Partition, RawChunk, TableRows

Ends = Mapping[tuple[str, str], int]
"""By source and partition: the offset behind the last record to read."""
Waiting = Callable[[str], None]
"""Told the name of a source whose brokers are waited for."""


def list_inputs(project: Project, positions: Positions, ends: Ends | None = None, waiting: Waiting = lambda _: None) -> Listing:
    """List the files and partitions of every source that is read by a run.

    Args:
      ends: where they are given, partitions are read up to there, and others not at all.
      waiting: told each time that brokers are asked, until they answer.

    Errors: SourceChanged where what was read, or is to be read, is not there any more; TryAgain where brokers do not answer.
    """
    found = list_files(project, positions)
    for topic in _topics(project):
        known = positions.get(topic.source, {})
        there = find(topic, known, partial(waiting, topic.source))
        found = _with(found, topic.name, there, sorted(known), ends)
    for source in filter(is_table, project.sources.values()):
        known = positions.get(source.name, {})
        found = _with(found, source.name, tables.find(project, source, known), sorted(known), ends)
    return found


def _topics(project: Project) -> list[Topic]:
    return [Topic.of(source) for source in project.sources.values() if source.kafka is not None]


def _with(listing: Listing, name: str, found: Found, known: Sequence[str], ends: Ends | None) -> Listing:
    """The listing and what there is of a topic or a table, by its name."""
    names = {one.file for one in found.partitions}
    wanted = found.partitions if ends is None else [_up_to(one, ends) for one in found.partitions]
    return replace(
        listing,
        inputs=(*listing.inputs, *(one for one in wanted if one.start < one.end)),
        vanished=(*listing.vanished, *(name for name in known if name not in names)),
        absent=listing.absent if found.is_there else (*listing.absent, name),
        shortened=(*listing.shortened, *found.shortened),
        lost=(*listing.lost, *(f"{what} of `{part}`" for part, what in found.lost)),
    )


def _up_to(one: Partition, ends: Ends) -> Partition:
    """The partition up to where it is to be read; what does not reach so far is left as it is."""
    return replace(one, end=min(one.end, ends.get((one.source, one.file), one.start)))


def tell_groups(project: Project, positions: Positions) -> Iterator[str]:
    """Tell the group of each topic that names one how far it was read; yields what is to be said where that fails."""
    for topic in _topics(project):
        try:
            if topic.group and positions.get(topic.source):
                tell_group(topic, positions[topic.source])
        except SegueError as failed:
            yield f"the group of `{topic.source}` could not be told how far it was read: {failed.message}"


def read(one: AnyInput) -> Iterator[RawChunk]:
    """All records that are new in a file, a partition or a table. The last chunk's `after` is the position to commit."""
    if isinstance(one, TableRows):
        return tables.read(one)
    return kafka.read(one) if isinstance(one, Partition) else reading.read(one)
