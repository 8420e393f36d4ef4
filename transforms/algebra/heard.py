"""Of whom there is news since the last step: facts that have arrived, and facts that K has come to see."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import News, flags
from transforms.algebra.claims import WHO, ints
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment
from transforms.algebra.state import State


@dataclass(frozen=True)
class Heard:
    """For each subject of a state, whether there is news of a kind, of it or of an id that may be one with it.

    Attributes:
      facts: by kind.
      late: events dated up to the last T.
    """

    facts: Mapping[str, Flags]
    late: Flags

    @classmethod
    def of(cls, state: State, news: News, moment: Moment) -> "Heard":
        """What a step hears, once `news` has entered the state."""
        seen = {name: shown(rows, moment) for name, rows in state.facts.items()}
        facts = {
            name: state.related(flags(state.count, news.who[name]) | _whose(state, rows, seen[name]))
            for name, rows in state.facts.items()
        }
        new, events = news.facts["events"], state.facts["events"]
        late = news.who["events"][ints(new["occurred_at"], 0) <= moment.last_at]
        past = seen["events"][ints(events["occurred_at"], 0)[seen["events"]] <= moment.last_at]
        return cls(facts, state.related(flags(state.count, late) | _whose(state, events, past)))

    @property
    def anything(self) -> Flags:
        """The subjects of whom there is any news."""
        heard: Flags = np.logical_or.reduce(list(self.facts.values()))
        return heard


def shown(rows: pa.Table, moment: Moment) -> Ints:
    """The rows that the last K hid and this one does not."""
    if moment.known_before == FOREVER:
        return np.empty(0, np.int64)
    received_at = ints(rows["received_at"], 0)
    return np.flatnonzero((received_at > moment.known_before) & (received_at <= moment.known_at))


def _whose(state: State, rows: pa.Table, chosen: Ints) -> Flags:
    return flags(state.count, rows[WHO].to_numpy()[chosen])
