"""The one reducer: contributions that come and go become step functions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.algebra.order import (
    FALSE,
    FOREVER,
    TRUE,
    Flags,
    Ints,
    Steps,
    Truths,
    firsts,
    lasts,
    order,
    running,
    turning,
)

Weight = npt.NDArray[Any]
Judge = Callable[[Sequence[Weight]], Truths]


class Contributions(NamedTuple):
    """Each row counts for its `who` during [start, stop); rows in event order within a `who`, none empty."""

    who: Ints
    start: Ints
    stop: Ints

    def take(self, index: npt.NDArray[np.generic]) -> "Contributions":
        """The rows at `index`, or where it is true."""
        return Contributions(self.who[index], self.start[index], self.stop[index])


def reaches(rows: Contributions, threshold: int, count: int, negated: bool = False) -> Steps:
    """Where at least `threshold` rows count.

    Where windows are FIFO (starts and stops rise together) the k-th newest stop is a lag: no expiry rows and no sums. Those
    of a subject that moves between zones may not be. `count` is the number of `who`; `negated` turns the answer.
    """
    if not is_fifo(rows, rows.who).all():
        return cover(rows, [np.ones(len(rows.who), np.int64)], lambda sums: _reached(sums[0], threshold, negated), count)
    lag = threshold - 1
    newest, oldest = slice(lag, None), slice(0, max(0, len(rows.who) - lag))
    who, start, stop = rows.who[newest], rows.start[newest], rows.stop[oldest]
    valid = (who == rows.who[oldest]) & (start < stop)
    return union(Contributions(who[valid], start[valid], stop[valid]), count, negated)


def is_fifo(rows: Contributions, group: Ints) -> Flags:
    """For each row but the first whether it starts and stops no earlier than the one before it, of one group."""
    falls = (rows.start[1:] < rows.start[:-1]) | (rows.stop[1:] < rows.stop[:-1])
    return ~(falls & (group[1:] == group[:-1]))


def _reached(number: Weight, threshold: int, negated: bool) -> Truths:
    return ((number >= threshold) ^ negated).astype(np.int8)


def union(rows: Contributions, count: int, negated: bool = False) -> Steps:
    """Where any row counts, for rows whose starts and stops rise together. An end that meets a start cancels it."""
    who, start, stop = rows
    begins = firsts(who)
    begins[1:] |= start[1:] > stop[:-1]
    ends = np.append(begins[1:], np.True_) if len(begins) else begins
    inside, outside = (FALSE, TRUE) if negated else (TRUE, FALSE)
    initial = np.full(count, outside, np.int8)
    who = np.repeat(who[begins], 2)
    at = np.stack((start[begins], stop[ends]), axis=1).ravel()
    value = np.tile(np.array([inside, outside], np.int8), len(who) // 2)
    bounded = at != FOREVER
    return Steps(who[bounded], at[bounded], value[bounded], initial)


def cover(rows: Contributions, weights: Sequence[Weight], judge: Judge, count: int) -> Steps:
    """The truth of sums of `weights` over the rows that count, judged at every instant where one changes."""
    initial = judge([weight[:0].sum(keepdims=True).astype(weight.dtype) for weight in weights])
    who, at, sums = totals(rows, weights)
    return turning(who, at, judge(sums), np.full(count, initial[0], np.int8))


def totals(rows: Contributions, weights: Sequence[Weight]) -> tuple[Ints, Ints, list[Weight]]:
    """The sums of weights from each instant on at which one may change, sorted by (who, at)."""
    ending = rows.stop != FOREVER
    who = np.concatenate((rows.who, rows.who[ending]))
    at = np.concatenate((rows.start, rows.stop[ending]))
    index = order(who, at)
    who, at = who[index], at[index]
    final = lasts(who, at)
    sums = [running(who, np.concatenate((weight, -weight[ending]))[index])[final] for weight in weights]
    return who[final], at[final], sums
