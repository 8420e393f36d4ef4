"""Aggregates that are numbers of something: of events, or of different things, each by the latest event that has it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from transforms.algebra.exact import Number, fraction, sign
from transforms.algebra.handover import Standing, handover
from transforms.algebra.measure import Measure, Quotient, Values, ones
from transforms.algebra.order import FOREVER, Flags, Ints, different, last_of_each
from transforms.algebra.reduce import Contributions


class Counting(Measure):
    """A number; 0 of nothing."""

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


class Different(Counting):
    """The number of different things, exactly. One counts until its own next event takes over."""

    def codes(self, values: Values) -> Ints:
        """Equal numbers for equal things."""
        raise NotImplementedError

    def arrange(self, rows: Contributions, values: Values) -> Standing:
        """Each thing counts once."""
        return handover(rows, self.codes(values))

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """The last event of each thing."""
        return last_of_each(rows.who, self.codes(values), np.ones(len(rows.who), np.bool_))

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The number of different things of each `who`."""
        code = self.codes(values)
        width = int(np.ptp(code)) + 1 if len(code) else 1
        pairs = different(who * width + (code - code.min(initial=FOREVER)))
        return pa.array(np.bincount(pairs // width, minlength=count))
