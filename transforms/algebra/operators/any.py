"""`any`: true where a child is."""

from transforms.algebra.operators.all import All
from transforms.algebra.pending import Truth, either
from transforms.algebra.view import View


class Any(All):
    """True at T when at least one node of the list is; false where all are false, else unknown."""

    name = "any"
    when = "One of several signs is enough."
    example = """
    any:
    - did: {event: order, window: 30d}
    - did: {event: visit, count: ">= 3", window: 7d}
    """
    story = """
    name: three visits of a week do as well as an order of the month
    events: [[0d, visit], [1d, visit], [2d, visit], [20d, order]]
    expect:
    - {at: 1d, member: false}
    - {at: 2d, member: true}
    - {at: 7d, member: false}
    - {at: 20d, member: true}
    - {at: 50d, member: false}
    """

    def steps(self, view: View) -> Truth:
        """True wins over unknown."""
        return either(view.steps(node) for node in self.nodes)


OPERATOR = Any
