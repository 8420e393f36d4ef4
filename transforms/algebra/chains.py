"""Chains of events: where matches of several steps end, and when each began at the latest (semantics 5.9).

Rows are instants: all events of one key at one time. At each instant a chain serves some more of the steps, by different
events there. Of the chains that have served the same steps by the same instant, the one that began latest does best whatever
follows, so it is the only one that is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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

    @cached_property
    def forbidding(self) -> Flags:
        """The instants with an event that forbids."""
        return self._count(self.forbids) > 0

    def serves(self, steps: int) -> Flags:
        """Where different events can serve the steps: any part of them by as many (Hall's condition)."""
        parts = (self._count((self.steps & part) != 0) >= part.bit_count() for part in _parts(steps))
        return np.logical_and.reduce(list(parts))

    def spends(self, steps: int) -> Flags:
        """Where events that serve the steps can be all those that forbid: none is too many for the steps left to it."""
        kept = ((part, self.forbids & ((self.steps & steps & ~part) == 0)) for part in (0, *_parts(steps)))
        return np.logical_and.reduce([self._count(held) <= part.bit_count() for part, held in kept])

    def _count(self, chosen: Flags) -> Ints:
        return np.bincount(self.where[chosen], minlength=len(self.at))


@dataclass(frozen=True)
class Pattern:
    """What is asked of a chain: `count` steps, in their order or in any, `gap` and `within` in microseconds or FOREVER."""

    count: int
    listed: bool = True
    gap: int = FOREVER
    within: int = FOREVER

    def moves(self) -> Iterator[tuple[int, int]]:
        """What may be served before an instant, and what at it, as bits; whatever a move needs comes before it."""
        for served in range(1, 1 << self.count):
            if self.listed and served & (served + 1):
                continue
            for now in _parts(served):
                before = served & ~now
                if not self.listed or not before & (before + 1):
                    yield before, now


def latest_starts(instants: Instants, pattern: Pattern) -> Ints:
    """For each instant when the match of the whole pattern that ends there began, at the latest; NEVER where none does."""
    ended: dict[int, Ints] = {}
    passed: dict[int, Ints] = {}
    here = np.arange(len(instants.at))
    low = _reach(instants, pattern.gap)
    oldest = _sooner(instants.at, pattern.within)
    nothing = np.full(len(here), NEVER)
    for before, now in pattern.moves():
        began = largest(passed[before], low, here, NEVER) if before else instants.at
        began = np.where(instants.serves(now) & (began >= oldest), began, NEVER)
        going_on = np.where(instants.spends(now), began, NEVER) if before else began
        ended[before | now] = np.maximum(ended.get(before | now, nothing), began)
        passed[before | now] = np.maximum(passed.get(before | now, nothing), going_on)
    return ended[(1 << pattern.count) - 1]


def _reach(instants: Instants, gap: int) -> Ints:
    """The first instant from which a chain may step to each one: no more than `gap` before, and nothing passed that forbids."""
    key, at = instants.key, instants.at
    near = search(key, at, key, _sooner(at, gap))
    latest = np.maximum.accumulate(np.where(instants.forbidding, np.arange(len(at)), 0))
    return np.maximum(near, np.concatenate((latest[:1] * 0, latest[:-1])))


def _sooner(at: Ints, length: int) -> Ints:
    """Instants `length` before, but none at the beginning of time, which stands for never."""
    return np.where(at < BEGINNING + length, BEGINNING + 1, at - np.int64(length))


def _parts(steps: int) -> list[int]:
    """The sets of some of the steps, none left out but the empty one; smaller ones before those that hold them."""
    return [part for part in range(1, steps + 1) if part & steps == part]
