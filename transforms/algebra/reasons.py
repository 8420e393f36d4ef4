"""Why an answer changed at an instant: the first that applies of consent, profile, event, expiry."""

import numpy as np
import pyarrow as pa

from transforms.algebra.belief import Belief
from transforms.algebra.claims import WHO, ints
from transforms.algebra.order import FOREVER, Flags, Ints, order, search
from transforms.algebra.state import State

_NAMES = pa.array(["consent", "profile", "event", "expiry"])


def reasons_at(state: State, belief: Belief) -> pa.Array:
    """By what lies at the instant of each transition; where nothing does, time has passed. Keys are segment * count + subject."""
    if not len(belief.key):
        return pa.array([], pa.string())
    who = belief.key % state.count
    asked = np.zeros(state.count, np.bool_)
    asked[who] = True
    acts = _instants(state.consents, asked, "effective_at", "claimed_at", "received_at")
    turns, events = _instants(state.profiles, asked, "valid_from"), _instants(state.events, asked, "occurred_at")
    there = [_present(*known, who, belief.at) for known in (acts, turns, events)]
    return _NAMES.take(pa.array(np.select(there, [0, 1, 2], 3)))


def _instants(rows: pa.Table, asked: Flags, *columns: str) -> tuple[Ints, Ints]:
    """The (subject, instant) of some columns, for the subjects asked for, in order."""
    who = ints(rows[WHO], 0)
    chosen = np.flatnonzero(asked[who])
    at = np.concatenate([ints(rows[name], FOREVER)[chosen] for name in columns])
    who = np.tile(who[chosen], len(columns))
    index = order(who, at)
    return who[index], at[index]


def _present(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Flags:
    """Whether each (who, at) sought is among those sorted."""
    low = search(who, at, sought_who, sought_at)
    found = low < len(who)
    found[found] = (who[low[found]] == sought_who[found]) & (at[low[found]] == sought_at[found])
    return found
