"""`variance`: how far the values of a column lie from their mean."""

from collections.abc import Sequence

import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.aggregates.sum import exact_number
from transforms.algebra.exact import Number, doubles, fraction, ratio_sign, scaled, summable
from transforms.algebra.measure import Measure, Quotient, Values, ones
from transforms.algebra.order import Ints


class Variance(Measure):
    """The mean square of the distances from the mean (population), compared as an exact fraction; missing of nothing."""

    op = "variance"
    is_summed = is_folded = True
    when = "Steady or not: who spends the same each time, and who does not."
    example = "{name: unsteadiness, op: variance, of: amount, windows: [90d]}"
    compare = "<= 25"
    story = """
    name: 20 and 30 lie five apart from their mean, whose square is 25; 50 is too far
    events: [[0d, order, {amount: 20}], [1d, order, {amount: 30}], [2d, order, {amount: 50}]]
    expect: [{at: 0d, member: true}, {at: 1d, member: true}, {at: 2d, member: false}]
    """

    def result_type(self, of: DataType | None) -> DataType:
        """Always float."""
        exact_number(of, self.op)
        return DataType("float")

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One, the value and its square."""
        amounts = scaled(values.column).astype(object)
        return [ones(values), summable(amounts, 2), amounts * amounts]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """(count * squares - sum * sum) / count**2."""
        return Quotient(*_ratio(*sums), 2 * scale)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (count * squares - sum * sum) / count**2 - constant, cross-multiplied."""
        return ratio_sign(*_ratio(*sums), fraction(constant, 2 * scale))

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The exact fraction as the nearest double; null of nothing."""
        return doubles(*_ratio(*sums), 2 * scale)


def _ratio(number: Number, amount: Number, squares: Number) -> tuple[Number, Number]:
    """Numerator and denominator; 0 / 0 of nothing."""
    number, amount = number.astype(object), amount.astype(object)
    return number * squares - amount * amount, number * number


AGGREGATE = Variance
