"""Definitions, ready to run, and the moment they are run for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from schemas.definitions.catalog import Project
from schemas.definitions.sessions import SessionsAsked, sessions_asked
from transforms.algebra.columns import value_name
from transforms.algebra.flows import Flow, flows
from transforms.algebra.memory import Memory, memory
from transforms.algebra.order import BEGINNING, FOREVER, Flags
from transforms.algebra.project import Projection, projection


@dataclass(frozen=True)
class Program:
    """Definitions, ready to run.

    Attributes:
      project: the definitions.
      versions: the number of each segment's meaning.
    """

    project: Project
    versions: Mapping[str, int]

    @cached_property
    def projection(self) -> Projection:
        """What is asked of events."""
        return projection(self.project)

    @cached_property
    def projected_schema(self) -> pa.Schema:
        """The columns of the projection."""
        flags = [pa.field(name, pa.bool_()) for name in sorted(self.projection.predicates)]
        columns = self.project.schemas["events"]
        return pa.schema([*flags, *(pa.field(value_name(name), columns.field(name).type) for name in self.projection.columns)])

    @cached_property
    def feature_schema(self) -> pa.Schema:
        """The columns of the feature rows."""
        columns = [column for group in self.project.features.values() for column in group.columns]
        return pa.schema([pa.field(column.name, column.type.arrow) for column in columns])

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        """The lifecycles whose phases are counted."""
        return flows(self.project)

    @cached_property
    def sessions(self) -> tuple[SessionsAsked, ...]:
        """The sessions that are told."""
        return sessions_asked(self.project)

    @cached_property
    def memory(self) -> Memory:
        """What of the past the definitions need."""
        return memory(self.project)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The segments in the order of evaluation: belief numbers them so."""
        return self.project.order

    @cached_property
    def purposes(self) -> pa.Array:
        """The purposes of each segment, as text."""
        return pa.array(["+".join(self.project.segments[name].purposes) for name in self.segments], pa.string())

    @cached_property
    def published(self) -> Flags:
        """Which segments are published, and not only a condition for others."""
        return np.array([self.project.segments[name].publish for name in self.segments], np.bool_)


@dataclass(frozen=True)
class Moment:
    """When a step is made.

    Attributes:
      last_at: the T published last, or the beginning of time: what was published is not compared with then.
      at: the T to publish.
      known_before: the K published last; what was received later may not have been seen.
      known_at: what was received later is not seen; the end of time where all that was read is.
      everyone: recompute all subjects, as after a change of the definitions, and stage their whole history.
      writes_features: whether feature rows are written; those of a stream are at the end of the day (4.5).
      gone_before_at: events before it are gone from the warehouse, of each subject all but the first.
      horizon_at: from when on answers can be computed; what was told of the time before stands.
    """

    last_at: int
    at: int
    known_before: int = FOREVER
    known_at: int = FOREVER
    everyone: bool = False
    writes_features: bool = True
    gone_before_at: int = BEGINNING
    horizon_at: int = BEGINNING

    @property
    def gone_to_at(self) -> int:
        """The last instant of which events are gone."""
        return max(self.gone_before_at - 1, BEGINNING)
