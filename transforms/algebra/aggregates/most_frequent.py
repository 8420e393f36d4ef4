"""`most_frequent`: the value of a column that occurs most often."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Comparison, Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.aggregates.last import Last, chosen
from transforms.algebra.exact import Number, ranks, signs
from transforms.algebra.frequency import by_frequency, frequency_levels
from transforms.algebra.measure import Values
from transforms.algebra.order import Flags, Ints
from transforms.algebra.pending import Truth
from transforms.algebra.reduce import Contributions


class MostFrequent(Last):
    """The most frequent value, of equally frequent ones the smallest; missing of nothing."""

    op = "most_frequent"
    is_summed = False
    when = "What somebody likes best: the favourite category, the usual shop."
    example = "{name: favourite, op: most_frequent, of: category, windows: [365d]}"
    compare = "= 'toys'"
    story = """
    name: books and toys are even, and books is the smaller word; then toys lead
    events: [[0d, order, {category: books}], [1d, order, {category: toys}], [2d, order, {category: toys}]]
    expect: [{at: 1d, member: false}, {at: 2d, member: true}]
    """

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """All of them: any value may come to be the most frequent."""
        return np.ones(len(rows.who), np.bool_)

    def steps(self, rows: Contributions, values: Values, comparison: Comparison) -> Truth:
        """By how frequent the most frequent value is, of all and of those below, at and above each constant."""
        value = ranks(values.column)
        sides = [signs(values.column, constant) for constant in comparison.constants]
        chosen_rows = [np.ones(len(value), np.bool_), *(one == side for one in sides for side in (-1, 0, 1))]
        levels = [frequency_levels(rows.take(some), value[some]) for some in chosen_rows]
        weights = [np.repeat(np.arange(len(levels)) == place, [len(one.who) for one in levels]) for place in range(len(levels))]
        every = Contributions(*(np.concatenate(column) for column in zip(*levels, strict=True)))
        return self.covered(every, [weight.astype(np.int64) for weight in weights], values, comparison)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Below where no value at or above is more frequent; equal where none below is as frequent, and none above more."""
        below, equal, above = sums[1 + 3 * place : 4 + 3 * place]
        is_below = (below >= equal) & (below >= above)
        return np.where(is_below, -1, np.where(equal >= above, 0, 1)).astype(np.int64)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The value of the first place of each `who`; null of nothing."""
        row, place = by_frequency(who, values.column)
        first = np.zeros(len(who), np.bool_)
        first[row[place == 0]] = True
        return chosen(who, values, first, count)


AGGREGATE = MostFrequent
