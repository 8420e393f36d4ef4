"""Sorted arrays: the only place that sorts, and the step functions everything is made of."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

FOREVER = int(np.iinfo(np.int64).max)
BEGINNING = int(np.iinfo(np.int64).min)

FALSE, TRUE, UNKNOWN = 0, 1, 2


class Steps(NamedTuple):
    """Step functions of T, one for each `who`: `value` is in force from `at` on, `initial` before the first.

    `who`, `at`, `value` have one entry a step, sorted by (who, at), with `at` strictly rising within a `who`; `initial` has
    one entry for each `who`.
    """

    who: Ints
    at: Ints
    value: npt.NDArray[np.integer]
    initial: npt.NDArray[np.integer]


def constant(initial: npt.NDArray[np.integer]) -> Steps:
    """Functions that never change: `initial`, one entry for each `who`."""
    nothing = np.empty(0, np.int64)
    return Steps(nothing, nothing, initial[:0], initial)


def order(who: Ints, at: Ints) -> Ints:
    """The permutation that sorts by (who, at); equal pairs in any order. One packed key where the bits suffice."""
    packed = _packed(who, at)
    return np.lexsort((at, who)) if packed is None else np.argsort(packed[1])


def stable_order(who: Ints, at: Ints) -> Ints:
    """The permutation that sorts by (who, at) and keeps equal pairs as they came."""
    packed = _packed(who, at)
    return np.lexsort((at, who)) if packed is None else np.argsort(packed[1], kind="stable")


def in_turn(number: npt.NDArray[np.integer]) -> Ints:
    """The permutation that sorts numbers from 0 on and keeps equal ones as they came."""
    few = int(number.max(initial=0)) < 1 << 16  # then numpy counts instead of comparing
    return np.argsort(number.astype(np.uint16) if few else number, kind="stable")


class _Packing(NamedTuple):
    """How pairs of small numbers and instants become one number, in their order.

    Instants below `lowest` or above `highest` become one each, but the beginning and the end of time stay themselves.
    """

    lowest: int
    highest: int
    bits: int

    def key(self, who: Ints, at: Ints) -> Ints:
        """A number for each pair."""
        near = np.minimum(np.maximum(at, self.lowest - 1), self.highest + 1)
        near += at == FOREVER
        near -= at == BEGINNING
        return (who << np.int64(self.bits)) + (near - (self.lowest - 2))

    def inner(self, who: Ints, at: Ints) -> Ints:
        """The same for pairs with no instant beyond `lowest` and `highest`."""
        return (who << np.int64(self.bits)) + (at - (self.lowest - 2))


def _packed(who: Ints, at: Ints, more: int = 0) -> tuple[_Packing, Ints] | None:
    """How to pack pairs such as these, with `who` up to `more` beside them, and their keys; None where they do not fit."""
    if not len(at):
        return _Packing(0, 0, 3), np.empty(0, np.int64)
    lowest, highest = int(at.min()), int(at.max())
    whole = lowest != BEGINNING and highest != FOREVER
    if not whole:
        finite = at[(at != FOREVER) & (at != BEGINNING)]
        lowest, highest = (int(finite.min()), int(finite.max())) if len(finite) else (0, 0)
    packing = _Packing(lowest, highest, (highest - lowest + 4).bit_length())
    if packing.bits + max(int(who.max()), more).bit_length() > 62 or min(lowest - BEGINNING, FOREVER - highest) <= 4:
        return None
    return packing, packing.inner(who, at) if whole else packing.key(who, at)


def firsts(*keys: npt.NDArray[np.generic]) -> Flags:
    """True where a run of equal keys begins, in arrays sorted by them."""
    flags = np.ones(len(keys[0]), np.bool_)
    flags[1:] = _differ(keys)
    return flags


def different(values: Ints) -> Ints:
    """The different values, rising."""
    rising = np.sort(values)  # `np.unique` hashes, which takes many times as long where most are different
    return rising[firsts(rising)]


def lasts(*keys: npt.NDArray[np.generic]) -> Flags:
    """True where a run of equal keys ends, in arrays sorted by them."""
    flags = np.ones(len(keys[0]), np.bool_)
    flags[:-1] = _differ(keys)
    return flags


def firsts_of(who: Ints, most: int) -> Flags:
    """True for the first `most` rows of each `who`, in rows sorted by it."""
    begins = np.flatnonzero(firsts(who)) if len(who) else np.empty(0, np.int64)
    sizes = np.diff(np.append(begins, len(who)))
    early: Flags = np.arange(len(who)) - np.repeat(begins, sizes) < most
    return early


def lasts_of(who: Ints, most: int) -> Flags:
    """True for the last `most` rows of each `who`, in rows sorted by it."""
    return firsts_of(who[::-1], most)[::-1]


def last_of_each(who: Ints, kind: Ints, among: Flags) -> Flags:
    """True for the last row of each (who, kind) among some of the rows, which are sorted by `who`."""
    rows = np.flatnonzero(among)
    index = stable_order(who[rows], kind[rows])
    last = np.zeros(len(who), np.bool_)
    last[rows[index[lasts(who[rows][index], kind[rows][index])]]] = True
    return last


def _differ(keys: Sequence[npt.NDArray[np.generic]]) -> Flags:
    """Whether each row but the first differs from the one before it."""
    flags: Flags = keys[0][1:] != keys[0][:-1]
    for key in keys[1:]:
        flags |= key[1:] != key[:-1]
    return flags


def before(who: Ints, value: npt.NDArray[np.integer], initial: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """The value in force before each step: the previous one of the same `who`, else its `initial`."""
    previous = np.empty_like(value)
    previous[1:] = value[:-1]
    first = firsts(who)
    previous[first] = initial[who[first]]
    return previous


def settle(who: Ints, at: Ints, value: npt.NDArray[np.integer], initial: npt.NDArray[np.integer]) -> Steps:
    """Steps from rows sorted by (who, at): the last row of an instant wins, a step that changes nothing is dropped."""
    final = lasts(who, at)
    return turning(who[final], at[final], value[final], initial)


def turning(who: Ints, at: Ints, value: npt.NDArray[np.integer], initial: npt.NDArray[np.integer]) -> Steps:
    """Steps from rows sorted by (who, at), each instant once: those that change nothing are dropped."""
    changes = value != before(who, value, initial)
    if changes.all():
        return Steps(who, at, value, initial)
    return Steps(who[changes], at[changes], value[changes], initial)


def running(who: Ints, weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Running sums of `weight` within each `who`; rows are sorted by `who`."""
    if not len(who):
        return weight
    total = np.cumsum(weight)
    begins = np.flatnonzero(firsts(who))
    base = np.concatenate((total[:1] - total[:1], total[begins[1:] - 1]))
    return total - np.repeat(base, np.diff(np.append(begins, len(who))))


def spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Expand ranges [low, high) into (index of the range, index within all ranges), range by range."""
    sizes = np.maximum(high - low, 0)
    owner = np.repeat(np.arange(len(low)), sizes)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return owner, np.repeat(low, sizes) + offset


def search(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints, side: Literal["left", "right"] = "left") -> Ints:
    """`searchsorted` for pairs: where (sought_who, sought_at) belongs in rows sorted by (who, at)."""
    packed = _packed(who, at, int(sought_who.max(initial=0)))
    if packed is None:
        return _bisect(who, at, sought_who, sought_at, side)
    packing, keys = packed
    return np.searchsorted(keys, packing.key(sought_who, sought_at), side)


def _bisect(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints, side: str) -> Ints:
    """Bisects within each `who` for all sought pairs at once: log2 of the longest run, in vectors."""
    low = np.searchsorted(who, sought_who, "left")
    high = np.searchsorted(who, sought_who, "right")
    while True:
        active = low < high
        if not active.any():
            return low
        middle = (low + high) >> 1
        probe = at[np.minimum(middle, len(at) - 1)]
        right = (probe < sought_at) if side == "left" else (probe <= sought_at)
        low = np.where(active & right, middle + 1, low)
        high = np.where(active & ~right, middle, high)


def value_at(steps: Steps, who: Ints, at: Ints) -> npt.NDArray[np.integer]:
    """The value in force at each (who, at) asked for."""
    index = search(steps.who, steps.at, who, at, "right") - 1
    if not len(steps.who):
        return steps.initial[who]
    found = (index >= 0) & (steps.who[np.maximum(index, 0)] == who)
    return np.where(found, steps.value[np.maximum(index, 0)], steps.initial[who])


def largest(values: Ints, low: Ints, high: Ints, nothing: int) -> Ints:
    """The largest of values[low:high] for each pair, `nothing` of none: from maxima over runs of 1, 2, 4, ... values."""
    size = np.maximum(high - low, 0)
    found, length = np.full(len(low), nothing), 1
    while length <= size.max(initial=0):
        rows = np.flatnonzero((size >= length) & (size < 2 * length))
        found[rows] = np.maximum(values[low[rows]], values[high[rows] - length])
        values, length = np.maximum(values[:-length], values[length:]), 2 * length
    return found


def latest_over(low: Ints, high: Ints, size: int) -> Ints:
    """For each of `size` places the last of the ranges low..high - 1 that hold it, -1 of none: by runs of ..., 4, 2, 1 places."""
    length, number = high - low, np.arange(len(low))
    found = np.full(size, -1)  # of each place the last range that holds all of the run that begins there
    for level in reversed(range(int(length.max(initial=0)).bit_length())):
        run = 1 << level
        found[run:] = np.maximum(found[run:], found[:-run].copy())
        rows = number[(length >= run) & (length < 2 * run)]
        np.maximum.at(found, low[rows], rows)
        np.maximum.at(found, high[rows] - run, rows)
    return found
