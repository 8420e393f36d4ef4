"""The state machine of consent, all subjects at once: acts in order -> epochs and the state after each (consent.md)."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from schemas.definitions.purpose import Purpose
from transforms.algebra.acts import CHANGE, Acts, acts_on, latest, next_close, since, turns, with_changes
from transforms.algebra.claims import Action
from transforms.algebra.ledger import Ledger
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, Steps, firsts, search, value_at
from transforms.algebra.pieces import meetings, pieces

BASES = ("consent", "legitimate_interest")  # the stricter first
CONSENT, INTEREST = 0, 1


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
_CLOSES = {
    Action.INVALIDATE: State.INVALID,
    Action.DENY: State.DENIED,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.OBJECT: State.OBJECTED,
    Action.ERASE: State.ERASED,
}
_STATE_AFTER = np.array([_CLOSES.get(Action(action), _CARRY) for action in range(CHANGE)] + [_CARRY])


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


def standing(
    entries: Ledger, purpose: Purpose, index: int, basis: int, changes: Steps, vain: Flags, channel: int = 0
) -> Standing:
    """Run the machine of `purpose`, number `index` of the registered ones, on one basis (an index of BASES).

    `changes` is each subject's basis over time: an epoch lies within one stretch of `basis`. Rows of the ledger in `vain`
    come to nothing.
    """
    acts = acts_on(entries, purpose, index, channel, vain)
    if basis == CONSENT and len(changes.who):
        acts = with_changes(acts, changes)
    lives = (value_at(changes, acts.who, acts.at) == INTEREST) | (acts.end > acts.at)
    grants = acts.did(Action.GRANT) & acts.counts & lives
    unobjects = acts.did(Action.UNOBJECT) & acts.counts
    blocked = since(acts.first, acts.did(Action.OBJECT), (grants | unobjects) & acts.clears)
    erased = since(acts.first, acts.did(Action.ERASE), np.zeros_like(grants))
    opens = (grants | (unobjects & (basis == INTEREST))) & ~blocked & ~erased
    closes = (_STATE_AFTER[acts.action] != _CARRY) | acts.did(CHANGE)
    if basis == CONSENT:
        opens &= acts.end > acts.at  # given during an interest, where lifetimes do not apply, and dead on arrival here
        epochs = _consent_epochs(acts, opens, closes, turns(purpose)[1])
    else:
        epochs = _interest_epochs(acts, opens, closes, entries.subjects)
    restricted = since(acts.first, acts.did(Action.RESTRICT), acts.did(Action.UNRESTRICT) & acts.counts)
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
    claimed = ~inside & (state == State.GRANTED)
    ended = claimed & begun
    state[claimed] = State.UNKNOWN  # nothing is granted but within an epoch
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


def _consent_epochs(acts: Acts, opens: Flags, closes: Flags, turned_at: Ints) -> Epochs:
    """A grant opens an epoch after anything that closed the last one, or at or after its end; else it moves the end."""
    closed_at, run = next_close(acts, closes)[opens], np.cumsum(closes)[opens]
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


def _interest_epochs(acts: Acts, opens: Flags, closes: Flags, count: int) -> Epochs:
    """Open from the beginning; the first that opens after what closed it opens again."""
    closed_at, run = next_close(acts, closes), np.cumsum(closes)
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


def _voided(epochs: Epochs, acts: Acts, count: int) -> Epochs:
    """The epochs with those marked that began before a retroactive invalidation."""
    invalid_at = np.full(count, BEGINNING)
    voids = acts.did(Action.INVALIDATE) & acts.retroactive
    np.maximum.at(invalid_at, acts.who[voids], acts.at[voids])
    return epochs._replace(void=epochs.void | (epochs.begin < invalid_at[epochs.who]))


def _states(acts: Acts, opens: Flags, blocked: Flags, erased: Flags, basis: int) -> Ints:
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
    last = latest(state != _CARRY)
    return np.where(last >= first, state[last], initial)


def _with_vain_grants(held: Ints, state: Ints, acts: Acts, effective: Flags) -> Ints:
    """Where nothing else is known, a grant that came to nothing says why: another major, or dead on arrival."""
    vain = acts.did(Action.GRANT) & ~effective
    last = latest(vain)
    speaks = (held == State.UNKNOWN) & (last >= acts.first) & (last > latest(state != _CARRY))
    return np.where(speaks, np.where(acts.counts[last], State.EXPIRED, State.STALE), held)


def _last(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Ints:
    """The index of the last of (who, at) at or before each pair sought, -1 where there is none."""
    index = search(who, at, sought_who, sought_at, "right") - 1
    known = index >= 0
    known[known] = who[index[known]] == sought_who[known]
    return np.where(known, index, -1)
