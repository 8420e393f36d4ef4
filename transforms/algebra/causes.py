"""Why an answer about the past is corrected: the first kind of news without which it would stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.algebra.belief import Belief, Corrections, differ
from transforms.algebra.claims import ints
from transforms.algebra.heard import Heard
from transforms.algebra.order import Flags, Ints, search
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State
from transforms.algebra.study import Study

_TABLES = {"consent": "consents", "late": "events", "profile": "profiles"}
"""The causes, the first that applies first, and which facts of a state tell of each."""
_NAMES = pa.array([*_TABLES, "event"])


@dataclass(frozen=True)
class Causes:
    """One step, looked at for what it owes to each kind of news.

    Attributes:
      before, after: the state without and with what has arrived.
      heard: of whom there is news.
      held: what was believed.
    """

    program: Program
    before: State
    after: State
    heard: Heard
    held: Belief
    moment: Moment

    def of(self, corrections: Corrections) -> pa.Array:
        """The cause of each correction.

        Of a subject with one kind of news that is it. Of one with several each is left out in turn; where the correction
        would be made without any one of them, the first is named.
        """
        who = corrections.key % max(self.after.count, 1)
        there = self._news(who)
        code = np.select(list(there.values()), range(len(there)), len(there))
        several = np.sum(list(there.values()), axis=0) > 1
        for place, cause in reversed(list(enumerate(_TABLES))):
            asked = np.flatnonzero(several & there[cause])
            needed = asked[~self._stands_without(cause, corrections, asked)]
            code[needed] = place
        return _NAMES.take(pa.array(code))

    def _news(self, who: Ints) -> Mapping[str, Flags]:
        heard = self.heard
        return {"consent": heard.consents[who], "late": heard.late[who], "profile": heard.profiles[who]}

    def _stands_without(self, cause: str, corrections: Corrections, asked: Ints) -> Flags:
        """Whether each of the corrections asked for would be made as a whole without that kind of news."""
        if not len(asked):
            return np.empty(0, np.bool_)
        key, count = corrections.key[asked], self.after.count
        who = np.unique(key % count)
        study = Study.of(self.program, self._without(cause), who, self.moment, answered=True)
        held = self.held.take(np.isin(self.held.key % count, who))
        made = differ(held, study.belief(self.program, count), self.moment.last_at, self.moment.at).corrections
        index = search(made.key, made.from_at, key, corrections.from_at[asked], "right") - 1
        nearest = Corrections(*(np.append(column, 0)[index] for column in made))
        stands: Flags = (index >= 0) & (nearest.key == key) & (nearest.member == corrections.member[asked])
        return stands & (nearest.until_at >= corrections.until_at[asked])

    def _without(self, cause: str) -> State:
        """The state with the facts of a kind as they were known before."""
        rows: pa.Table = getattr(self.before, _TABLES[cause])
        known = rows.filter(pa.array(ints(rows["received_at"], 0) <= self.moment.known_before))
        return replace(self.after, **{_TABLES[cause]: known})
