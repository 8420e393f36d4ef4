"""Aggregates as numbers over time: exact fractions, for operators that calculate with them."""

from typing import NamedTuple

import numpy as np

from schemas.definitions.datatype import DataType
from transforms.algebra.exact import scaled
from transforms.algebra.measure import Measure, Quotient, Values
from transforms.algebra.order import Ints, firsts, order, search, spread
from transforms.algebra.reduce import Contributions, totals

_AT_ONCE = 1 << 22
"""So many rows are looked at together."""


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
        who, at, sums = totals(standing, measure.amounts(values if index is None else values.take(index)))
        return Amounts(who, at, measure.quotient(sums, values.scale), nothing)
    who, at = _breakpoints(rows)
    low, high = (search(rows.who, edge, who, at, "right") for edge in (rows.stop, rows.start))
    row = measure.picked(values, low, high)
    found = _between(measure, values, of, low, high) if row is None else _at(values, row)
    return Amounts(who, at, found, nothing)


def _at(values: Values, row: Ints) -> Quotient:
    """The values of single rows; none of -1."""
    numbers = np.append(scaled(values.column).astype(object), 0)
    return Quotient(numbers[row], (row >= 0).astype(np.int64), values.scale)


def _between(measure: Measure, values: Values, of: DataType | None, low: Ints, high: Ints) -> Quotient:
    """The aggregate of the rows low..high - 1 for each pair, some pairs at a time: what they hold is copied."""
    numerator, there = np.zeros(len(low), object), np.zeros(len(low), np.int64)
    total = np.cumsum(np.maximum(high - low, 0))
    for part in np.split(np.arange(len(low)), np.flatnonzero(np.diff(total // _AT_ONCE)) + 1):
        owner, index = spread(low[part], high[part])
        column = measure.value(owner, values.take(index), len(part), measure.result_type(of))
        there[part] = np.asarray(column.is_valid()).astype(np.int64)
        numerator[part[there[part] > 0]] = scaled(column.drop_null())
    return Quotient(numerator, there, values.scale)


def _breakpoints(rows: Contributions) -> tuple[Ints, Ints]:
    who, at = np.tile(rows.who, 2), np.concatenate((rows.start, rows.stop))
    index = order(who, at)
    who, at = who[index], at[index]
    begins = firsts(who, at)
    return who[begins], at[begins]
