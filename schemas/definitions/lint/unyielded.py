"""Events that no source yields: told only where every source names its events outright."""

from collections.abc import Iterator

from schemas.definitions.node import event_references
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.reference import EventReference
from schemas.definitions.refusal import listed, nearest_to, show
from schemas.definitions.yaml import Document, Path, find
from schemas.errors import Problem


def unyielded_events(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each event by a name that none of the sources has."""
    names = _yielded(project)
    if names is None:
        return
    for document, path, reference in _references(project, reading):
        for name in sorted(set(reference.events or ()) - names):
            message, where = f"no source yields the event `{show(name)}`", find(document.at(path), name, path) or path
            expected, nearest = listed(names), nearest_to(name, names)
            yield document.problem("SEG-0809", message, where, expected=expected, nearest=nearest, severity="warning")


def _yielded(project: Project) -> frozenset[str] | None:
    """The names of all events; None where a source reads them from its records."""
    sources = [source for source in project.sources.values() if source.kind == "events"]
    names = [source.fields["event"].expression.literal for source in sources]
    return frozenset(name for name in names if name) if all(name is not None for name in names) else None


def _references(project: Project, reading: Reading) -> Iterator[tuple[Document, Path, EventReference]]:
    for name, group in project.features.items():
        document = reading.documents["features", name]
        yield document, ("source",), group.source
        for index, aggregate in enumerate(group.aggregates):
            yield from ((document, ("aggregates", index), one) for _, one in event_references(aggregate))
    for name, segment in project.segments.items():
        document = reading.documents["segments", name]
        for node in segment.when.walk():
            path = (*reading.places.get(id(node), ("when",)), node.name)
            yield from ((document, path, one) for _, one in event_references(node))
