"""What definitions mean, as hashes: equal for equal meanings, whatever the text, the files, the descriptions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from schemas.definitions.canonical import canonical, digest, digest_json
from schemas.definitions.feature import FeatureGroup
from schemas.definitions.node import Node, event_references
from schemas.definitions.project import Project
from schemas.definitions.purpose import Purpose
from schemas.definitions.reference import References
from schemas.definitions.segment import InSegment, Segment
from schemas.definitions.source import DEFAULT_SKEW, Source
from schemas.kernel_state import BESIDE
from schemas.kinds import KINDS

_LAYOUT = 3
"""How states are laid out: those of a version that laid them out otherwise are made anew."""


def meant(project: Project, lookups: Mapping[str, str]) -> Project:
    """The checked project with the meanings of its segments, of its feature groups and of the whole.

    Args:
      lookups: the hash of the content of each lookup.
    """
    project = replace(project, lookup_contents=lookups)
    meanings = Meanings(project)
    segments = meanings.segments()
    said = [
        project.timezone,
        project.state_reach,
        {name: purpose_meaning(purpose) for name, purpose in project.purposes.items()},
        {name: source_meaning(source) for name, source in project.sources.items()},
        lookups,
        {name: [segment.meaning, segment.publish] for name, segment in segments.items()},
        {
            column.name: [column.meaning, group.purposes]
            for group in project.features.values()
            for column in group.columns
        },
        [*KINDS, *BESIDE],  # the states of a version that kept less have no place for the rest: they are made anew
        _LAYOUT,
    ]
    read_as = meanings.readings()
    return replace(project, segments=segments, features=meanings.groups(), meaning=digest(said), read_as=read_as)


def purpose_meaning(purpose: Purpose) -> Any:
    """What of a purpose changes answers."""
    silent = ("id", "description", "channels", "retention", "on_withdraw")
    return {key: part for key, part in canonical(purpose).items() if key not in silent}


def source_meaning(source: Source) -> Any:
    """What of a source changes which facts are read from it."""
    silent = ("description", "files", "kafka", "table", "bigquery", "silence_budget", "expect", "file")
    return {key: part for key, part in canonical(source).items() if key not in silent}


def reading_rules(source: Source) -> Any:
    """What of a source changes how every one of its records is read: all but its columns, and how far its clock is trusted."""
    apart = ("name", "properties", "lookups", "columns", "key", "clock")
    return {key: part for key, part in source_meaning(source).items() if key not in apart}


def source_rules(source: Source) -> Any:
    """What of a source changes which stored facts count, and when; nothing where it leaves all at its default.

    So a new source, or a new property, is no new meaning of a segment that does not name it.
    """
    said = {
        "allowed_lateness": source.allowed_lateness,
        "on_late": source.on_late if source.allowed_lateness is not None else "correct",
        "max_future_skew": source.max_future_skew if source.max_future_skew != DEFAULT_SKEW else None,
        "normalise": list(source.normalise) or None,
        "payload": source.payload if source.payload != "delta" else None,
        "clock": source.clock if source.clock != "untrusted" else None,
    }
    return {key: part for key, part in said.items() if part not in (None, "correct")}


def list_meaning(ids: pa.Array) -> str:
    """The hash of the ids of a list, in whatever order they stand."""
    return digest(sorted(str(value) for value in ids.to_pylist()))


class Meanings:
    """Hashes segments, those below first, and feature groups.

    Attributes:
      known: the meanings of the segments so far.
      purposes, columns: what each purpose and each declared column means, as canonical JSON.
      zone, rules: the project's zone, and for each source what it says of stored facts, if it says anything.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.lookups = project, project.lookup_contents
        self.lists = {f"{file}": list_meaning(ids) for (file, _), ids in project.lists.items()}
        self.known = {name: segment.meaning for name, segment in project.segments.items() if segment.meaning}
        self.purposes = {name: purpose_meaning(purpose) for name, purpose in project.purposes.items()}
        self.columns = {name: self._column(name) for name in (*project.event_columns, *project.profile_columns)}
        rules = {name: source_rules(source) for name, source in sorted(project.sources.items())}
        self.zone, self.rules = project.timezone, {name: rule for name, rule in rules.items() if rule}

    def segments(self) -> dict[str, Segment]:
        """All segments with their meanings, in the order of the project."""
        for name in self.project.order:
            self.known[name] = self._segment(self.project.segments[name])
        return {name: replace(one, meaning=self.known[name]) for name, one in self.project.segments.items()}

    def groups(self) -> dict[str, FeatureGroup]:
        """All feature groups with their meanings."""
        return {name: replace(one, meaning=self._group(one)) for name, one in self.project.features.items()}

    def _group(self, group: FeatureGroup) -> str:
        return digest_json(
            [
                sorted(column.meaning for column in group.columns),
                {name: self.purposes[name] for name in group.purposes},
                self.said_of(_of_group(self.project, group.name)),
                [self.zone, self.rules],
            ]
        )

    def said_of(self, columns: set[str]) -> dict[str, Any]:
        """What the columns are that any source declares."""
        return {name: self.columns[name] for name in sorted(columns) if name in self.columns}

    def readings(self) -> dict[str, dict[str, str]]:
        """How the records of each source are read."""
        sources = [source for source in self.project.sources.values() if source.kind != "lookup"]
        return {source.name: {"": digest(reading_rules(source)), **self._read_columns(source.name)} for source in sources}

    def _read_columns(self, source: str) -> dict[str, str]:
        return {name: digest_json(said[source]) for name, said in self.columns.items() if source in said}

    def _segment(self, segment: Segment) -> str:
        return digest_json(
            [
                self.said(segment.when, segment.references),
                self.population(segment),
                {name: self.purposes[name] for name in segment.purposes},
                self.said_of(columns_of(segment.references, self.project)),
                [self.zone, self.rules],
            ]
        )

    def population(self, segment: Segment) -> Any:
        """What the segment's population means."""
        population = segment.population
        return self.known[population.name] if isinstance(population, InSegment) else canonical(population)

    def said(self, node: Node, references: Iterable[References]) -> Any:
        """What a node means as canonical JSON, given what it and those below it refer to."""
        return self._resolved(node.meaning(), self._names(references))

    def _names(self, references: Iterable[References]) -> dict[str, Any]:
        """The meaning of everything that is referred to by name."""
        found: dict[str, Any] = {}
        columns = self.project.feature_columns
        for refers in references:
            found |= {name: self.known[name] for name in refers.segments}
            found |= {file: [self.lists[file], column] for file, column in refers.lists}
            found |= {file: digest(self.project.areas[file]) for file in refers.areas}
            for name in refers.features:
                found[name] = columns[name].meaning if name in columns else self._aggregate(name)
        return found

    def _aggregate(self, name: str) -> Any:
        """The meaning of `group.name`, for an operator that brings its own windows."""
        owner, _, short = name.partition(".")
        group = self.project.features[owner]
        one = next(aggregate for aggregate in group.aggregates if aggregate.name == short)
        return [one.meaning(), canonical(group.source)]

    def _resolved(self, said: Any, names: Mapping[str, Any]) -> Any:
        """Canonical JSON in which a name stands for what it means, so that renaming changes nothing."""
        if isinstance(said, dict):
            return {key: self._resolved(part, names) for key, part in said.items()}
        if isinstance(said, list):
            return [self._resolved(part, names) for part in said]
        return {"meaning": names[said]} if isinstance(said, str) and said in names else said

    def _column(self, name: str) -> Any:
        """What a column is, in each source that declares it."""
        found: dict[str, Any] = {}
        for source in self.project.sources.values():
            if name in source.properties:
                found[source.name] = canonical(source.properties[name])
            for lookup, use in source.lookups.items():
                if name in use.take:
                    found[source.name] = [
                        use.on,
                        self.lookups.get(lookup, ""),
                        str(self.project.sources[lookup].columns[name]),
                    ]
        return found


def columns_of(references: Iterable[References], project: Project) -> set[str]:
    """The declared columns that nodes read: their own, and those of their features."""
    found: set[str] = set()
    for refers in references:
        found |= {column for reference in refers.events for column in reference.columns}
        found |= {*refers.event_columns, *(name for name, _ in refers.profile)}
        for name in refers.features:
            found |= _of_group(project, name.partition(".")[0])
    return found


def _of_group(project: Project, name: str) -> set[str]:
    group = project.features[name]
    windows = (reference for one in group.aggregates for _, reference in event_references(one))
    read = {column for reference in (group.source, *windows) for column in reference.columns}
    return read | {one.of for one in group.aggregates if one.of is not None}
