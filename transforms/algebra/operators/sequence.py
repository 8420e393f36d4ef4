"""`sequence`: different events, one for each step, in time (5.9)."""

from collections.abc import Mapping
from functools import reduce
from itertools import chain
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from schemas.definitions.catalog import Project
from schemas.definitions.datatype import DataType
from schemas.definitions.duration import Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import AnyEventReference, EventReference, Property, References
from schemas.definitions.refusal import refuse
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.chains import NEVER, Instants, Pattern, latest_starts
from transforms.algebra.columns import predicate_name
from transforms.algebra.keys import bound, check_bind
from transforms.algebra.needs import Need, in_window, looked_at, nothing, within
from transforms.algebra.order import FOREVER, Flags, Ints, firsts, search, spread, stable_order
from transforms.algebra.pending import Truth, seek
from transforms.algebra.reduce import Contributions
from transforms.algebra.timeline import Timeline
from transforms.algebra.view import Evidence, View

_MOST = {"listed": 10, "any": 6}
"""Steps of one sequence: what ties cost doubles with each."""


class Sequence(Node):
    """True at T when a match of the steps ended at an event whose window covers T.

    Neighbours are at most `gap` apart, the first and the last at most `within`; all are equal on the columns of `bind`; no
    `unless` event that is not of the match lies strictly between the first and the last.
    """

    name = "sequence"
    can_be_unknown = False
    when = "A path, one step after another, as in a funnel: who went all of it, and how quickly."
    example = """
    sequence:
      steps: [cart_add, order]
      bind: [cart_id]
      within: 1h
      window: 7d
    """
    story = """
    name: the order of another basket is not the second step
    events: [[0m, cart_add, {cart_id: a}], [10m, order, {cart_id: b}], [30m, order, {cart_id: a}]]
    expect: [{at: 10m, member: false}, {at: 30m, member: true}, {at: 7d, member: true}, {at: 8d, member: false}]
    """

    steps_: Annotated[tuple[AnyEventReference, ...], Field(alias="steps", min_length=2)]
    within: Duration | None = None
    gap: Duration | None = None
    bind: tuple[Property, ...] = ()
    unless: AnyEventReference | None = None
    order: Literal["listed", "any"] = "listed"
    window: AnyWindow = Field(default=Lifetime())

    @model_validator(mode="after")
    def _has_few_steps(self) -> "Sequence":
        most = _MOST[self.order]
        if len(self.steps_) > most:
            expected, found = f"at most {most} in order `{self.order}`", str(len(self.steps_))
            raise refuse("SEG-0103", "too many steps", expected=expected, found=found)
        return self

    def check_columns(self, types: Mapping[str, DataType]) -> None:
        """See that the columns of `bind` hold one value each. Raises ValueError."""
        check_bind(self.bind, types)

    def references(self) -> References:
        """The steps, what may not lie between them, and the columns that bind them."""
        return super().references() + References(event_columns=self.bind)

    @property
    def pattern(self) -> Pattern:
        """What is asked of a chain."""
        return Pattern(len(self.steps_), self.order == "listed", self.gap or FOREVER, self.within or FOREVER)

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events of a match and those that break one; all of them where one may take for ever, or counts for ever."""
        length = min(self.within or FOREVER, (self.gap or FOREVER) * (len(self.steps_) - 1))
        window, *others = in_window(self.window, nothing)
        if length < FOREVER and window.reach is not None:
            return (within(window.reach + length),)
        forbidden = () if self.unless is None else (self.unless,)
        events = (looked_at(one, Lifetime()) for one in (*self.steps_, *forbidden))
        return *others, *chain.from_iterable(events)

    def steps(self, view: View) -> Truth:
        """Where any match counts."""
        places, instants = self._instants(view.timeline)
        return seek(instants, self.pattern, lambda began: self._matches(view, places, instants, began)[0])

    def evidence(self, view: View) -> Evidence:
        """The events that could serve a step, from the first of the latest match that ends at an instant to that instant."""
        places, instants = self._instants(view.timeline)
        rows, ends, began = self._matches(view, places, instants, latest_starts(instants, self.pattern))
        serving = np.flatnonzero(instants.steps > 0)
        key, at = instants.key[instants.where[serving]], instants.at[instants.where[serving]]
        low, high = search(key, at, instants.key[ends], began), search(key, at, instants.key[ends], instants.at[ends], "right")
        match, event = spread(low, high)
        return Evidence(rows.take(match), places[serving[event]])

    def _matches(self, view: View, places: Ints, instants: Instants, began: Ints) -> tuple[Contributions, Ints, Ints]:
        """For how long the latest match that ends at an instant counts, which instant that is, and when the match began."""
        ends = np.flatnonzero(began != NEVER)
        last = places[np.searchsorted(instants.where, ends)]
        rows = Contributions(view.timeline.who[last], *view.timeline.interval(self.window, last))
        rows = view.timeline.clip(rows, began[ends])
        counting = rows.start < rows.stop
        return rows.take(counting), ends[counting], began[ends[counting]]

    def _instants(self, timeline: Timeline) -> tuple[Ints, Instants]:
        """The places in the timeline of the events concerned, in the order of the instants, and the instants."""
        key = bound(timeline, self.bind)
        serves = reduce(np.bitwise_or, (_flags(timeline, step) << bit for bit, step in enumerate(self.steps_)))
        forbids: Flags = _flags(timeline, self.unless) > 0 if self.unless else np.zeros(len(key), np.bool_)
        rows = np.flatnonzero((key >= 0) & ((serves > 0) | forbids))
        rows = rows[stable_order(key[rows], timeline.at[rows])]
        begins = firsts(key[rows], timeline.at[rows])
        where = np.cumsum(begins) - 1
        first = rows[begins]
        return rows, Instants(key[first], timeline.at[first], where, serves[rows], forbids[rows])


def _flags(timeline: Timeline, reference: EventReference) -> Ints:
    flags = np.zeros(len(timeline.who), np.int64)
    flags[timeline.matching(predicate_name(reference))] = 1
    return flags


OPERATOR = Sequence
