"""Feature groups: per-subject aggregates over the events of one reference, and the columns they become."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import Field

from schemas.definitions.aggregate import Aggregate, AnyAggregate
from schemas.definitions.canonical import canonical, digest
from schemas.definitions.datatype import DataType
from schemas.definitions.name import Name
from schemas.definitions.purpose import Purposes
from schemas.definitions.reference import AnyEventReference, EventReference
from schemas.definitions.strict import Strict
from schemas.definitions.window import Window


@dataclass(frozen=True)
class FeatureColumn:
    """One aggregate in one window: a column of the feature rows.

    Attributes:
      name: `group__name_window`.
      source: the events that are aggregated.
      type: of the column.
      meaning: equal for columns that mean the same, whatever they are called.
    """

    name: str
    group: str
    aggregate: Aggregate
    source: EventReference
    window: Window
    type: DataType

    @cached_property
    def meaning(self) -> str:
        """The hash of what the column says."""
        return digest([self.aggregate.meaning(), canonical(self.source), canonical(self.window), str(self.type)])

    @property
    def reference(self) -> str:
        """How segments refer to the column: `group.name_window`."""
        return f"{self.group}.{self.name.removeprefix(self.group + '__')}"


class FeatureForm(Strict):
    """A file of `features/`."""

    features: Name
    description: str = ""
    purpose: Purposes
    tags: tuple[str, ...] = ()
    owner: str = ""
    source: AnyEventReference
    aggregates: Annotated[tuple[AnyAggregate, ...], Field(min_length=1)]


@dataclass(frozen=True)
class FeatureGroup:
    """The features of one file.

    Attributes:
      meaning: equal for groups that mean the same, whatever they are called.
    """

    name: str
    description: str
    purposes: tuple[str, ...]
    source: EventReference
    aggregates: tuple[Aggregate, ...]
    file: str
    columns: tuple[FeatureColumn, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""
    meaning: str = ""


def columns_of(group: FeatureGroup, types: Mapping[str, DataType]) -> tuple[FeatureColumn, ...]:
    """The columns that a group's aggregates become, in the order of the file. Raises ValueError."""
    return tuple(
        FeatureColumn(
            name=f"{group.name}__{aggregate.name}_{window.suffix}",
            group=group.name,
            aggregate=aggregate,
            source=group.source,
            window=window.window,
            type=aggregate.result_type(types.get(aggregate.of) if aggregate.of else None),
        )
        for aggregate in group.aggregates
        for window in aggregate.windows
    )
