"""What the user expects of a staged run: sizes of segments, values of features, sources that are fresh and clean."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from schemas.definitions.comparison import Compare, Comparison, Condition, Either, Every, IsNull, Negation

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

MEASURES = ("size", "share", "change")
"""What can be expected of a segment: members at T, their share of the known subjects, growth since the last run."""


@dataclass(frozen=True)
class FeatureExpectation:
    """What every staged value of a feature column must be. None asks nothing."""

    not_null: bool = False
    between: tuple[int | Decimal, int | Decimal] | None = None
    allowed: tuple[Any, ...] | None = None


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
