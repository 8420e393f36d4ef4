"""Why an answer changed: the first that applies of consent, late, profile, event, expiry."""

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import News
from transforms.algebra.belief import Belief
from transforms.algebra.claims import WHO, ints
from transforms.algebra.order import FOREVER, Flags, Ints, order, search
from transforms.algebra.state import State

_NAMES = ("consent", "late", "profile", "event", "expiry")


class Reasons:
    """Looks up causes among the facts of a state; keys are segment * count + subject."""

    def __init__(self, state: State, news: News, last_at: int) -> None:
        self.state, self.news, self.last_at = state, news, last_at

    def at_instants(self, belief: Belief) -> pa.Array:
        """By what lies at the instant of each transition; where nothing does, time has passed."""
        if not len(belief.key):
            return pa.array([], pa.string())
        state, who = self.state, belief.key % self.state.count
        asked = np.zeros(state.count, np.bool_)
        asked[who] = True
        acts = _in_order(*_instants(state.consents, asked, "effective_at", "claimed_at", "received_at"))
        turns = _in_order(*_instants(state.profiles, asked, "valid_from"))
        events = _instants(state.events, asked, "occurred_at")
        consented, profiled, done = (_present(*known, who, belief.at) for known in (acts, turns, events))
        return _named(consented, np.zeros(len(who), np.bool_), profiled, done)

    def of_subjects(self, key: Ints) -> pa.Array:
        """By what arrived about the subject of each correction."""
        who = key % max(self.state.count, 1)
        late = self.news.event_at[who] <= self.last_at
        return _named(self.news.by_consent[who], late, self.news.by_profile[who], np.ones(len(who), np.bool_))


def _instants(rows: pa.Table, asked: Flags, *columns: str) -> tuple[Ints, Ints]:
    """The (subject, instant) of some columns, for the subjects asked for."""
    who = ints(rows[WHO], 0)
    chosen = np.flatnonzero(asked[who])
    at = [ints(rows[name], FOREVER)[chosen] for name in columns]
    return np.tile(who[chosen], len(columns)), np.concatenate(at)


def _in_order(who: Ints, at: Ints) -> tuple[Ints, Ints]:
    index = order(who, at)
    return who[index], at[index]


def _present(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Flags:
    """Whether each (who, at) sought is among those sorted."""
    low = search(who, at, sought_who, sought_at)
    found = low < len(who)
    found[found] = (who[low[found]] == sought_who[found]) & (at[low[found]] == sought_at[found])
    return found


def _named(consent: Flags, late: Flags, profile: Flags, event: Flags) -> pa.Array:
    return pa.array(_NAMES).take(pa.array(np.select([consent, late, profile, event], [0, 1, 2, 3], 4)))
