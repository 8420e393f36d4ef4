"""`aggregate`: a feature satisfies a comparison (5.6)."""

from typing import cast

from schemas.definitions.comparison import AnyComparison
from schemas.definitions.node import Node
from schemas.definitions.reference import References
from transforms.algebra.measure import Measure
from transforms.algebra.order import Steps
from transforms.algebra.view import Asked, View


class Aggregate(Node):
    """True at T when the feature's value, computed in the segment's own epochs, satisfies the comparison."""

    name = "aggregate"

    feature: str
    compare: AnyComparison

    def references(self) -> References:
        """The feature."""
        return References(features=(self.feature,))

    def measured(self, view: View) -> Asked:
        """The feature's measure over its group's events."""
        column = view.feature(self.feature)
        return cast(Measure, column.aggregate), column.source, column.window, column.aggregate.of, self.compare

    def steps(self, view: View) -> Steps:
        """Where the feature satisfies the comparison."""
        return view.compare(*self.measured(view))


OPERATOR = Aggregate
