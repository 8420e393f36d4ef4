"""The sessions that definitions ask for: by their session windows, for their purposes."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.definitions.node import Node, event_references
from schemas.definitions.project import Project
from schemas.definitions.reference import EventReference
from schemas.definitions.segment import Segment
from schemas.definitions.window import Session

CHANNEL = "channel"
"""The property of events that a session takes over from its first one."""


class SessionsAsked(NamedTuple):
    """Sessions with one gap of the events that count for a set of purposes.

    Attributes:
      sought: the events that leaves and features look for in them.
    """

    purposes: tuple[str, ...]
    gap_us: int
    sought: tuple[EventReference, ...]


def sessions_asked(project: Project) -> tuple[SessionsAsked, ...]:
    """Every set of purposes and gap of which any segment or feature has a session window, each once."""
    found: dict[tuple[tuple[str, ...], int], list[EventReference]] = {}
    for purposes, window, sought in _windows(project):
        if isinstance(window, Session):
            found.setdefault((purposes, window.gap_us), []).extend(sought)
    return tuple(SessionsAsked(*key, tuple(dict.fromkeys(found[key]))) for key in sorted(found))


def carried(project: Project) -> tuple[str, ...]:
    """The columns of events that sessions carry: none where nothing asks for sessions."""
    if not sessions_asked(project):
        return ()
    declared = project.event_columns.get(CHANNEL)
    return ("event", CHANNEL) if declared is not None and declared.kind == "string" else ("event",)


_Found = Iterator[tuple[tuple[str, ...], object, tuple[EventReference, ...]]]
"""Purposes, a window of theirs, and the events that are looked for in it."""


def _windows(project: Project) -> _Found:
    columns = {column.reference: column for group in project.features.values() for column in group.columns}
    for group in project.features.values():
        yield from ((group.purposes, column.window, (column.source,)) for column in group.columns)
    for segment in project.segments.values():
        yield from _of_segment(segment)
        named = (name for one in segment.references for name in one.features if name in columns)
        yield from ((segment.purposes, columns[name].window, (columns[name].source,)) for name in named)


def _of_segment(segment: Segment) -> _Found:
    for node in segment.when.walk():
        yield segment.purposes, getattr(node, "window", None), _sought(node)


def _sought(node: Node) -> tuple[EventReference, ...]:
    """What a leaf is about, without what it wants not to be there; `context` is about every event."""
    about = tuple(reference for path, reference in event_references(node) if path[:1] != ("unless",))
    return about or node.references().events
