"""Aggregates as sums of exact weights: what the kernel asks of every file in `aggregates/`."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.comparison import Comparison, Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.window import PROFILE
from transforms.algebra.calendars import local_days
from transforms.algebra.exact import Number, summable
from transforms.algebra.handover import Standing
from transforms.algebra.order import Flags, Ints, Truths, firsts, lasts
from transforms.algebra.pending import Truth, cover
from transforms.algebra.reduce import Contributions
from transforms.algebra.truth import judge
from transforms.algebra.windows import OwnZones, own_days


class Bearing(NamedTuple):
    """Rows that bear the weights of others, too: the place of each row's among `sums`, -1 where it weighs as itself."""

    place: Ints
    sums: Sequence[Number]


class Values:
    """The values of a leaf's contributions, without nulls: `column` is None where events are counted.

    For measures of time, `at` is the instant of each event, `zone` the project's and `own` gives each one's subject's.
    `bearing` says which rows stand for events that a state has forgotten.
    """

    def __init__(self, column: Any, at: Ints, zone: str, own: OwnZones, bearing: Bearing | None = None) -> None:
        self.column, self.at, self.zone, self.own, self.bearing = column, at, zone, own, bearing

    def days(self, tz: str) -> Ints:
        """The local date of each event in a zone, the project's or the subject's own."""
        if tz == PROFILE:
            return own_days(self.at, self.own())
        return local_days(self.at, self.zone if tz == "project" else tz)

    @property
    def scale(self) -> int:
        """The digits after the point of a decimal column, else 0."""
        decimal = self.column is not None and pa.types.is_decimal(self.column.type)
        return int(self.column.type.scale) if decimal else 0

    def take(self, rows: Flags | Ints) -> "Values":
        """The values of some rows."""
        column = None if self.column is None else self.column.take(pa.array(np.arange(len(self.at))[rows]))
        bearing = None if self.bearing is None else self.bearing._replace(place=self.bearing.place[rows])
        return Values(column, self.at[rows], self.zone, lambda: self.own().take(np.arange(len(self.at))[rows]), bearing)

    def borne(self, weights: Sequence[Number]) -> Sequence[Number]:
        """The weights of the rows, with what some bear instead of their own."""
        if self.bearing is None:
            return weights
        bears, place = self.bearing.place >= 0, np.maximum(self.bearing.place, 0)
        return [
            summable(np.where(bears, total[place], own), 2) for own, total in zip(weights, self.bearing.sums, strict=True)
        ]


class Quotient(NamedTuple):
    """numerator / (denominator * 10**digits), exactly; a denominator of 0 stands for none."""

    numerator: Number
    denominator: Number
    digits: int


class Measure(Aggregate):
    """An aggregate: how it weighs values, and how sums of weights compare with a constant.

    `is_summed`: whether sums of weights tell its value, too, and not only how it compares. `is_folded`: whether they do of all
    events that count, so that a state may keep them instead of the events. `keeps_type`: whether it is one of the values.
    """

    is_summed: ClassVar[bool] = False
    is_folded: ClassVar[bool] = False
    keeps_type: ClassVar[bool] = False

    def arrange(self, rows: Contributions, values: Values) -> Standing:
        """Shorten contributions where not every event counts for as long as its window says."""
        return Standing(rows)

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """The weights of each row."""
        raise NotImplementedError

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """The sign of (aggregate - constant), where the aggregate is not missing; `place` is the constant's."""
        raise NotImplementedError

    def amounts(self, values: Values) -> list[Number]:
        """Weights whose sums tell the aggregate itself, where `is_summed`."""
        return self.weigh(values, ())

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The aggregate by the sums of `amounts`, where `is_summed`."""
        raise NotImplementedError

    def picked(self, values: Values, low: Ints, high: Ints) -> Ints | None:
        """Of the rows low..high - 1 the one whose value is the aggregate, -1 of none; None where no one row tells it."""
        return None

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """Of events that never cease to count, which ones a state must keep; where `is_folded`, who bears the sums."""
        return lasts(rows.who) if self.is_folded else np.ones(len(rows.who), np.bool_)

    def missing(self, sums: Sequence[Number]) -> Flags:
        """Where the aggregate of what counts is missing: where nothing does, unless it is never missing."""
        return np.zeros(len(sums[0]), np.bool_) if self.never_missing else sums[0] == 0

    def steps(self, rows: Contributions, values: Values, comparison: Comparison) -> Truth:
        """The truth of `comparison` in each stint; its constants are in the column's terms."""
        standing, index = self.arrange(rows, values)
        values = values if index is None else values.take(index)
        return self.covered(standing, values.borne(self.weigh(values, comparison.constants)), values, comparison)

    def covered(
        self, rows: Contributions, weights: Sequence[Number], values: Values, comparison: Comparison
    ) -> Truth:
        """The truth of `comparison` by the sums of the weights of the rows that count."""
        constants = comparison.constants

        def truth(sums: Sequence[Number]) -> Truths:
            return judge(
                comparison.tree,
                lambda constant: self.sign(sums, constants.index(constant), constant, values.scale),
                self.missing(sums),
            )

        return cover(rows, weights, truth)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The aggregate of the rows of each `who` in 0..count-1, as a column of type `result`; rows are in event order."""
        sums = [total(who, weight, count) for weight in values.borne(self.amounts(values))]
        return self.told(sums, values.scale, result)

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The aggregate by the sums of `amounts`, as a column."""
        raise NotImplementedError


def ones(values: Values) -> Ints:
    """A weight of one for each row."""
    return np.ones(len(values.at), np.int64)


def total(who: Ints, values: Number, count: int) -> Number:
    """The sum of the values of each `who`; rows are sorted by it."""
    present, begins = groups(who)
    totals = np.zeros(count, values.dtype)
    if len(begins):
        totals[present] = np.add.reduceat(values, begins)
    return totals


def scatter(who: Ints, column: pa.Array, count: int) -> pa.Array:
    """One value for each of `count` subjects: the one given for `who` (distinct), null for the others."""
    index = np.full(count, -1, np.int64)
    index[who] = np.arange(len(who))
    return column.take(pa.array(index, mask=index < 0))


def groups(who: Ints) -> tuple[Ints, Ints]:
    """The distinct `who` of rows sorted by it, and where each begins."""
    begins = np.flatnonzero(firsts(who)) if len(who) else np.empty(0, np.int64)
    return who[begins], begins
