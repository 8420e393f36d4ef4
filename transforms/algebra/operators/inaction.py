"""`inaction`: something was to follow, and did not (5.10)."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field, model_validator

from schemas.definitions.catalog import Project
from schemas.definitions.datatype import DataType
from schemas.definitions.duration import Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import AnyEventReference, Property, References
from schemas.definitions.refusal import refuse
from transforms.algebra.columns import predicate_name
from transforms.algebra.keys import bound, check_bind
from transforms.algebra.needs import Held, Need, everything, within
from transforms.algebra.order import FOREVER, Flags, Ints, order, search, spread
from transforms.algebra.pending import Truth, reaches
from transforms.algebra.reduce import Contributions
from transforms.algebra.timeline import Timeline
from transforms.algebra.view import Evidence, View
from transforms.algebra.windows import later


class Inaction(Node):
    """True at T when, for an `after` event, no `not` event came within `for`, until one comes or `within` is over.

    Each `after` event is a case of its own, with the `not` events that are equal to it on the columns of `bind`.
    """

    name = "inaction"
    can_be_unknown = False
    when = "Something was to follow and did not: a basket that was left, a trial that was never used."
    example = """
    inaction:
      after: {event: cart_add, where: "amount >= 30"}
      not: order
      bind: [cart_id]
      for: 45m
      within: 24h
    """
    story = """
    name: the basket is left for 45 minutes, and then bought
    events: [[0m, cart_add, {cart_id: a, amount: 40}], [60m, order, {cart_id: a}]]
    expect: [{at: 44m, member: false}, {at: 45m, member: true}, {at: 60m, member: false}]
    """

    after: AnyEventReference
    missed: AnyEventReference = Field(alias="not")
    bind: tuple[Property, ...] = ()
    wait: Duration = Field(alias="for")
    within: Duration | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Inaction":
        if self.within is not None and self.within <= self.wait:
            raise refuse("SEG-0103", "a case that ends before it begins", expected="`within` longer than `for`")
        return self

    def check_columns(self, types: Mapping[str, DataType]) -> None:
        """See that the columns of `bind` hold one value each. Raises ValueError."""
        check_bind(self.bind, types)

    def references(self) -> References:
        """Both kinds of events, and the columns that bind them."""
        return super().references() + References(event_columns=self.bind)

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The cases that are open, or may come to be, whatever ends them."""
        if self.within is not None:
            return (within(self.within),)
        return within(self.wait), Need(None, self._held, everything, along=self._closing, broken=(self.after, self.missed))

    def steps(self, view: View) -> Truth:
        """Where any case is open."""
        return reaches(self.evidence(view).rows)

    def evidence(self, view: View) -> Evidence:
        """The cases, one for each `after` event, while they are open."""
        timeline = view.timeline
        key, after, missed = self._bound(timeline)
        at, ends = timeline.at[after], self._ends(timeline, key, after, missed)
        begins = later(at, self.wait)
        closes = ends if self.within is None else np.minimum(ends, later(at, self.within))
        rows = timeline.clip(Contributions(timeline.who[after], begins, closes), at)
        is_open = (ends > begins) & (rows.start < rows.stop)
        return Evidence(rows.take(is_open), after[is_open])


    def _bound(self, timeline: Timeline) -> tuple[Ints, Ints, Ints]:
        """The key of each event, and the places of both kinds of events that have one."""
        key = bound(timeline, self.bind)
        after, missed = (timeline.matching(predicate_name(one)) for one in (self.after, self.missed))
        return key, after[key[after] >= 0], missed[key[missed] >= 0]

    def _ends(self, timeline: Timeline, key: Ints, after: Ints, missed: Ints) -> Ints:
        """When each case is closed by a `not` event."""
        pure, at = missed[~np.isin(missed, after)], timeline.at[after]
        return np.minimum(
            _next(key[missed], timeline.at[missed], key[after], at, "right"),
            _next(key[pure], timeline.at[pure], key[after], at, "left"),
        )

    def _closing(self, view: View, kept: Flags) -> Ints:
        """What closed the cases whose `after` event stays: they would seem open again without.

        Where events are of both kinds each opens a case of its own, and all of them stay.
        """
        timeline = view.timeline
        key, after, missed = self._bound(timeline)
        if np.isin(missed, after).any():
            return np.concatenate((after, missed))
        stays = kept[timeline.row[after]]
        ends = self._ends(timeline, key, after, missed)[stays]
        missed = missed[order(key[missed], timeline.at[missed])]
        low, high = (search(key[missed], timeline.at[missed], key[after[stays]], ends, side) for side in ("left", "right"))
        return missed[spread(low, high)[1]]

    def _held(self, view: View) -> Held:
        rows, chosen = self.evidence(view)
        return Held(rows, chosen, view.events(chosen))


def _next(key: Ints, at: Ints, sought: Ints, sought_at: Ints, side: str) -> Ints:
    """The first instant of the same key after each one sought, or from it on; FOREVER where there is none."""
    index = order(key, at)
    key, at = key[index], at[index]
    place = search(key, at, sought, sought_at, side)  # type: ignore[arg-type]
    following = np.append(at, FOREVER)[place]
    following[np.append(key, -1)[place] != sought] = FOREVER
    return following


OPERATOR = Inaction
