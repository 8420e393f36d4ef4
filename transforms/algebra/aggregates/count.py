"""`count`: how many events."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Compare, Comparison, Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.exact import Number, fraction, sign
from transforms.algebra.measure import Measure, Quotient, Values, ones
from transforms.algebra.order import Ints, Steps
from transforms.algebra.reduce import Contributions, reaches


class Count(Measure):
    """The number of events; 0 of nothing."""

    op = "count"
    takes_column = False
    never_missing = True
    is_summed = True

    def result_type(self, of: DataType | None) -> DataType:
        """Always int."""
        return DataType("int")

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One for each event."""
        return [ones(values)]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The count itself."""
        return Quotient(sums[0], np.ones(len(sums[0]), np.int64), 0)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (count - constant)."""
        return sign(sums[0], fraction(constant))

    def steps(self, rows: Contributions, values: Values, comparison: Comparison, count: int) -> Steps:
        """As for every measure, but one threshold needs no sums: the lag of the windows tells."""
        turning = _threshold(comparison)
        if turning is None:
            return super().steps(rows, values, comparison, count)
        threshold, negated = turning
        return reaches(rows, threshold, count, negated)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The number of rows."""
        return pa.array(np.bincount(who, minlength=count))


def _threshold(comparison: Comparison) -> tuple[int, bool] | None:
    """The k for which the comparison says `n >= k`, or with True `not n >= k`; None where it says neither."""
    match comparison.tree:
        case Compare(op, int(constant)):
            threshold = constant + (op in (">", "<="))
            if op == "=" and constant == 0:
                return 1, True
            if op == "!=" and constant == 0:
                return 1, False
            if op in (">", ">=", "<", "<=") and threshold >= 1:
                return threshold, op in ("<", "<=")
    return None


AGGREGATE = Count
