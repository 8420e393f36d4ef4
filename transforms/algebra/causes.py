"""Why an answer about the past is corrected: the first kind of news without which it would stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.consent import RESTRICTIVE
from transforms.algebra.belief import Belief, Corrections, differ, subject_of
from transforms.algebra.claims import WHO, codes, ints
from transforms.algebra.closing import thought
from transforms.algebra.coded import joined, listed
from transforms.algebra.heard import Heard
from transforms.algebra.order import FOREVER, Flags, Ints, search
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State
from transforms.algebra.study import Study

_KINDS = {
    "consent": ("consents",),
    "identity": ("identities",),
    "late": ("events",),
    "profile": ("profiles", "scores"),
}
"""The causes, the first that applies first, and which kinds of facts tell of each."""
_NAMES = pa.array([*_KINDS, "event"])


class Exposed(NamedTuple):
    """Of the corrections at `of`: since when what was published was wrong by consent."""

    of: Ints
    since_at: Ints


@dataclass(frozen=True)
class Causes:
    """One step, looked at for what it owes to each kind of news.

    Attributes:
      before, after: the state without and with what has arrived.
      heard: of whom there is news.
      held: what was believed.
      closes: of whom consent may close what was believed of before the horizon.
    """

    program: Program
    before: State
    after: State
    heard: Heard
    held: Belief
    closes: Flags
    moment: Moment

    def of(self, corrections: Corrections, exposed: Exposed) -> pa.Array:
        """The cause of each correction.

        Consent where a restriction alone would have taken it back. Else, of a subject with one kind of news that is it. Of one
        with several each is left out in turn; where the correction would be made without any one of them, the first is named.
        """
        who = subject_of(corrections.key)
        there = self._news(who)
        code = np.select(list(there.values()), range(len(there)), len(there))
        several = np.sum(list(there.values()), axis=0) > 1
        for place, cause in reversed(list(enumerate(_KINDS))):
            asked = np.flatnonzero(several & there[cause])
            needed = asked[~self._stands_without(cause, corrections, asked)]
            code[needed] = place
        code[exposed.of] = 0
        return listed(code, _NAMES)

    def exposed(self, corrections: Corrections) -> Exposed:
        """What of the memberships taken back a restriction alone would have, or one by a new link: since when it was wrong."""
        taken = np.flatnonzero(~corrections.member & self.heard.facts["consents"][subject_of(corrections.key)])
        if not len(taken):
            return Exposed(taken, taken)
        asked = corrections.take(taken)
        since_at = self._wrong_since(asked, self._before(consents=self._restricted()))
        if self.heard.facts["identities"][subject_of(asked.key)].any():
            links = self.after.facts["identities"]
            by_links = self._wrong_since(asked, self._before(identities=links))
            by_both = self._wrong_since(asked, self._before(identities=links, consents=self._restricted()))
            since_at = np.minimum(since_at, np.where(by_both < by_links, by_both, FOREVER))
        exposed = since_at < FOREVER
        return Exposed(taken[exposed], since_at[exposed])

    def _wrong_since(self, asked: Corrections, state: State) -> Ints:
        """Since when each of the corrections would take back a membership, were this the state; FOREVER where it would not."""
        made = self._made(state, asked.key)
        made = made.take(~made.member)
        index = search(made.key, made.until_at, asked.key, asked.from_at, "right")
        first = Corrections(*(np.append(column, 0)[index] for column in made))
        overlaps = (index < len(made.key)) & (first.key == asked.key) & (first.from_at < asked.until_at)
        return np.where(overlaps, np.maximum(asked.from_at, first.from_at), FOREVER)

    def _news(self, who: Ints) -> Mapping[str, Flags]:
        heard = {**self.heard.facts, "events": self.heard.late}
        return {cause: np.logical_or.reduce([heard[name][who] for name in kinds]) for cause, kinds in _KINDS.items()}

    def _stands_without(self, cause: str, corrections: Corrections, asked: Ints) -> Flags:
        """Whether each of the corrections asked for would be made as a whole without that kind of news."""
        if not len(asked):
            return np.empty(0, np.bool_)
        key = corrections.key[asked]
        made = self._made(self._without(cause), key)
        index = search(made.key, made.from_at, key, corrections.from_at[asked], "right") - 1
        nearest = Corrections(*(np.append(column, 0)[index] for column in made))
        stands: Flags = (index >= 0) & (nearest.key == key) & (nearest.member == corrections.member[asked])
        return stands & (nearest.until_at >= corrections.until_at[asked])

    def _made(self, state: State, key: Ints) -> Corrections:
        """The corrections that would be made about the subjects of the keys, were this the state."""
        who = np.unique(subject_of(key))
        study = Study.of(self.program, state, who, self.moment, answered=True)
        held = self.held.take(np.isin(subject_of(self.held.key), who))
        fresh = thought(self.program, state, study, held, self.closes)
        return differ(held, fresh, self.moment.last_at, self.moment.at).corrections

    def _without(self, cause: str) -> State:
        """The state with the facts of a kind as they were known before."""
        return replace(self.after, facts={**self.after.facts, **{name: self._known(name) for name in _KINDS[cause]}})

    def _known(self, kind: str) -> pa.Table:
        rows = self.before.facts[kind]
        return rows.filter(pa.array(ints(rows["received_at"], 0) <= self.moment.known_before))

    def _before(self, **facts: pa.Table) -> State:
        """The state as it was known before, but for these facts."""
        return replace(self.after, facts={**{name: self._known(name) for name in self.before.facts}, **facts})

    def _restricted(self) -> pa.Table:
        """The ledger as it was known before, and what restricts of its new rows. One row twice is one row."""
        rows = self.after.facts["consents"]
        restricts = codes(rows["action"], RESTRICTIVE) >= 0
        restricts |= codes(rows["payload_kind"], ("snapshot",)) >= 0  # it withdraws what it leaves out
        both = joined(self._known("consents"), rows.filter(pa.array(restricts)))
        return both.take(pa.array(np.argsort(both[WHO].to_numpy(), kind="stable")))
