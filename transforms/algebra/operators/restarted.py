"""`restarted`: is active again after it was quiet (5.12)."""

from schemas.definitions.catalog import Project
from schemas.definitions.duration import Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.window import Ago, Between, Last, Lifetime, Window
from transforms.algebra.needs import Need, first_few, looked_at, within
from transforms.algebra.pending import Truth, every, remap
from transforms.algebra.truth import OPPOSITE
from transforms.algebra.view import Evidence, View


class Restarted(EventFields, Node):
    """True at T when a matching event lies in (T - active, T], none in the `quiet` before, and one before that.

    `active_before` is how long before the silence it may lie; by default ever.
    """

    name = "restarted"
    can_be_unknown = False
    when = "Who is back after a silence: greet them differently from who is new."
    example = "restarted: {event: visit, active: 7d, quiet: 30d}"
    story = """
    name: back after forty days
    events: [[0d, visit], [40d, visit]]
    expect: [{at: 39d, member: false}, {at: 40d, member: true}, {at: 46d, member: true}, {at: 47d, member: false}]
    """

    active: Duration
    quiet: Duration
    active_before: Duration | None = None

    @property
    def before(self) -> Window:
        """Where the subject was active before it was quiet."""
        near = self.active + self.quiet
        return Ago(near) if self.active_before is None else Between(near + self.active_before, near)

    def evidence(self, view: View) -> Evidence:
        """All events."""
        return view.evidence(self.reference, Lifetime())

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events of the times that are told apart, and where any before them will do the first of all."""
        near = self.active + self.quiet
        if self.active_before is not None:
            return (within(near + self.active_before),)
        return within(near), *looked_at(self.reference, Lifetime(), first_few(1))

    def steps(self, view: View) -> Truth:
        """Any now, none in the silence, any before it."""
        silence = Between(self.active + self.quiet, self.active)
        return every(
            [
                view.any(self.reference, Last(self.active)),
                remap(view.any(self.reference, silence), OPPOSITE),
                view.any(self.reference, self.before),
            ]
        )


OPERATOR = Restarted
