"""`first`: the value of the earliest event that has one."""

import pyarrow as pa

from schemas.definitions.datatype import DataType
from transforms.algebra.aggregates.last import Last, chosen
from transforms.algebra.handover import Standing, takeover
from transforms.algebra.measure import Values
from transforms.algebra.order import Flags, Ints, firsts
from transforms.algebra.reduce import Contributions


class First(Last):
    """The value of the earliest event with a value; missing of nothing. `last`, mirrored."""

    op = "first"
    when = "How it began: the first category, the first shop, the campaign that brought them."
    example = "{name: first_category, op: first, of: category, windows: [lifetime]}"
    compare = "= 'toys'"
    story = """
    name: the first one stays the first
    events: [[0d, order, {category: toys}], [5d, order, {category: books}]]
    expect: [{at: 0d, member: true}, {at: 5d, member: true}, {at: 900d, member: true}]
    """

    def arrange(self, rows: Contributions, values: Values) -> Standing:
        """Each event counts only after those before it have ceased to."""
        return takeover(rows)

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """The first event."""
        return firsts(rows.who)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The value of the first row of each `who`; null of nothing."""
        return chosen(who, values, firsts(who), count)


AGGREGATE = First
