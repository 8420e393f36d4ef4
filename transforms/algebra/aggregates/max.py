"""`max`: the largest value of a column."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.coded import plain
from transforms.algebra.exact import Number, ranks, signs
from transforms.algebra.measure import Measure, Values, ones, scatter
from transforms.algebra.order import BEGINNING, Flags, Ints, largest, lasts, stable_order
from transforms.algebra.reduce import Contributions


class Max(Measure):
    """The largest value; missing of nothing. It is above a constant where any value is."""

    op = "max"
    keeps_type = True
    beyond: ClassVar[int] = 1
    when = "The most of it: the dearest basket, the latest date."
    example = "{name: largest, op: max, of: amount, windows: [90d]}"
    compare = ">= 100"
    story = """
    name: one large order, and a small one after it
    events: [[0d, order, {amount: 120}], [10d, order, {amount: 30}]]
    expect: [{at: 10d, member: true}, {at: 89d, member: true}, {at: 90d, member: false}]
    """

    def result_type(self, of: DataType | None) -> DataType:
        """The column's own type, which must have an order."""
        if of is None or of.kind in ("list", "bool"):
            raise refuse(
                "SEG-0208", f"`{self.op}` needs an order", expected="a number, text, date or timestamp", found=str(of)
            )
        return of

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """One event with the extreme."""
        index = stable_order(rows.who, self.beyond * ranks(values.column))
        extreme = np.zeros(len(index), np.bool_)
        extreme[index[lasts(rows.who[index])]] = True
        return extreme

    def picked(self, values: Values, low: Ints, high: Ints) -> Ints | None:
        """The one with the largest value, or the smallest."""
        place = self.beyond * ranks(values.column) * len(values.at) + np.arange(len(values.at))
        best = largest(place, low, high, BEGINNING)
        return np.where(best == BEGINNING, -1, best % max(len(values.at), 1))

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One; and for each constant whether the value lies beyond it, and whether it equals it."""
        found = [signs(values.column, constant) for constant in constants]
        return [ones(values)] + [(one == side).astype(np.int64) for one in found for side in (self.beyond, 0)]

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Beyond where any value is, equal where any value is, else on this side."""
        beyond, equal = sums[1 + 2 * place], sums[2 + 2 * place]
        return np.where(beyond > 0, self.beyond, np.where(equal > 0, 0, -self.beyond)).astype(np.int64)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The extreme of each `who`; null of nothing."""
        grouped = pa.table({"who": who, "value": plain(values.column)}).group_by("who").aggregate([("value", self.op)])
        found = grouped.combine_chunks()
        return scatter(found["who"].to_numpy(), found[f"value_{self.op}"].combine_chunks(), count)


AGGREGATE = Max
