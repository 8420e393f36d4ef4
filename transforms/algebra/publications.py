"""Beliefs as the tables that are published, with names instead of numbers."""

import numpy as np
import pyarrow as pa

from transforms.algebra.belief import Belief, Corrections, segment_of, standing_at, subject_of
from transforms.algebra.causes import Exposed
from transforms.algebra.coded import indices, listed
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Program
from transforms.algebra.state import State

INSTANT = pa.timestamp("us", "UTC")


class Publications:
    """Writes beliefs as tables with names in them; segments that are not published are left out."""

    def __init__(self, program: Program, state: State) -> None:
        self.program, self.ids = program, state.ids
        self.names = pa.array(program.segments, pa.string())
        self.versions = np.array([program.versions[name] for name in program.segments], np.int32)
        self.purposes = program.purposes.dictionary_encode()

    def _shown(self, key: Ints) -> Flags:
        return self.program.published[segment_of(key)]

    def _keys(self, key: Ints) -> dict[str, pa.Array]:
        segment = segment_of(key)
        return {
            "segment": listed(segment, self.names),
            "version": pa.array(self.versions[segment]),
            "subject": listed(subject_of(key), self.ids),
        }

    def transitions(self, belief: Belief) -> pa.Table:
        """New transitions."""
        belief = self._published(belief)
        place = indices(self.purposes, -1)[segment_of(belief.key)]
        purpose = listed(place, self.purposes.dictionary)
        return pa.table(
            {**self._keys(belief.key), "at": _instants(belief.at), "member": belief.member, "purpose": purpose}
        )

    def closings(self, belief: Belief) -> pa.Table:
        """Transitions that are no longer believed."""
        belief = self._published(belief)
        return pa.table({**self._keys(belief.key), "at": _instants(belief.at)})

    def changes(self, belief: Belief, reason: pa.Array) -> pa.Table:
        """An entry or exit for each transition."""
        reason = reason if self.program.published.all() else reason.filter(pa.array(self._shown(belief.key)))
        belief = self._published(belief)
        kinds = listed(belief.member, pa.array(["exited", "entered"]))
        nothing = pa.nulls(len(belief.key), INSTANT)
        return self._changes(belief.key, kinds, _instants(belief.at), nothing, belief.member, reason)

    def _published(self, belief: Belief) -> Belief:
        return belief if self.program.published.all() else belief.take(self._shown(belief.key))

    def corrected(self, corrections: Corrections, reason: pa.Array) -> pa.Table:
        """A correction for each interval."""
        shown = self._shown(corrections.key)
        key, from_at = corrections.key[shown], corrections.from_at[shown]
        until_at, member = corrections.until_at[shown], corrections.member[shown]
        kinds = listed(np.zeros(len(key), np.int64), pa.array(["corrected"]))
        until = _instants(until_at)
        return self._changes(key, kinds, _instants(from_at), until, member, reason.filter(pa.array(shown)))

    def exposed(self, corrections: Corrections, exposed: Exposed) -> pa.Table:
        """The corrections that a restriction alone would have made, and since when it was so."""
        shown = self._shown(corrections.key[exposed.of])
        of, since_at = exposed.of[shown], exposed.since_at[shown]
        told = {"effective_at": _instants(corrections.from_at[of]), "wrong_since_at": _instants(since_at)}
        return pa.table({**self._keys(corrections.key[of]), **told})

    def _changes(
        self, key: Ints, kind: pa.Array, at: pa.Array, until_at: pa.Array, member: Flags, reason: pa.Array
    ) -> pa.Table:
        said = {"kind": kind, "effective_at": at, "until_at": until_at, "member": member, "reason": reason}
        return pa.table({**self._keys(key), **said})

    def upcoming(self, belief: Belief, at: int) -> pa.Table:
        """The next flip of the members at T."""
        keys, following = standing_at(belief, at)
        shown = self._shown(keys)
        return pa.table({**self._keys(keys[shown]), "next_transition_at": _instants(following[shown])})


def _instants(at: Ints) -> pa.Array:
    """Microseconds as timestamps; the end of time is null."""
    return pa.array(at, mask=at == FOREVER).cast(INSTANT)
