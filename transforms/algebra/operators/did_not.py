"""`did_not`: no matching event in the window (5.2)."""

from pydantic import Field

from schemas.definitions.catalog import Project
from schemas.definitions.comparison import Compare, Comparison
from schemas.definitions.node import Compared, Node
from schemas.definitions.reference import EventFields
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.aggregates.count import Count
from transforms.algebra.needs import Need, last_few, looked_at
from transforms.algebra.pending import Truth
from transforms.algebra.view import Asked, View

_NONE = Comparison(Compare("=", 0))


class DidNot(EventFields, Node):
    """True at T when nothing that matches lies in the window, also for a subject that never did anything."""

    name = "did_not"
    can_be_unknown = False
    when = "Win back who has been away. It also holds for who never came: say `population: {active_in: 365d}` beside it."
    example = "did_not: {event: order, window: 90d}"
    story = """
    name: away for 90 days to the microsecond
    events: [[0d, order]]
    expect: [{at: 0d, member: false}, {at: 89d, member: false}, {at: 90d, member: true}]
    """

    window: AnyWindow = Field(default=Lifetime())

    def compared(self) -> tuple[Compared, ...]:
        """The number of events, which is to be 0."""
        return (Compared(("events", self.reference, self.window, None), _NONE),)

    def measured(self, view: View) -> Asked:
        """The count, which is to be 0."""
        return Count(name="events"), self.reference, self.window, None, _NONE

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events: any of them."""
        return looked_at(self.reference, self.window, last_few(1))

    def steps(self, view: View) -> Truth:
        """Where no event counts."""
        return view.compare(*self.measured(view))


OPERATOR = DidNot
