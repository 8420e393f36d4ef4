"""`aggregate`: a feature satisfies a comparison (5.6)."""

from typing import Annotated, cast

from schemas.definitions.catalog import Project
from schemas.definitions.comparison import AnyComparison
from schemas.definitions.node import Compared, Node
from schemas.definitions.reference import References
from schemas.definitions.takes import takes_text
from transforms.algebra.measure import Measure
from transforms.algebra.needs import Need, added_up
from transforms.algebra.pending import Truth
from transforms.algebra.view import Asked, View, feature_column


class Aggregate(Node):
    """True at T when the feature's value, computed in the segment's own epochs, satisfies the comparison."""

    name = "aggregate"
    when = "A number about the subject decides, one that is published as a feature too: spend, mean basket, trips."
    example = 'aggregate: {feature: orders.spend_30d, compare: ">= 100"}'
    story = """
    name: two orders make 110 for as long as both count
    events: [[0d, order, {amount: 60}], [5d, order, {amount: 50}]]
    expect: [{at: 4d, member: false}, {at: 5d, member: true}, {at: 30d, member: false}]
    """

    feature: Annotated[str, takes_text("a feature as `group.name_window`")]
    compare: AnyComparison

    def references(self) -> References:
        """The feature."""
        return References(features=(self.feature,))

    def compared(self) -> tuple[Compared, ...]:
        """The feature."""
        return (Compared(("feature", self.feature), self.compare),)

    def measured(self, view: View) -> Asked:
        """The feature's measure over its group's events."""
        column = feature_column(view.project, self.feature)
        return cast(Measure, column.aggregate), column.source, column.window, column.aggregate.of, self.compare

    def needs(self, project: Project) -> tuple[Need, ...]:
        """What the feature is made of."""
        column = feature_column(project, self.feature)
        return added_up(cast(Measure, column.aggregate), column.source, column.window, column.aggregate.of)

    def steps(self, view: View) -> Truth:
        """Where the feature satisfies the comparison."""
        return view.compare(*self.measured(view))


OPERATOR = Aggregate
