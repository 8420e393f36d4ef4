"""Events that definitions name and no source has ever told of: most often a name that is misspelt."""

from runners.warehouses.lake import Lake, quoted
from schemas.definitions.project import Project
from schemas.definitions.refusal import nearest_to

_LIKE = 1_000
"""Among so many names one is sought that is like another."""


def unheard(lake: Lake, project: Project) -> tuple[str, ...]:
    """A word on each such event, with the name that is most like it, once every source of events has told of any."""
    sources = project.of_kind("events")
    with lake.snapshot():
        missing = [name for name in _named(project) if not _is_any(lake, "event", name)]
        if not missing or not sources or not all(_is_any(lake, "source", name) for name in sources):
            return ()
        found = lake.arrow(f"SELECT DISTINCT event FROM events ORDER BY event LIMIT {_LIKE}")["event"].to_pylist()
    return tuple(_word(name, nearest_to(name, found)) for name in missing)


def _named(project: Project) -> list[str]:
    """The events that segments and features are about."""
    nodes = [node for segment in project.segments.values() for node in segment.references]
    references = [reference for node in nodes for reference in node.events]
    references += [group.source for group in project.features.values()]
    return sorted({name for reference in references for name in reference.events or ()})


def _is_any(lake: Lake, column: str, value: str) -> bool:
    """Whether there is such an event: the engine stops at the first."""
    return bool(lake.value(f"SELECT EXISTS (FROM events WHERE {column} = {quoted(value)})"))


def _word(name: str, nearest: str) -> str:
    hint = f"; did you mean `{nearest}`?" if nearest else ""
    return f"definitions name an event `{name}`, and no record of any source tells of one{hint}"
