"""Sorted arrays: the only place that sorts, and the step functions everything is made of."""

from typing import Any, NamedTuple

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
    if not len(who):
        return np.empty(0, np.int64)
    lowest, highest = int(at.min()), int(at.max())
    span = (highest - lowest).bit_length()
    if span + int(who.max()).bit_length() > 62:
        return np.lexsort((at, who))
    packed = (who << np.int64(span)) | (at - np.int64(lowest))
    return np.argsort(packed)


def stable_order(who: Ints, at: Ints) -> Ints:
    """The permutation that sorts by (who, at) and keeps equal pairs as they came."""
    return np.lexsort((at, who))


def firsts(*keys: npt.NDArray[np.generic]) -> Flags:
    """True where a run of equal keys begins, in arrays sorted by them."""
    flags = np.ones(len(keys[0]), np.bool_)
    if len(flags) > 1:
        flags[1:] = False
        for key in keys:
            flags[1:] |= key[1:] != key[:-1]
    return flags


def lasts(*keys: npt.NDArray[np.generic]) -> Flags:
    """True where a run of equal keys ends, in arrays sorted by them."""
    flags = firsts(*keys)
    return np.append(flags[1:], np.True_) if len(flags) else flags


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
    who, at, value = who[final], at[final], value[final]
    changes = value != before(who, value, initial)
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


def search(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints, side: str = "left") -> Ints:
    """`searchsorted` for pairs: where (sought_who, sought_at) belongs in rows sorted by (who, at).

    Bisects within each `who` for all sought pairs at once: log2 of the longest run, in vectors.
    """
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
