"""`percentile`: the value of a column below or at which a part of the values lies."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import PlainValidator

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import Takes
from transforms.algebra.aggregates.max import Max
from transforms.algebra.exact import Number, ranks, signs
from transforms.algebra.measure import Values, groups, ones, scatter
from transforms.algebra.order import Flags, Ints, stable_order
from transforms.algebra.reduce import Contributions


def _part(value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1:
        raise refuse("SEG-0103", "no part of the values", expected="a number from 0 to 1, as in 0.9", found=show(value))
    return value


_PART = Takes("a number from 0 to 1", {"type": "number", "minimum": 0, "maximum": 1})


class Percentile(Max):
    """The nearest rank: the ceil(n p)-th smallest of n values, at least the first; missing of nothing."""

    op = "percentile"
    when = "What is usual, whatever the outliers: `p: 0.5` is the median."
    example = "{name: typical_order, op: percentile, of: amount, p: 0.5, windows: [365d]}"
    compare = ">= 30"
    story = """
    name: one order of 500 does not make 500 usual
    events: [[0d, order, {amount: 10}], [1d, order, {amount: 30}], [2d, order, {amount: 500}]]
    expect: [{at: 1d, member: false}, {at: 2d, member: true}]
    """

    p: Annotated[int | Decimal, PlainValidator(_part), _PART]

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One; and for each constant whether the value lies below it, and whether it lies up to it."""
        found = [signs(values.column, constant) for constant in constants]
        return [ones(values)] + [(one < limit).astype(np.int64) for one in found for limit in (0, 1)]

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Below where so many values are, equal where so many are up to it, else above."""
        rank = self._rank(sums[0])
        below, up_to = sums[1 + 2 * place], sums[2 + 2 * place]
        return np.where(below >= rank, -1, np.where(up_to >= rank, 0, 1)).astype(np.int64)

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """All of them: any may come to be the one of that rank."""
        return np.ones(len(rows.who), np.bool_)

    def picked(self, values: Values, low: Ints, high: Ints) -> Ints | None:
        """No running extreme tells a rank."""
        return None

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The value of that rank of each `who`; null of nothing."""
        index = stable_order(who, ranks(values.column))
        present, begins = groups(who[index])
        number = np.diff(np.append(begins, len(who)))
        return scatter(present, values.column.take(pa.array(index[begins + self._rank(number) - 1])), count)

    def _rank(self, number: Ints) -> Ints:
        part = Fraction(self.p)
        return np.maximum(1, -(-number * part.numerator // part.denominator))


AGGREGATE = Percentile
