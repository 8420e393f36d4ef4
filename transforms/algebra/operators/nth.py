"""`nth`: the n-th matching event lies in the window (5.4)."""

from typing import Annotated

from pydantic import Field, StrictInt

from schemas.definitions.catalog import Project
from schemas.definitions.comparison import Compare, Comparison
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.aggregates.count import Count
from transforms.algebra.needs import Need, first_few, looked_at
from transforms.algebra.pending import Truth
from transforms.algebra.rank import nth
from transforms.algebra.view import Asked, View


class Nth(EventFields, Node):
    """True at T when the n-th of the matching events that count at T lies in the window."""

    name = "nth"
    can_be_unknown = False
    when = "Thank for the third order, or ask after the fifth visit: a milestone, while it is fresh."
    example = "nth: {event: order, n: 3, window: 7d}"
    story = """
    name: the third order counts for a week, whatever follows
    events: [[0d, order], [1d, order], [5d, order], [6d, order]]
    expect: [{at: 1d, member: false}, {at: 5d, member: true}, {at: 11d, member: true}, {at: 12d, member: false}]
    """

    n: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    window: AnyWindow = Field(default=Lifetime())

    def measured(self, view: View) -> Asked:
        """How many matching events there have been."""
        return Count(name="events"), self.reference, Lifetime(), None, Comparison(Compare(">=", self.n))

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The first `n` events of all, and how long the last of them counts."""
        first = first_few(self.n)
        return looked_at(self.reference, Lifetime(), first) + looked_at(self.reference, self.window, first)

    def steps(self, view: View) -> Truth:
        """The event of rank n, for as long as its window says."""
        return nth(view, self.reference, self.window, self.n)


OPERATOR = Nth
