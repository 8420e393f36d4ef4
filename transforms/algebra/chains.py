"""Chains of events: where matches of several steps end, and when each began at the latest (semantics 5.9).

Rows are instants: all events of one key at one time. At each instant a chain serves some more of the steps, by different
events there. Of the chains that have served the same steps by the same instant, the one that began latest does best whatever
follows, so it is the only one that is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, largest, search

NEVER = BEGINNING
"""The beginning of a chain that is not there."""


@dataclass(frozen=True)
class Instants:
    """The instants of all keys, sorted by (key, at), and the events at them.

    Attributes:
      where: of each event the index of its instant.
      steps: of each event the steps that it could serve, as bits.
      forbids: whether a chain may not pass over the event, unless the event is of it.
    """

    key: Ints
    at: Ints
    where: Ints
    steps: Ints
    forbids: Flags
    _numbers: dict[int, Ints] = field(default_factory=dict)

    @cached_property
    def forbidding(self) -> Flags:
        """The instants with an event that forbids."""
        return self._count(self.forbids) > 0

    def serves(self, steps: int) -> Flags:
        """Where different events can serve the steps: any part of them by as many (Hall's condition)."""
        return np.logical_and.reduce([self._serving(part) >= part.bit_count() for part in _parts(steps)])

    def spends(self, steps: int) -> Flags:
        """Where events that serve the steps can be all those that forbid: none is too many for the steps left to it."""
        if not self.forbids.any():
            return np.ones(len(self.at), np.bool_)
        kept = ((part, self.forbids & ((self.steps & steps & ~part) == 0)) for part in (0, *_parts(steps)))
        return np.logical_and.reduce([self._count(held) <= part.bit_count() for part, held in kept])

    def _serving(self, part: int) -> Ints:
        """How many events of each instant could serve a step of the part."""
        if part not in self._numbers:
            self._numbers[part] = self._count((self.steps & part) != 0)
        return self._numbers[part]

    def _count(self, chosen: Flags) -> Ints:
        return np.bincount(self.where[chosen], minlength=len(self.at))


@dataclass(frozen=True)
class Pattern:
    """What is asked of a chain: `count` steps, in their order or in any.

    `gap` and `within` are in microseconds or FOREVER, for all instants or for each.
    """

    count: int
    listed: bool = True
    gap: int | Ints = FOREVER
    within: int | Ints = FOREVER

    def moves(self) -> Iterator[tuple[int, int]]:
        """What may be served before an instant, and what at it, as bits; whatever a move needs comes before it."""
        for served in range(1, 1 << self.count):
            if self.listed and served & (served + 1):
                continue
            for now in _parts(served):
                before = served & ~now
                if not self.listed or not before & (before + 1):
                    yield before, now


def starts_of_several(sought: Sequence[tuple[Instants, Pattern]]) -> list[Ints]:
    """`latest_starts` of patterns that have as many steps in the same kind of order, in one pass."""
    if len(sought) == 1:
        return [latest_starts(*sought[0])]
    parts, patterns = zip(*sought, strict=True)
    sizes = np.array([len(part.at) for part in parts])
    begins = np.cumsum(sizes) - sizes
    widths = np.array([int(part.key.max(initial=0)) + 1 for part in parts])
    together = Instants(
        np.concatenate([part.key for part in parts]) + np.repeat(np.cumsum(widths) - widths, sizes),
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.where + begin for part, begin in zip(parts, begins, strict=True)]),
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.forbids for part in parts]),
    )
    gap, within = (np.repeat([getattr(one, name) for one in patterns], sizes) for name in ("gap", "within"))
    return np.split(latest_starts(together, Pattern(patterns[0].count, patterns[0].listed, gap, within)), begins[1:])


def latest_starts(instants: Instants, pattern: Pattern) -> Ints:
    """For each instant when the match of the whole pattern that ends there began, at the latest; NEVER where none does."""
    ended: dict[int, Ints] = {}
    passed: dict[int, Ints] = {}
    low = _reach(instants, pattern.gap)
    oldest = _sooner(instants.at, pattern.within)
    nothing = np.full(len(instants.at), NEVER)
    for before, now in pattern.moves():
        rows, began = np.flatnonzero(instants.serves(now)), nothing.copy()
        began[rows] = largest(passed[before], low[rows], rows, NEVER) if before else instants.at[rows]
        began[began < oldest] = NEVER
        going_on = np.where(instants.spends(now), began, NEVER) if before else began
        ended[before | now] = np.maximum(ended.get(before | now, nothing), began)
        passed[before | now] = np.maximum(passed.get(before | now, nothing), going_on)
    return ended[(1 << pattern.count) - 1]


def _reach(instants: Instants, gap: int | Ints) -> Ints:
    """The first instant from which a chain may step to each one: no more than `gap` before, and nothing passed that forbids."""
    key, at = instants.key, instants.at
    near = search(key, at, key, _sooner(at, gap))
    latest = np.maximum.accumulate(np.where(instants.forbidding, np.arange(len(at)), 0))
    return np.maximum(near, np.concatenate((latest[:1] * 0, latest[:-1])))


def _sooner(at: Ints, length: int | Ints) -> Ints:
    """Instants `length` before, but none at the beginning of time, which stands for never."""
    return np.where(at < BEGINNING + length, BEGINNING + 1, at - np.int64(length))


def _parts(steps: int) -> list[int]:
    """The sets of some of the steps, none left out but the empty one; smaller ones before those that hold them."""
    return [part for part in range(1, steps + 1) if part & steps == part]
