"""`regularly`: in enough of the last whole periods there was a matching event (5.8)."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field, StrictInt, model_validator

from schemas.definitions.catalog import Project
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.refusal import refuse
from schemas.definitions.window import CalendarZone, Unit
from transforms.algebra.handover import handover
from transforms.algebra.needs import Need, within_units
from transforms.algebra.pending import Truth, cover
from transforms.algebra.periods import InUnits, in_units
from transforms.algebra.view import Evidence, View

Periods = Annotated[StrictInt, Field(ge=1, le=10_000)]


class Regularly(EventFields, Node):
    """True at T when at least `at_least` of the last `of_last` whole periods before the one holding T had a matching event."""

    name = "regularly"
    can_be_unknown = False
    when = "Habits: who comes nearly every week, rather than who came often in one of them."
    example = "regularly: {event: order, at_least: 3, of_last: 4, period: week}"
    story = """
    name: in three of the four whole weeks before this one; the story starts on a Monday
    events: [[1d, order], [8d, order], [22d, order]]
    expect: [{at: 27d, member: false}, {at: 28d, member: true}, {at: 34d, member: true}, {at: 35d, member: false}]
    """

    at_least: Periods
    of_last: Periods
    period: Unit
    tz: CalendarZone = "project"

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Regularly":
        if self.at_least > self.of_last:
            found = f"{self.at_least} of {self.of_last}"
            raise refuse("SEG-0103", "more periods than there are", expected="at_least up to of_last", found=found)
        return self

    def evidence(self, view: View) -> Evidence:
        """The events in those periods."""
        return Evidence(*self._found(view)[:2])

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events of those periods, and of the one holding T."""
        return (within_units(self.period, self.of_last + 1),)

    def steps(self, view: View) -> Truth:
        """The number of different periods with an event."""
        rows, _, unit = self._found(view)
        different, _ = handover(rows, unit)
        number = np.ones(len(different.who), np.int64)
        return cover(different, [number], lambda sums: (sums[0] >= self.at_least).astype(np.int8))

    def numbers(self, view: View, stint: int, at: int) -> dict[str, Any]:
        """In how many of the periods there was an event, and in how many there was to be."""
        rows, _, unit = self._found(view)
        mine = (rows.who == stint) & (rows.start <= at) & (at < rows.stop)
        count = len(np.unique(unit[mine]))
        return {"value": count, "compared": f">= {self.at_least}", "distance": count - self.at_least}

    def _found(self, view: View) -> InUnits:
        return in_units(view, self.reference, self.period, self.tz, 1, self.of_last)


OPERATOR = Regularly
