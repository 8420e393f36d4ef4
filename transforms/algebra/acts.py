"""The acts on one purpose and channel in order, and what lies before and after each (consent.md)."""

from typing import NamedTuple

import numpy as np

from schemas.definitions.purpose import Purpose
from transforms.algebra.claims import EVERY_PURPOSE, Action, first_instants
from transforms.algebra.ledger import Ledger
from transforms.algebra.order import FOREVER, Flags, Ints, Steps, stable_order
from transforms.algebra.windows import later

CHANGE = len(Action)  # the act of a change of basis
_REFUSALS = (Action.INVALIDATE, Action.DENY, Action.WITHDRAW, Action.ERASE)


class Acts(NamedTuple):
    """The acts on one purpose and channel in order of application.

    `first` is the index of the subject's first act; `counts`: its major is in force; `end`: of a grant's life.
    """

    who: Ints
    at: Ints
    action: Ints
    first: Ints
    counts: Flags
    clears: Flags
    retroactive: Flags
    end: Ints

    def did(self, action: int) -> Flags:
        """Whether each act is of this kind."""
        done: Flags = self.action == action
        return done


def acts_on(entries: Ledger, purpose: Purpose, index: int, channel: int, vain: Flags) -> Acts:
    """The acts on `purpose`, number `index` of the registered ones, and on one channel alone; rows in `vain` do not act."""
    chosen = (_governs(entries, index, channel) & ~vain)[entries.act]
    row, at = entries.act[chosen], entries.at[chosen]
    who, rows = entries.who[row], entries.rows.take(row)
    majors, turned_at = turns(purpose)
    counts = rows.major == majors[np.searchsorted(turned_at, at, "right")]
    end = rows.expires_at
    if purpose.max_grant_age is not None:
        end = np.minimum(end, later(np.minimum(rows.claimed_at, first_instants(rows)), purpose.max_grant_age))
    return Acts(who, at, rows.action, _first_of(who), counts, rows.clears, rows.retroactive, end)


def with_changes(acts: Acts, changes: Steps) -> Acts:
    """The acts with one for each change of basis, before all others of its instant."""
    none, count = np.zeros(len(changes.who), np.bool_), len(changes.who)
    columns = (changes.who, changes.at, np.full(count, CHANGE), changes.who, none, none, none, changes.at)
    merged = [np.concatenate(pair) for pair in zip(columns, acts, strict=True)]
    index = stable_order(merged[0], merged[1])
    merged = [column[index] for column in merged]
    return Acts(*merged)._replace(first=_first_of(merged[0]))


def turns(purpose: Purpose) -> tuple[Ints, Ints]:
    """The majors in the order of their introduction, and the instants at which each but the first comes into force."""
    if not purpose.versions:
        return np.array([1]), np.empty(0, np.int64)
    introduced_at = np.array([version.introduced_at for version in purpose.versions], np.int64)
    return np.array([version.major for version in purpose.versions]), introduced_at[1:]


def first_refusal(entries: Ledger, index: int, channel: int) -> Ints:
    """When each subject first refused in a way that only a grant lifts, FOREVER where never."""
    return _first_act(entries, _governs(entries, index, channel) & np.isin(entries.rows.action, _REFUSALS))


def first_in_vain(entries: Ledger, index: int, vain: Flags) -> Ints:
    """When each subject first made a row of `vain` for the purpose, FOREVER where never."""
    return _first_act(entries, _governs(entries, index, 0) & vain)


def latest(flags: Flags) -> Ints:
    """The index of the last act so far for which the flag is set, -1 before the first; whoever's it is."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))


def since(first: Ints, on: Flags, off: Flags) -> Flags:
    """Whether, after each act, the subject's last `on` has no `off` behind it."""
    last = latest(on)
    return (last >= first) & (last > latest(off))


def next_close(acts: Acts, closes: Flags) -> Ints:
    """The instant of the subject's next closing act after each act, FOREVER where there is none."""
    count = len(closes)
    index = np.where(closes, np.arange(count), count)
    following = np.append(np.minimum.accumulate(index[::-1])[::-1], count)[1:]
    known = following < count
    known[known] = acts.who[following[known]] == acts.who[known]
    at = np.full(count, FOREVER)
    at[known] = acts.at[following[known]]
    return at


def _governs(entries: Ledger, index: int, channel: int) -> Flags:
    """Whether each row is about the purpose and the channel."""
    rows = entries.rows
    governs: Flags = ((rows.purpose == index) | (rows.purpose == EVERY_PURPOSE)) & (rows.channel == channel)
    return governs


def _first_act(entries: Ledger, rows: Flags) -> Ints:
    """The first instant at which one of the rows acts on each subject."""
    first, acts = np.full(entries.subjects, FOREVER), rows[entries.act]
    np.minimum.at(first, entries.who[entries.act[acts]], entries.at[acts])
    return first


def _first_of(who: Ints) -> Ints:
    return np.searchsorted(who, who, "left")
