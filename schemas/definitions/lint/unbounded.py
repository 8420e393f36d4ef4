"""Purposes under which every event counts for ever: what is kept of a subject grows for as long as the subject stays."""

from collections.abc import Iterator

from pydantic import BaseModel

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import listed
from schemas.definitions.window import Lifetime, NamedWindow, Since
from schemas.errors import Problem


def unbounded_lookback(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each purpose without bounds of which a definition counts events for ever."""
    document = reading.documents["purposes", ""]
    bounded = {name for name, one in project.purposes.items() if one.max_lookback is not None or one.retention is not None}
    for index, name in enumerate(project.purposes):
        used_by = [one for one, purposes in _endless(project) if name in purposes and not bounded.intersection(purposes)]
        if used_by:
            message = f"nothing bounds how far back `{name}` looks, and {listed(used_by)} count events for ever"
            expected = "max_lookback: 730d, or another length"
            yield document.problem("SEG-0810", message, ("purposes", index, "id"), expected=expected, severity="warning")


def _endless(project: Project) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The definitions that count events for ever, and their purposes."""
    for segment in project.segments.values():
        if any(_is_endless(node) for node in segment.when.walk()):
            yield segment.name, segment.purposes
    for group in project.features.values():
        if any(_is_endless(aggregate) for aggregate in group.aggregates):
            yield group.name, group.purposes


def _is_endless(model: BaseModel) -> bool:
    values = (getattr(model, name) for name in type(model).model_fields)
    parts = (part for value in values for part in (value if isinstance(value, tuple) else (value,)))
    return any(isinstance(part.window if isinstance(part, NamedWindow) else part, Lifetime | Since) for part in parts)
