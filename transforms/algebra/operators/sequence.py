"""`sequence`: different events, one for each step, in time (5.9)."""

from functools import reduce
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from schemas.definitions.duration import Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import AnyEventReference, EventReference, References
from schemas.definitions.refusal import refuse
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.chains import NEVER, Instants, Pattern, latest_starts
from transforms.algebra.columns import predicate_name
from transforms.algebra.keys import bound
from transforms.algebra.order import FOREVER, Flags, Ints, Steps, firsts, stable_order
from transforms.algebra.reduce import Contributions, reaches
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

    steps_: Annotated[tuple[AnyEventReference, ...], Field(alias="steps", min_length=2)]
    within: Duration | None = None
    gap: Duration | None = None
    bind: tuple[str, ...] = ()
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

    def references(self) -> References:
        """The steps, what may not lie between them, and the columns that bind them."""
        return super().references() + References(event_columns=self.bind)

    @property
    def pattern(self) -> Pattern:
        """What is asked of a chain."""
        return Pattern(len(self.steps_), self.order == "listed", self.gap or FOREVER, self.within or FOREVER)

    def steps(self, view: View) -> Steps:
        """Where any match counts."""
        return reaches(self.evidence(view).rows, 1, view.size)

    def evidence(self, view: View) -> Evidence:
        """The last event of the match that ends at each instant, for as long as its window says."""
        timeline = view.timeline
        row, instants = self._instants(timeline)
        began = latest_starts(instants, self.pattern)
        ends = np.flatnonzero(began != NEVER)
        last = row[ends]
        rows = Contributions(timeline.who[last], *timeline.interval(self.window, last))
        rows = timeline.clip(rows, began[ends])
        counting = rows.start < rows.stop
        return Evidence(rows.take(counting), last[counting])

    def _instants(self, timeline: Timeline) -> tuple[Ints, Instants]:
        """A row of the timeline for each instant, and the instants."""
        key = bound(timeline, self.bind)
        serves = reduce(np.bitwise_or, (_flags(timeline, step) << bit for bit, step in enumerate(self.steps_)))
        forbids: Flags = _flags(timeline, self.unless) > 0 if self.unless else np.zeros(len(key), np.bool_)
        rows = np.flatnonzero((key >= 0) & ((serves > 0) | forbids))
        rows = rows[stable_order(key[rows], timeline.at[rows])]
        begins = firsts(key[rows], timeline.at[rows])
        where = np.cumsum(begins) - 1
        row = rows[begins]
        return row, Instants(key[row], timeline.at[row], where, serves[rows], forbids[rows])


def _flags(timeline: Timeline, reference: EventReference) -> Ints:
    flags = np.zeros(len(timeline.who), np.int64)
    flags[timeline.matching(predicate_name(reference))] = 1
    return flags


OPERATOR = Sequence
