"""`stopped`: was active, and is quiet now (5.11)."""

from schemas.definitions.catalog import Project
from schemas.definitions.duration import Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.window import Between, Last
from transforms.algebra.needs import Need, within
from transforms.algebra.pending import Truth, every, remap
from transforms.algebra.truth import OPPOSITE
from transforms.algebra.view import Evidence, View


class Stopped(EventFields, Node):
    """True at T when a matching event lies in (T - quiet - active, T - quiet], and none after that."""

    name = "stopped"
    can_be_unknown = False
    when = "Who used to come and has gone quiet, while there is still time to ask why."
    example = "stopped: {event: visit, active: 30d, quiet: 14d}"
    story = """
    name: quiet for two weeks, until the last visit is too long ago
    events: [[0d, visit], [10d, visit]]
    expect: [{at: 23d, member: false}, {at: 24d, member: true}, {at: 53d, member: true}, {at: 54d, member: false}]
    """

    active: Duration
    quiet: Duration

    def evidence(self, view: View) -> Evidence:
        """The events in both windows."""
        return view.evidence(self.reference, Last(self.quiet + self.active))

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events in both windows."""
        return (within(self.quiet + self.active),)

    def steps(self, view: View) -> Truth:
        """Any in the one window, none in the other."""
        was_active = view.any(self.reference, Between(self.quiet + self.active, self.quiet))
        return every([was_active, remap(view.any(self.reference, Last(self.quiet)), OPPOSITE)])


OPERATOR = Stopped
