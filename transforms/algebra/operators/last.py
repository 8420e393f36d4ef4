"""`last`: the latest matching event in the window satisfies `having` (5.5)."""

from pydantic import Field

from schemas.definitions.catalog import Project
from schemas.definitions.expression import AnyExpression
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields, References
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.latest import latest, latest_event, tells
from transforms.algebra.needs import Need, last_few, looked_at
from transforms.algebra.pending import Truth
from transforms.algebra.view import Evidence, View


class Last(EventFields, Node):
    """True at T when the condition holds for the latest event in the window; unknown where it is null or there is none."""

    name = "last"
    when = "What the latest one was like decides, and not the ones before it."
    example = """
    last: {event: order, having: "category = 'toys'", window: 60d}
    """
    story = """
    name: toys last, then books last, then nothing
    events: [[0d, order, {category: toys}], [10d, order, {category: books}]]
    expect: [{at: 0d, member: true}, {at: 10d, member: false}, {at: 70d, member: false}]
    """

    having: AnyExpression
    window: AnyWindow = Field(default=Lifetime())

    def references(self) -> References:
        """The events, and those of them for which the condition holds or does not."""
        return super().references() + References(events=tells(self.reference, self.having))

    def evidence(self, view: View) -> Evidence:
        """The one event that is the latest."""
        return latest_event(view, self.reference, self.window)

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The latest event."""
        return looked_at(self.reference, self.window, last_few(1))

    def steps(self, view: View) -> Truth:
        """What the condition says of the one event that is the latest."""
        return latest(view, self.reference, self.having, self.window)


OPERATOR = Last
