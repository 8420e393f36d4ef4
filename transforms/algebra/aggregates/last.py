"""`last`: the value of the latest event that has one."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.exact import Number, scaled, signs, summable
from transforms.algebra.handover import Standing, handover
from transforms.algebra.measure import Measure, Quotient, Values, ones, scatter
from transforms.algebra.order import Flags, Ints, lasts
from transforms.algebra.reduce import Contributions


class Last(Measure):
    """The value of the latest event with a value; missing of nothing."""

    op = "last"
    keeps_type = True
    is_summed = True
    when = "How it stands: the latest shop, device or plan that an event told."
    example = "{name: last_category, op: last, of: category, windows: [90d]}"
    compare = "= 'toys'"
    story = """
    name: an order without a category changes nothing, one with another does
    events: [[0d, order, {category: toys}], [3d, order], [5d, order, {category: books}]]
    expect: [{at: 3d, member: true}, {at: 5d, member: false}]
    """

    def result_type(self, of: DataType | None) -> DataType:
        """The column's own type."""
        if of is None or of.kind == "list":
            raise refuse(
                "SEG-0208", f"`{self.op}` takes one value", expected="a property that is no list", found=str(of)
            )
        return of

    def arrange(self, rows: Contributions, values: Values) -> Standing:
        """Each event counts until the next one does."""
        return handover(rows, np.zeros(len(rows.who), np.int64))

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """The last event."""
        return lasts(rows.who)

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One; and for each constant the sign of (value - constant): one row counts at a time."""
        return [ones(values), *(signs(values.column, constant) for constant in constants)]

    def amounts(self, values: Values) -> list[Number]:
        """One, and the value: one row counts at a time."""
        return [ones(values), summable(scaled(values.column), 2)]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The one value in force."""
        return Quotient(sums[1], sums[0], scale)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """The sign of the one value in force."""
        return sums[1 + place].astype(np.int64)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The value of the last row of each `who`; null of nothing."""
        return chosen(who, values, lasts(who), count)


def chosen(who: Ints, values: Values, rows: np.ndarray, count: int) -> pa.Array:
    """The values of the marked rows, one a `who` at most."""
    index = np.flatnonzero(rows)
    return scatter(who[index], values.column.take(pa.array(index)), count)


AGGREGATE = Last
