"""What depends on what among the definitions of a project."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from schemas.definitions.project import Project
from schemas.definitions.reference import References
from schemas.definitions.source import Source

KINDS = ("segments", "features", "purposes", "sources")


class Item(NamedTuple):
    """One definition; of features, a group."""

    kind: str
    name: str


Edges = Mapping[Item, set[Item]]


class Lineage:
    """What each definition depends on, and what depends on it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        by_kind: Mapping[str, Iterable[str]] = {
            "segments": project.order,
            "features": project.features,
            "purposes": project.purposes,
            "sources": project.sources,
        }
        self.items = tuple(Item(kind, name) for kind in KINDS for name in by_kind[kind])

    @cached_property
    def references(self) -> Mapping[str, tuple[References, ...]]:
        """What the nodes of each segment name."""
        return {name: segment.references for name, segment in self.project.segments.items()}

    @cached_property
    def above(self) -> Edges:
        """What each definition depends on directly."""
        edges: dict[Item, set[Item]] = {item: set() for item in self.items}
        for name in self.project.segments:
            edges[Item("segments", name)] |= self._above_segment(name)
        for name, group in self.project.features.items():
            columns = {*group.source.columns, *(one.of for one in group.aggregates if one.of is not None)}
            edges[Item("features", name)] |= {Item("purposes", purpose) for purpose in group.purposes}
            edges[Item("features", name)] |= self._sources("events", columns)
        for name, source in self.project.sources.items():
            edges[Item("sources", name)] |= {Item("sources", lookup) for lookup in source.lookups}
        return edges

    @cached_property
    def below(self) -> Edges:
        """What depends on each definition directly."""
        edges: dict[Item, set[Item]] = {item: set() for item in self.items}
        for item, others in self.above.items():
            for other in others:
                edges[other].add(item)
        return edges

    def _above_segment(self, name: str) -> set[Item]:
        segment, refers = self.project.segments[name], self.references[name]
        features = {feature.partition(".")[0] for one in refers for feature in one.features}
        found = {Item("purposes", purpose) for purpose in segment.purposes}
        found |= {Item("segments", other) for other in segment.segments}
        found |= {Item("features", feature) for feature in features}
        if any(one.events for one in refers):
            columns = {column for one in refers for reference in one.events for column in reference.columns}
            found |= self._sources("events", columns.union(*(one.event_columns for one in refers)))
        if any(one.profile for one in refers):
            found |= self._sources("profiles", {column for one in refers for column, _ in one.profile})
        if any(one.models for one in refers):
            found |= self._sources("scores", set())
        return found

    def _sources(self, kind: str, columns: set[str]) -> set[Item]:
        """The sources of a kind that declare any of the columns; where no declared one is named, all of the kind."""
        sources = [source for source in self.project.sources.values() if source.kind == kind]
        declaring = [source for source in sources if columns & _declared(source)]
        return {Item("sources", source.name) for source in declaring or sources}


def _declared(source: Source) -> set[str]:
    return {*source.properties, *(column for use in source.lookups.values() for column in use.take)}


def reach(found: Iterable[Item], edges: Edges) -> set[Item]:
    """Everything that the edges lead to from these items, the items themselves left out unless they are reached."""
    reached: set[Item] = set()
    open_items = list(found)
    while open_items:
        new = edges[open_items.pop()] - reached
        reached |= new
        open_items += new
    return reached


def narrow(project: Project, kind: str, *names: str) -> Project:
    """The project with only some of the `segments` or `features`, and the segments and features that they refer to."""
    items = [Item(kind, name) for name in names]
    kept = {*items, *reach(items, Lineage(project).above)}
    segments = {one: segment for one, segment in project.segments.items() if Item("segments", one) in kept}
    features = {one: group for one, group in project.features.items() if Item("features", one) in kept}
    order = tuple(one for one in project.order if one in segments)
    return replace(project, segments=segments, features=features, order=order)
