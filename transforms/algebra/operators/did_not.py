"""`did_not`: no matching event in the window (5.2)."""

from pydantic import Field

from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.order import Steps
from transforms.algebra.reduce import reaches
from transforms.algebra.view import View


class DidNot(EventFields, Node):
    """True at T when nothing that matches lies in the window, also for a subject that never did anything."""

    name = "did_not"
    can_be_unknown = False

    window: AnyWindow = Field(default=Lifetime())

    def steps(self, view: View) -> Steps:
        """Where a first event does not count."""
        selected, _ = view.select(self.reference, self.window)
        return reaches(selected.rows, 1, view.size, negated=True)


OPERATOR = DidNot
