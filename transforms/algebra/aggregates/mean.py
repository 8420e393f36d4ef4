"""`mean`: the average of a column."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.aggregates.sum import exact_number
from transforms.algebra.exact import Number, fraction, ratio_sign, scaled, summable
from transforms.algebra.measure import Measure, Quotient, Values, ones
from transforms.algebra.order import Ints


class Mean(Measure):
    """The average, compared as an exact fraction; missing of nothing."""

    op = "mean"
    is_summed = is_folded = True
    when = "How much each time: the usual basket."
    example = "{name: basket, op: mean, of: amount, windows: [90d]}"
    compare = "> 30"
    story = """
    name: a mean of 20, of 35, of 50, and of nothing
    events: [[0d, order, {amount: 20}], [1d, order, {amount: 50}]]
    expect: [{at: 0d, member: false}, {at: 1d, member: true}, {at: 90d, member: true}, {at: 91d, member: false}]
    """

    def result_type(self, of: DataType | None) -> DataType:
        """Always float."""
        exact_number(of, self.op)
        return DataType("float")

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One, and the value."""
        return [ones(values), summable(scaled(values.column), 2)]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The sum over the count."""
        return Quotient(sums[1], sums[0], scale)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (sum / count - constant)."""
        return ratio_sign(sums[1], sums[0], fraction(constant, scale))

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The quotient of the exact total and the number of rows, as a double; null of nothing."""
        number, totals = sums[0].astype(np.int64), sums[1]
        quotient = totals.astype(np.float64) / (np.maximum(number, 1) * 10.0**scale)
        return pa.array(quotient, mask=number == 0)


AGGREGATE = Mean
