"""`lifecycle`: new, retained, resurrected, dormant, lost or never (5.13)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from schemas.definitions.catalog import Project
from schemas.definitions.duration import LENGTH, Duration, parse_duration
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import Takes
from schemas.definitions.window import Ago, Between, CalendarZone, Last, Lifetime, Unit
from transforms.algebra.needs import Need, first_few, looked_at, within, within_units
from transforms.algebra.pending import Truth, either, every, reaches, remap
from transforms.algebra.periods import in_units
from transforms.algebra.truth import OPPOSITE
from transforms.algebra.view import Evidence, View

Phase = Literal["new", "retained", "resurrected", "dormant", "lost", "never"]
PHASES: dict[str, tuple[bool | None, ...]] = {
    "new": (True, False, False),
    "retained": (True, True, None),
    "resurrected": (True, False, True),
    "dormant": (False, True, None),
    "lost": (False, False, True),
    "never": (False, False, False),
}
"""Whether there are events in the current period, in the one before, and before both; None where it does not matter."""


class CalendarPeriod(Strict):
    """A unit of the calendar: the one that holds T, and those before it."""

    unit: Unit
    tz: CalendarZone = "project"


def _read_period(value: Any, info: ValidationInfo) -> int | CalendarPeriod:
    if isinstance(value, dict):
        return CalendarPeriod.model_validate(value, context=info.context)
    if not isinstance(value, str) or not (length := parse_duration(value)):
        raise refuse("SEG-0103", "no period", expected="a duration as in 7d, or {unit: week}", found=show(value))
    return length


_READ = PlainValidator(_read_period, json_schema_input_type=Duration | CalendarPeriod)
_PERIOD = Takes("a duration, or `{unit: week}`")


def _each_once(phases: tuple[str, ...]) -> tuple[str, ...]:
    if not phases or len(set(phases)) < len(phases):
        raise refuse("SEG-0115", "no list of phases", expected="at least one, each once")
    return tuple(sorted(phases))


class Lifecycle(EventFields, Node):
    """True at T when the subject is in one of the phases: by events in the current period, in the one before, and earlier.

    `new`: in this period for the first time. `retained`: in this one and in the one before. `resurrected`: in this one, not in
    the one before, and earlier. `dormant`: in the one before and not in this one. `lost`: only earlier. `never`: not at all.
    """

    name = "lifecycle"
    can_be_unknown = False
    when = "See how a base of customers grows and shrinks; the six phases of one period add up to everybody."
    example = "lifecycle: {event: order, period: 30d, in: [dormant]}"
    story = """
    name: dormant is who ordered in the period before this one, and not in this one
    events: [[0d, order]]
    expect: [{at: 29d, member: false}, {at: 30d, member: true}, {at: 59d, member: true}, {at: 60d, member: false}]
    """

    period: Annotated[int | CalendarPeriod, _READ, _PERIOD, LENGTH]
    phases: Annotated[tuple[Phase, ...], AfterValidator(_each_once), Field(alias="in")]

    def of_nothing(self) -> frozenset[bool | None]:
        """Only `never` is a phase of who never did it."""
        return frozenset(("never" in self.phases,))

    def evidence(self, view: View) -> Evidence:
        """All events."""
        return view.evidence(self.reference, Lifetime())

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events of the last periods, and the first of all."""
        ever = looked_at(self.reference, Lifetime(), first_few(1))
        if isinstance(self.period, CalendarPeriod):
            return within_units(self.period.unit, 4), *ever
        return within(3 * self.period), *ever

    def steps(self, view: View) -> Truth:
        """Any of the phases."""
        return either([phase_steps(PHASES[name], occurrences(view, self)) for name in self.phases])


def occurrences(view: View, node: Lifecycle) -> list[Truth]:
    """Where there are events in the current period, in the one before, and before both."""
    if isinstance(node.period, CalendarPeriod):
        unit, tz = node.period.unit, node.period.tz
        spans: tuple[tuple[int, int | None], ...] = ((0, 0), (1, 1), (2, None))
        return [reaches(in_units(view, node.reference, unit, tz, *span).rows) for span in spans]
    length = node.period
    return [view.any(node.reference, window) for window in (Last(length), Between(2 * length, length), Ago(2 * length))]


def phase_steps(wanted: tuple[bool | None, ...], found: list[Truth]) -> Truth:
    """Where each of the three is as it is wanted."""
    parts = [steps if want else remap(steps, OPPOSITE) for want, steps in zip(wanted, found, strict=True) if want is not None]
    return every(parts)


OPERATOR = Lifecycle
