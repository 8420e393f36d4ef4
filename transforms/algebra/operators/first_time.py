"""`first_time`: the subject's first matching event lies in the window (5.3)."""

from pydantic import Field

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

_ANY = Comparison(Compare(">=", 1))


class FirstTime(EventFields, Node):
    """True at T when the first of the matching events that count at T lies in the window."""

    name = "first_time"
    can_be_unknown = False
    when = "Welcome who is new, and nobody a second time."
    example = "first_time: {event: order, window: 14d}"
    story = """
    name: new for two weeks, and the next order makes nobody new again
    events: [[0d, order], [20d, order]]
    expect: [{at: 0d, member: true}, {at: 13d, member: true}, {at: 14d, member: false}, {at: 20d, member: false}]
    """

    window: AnyWindow = Field(default=Lifetime())

    def measured(self, view: View) -> Asked:
        """The events in the window; the first of them must be the first of all."""
        return Count(name="events"), self.reference, self.window, None, _ANY

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The first event of all, and how long it counts."""
        return looked_at(self.reference, Lifetime(), first_few(1)) + looked_at(self.reference, self.window)

    def steps(self, view: View) -> Truth:
        """The event of rank one, for as long as its window says."""
        return nth(view, self.reference, self.window, 1)


OPERATOR = FirstTime
