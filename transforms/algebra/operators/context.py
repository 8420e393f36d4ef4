"""`context`: the subject's latest event of any name satisfies a condition (5.16)."""

from pydantic import Field

from schemas.definitions.catalog import Project
from schemas.definitions.expression import AnyExpression
from schemas.definitions.node import Node
from schemas.definitions.reference import EventReference, References
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.latest import latest, latest_event, tells
from transforms.algebra.needs import Need, last_few, looked_at
from transforms.algebra.pending import Truth
from transforms.algebra.view import Evidence, View

_ANY = EventReference(None)


class Context(Node):
    """`last` over events of any name: true at T when the condition holds for the latest of them."""

    name = "context"
    when = "Where somebody is right now, whatever they do there: on a phone, in a shop, in an old version of an app."
    example = """
    context: {where: "device = 'phone'", window: 1d}
    """
    story = """
    name: on the phone, then at a desk, then on the phone again for a day
    events: [[0h, visit, {device: phone}], [2h, order, {device: desktop}], [3h, visit, {device: phone}]]
    expect: [{at: 1h, member: true}, {at: 2h, member: false}, {at: 3h, member: true}, {at: 27h, member: false}]
    """

    where: AnyExpression
    window: AnyWindow = Field(default=Lifetime())

    def references(self) -> References:
        """Every event, and those for which the condition holds or does not."""
        return super().references() + References(events=(_ANY, *tells(_ANY, self.where)))

    def evidence(self, view: View) -> Evidence:
        """The one event that is the latest."""
        return latest_event(view, _ANY, self.window)

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The latest event."""
        return looked_at(_ANY, self.window, last_few(1))

    def steps(self, view: View) -> Truth:
        """What the condition says of the one event that is the latest."""
        return latest(view, _ANY, self.where, self.window)


OPERATOR = Context
