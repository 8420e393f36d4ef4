"""What the user expects of a staged run: sizes of segments, values of features, sources that are fresh and clean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.definitions.comparison import Comparison
from schemas.definitions.project import Project

MEASURES = ("size", "share", "change")
"""What can be expected of a segment: members at T, their share of the known subjects, growth since the last run."""


@dataclass(frozen=True)
class FeatureExpectation:
    """What every staged value of a feature column of a group must be. None asks nothing."""

    not_null: bool = False
    between: tuple[float, float] | None = None
    allowed: tuple[Any, ...] | None = None
    group: str = ""


@dataclass(frozen=True)
class SourceExpectation:
    """What a source must be: newest record at most `freshness_us` older than T, and few enough set aside."""

    freshness_us: int | None = None
    quarantined: Comparison | None = None


@dataclass(frozen=True)
class Expectations:
    """All expectations of a project: segment -> measure -> comparison, feature column -> ..., source -> ..."""

    segments: Mapping[str, Mapping[str, Comparison]] = field(default_factory=dict)
    features: Mapping[str, FeatureExpectation] = field(default_factory=dict)
    sources: Mapping[str, SourceExpectation] = field(default_factory=dict)

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
        name: SourceExpectation(source.expect.freshness, source.expect.quarantined)
        for name, source in project.sources.items()
        if source.expect.freshness is not None or source.expect.quarantined is not None
    }
    return Expectations({name: said for name, said in segments.items() if said}, features, sources)
