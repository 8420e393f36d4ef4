"""`did`: the number of matching events, or of their distinct values, satisfies `count` (5.1)."""

from pydantic import Field, field_validator

from schemas.definitions.catalog import Project
from schemas.definitions.comparison import AnyComparison, Compare, Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.node import Compared, Node
from schemas.definitions.reference import EventFields, Property, References
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.aggregates.count import Count
from transforms.algebra.aggregates.distinct import Distinct
from transforms.algebra.measure import Measure
from transforms.algebra.needs import Need, added_up
from transforms.algebra.pending import Truth
from transforms.algebra.view import Asked, View


class Did(EventFields, Node):
    """True at T when the count of what lies in the window satisfies the comparison, at least one by default."""

    name = "did"
    can_be_unknown = False
    when = "The ordinary condition: who did something, so often, in such a time."
    example = 'did: {event: order, where: "amount >= 20", count: ">= 2", window: 30d}'
    story = """
    name: two orders of 20 or more, until the first of them is 30 days old
    events: [[0d, order, {amount: 25}], [1d, order, {amount: 5}], [10d, order, {amount: 20}]]
    expect: [{at: 1d, member: false}, {at: 10d, member: true}, {at: 30d, member: false}]
    """

    count: AnyComparison = Comparison(Compare(">=", 1))
    distinct: Property | None = None
    window: AnyWindow = Field(default=Lifetime())

    @field_validator("count")
    @classmethod
    def _is_of_numbers(cls, count: Comparison) -> Comparison:
        count.check(DataType("int"))
        return count

    def references(self) -> References:
        """The events and the column of `distinct`."""
        return super().references() + References(event_columns=(self.distinct,) if self.distinct else ())

    def compared(self) -> tuple[Compared, ...]:
        """The number of events, or of their values."""
        return (Compared(("events", self.reference, self.window, self.distinct), self.count),)

    @property
    def measure(self) -> Measure:
        """What is counted."""
        return Distinct(name="values", of=self.distinct) if self.distinct else Count(name="events")

    def measured(self, view: View) -> Asked:
        """One measure, `count` or `distinct`."""
        return self.measure, self.reference, self.window, self.distinct, self.count

    def needs(self, project: Project) -> tuple[Need, ...]:
        """What is counted."""
        return added_up(self.measure, self.reference, self.window, self.distinct)

    def steps(self, view: View) -> Truth:
        """Where the measure satisfies the comparison."""
        return view.compare(*self.measured(view))


OPERATOR = Did
