"""What the user expects of a staged run: sizes of segments, values of features, sources that are fresh and clean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from runners.sources.lookups import KEY, read_lookups
from schemas.definitions.comparison import Comparison
from schemas.definitions.project import Project
from schemas.definitions.segment import InSegment
from schemas.definitions.source import Source
from schemas.definitions.source_expectations import Relation

MEASURES = ("size", "share", "change")
"""What can be expected of a segment: members at T, their share of the population, growth since the last run."""


@dataclass(frozen=True)
class FeatureExpectation:
    """What every staged value of a feature column of a group must be. None asks nothing."""

    not_null: bool = False
    between: tuple[float, float] | None = None
    allowed: tuple[Any, ...] | None = None
    group: str = ""


@dataclass(frozen=True)
class Related:
    """A column whose values another source has.

    Attributes:
      to: the other source and its column, `source` and `target`, as it is written.
      kind: of the other source.
      orphans: the share of records with a value that it does not have.
      keys: of a lookup, its keys as the column `key`; else None.
    """

    column: str
    to: str
    source: str
    target: str
    kind: str
    orphans: Comparison
    keys: pa.Table | None = None


@dataclass(frozen=True)
class SourceExpectation:
    """What a source must be: newest record at most `freshness_us` older than T, few enough set aside, nothing twice."""

    freshness_us: int | None = None
    quarantined: Comparison | None = None
    unique: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    kind: str = "events"


@dataclass(frozen=True)
class Expectations:
    """All expectations of a project: segment -> measure -> comparison, feature column -> ..., source -> ...

    `populations` names the published segment that is another one's population.
    """

    segments: Mapping[str, Mapping[str, Comparison]] = field(default_factory=dict)
    features: Mapping[str, FeatureExpectation] = field(default_factory=dict)
    sources: Mapping[str, SourceExpectation] = field(default_factory=dict)
    populations: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.segments or self.features or self.sources)


def expectations_of(project: Project) -> Expectations:
    """What a project's segments, features and sources say they must be."""
    segments = {
        name: {measure: said for measure in MEASURES if (said := getattr(segment.expectations, measure)) is not None}
        for name, segment in project.segments.items()
        if segment.publish
    }
    features = {
        column.name: FeatureExpectation(said.not_null, said.between, said.among, group.name)
        for group in project.features.values()
        for column in group.columns
        if (said := column.aggregate.expect) is not None
    }
    sources = {
        name: _of_source(project, source) for name, source in project.sources.items() if source.expect.model_fields_set
    }
    populations = {
        name: one.population.name
        for name, one in project.segments.items()
        if isinstance(one.population, InSegment) and project.segments[one.population.name].publish
    }
    return Expectations({name: said for name, said in segments.items() if said}, features, sources, populations)


def _of_source(project: Project, source: Source) -> SourceExpectation:
    said = source.expect
    to_lookup = any(project.sources[one.source].kind == "lookup" for one in said.relations)
    lookups = read_lookups(project) if to_lookup else {}
    related = tuple(_related(project.sources[one.source].kind, one, lookups.get(one.source)) for one in said.relations)
    return SourceExpectation(said.freshness, said.quarantined, said.unique, related, source.kind)


def _related(kind: str, one: Relation, lookup: pa.Table | None) -> Related:
    keys = None if lookup is None else lookup.select([KEY])
    return Related(one.column, one.to, one.source, one.target, kind, one.orphans, keys)
