"""Of whom there is news since the last step: facts that have arrived, and facts that K has come to see."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import News
from transforms.algebra.claims import WHO, ints
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment
from transforms.algebra.state import State


@dataclass(frozen=True)
class Heard:
    """For each subject of a state, whether there is news of a kind.

    Attributes:
      events, profiles, consents: facts of the kind.
      late: events dated up to the last T.
    """

    events: Flags
    late: Flags
    profiles: Flags
    consents: Flags

    @classmethod
    def of(cls, state: State, news: News, moment: Moment) -> "Heard":
        """What a step hears, once `news` has entered the state."""
        shown = _shown(state.events, moment)
        past = shown[ints(state.events["occurred_at"], 0)[shown] <= moment.last_at]
        return cls(
            (news.event_at != FOREVER) | _whose(state, state.events, shown),
            (news.event_at <= moment.last_at) | _whose(state, state.events, past),
            news.by_profile | _whose(state, state.profiles, _shown(state.profiles, moment)),
            news.by_consent | _whose(state, state.consents, _shown(state.consents, moment)),
        )

    @property
    def anything(self) -> Flags:
        """The subjects of whom there is any news."""
        return self.events | self.profiles | self.consents


def _shown(rows: pa.Table, moment: Moment) -> Ints:
    """The rows that the last K hid and this one does not."""
    if moment.known_before == FOREVER:
        return np.empty(0, np.int64)
    received_at = ints(rows["received_at"], 0)
    return np.flatnonzero((received_at > moment.known_before) & (received_at <= moment.known_at))


def _whose(state: State, rows: pa.Table, chosen: Ints) -> Flags:
    flags = np.zeros(state.count, np.bool_)
    flags[rows[WHO].to_numpy()[chosen]] = True
    return flags
