"""Aggregates as numbers over time: exact fractions, for operators that calculate with them."""

from typing import NamedTuple

import numpy as np

from schemas.definitions.datatype import DataType
from transforms.algebra.exact import scaled
from transforms.algebra.measure import Measure, Quotient, Values
from transforms.algebra.order import Ints, firsts, order, search, spread
from transforms.algebra.reduce import Contributions, totals


class Amounts(NamedTuple):
    """`value` from each `at` on, sorted by (who, at).

    Before the first, and of a `who` without any, it is that of nothing.
    """

    who: Ints
    at: Ints
    value: Quotient
    of_nothing: tuple[int, int]

    def at_instants(self, who: Ints, at: Ints) -> Quotient:
        """The fractions in force at each (who, at)."""
        index = search(self.who, self.at, who, at, "right") - 1
        known = (index >= 0) & (np.append(self.who, -1)[index] == who)
        place = np.where(known, index, len(self.who))
        parts = zip(self.value[:2], self.of_nothing, strict=True)
        numerator, denominator = (np.append(part.astype(object), none)[place] for part, none in parts)
        return Quotient(numerator, denominator, self.value.digits)


def amounts(measure: Measure, rows: Contributions, values: Values, of: DataType | None) -> Amounts:
    """The measure of the rows that count, over time. Windows are FIFO."""
    nothing = (0, 1) if measure.never_missing else (0, 0)
    if measure.is_summed:
        standing, index = measure.arrange(rows, values)
        who, at, sums = totals(standing, measure.weigh(values if index is None else values.take(index), ()))
        return Amounts(who, at, measure.quotient(sums, values.scale), nothing)
    who, at = _breakpoints(rows)
    low = search(rows.who, rows.stop, who, at, "right")
    owner, index = spread(low, search(rows.who, rows.start, who, at, "right"))
    column = measure.value(owner, values.take(index), len(who), measure.result_type(of))
    there = np.asarray(column.is_valid()).astype(np.int64)
    numerator = np.zeros(len(who), object)
    numerator[there > 0] = scaled(column.drop_null())
    return Amounts(who, at, Quotient(numerator, there, values.scale), nothing)


def _breakpoints(rows: Contributions) -> tuple[Ints, Ints]:
    who, at = np.tile(rows.who, 2), np.concatenate((rows.start, rows.stop))
    index = order(who, at)
    who, at = who[index], at[index]
    begins = firsts(who, at)
    return who[begins], at[begins]
