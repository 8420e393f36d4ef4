"""`count`: how many events."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Compare, Comparison
from schemas.definitions.datatype import DataType
from transforms.algebra.counting import Counting
from transforms.algebra.exact import Number
from transforms.algebra.measure import Values
from transforms.algebra.pending import Truth, reaches
from transforms.algebra.reduce import Contributions


class Count(Counting):
    """The number of events; 0 of nothing."""

    op = "count"
    takes_column = False
    is_folded = True
    when = "How often: orders, visits, complaints."
    example = "{name: number, op: count, windows: [30d]}"
    compare = ">= 2"
    story = """
    name: two orders within 30 days
    events: [[0d, order], [10d, order]]
    expect: [{at: 0d, member: false}, {at: 10d, member: true}, {at: 30d, member: false}]
    """

    def steps(self, rows: Contributions, values: Values, comparison: Comparison) -> Truth:
        """As for every measure, but one threshold needs no sums: the lag of the windows tells."""
        turning = _threshold(comparison) if values.bearing is None else None
        if turning is None:
            return super().steps(rows, values, comparison)
        threshold, negated = turning
        return reaches(rows, threshold, negated)

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The number itself."""
        return pa.array(sums[0].astype(np.int64))


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
