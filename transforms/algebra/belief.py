"""What is believed, compared with what was: transitions, corrections, and what comes next."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transforms.algebra.order import FOREVER, Flags, Ints, different, firsts, lasts, running, settle, stable_order

_BITS = 32
"""How many of a key's bits are the subject's: those that a state has for it."""


class Belief(NamedTuple):
    """Transitions of many (segment, subject) at once, sorted by (key, at); at each one `member` turns."""

    key: Ints
    at: Ints
    member: Flags

    def take(self, rows: Flags | Ints) -> "Belief":
        """Some of the rows, in order."""
        return Belief(self.key[rows], self.at[rows], self.member[rows])


class Corrections(NamedTuple):
    """Maximal intervals in which the answer differs: it is `member` now in [from_at, until_at)."""

    key: Ints
    from_at: Ints
    until_at: Ints
    member: Flags

    def take(self, rows: Flags | Ints) -> "Corrections":
        """Some of the rows, in order."""
        return Corrections(self.key[rows], self.from_at[rows], self.until_at[rows], self.member[rows])


def keyed(segment: int | Ints, who: Ints) -> Ints:
    """One number for a segment and a subject, in the order of both."""
    return (np.asarray(segment, np.int64) << _BITS) + who


def segment_of(key: Ints) -> Ints:
    """The segment of each key."""
    return key >> _BITS


def subject_of(key: Ints) -> Ints:
    """The subject of each key."""
    return key & ((1 << _BITS) - 1)


@dataclass(frozen=True)
class Difference:
    """What to publish.

    Attributes:
      closings: transitions that are no longer believed.
      inserts: transitions that are believed now, up to T.
      news: those of `inserts` that are changes of their own: after the last T, or at T where a correction ends there.
      corrections: up to the last T.
    """

    closings: Belief
    inserts: Belief
    news: Belief
    corrections: Corrections


def differ(old: Belief, new: Belief, last_at: int, at: int) -> Difference:
    """Compare two beliefs about the same keys, the old one published up to `last_at`, the new one to be up to `at`."""
    held, made = _unlike(old.take(old.at <= last_at), new.take(new.at <= last_at))
    was, now = _intervals(held), _intervals(made)
    gone, come = _unmatched(was, now)
    news = new.take((new.at > last_at) & (new.at <= at))
    corrections = _corrections(held, made, at)
    inserts = merged(_ends(now.take(come)), news)
    return Difference(_ends(was.take(gone)), inserts, _with_turns_at_t(news, new, corrections, at), corrections)


def merged(one: Belief, other: Belief) -> Belief:
    """The transitions of both, in order."""
    if not len(one.key) or not len(other.key):
        return one if len(one.key) else other
    both = Belief(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    return both.take(stable_order(both.key, both.at))


def _unlike(one: Belief, other: Belief) -> tuple[Belief, Belief]:
    """The transitions about keys of which the two do not say just the same: of most they do."""
    keys = different(np.concatenate([belief.key[firsts(belief.key)] for belief in (one, other)]))
    of_one, of_other = (np.searchsorted(keys, belief.key) for belief in (one, other))
    alike = np.bincount(of_one, minlength=len(keys)) == np.bincount(of_other, minlength=len(keys))
    rows, others = np.flatnonzero(alike[of_one]), np.flatnonzero(alike[of_other])  # a pair for each transition
    alike[of_one[rows[one.at[rows] != other.at[others]]]] = False
    return one.take(~alike[of_one]), other.take(~alike[of_other])


class _Intervals(NamedTuple):
    key: Ints
    from_at: Ints
    to_at: Ints

    def take(self, rows: Flags) -> "_Intervals":
        """The intervals of some rows."""
        return _Intervals(self.key[rows], self.from_at[rows], self.to_at[rows])


def _intervals(belief: Belief) -> _Intervals:
    """The maximal intervals of membership; open ones end at the end of time."""
    key, at, member = belief
    following = np.append(at[1:], FOREVER)
    to_at = np.where(lasts(key), FOREVER, following[: len(key)])
    return _Intervals(key[member], at[member], to_at[member])


def _unmatched(one: _Intervals, other: _Intervals) -> tuple[Flags, Flags]:
    """Which intervals of each have no equal in the other."""
    key, from_at, to_at = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    index = np.lexsort((to_at, from_at, key))
    begins = firsts(key[index], from_at[index], to_at[index])
    alone = begins & np.append(begins[1:], np.True_)[: len(begins)]
    flags = np.empty(len(key), np.bool_)
    flags[index] = alone
    return flags[: len(one.key)], flags[len(one.key) :]


def _ends(intervals: _Intervals) -> Belief:
    """The transitions at both ends, in order."""
    ended = intervals.to_at != FOREVER
    key = np.concatenate((intervals.key, intervals.key[ended]))
    at = np.concatenate((intervals.from_at, intervals.to_at[ended]))
    member = np.arange(len(key)) < len(intervals.key)
    order = stable_order(key, at)
    return Belief(key[order], at[order], member[order])


def _corrections(was: Belief, now: Belief, at: int) -> Corrections:
    change = np.concatenate((np.where(was.member, -1, 1), np.where(now.member, 1, -1)))
    key, instant = np.concatenate((was.key, now.key)), np.concatenate((was.at, now.at))
    order = stable_order(key, instant)
    key, instant = key[order], instant[order]
    dense = np.cumsum(firsts(key)) - 1 if len(key) else key
    steps = settle(dense, instant, running(key, change[order]), np.zeros(len(key), np.int64))
    until = np.where(lasts(steps.who), at, np.append(steps.at[1:], at)[: len(steps.at)])
    wrong = steps.value != 0
    back = key[firsts(key)][steps.who[wrong]] if len(key) else key
    return Corrections(back, steps.at[wrong], until[wrong], steps.value[wrong] > 0)


def _with_turns_at_t(news: Belief, new: Belief, corrections: Corrections, at: int) -> Belief:
    """The news, and the turns at which corrections end at T itself: their `until_at` alone would say that they reach it."""
    ends, begins = corrections.key[corrections.until_at == at], corrections.key[corrections.from_at == at]
    turns = new.take((new.at == at) & np.isin(new.key, ends) & ~np.isin(new.key, begins))
    turns = turns.take(~np.isin(turns.key, news.key[news.at == at]))
    return Belief(*(np.concatenate(pair) for pair in zip(news, turns, strict=True))) if len(turns.key) else news


def standing_at(belief: Belief, at: int) -> tuple[Ints, Ints]:
    """The keys that are members at `at`, and the next instant at which each one's answer flips, or the end of time."""
    begun = belief.at <= at
    goes_on = ~lasts(belief.key)
    latest = begun & belief.member
    latest[:-1] &= ~(goes_on[:-1] & begun[1:])
    following = np.append(belief.at[1:], FOREVER)[: len(begun)]
    return belief.key[latest], np.where(goes_on, following, FOREVER)[latest]
