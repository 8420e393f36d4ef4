"""Why an answer changed: the first that applies of consent, late, profile, event, expiry."""

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import News
from transforms.algebra.belief import Belief
from transforms.algebra.claims import codes, ints
from transforms.algebra.order import FOREVER, Flags, Ints, search, stable_order
from transforms.algebra.state import State

NAMES = pa.array(["consent", "late", "profile", "event", "expiry"])


class Reasons:
    """Looks up causes among the facts of a state; keys are segment * count + subject."""

    def __init__(self, state: State, news: News, last_at: int) -> None:
        self.state, self.news, self.last_at = state, news, last_at

    def at_instants(self, belief: Belief) -> pa.Array:
        """By what lies at the instant of each transition; where nothing does, time has passed."""
        who = belief.key % max(self.state.count, 1)
        events = ints(self.state.events["who"], 0), ints(self.state.events["at"], 0)
        consented = _present(*self._acts(), who, belief.at)
        profiled = _present(*self._instants(self.state.profiles, ("valid_from",)), who, belief.at)
        return _named(consented, np.zeros(len(who), np.bool_), profiled, _present(*events, who, belief.at))

    def of_subjects(self, key: Ints) -> pa.Array:
        """By what arrived about the subject of each correction."""
        who = key % max(self.state.count, 1)
        late = self.news.event_at[who] <= self.last_at
        return _named(self.news.by_consent[who], late, self.news.by_profile[who], np.ones(len(who), np.bool_))

    def _acts(self) -> tuple[Ints, Ints]:
        return self._instants(self.state.consents, ("effective_at", "claimed_at", "received_at"))

    def _instants(self, rows: pa.Table, columns: tuple[str, ...]) -> tuple[Ints, Ints]:
        """The (subject, instant) of some columns, sorted."""
        who = np.tile(codes(rows["subject"], self.state.ids), len(columns))
        at = np.concatenate([ints(rows[name], FOREVER) for name in columns])
        order = stable_order(who, at)
        return who[order], at[order]


def _present(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Flags:
    """Whether each (who, at) sought is among those sorted."""
    low = search(who, at, sought_who, sought_at)
    found = low < len(who)
    found[found] = (who[low[found]] == sought_who[found]) & (at[low[found]] == sought_at[found])
    return found


def _named(consent: Flags, late: Flags, profile: Flags, event: Flags) -> pa.Array:
    return NAMES.take(pa.array(np.select([consent, late, profile, event], [0, 1, 2, 3], 4)))
