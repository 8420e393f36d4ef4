"""Segments: who is in the population, and the condition."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StrictBool, StringConstraints, ValidationInfo

from schemas.definitions.comparison import AnyComparison, PercentComparison
from schemas.definitions.duration import Duration
from schemas.definitions.name import Name
from schemas.definitions.node import AnyNode, Node
from schemas.definitions.purpose import Purposes
from schemas.definitions.reference import References
from schemas.definitions.refusal import nearest_to, refuse, show
from schemas.definitions.story import Story
from schemas.definitions.strict import Strict
from schemas.definitions.takes import Takes

KNOWN = "known_subjects"


@dataclass(frozen=True)
class KnownSubjects:
    """Everyone from their first fact on."""


@dataclass(frozen=True)
class ActiveIn:
    """Who has an event that counts in (T - us, T]."""

    us: int


@dataclass(frozen=True)
class InSegment:
    """The members of another segment."""

    name: str


Population = KnownSubjects | ActiveIn | InSegment


class _PopulationForm(Strict):
    active_in: Duration = 0
    in_segment: Name | None = None


def _read(value: Any, info: ValidationInfo) -> Population:
    if value == KNOWN:
        return KnownSubjects()
    if not isinstance(value, dict) or len(value) != 1:
        expected, nearest = "known_subjects, {active_in: 90d} or {in_segment: NAME}", nearest_to(value, (KNOWN,))
        raise refuse("SEG-0103", "no such population", expected=expected, found=show(value), nearest=nearest)
    form = _PopulationForm.model_validate(value, context=info.context)
    return InSegment(form.in_segment) if form.in_segment is not None else ActiveIn(form.active_in)


_ONE = {"minProperties": 1, "maxProperties": 1}
_WAYS = Literal["known_subjects"] | Annotated[_PopulationForm, Field(json_schema_extra=_ONE)]
_WHO = Takes("`known_subjects`, `{active_in: 90d}` or `{in_segment: NAME}`")
AnyPopulation = Annotated[Population, PlainValidator(_read, json_schema_input_type=_WAYS), _WHO]
"""A field that holds a population."""


class SegmentExpectations(Strict):
    """What a published segment must look like: size, share of the population, change since the last run."""

    size: AnyComparison | None = None
    share: PercentComparison | None = None
    change: PercentComparison | None = None


Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class SegmentForm(Strict):
    """A file of `segments/`."""

    segment: Name
    description: str = ""
    purpose: Purposes
    population: AnyPopulation | None = None
    tags: tuple[Word, ...] = ()
    owner: str = ""
    when: AnyNode
    publish: StrictBool = True
    expectations: SegmentExpectations = SegmentExpectations()
    tests: tuple[Story, ...] = ()


@dataclass(frozen=True)
class Segment:
    """One segment, resolved.

    Attributes:
      meaning: hash of the segment with everything below it; its version rises when this changes.
      file: where it is defined.
    """

    name: str
    description: str
    purposes: tuple[str, ...]
    population: Population
    tags: tuple[str, ...]
    owner: str
    when: Node
    publish: bool
    expectations: SegmentExpectations
    tests: tuple[Story, ...]
    file: str
    meaning: str = ""

    @cached_property
    def references(self) -> tuple[References, ...]:
        """What each node names, in the order of `when.walk()`."""
        return tuple(node.references() for node in self.when.walk())

    @property
    def segments(self) -> tuple[str, ...]:
        """The other segments that it refers to, the population's last."""
        named = [name for one in self.references for name in one.segments]
        return (*named, self.population.name) if isinstance(self.population, InSegment) else tuple(named)
