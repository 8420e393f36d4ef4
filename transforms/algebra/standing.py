"""The state machine of consent, all subjects at once: acts in order -> epochs and the state after each (consent.md)."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from schemas.definitions.purpose import Purpose
from transforms.algebra.claims import EVERY_PURPOSE, Action, first_instants
from transforms.algebra.ledger import Ledger
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, Steps, firsts, search, stable_order, value_at
from transforms.algebra.pieces import meetings, pieces
from transforms.algebra.windows import later

BASES = ("consent", "legitimate_interest")  # the stricter first
CONSENT, INTEREST = 0, 1
_CHANGE = len(Action)  # the act of a change of basis


class State(IntEnum):
    """What became of a subject's consent to a purpose on a channel."""

    UNKNOWN = 0
    GRANTED = 1
    DENIED = 2
    WITHDRAWN = 3
    OBJECTED = 4
    EXPIRED = 5
    STALE = 6
    INVALID = 7
    ERASED = 8


_CARRY = -1
_REFUSALS = (Action.INVALIDATE, Action.DENY, Action.WITHDRAW, Action.ERASE)
_CLOSES = {
    Action.INVALIDATE: State.INVALID,
    Action.DENY: State.DENIED,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.OBJECT: State.OBJECTED,
    Action.ERASE: State.ERASED,
}
_STATE_AFTER = np.array([_CLOSES.get(Action(action), _CARRY) for action in range(_CHANGE)] + [_CARRY])


class Epochs(NamedTuple):
    """Epochs [begin, end), sorted by (who, begin).

    `after` is the state that follows where no row closes one; `void`: nothing may be used in it.
    """

    who: Ints
    begin: Ints
    end: Ints
    after: Ints
    void: Flags

    def take(self, index: Ints | Flags) -> "Epochs":
        """The epochs at `index`."""
        return Epochs._make(column[index] for column in self)


class Standing(NamedTuple):
    """One purpose and channel on one basis: state and restriction after each act, by (who, at), and the epochs."""

    initial: State
    who: Ints
    at: Ints
    state: Ints
    restricted: Flags
    epochs: Epochs


class _Acts(NamedTuple):
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


def standing(entries: Ledger, purpose: Purpose, index: int, basis: int, changes: Steps, channel: int = 0) -> Standing:
    """Run the machine of `purpose`, number `index` of the registered ones, on one basis (an index of BASES).

    `changes` is each subject's basis over time: an epoch lies within one stretch of `basis`.
    """
    acts = _acts(entries, purpose, index, channel)
    if basis == CONSENT and len(changes.who):
        acts = _with_changes(acts, changes)
    lives = (value_at(changes, acts.who, acts.at) == INTEREST) | (acts.end > acts.at)
    grants = acts.did(Action.GRANT) & acts.counts & lives
    unobjects = acts.did(Action.UNOBJECT) & acts.counts
    blocked = _since(acts.first, acts.did(Action.OBJECT), (grants | unobjects) & acts.clears)
    erased = _since(acts.first, acts.did(Action.ERASE), np.zeros_like(grants))
    opens = (grants | (unobjects & (basis == INTEREST))) & ~blocked & ~erased
    closes = (_STATE_AFTER[acts.action] != _CARRY) | acts.did(_CHANGE)
    if basis == CONSENT:
        epochs = _consent_epochs(acts, opens, closes, turns(purpose)[1])
    else:
        epochs = _interest_epochs(acts, opens, closes, entries.subjects)
    restricted = _since(acts.first, acts.did(Action.RESTRICT), acts.did(Action.UNRESTRICT) & acts.counts)
    state = _states(acts, opens, blocked, erased, basis)
    initial = State.UNKNOWN if basis == CONSENT else State.GRANTED
    epochs = _voided(_within_basis(epochs, basis, changes), acts, entries.subjects)
    return Standing(initial, acts.who, acts.at, state, restricted, epochs)


def state_at(judged: Standing, who: Ints, at: Ints) -> Ints:
    """The `State` of each (who, at)."""
    epoch, act = epoch_at(judged.epochs, who, at), _last(judged.who, judged.at, who, at)
    state = np.full(len(who), judged.initial, np.int64)
    state[act >= 0] = judged.state[act[act >= 0]]
    begun = epoch >= 0
    inside = begun & (at < judged.epochs.end[epoch]) if len(judged.epochs.who) else begun
    ended = begun & ~inside & (state == State.GRANTED)
    state[ended] = judged.epochs.after[epoch[ended]]
    state[inside] = np.where(judged.epochs.void[epoch[inside]], State.INVALID, State.GRANTED)
    return state


def epoch_at(epochs: Epochs, who: Ints, at: Ints) -> Ints:
    """The index of the last epoch begun by each (who, at), -1 where there is none."""
    return _last(epochs.who, epochs.begin, who, at)


def restricted_at(judged: Standing, who: Ints, at: Ints) -> Flags:
    """Whether a restriction lies on each (who, at)."""
    act = _last(judged.who, judged.at, who, at)
    restricted = np.zeros(len(who), np.bool_)
    restricted[act >= 0] = judged.restricted[act[act >= 0]]
    return restricted


def first_refusal(entries: Ledger, index: int, channel: int) -> Ints:
    """When each subject first refused for more than an objection's length, FOREVER where never."""
    refused_at = np.full(entries.subjects, FOREVER)
    governs = _governs(entries, index, channel) & np.isin(entries.rows.action, _REFUSALS)
    acts = governs[entries.act]
    np.minimum.at(refused_at, entries.who[entries.act[acts]], entries.at[acts])
    return refused_at


def turns(purpose: Purpose) -> tuple[Ints, Ints]:
    """The majors in the order of their introduction, and the instants at which each but the first comes into force."""
    if not purpose.versions:
        return np.array([1]), np.empty(0, np.int64)
    introduced_at = np.array([version.introduced_at for version in purpose.versions], np.int64)
    return np.array([version.major for version in purpose.versions]), introduced_at[1:]


def _acts(entries: Ledger, purpose: Purpose, index: int, channel: int) -> _Acts:
    chosen = _governs(entries, index, channel)[entries.act]
    row, at = entries.act[chosen], entries.at[chosen]
    who, rows = entries.who[row], entries.rows.take(row)
    majors, turned_at = turns(purpose)
    counts = rows.major == majors[np.searchsorted(turned_at, at, "right")]
    end = rows.expires_at
    if purpose.max_grant_age is not None:
        end = np.minimum(end, later(np.minimum(rows.claimed_at, first_instants(rows)), purpose.max_grant_age))
    return _Acts(who, at, rows.action, _first_of(who), counts, rows.clears, rows.retroactive, end)


def _governs(entries: Ledger, index: int, channel: int) -> Flags:
    """Whether each row is about the purpose and the channel."""
    rows = entries.rows
    governs: Flags = ((rows.purpose == index) | (rows.purpose == EVERY_PURPOSE)) & (rows.channel == channel)
    return governs


def _with_changes(acts: _Acts, changes: Steps) -> _Acts:
    """The acts with one for each change of basis, before all others of its instant."""
    none, count = np.zeros(len(changes.who), np.bool_), len(changes.who)
    columns = (changes.who, changes.at, np.full(count, _CHANGE), changes.who, none, none, none, changes.at)
    merged = [np.concatenate(pair) for pair in zip(columns, acts, strict=True)]
    index = stable_order(merged[0], merged[1])
    merged = [column[index] for column in merged]
    return _Acts(*merged)._replace(first=_first_of(merged[0]))


def _first_of(who: Ints) -> Ints:
    return np.searchsorted(who, who, "left")


def _latest(flags: Flags) -> Ints:
    """The index of the last act so far for which the flag is set, -1 before the first; whoever's it is."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))


def _since(first: Ints, on: Flags, off: Flags) -> Flags:
    """Whether, after each act, the subject's last `on` has no `off` behind it."""
    latest = _latest(on)
    return (latest >= first) & (latest > _latest(off))


def _next_close(acts: _Acts, closes: Flags) -> Ints:
    """The instant of the subject's next closing act after each act, FOREVER where there is none."""
    count = len(closes)
    index = np.where(closes, np.arange(count), count)
    following = np.append(np.minimum.accumulate(index[::-1])[::-1], count)[1:]
    known = following < count
    known[known] = acts.who[following[known]] == acts.who[known]
    at = np.full(count, FOREVER)
    at[known] = acts.at[following[known]]
    return at


def _consent_epochs(acts: _Acts, opens: Flags, closes: Flags, turned_at: Ints) -> Epochs:
    """A grant opens an epoch after anything that closed the last one, or at or after its end; else it moves the end."""
    closed_at, run = _next_close(acts, closes)[opens], np.cumsum(closes)[opens]
    who, at = acts.who[opens], acts.at[opens]
    turn = np.searchsorted(turned_at, at, "right")
    first = firsts(who, run, turn)
    peak = _peaks(np.cumsum(first), acts.end[opens])
    begins = first.copy()
    begins[1:] |= at[1:] >= peak[:-1]
    ends = np.append(begins[1:], True) if len(begins) else begins
    end, closed_at, turned = peak[ends], closed_at[ends], np.append(turned_at, FOREVER)[turn[ends]]
    after = np.where(turned < closed_at, State.STALE, State.UNKNOWN)  # a row that closes says itself what follows
    after = np.where(end <= np.minimum(closed_at, turned), State.EXPIRED, after)
    end = np.minimum(end, np.minimum(closed_at, turned))
    epochs = Epochs(who[begins], at[begins], end, after, np.zeros(len(end), np.bool_))
    return epochs.take(epochs.begin < epochs.end)


def _peaks(run: Ints, value: Ints) -> Ints:
    """The running maximum of `value` within each run; runs are numbered in order."""
    distinct, rank = np.unique(value, return_inverse=True)
    highest = np.maximum.accumulate(run * len(distinct) + rank)
    return distinct[highest % len(distinct)] if len(distinct) else value


def _interest_epochs(acts: _Acts, opens: Flags, closes: Flags, count: int) -> Epochs:
    """Open from the beginning; the first that opens after what closed it opens again."""
    closed_at, run = _next_close(acts, closes), np.cumsum(closes)
    begun = np.append(0, run)[acts.first]  # the run that goes on from the subject before
    again = np.flatnonzero(opens & (run > begun))
    again = again[firsts(acts.who[again], run[again])]
    ends_at = np.full(count, FOREVER)
    shut = np.flatnonzero(closes & (run == begun + 1))
    ends_at[acts.who[shut]] = acts.at[shut]
    who = np.concatenate((np.arange(count), acts.who[again]))
    index = np.argsort(who, kind="stable")
    begin = np.concatenate((np.full(count, BEGINNING), acts.at[again]))[index]
    end = np.concatenate((ends_at, closed_at[again]))[index]
    epochs = Epochs(who[index], begin, end, np.full(len(who), State.UNKNOWN), np.zeros(len(who), np.bool_))
    return epochs.take(epochs.begin < epochs.end)


def _within_basis(epochs: Epochs, basis: int, changes: Steps) -> Epochs:
    """The epochs within the stretches of time in which `basis` is the subject's: those on consent lie in one each."""
    if basis == CONSENT or not len(changes.who):
        return epochs._replace(void=value_at(changes, epochs.who, epochs.begin) != basis)
    stretches = pieces(changes)
    stretches = stretches.take(stretches.value == basis)
    index, among = meetings(epochs.who, epochs.begin, epochs.end, stretches)
    cut = epochs.take(index)
    begin, end = np.maximum(cut.begin, stretches.from_at[among]), np.minimum(cut.end, stretches.to_at[among])
    return cut._replace(begin=begin, end=end)


def _voided(epochs: Epochs, acts: _Acts, count: int) -> Epochs:
    """The epochs with those marked that began before a retroactive invalidation."""
    invalid_at = np.full(count, BEGINNING)
    voids = acts.did(Action.INVALIDATE) & acts.retroactive
    np.maximum.at(invalid_at, acts.who[voids], acts.at[voids])
    return epochs._replace(void=epochs.void | (epochs.begin < invalid_at[epochs.who]))


def _states(acts: _Acts, opens: Flags, blocked: Flags, erased: Flags, basis: int) -> Ints:
    """The state after each act, a grant's own end left aside."""
    state = _STATE_AFTER[acts.action]
    state[opens] = State.GRANTED
    if basis == CONSENT:
        was_blocked = np.append(False, blocked[:-1])[: len(state)] & (np.arange(len(state)) > acts.first)
        state[acts.did(Action.UNOBJECT) & was_blocked & ~blocked] = State.UNKNOWN
    held = _carried(state, acts.first, State.UNKNOWN if basis == CONSENT else State.GRANTED)
    if basis == CONSENT:
        held = _with_vain_grants(held, state, acts, opens | blocked)
    return np.where(erased, State.ERASED, np.where(blocked, State.OBJECTED, held))


def _carried(state: Ints, first: Ints, initial: State) -> Ints:
    latest = _latest(state != _CARRY)
    return np.where(latest >= first, state[latest], initial)


def _with_vain_grants(held: Ints, state: Ints, acts: _Acts, effective: Flags) -> Ints:
    """Where nothing else is known, a grant that came to nothing says why: another major, or dead on arrival."""
    vain = acts.did(Action.GRANT) & ~effective
    latest = _latest(vain)
    speaks = (held == State.UNKNOWN) & (latest >= acts.first) & (latest > _latest(state != _CARRY))
    return np.where(speaks, np.where(acts.counts[latest], State.EXPIRED, State.STALE), held)


def _last(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Ints:
    """The index of the last of (who, at) at or before each pair sought, -1 where there is none."""
    index = search(who, at, sought_who, sought_at, "right") - 1
    known = index >= 0
    known[known] = who[index[known]] == sought_who[known]
    return np.where(known, index, -1)
