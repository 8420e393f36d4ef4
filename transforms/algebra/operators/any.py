"""`any`: true where a child is."""

from transforms.algebra.gates import either
from transforms.algebra.operators.all import All
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class Any(All):
    """Kleene's disjunction of a list of nodes."""

    name = "any"

    def steps(self, view: View) -> Steps:
        """True wins over unknown."""
        return either([view.steps(node) for node in self.nodes])


OPERATOR = Any
