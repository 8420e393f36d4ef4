"""The one reducer: contributions that come and go become step functions, those of many leaves in one pass."""

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
from transforms.algebra.stacks import apart, cuts, offsets

Weight = npt.NDArray[Any]
Judge = Callable[[Sequence[Weight]], Truths]


class Contributions(NamedTuple):
    """Each row counts for its `who` during [start, stop); rows in event order within a `who`, none empty."""

    who: Ints
    start: Ints
    stop: Ints

    def take(self, index: npt.NDArray[np.generic] | slice) -> "Contributions":
        """The rows at `index`, or where it is true."""
        return Contributions(self.who[index], self.start[index], self.stop[index])


class Counted(NamedTuple):
    """A leaf that is true where at least `threshold` rows count; or, `negated`, where fewer do."""

    rows: Contributions
    threshold: int = 1
    negated: bool = False


class Summed(NamedTuple):
    """A leaf whose truth is judged by the sums of `weights` over the rows that count: row by row, of nothing too."""

    rows: Contributions
    weights: Sequence[Weight]
    judge: Judge


def reached(leaves: Sequence[Counted], count: int) -> list[Steps]:
    """The truth of each leaf for each of `count` who.

    Where windows are FIFO (starts and stops rise together) the k-th newest stop is a lag: no expiry rows and no sums. Those
    of a subject that moves between zones may not be.
    """
    rows, sizes = _stacked([leaf.rows for leaf in leaves], count)
    fifo = is_fifo(rows, rows.who)
    if not fifo.all():
        return _crooked_apart(leaves, set((rows.who[1:][~fifo] // count).tolist()), count)
    lag = np.array([leaf.threshold - 1 for leaf in leaves])
    negated = np.array([leaf.negated for leaf in leaves])
    initial = np.repeat(np.where(negated, TRUE, FALSE).astype(np.int8), count)
    inside = np.repeat(np.where(negated, FALSE, TRUE).astype(np.int8), sizes)
    if lag.any():
        back = np.arange(len(rows.who)) - np.repeat(lag, sizes)
        oldest = np.maximum(back, 0)
        valid = (back >= 0) & (rows.who == rows.who[oldest]) & (rows.start < rows.stop[oldest])
        rows, inside = Contributions(rows.who, rows.start, rows.stop[oldest]).take(valid), inside[valid]
    return apart(_union(rows, inside, initial), len(leaves), count)


def is_fifo(rows: Contributions, group: Ints) -> Flags:
    """For each row but the first whether it starts and stops no earlier than the one before it, of one group."""
    falls = (rows.start[1:] < rows.start[:-1]) | (rows.stop[1:] < rows.stop[:-1])
    return ~(falls & (group[1:] == group[:-1]))


def _crooked_apart(leaves: Sequence[Counted], crooked: set[int], count: int) -> list[Steps]:
    """Leaves of which some have windows that are not FIFO: these by sums."""
    straight = [leaf for place, leaf in enumerate(leaves) if place not in crooked]
    others = [_by_sums(leaf) for place, leaf in enumerate(leaves) if place in crooked]
    found, summed = iter(reached(straight, count) if straight else ()), iter(covered(others, count))
    return [next(summed if place in crooked else found) for place in range(len(leaves))]


def _by_sums(leaf: Counted) -> Summed:
    def judge(sums: Sequence[Weight]) -> Truths:
        return ((sums[0] >= leaf.threshold) ^ leaf.negated).astype(np.int8)

    return Summed(leaf.rows, [np.ones(len(leaf.rows.who), np.int64)], judge)


def _union(rows: Contributions, inside: Truths, initial: Truths) -> Steps:
    """Where any row counts, for rows whose starts and stops rise together: `inside` there, else `initial`.

    An end that meets a start cancels it.
    """
    who, start, stop = rows
    begins = firsts(who)
    begins[1:] |= start[1:] > stop[:-1]
    ends = np.append(begins[1:], np.True_) if len(begins) else begins
    value = np.repeat(inside[begins], 2)
    value[1::2] ^= 1
    who = np.repeat(who[begins], 2)
    at = np.stack((start[begins], stop[ends]), axis=1).ravel()
    bounded = at != FOREVER
    return Steps(who[bounded], at[bounded], value[bounded], initial)


def covered(leaves: Sequence[Summed], count: int) -> list[Steps]:
    """The truth of each leaf for each of `count` who, judged at every instant where a sum of it changes."""
    kinds: dict[tuple[np.dtype[Any], ...], list[int]] = {}
    for place, leaf in enumerate(leaves):
        kinds.setdefault(tuple(weight.dtype for weight in leaf.weights), []).append(place)
    found = {
        place: steps
        for places in kinds.values()
        for place, steps in zip(places, _covered([leaves[place] for place in places], count), strict=True)
    }
    return [found[place] for place in range(len(leaves))]


def _covered(leaves: Sequence[Summed], count: int) -> list[Steps]:
    """The same for leaves with as many weights of the same types."""
    rows, _ = _stacked([leaf.rows for leaf in leaves], count)
    weights = [np.concatenate(column) for column in zip(*(leaf.weights for leaf in leaves), strict=True)]
    who, at, sums = totals(rows, weights)
    edges = cuts(who, len(leaves), count)
    low, high = edges[:-1] + np.arange(len(leaves)), edges[1:] + np.arange(len(leaves)) + 1
    with_nothing = [np.insert(column, edges[1:], 0) for column in sums]  # behind those of each leaf
    truth = np.concatenate(
        [
            leaf.judge([column[begin:end] for column in with_nothing])
            for leaf, begin, end in zip(leaves, low.tolist(), high.tolist(), strict=True)
        ]
    )
    steps = turning(who, at, np.delete(truth, high - 1), np.repeat(truth[high - 1], count))
    return apart(steps, len(leaves), count)


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


def _stacked(parts: Sequence[Contributions], count: int) -> tuple[Contributions, list[int]]:
    """The rows of several leaves as those of one, and how many each has."""
    sizes = [len(part.who) for part in parts]
    if len(parts) == 1:
        return parts[0], sizes
    who, start, stop = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Contributions(who + offsets(sizes, count), start, stop), sizes
