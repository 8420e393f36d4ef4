"""`mean`: the average of a column."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.aggregates.sum import exact_number, total
from transforms.algebra.exact import Number, fraction, scaled, summable
from transforms.algebra.measure import Measure, Values, ones
from transforms.algebra.order import Ints


class Mean(Measure):
    """The average, compared as an exact fraction; missing of nothing."""

    op = "mean"

    def result_type(self, of: DataType | None) -> DataType:
        """Always float."""
        exact_number(of, self.op)
        return DataType("float")

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One, and the value."""
        return [ones(values), summable(scaled(values.column), 2)]

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (sum / count - constant), cross-multiplied."""
        target = fraction(constant, scale)
        count, amount = sums[0], sums[1]
        largest = max(int(np.abs(amount).max(initial=0)), int(count.max(initial=0)))
        if largest * max(abs(target.numerator), target.denominator) >= 1 << 61:
            count, amount = count.astype(object), amount.astype(object)
        difference = amount * target.denominator - count * target.numerator
        return (difference > 0).astype(np.int64) - (difference < 0).astype(np.int64)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The quotient of the exact total and the number of rows, as a double; null of nothing."""
        number = np.bincount(who, minlength=count)
        totals = total(who, summable(scaled(values.column)), count)
        quotient = totals.astype(np.float64) / (np.maximum(number, 1) * 10.0**values.scale)
        return pa.array(quotient, mask=number == 0)


AGGREGATE = Mean
