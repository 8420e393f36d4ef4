"""The belief of a state, of which a step reads and replaces the part about some subjects."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.algebra.belief import Belief, keyed, segment_of, subject_of
from transforms.algebra.by_subject import replaced, rows_of
from transforms.algebra.claims import ints
from transforms.algebra.order import FOREVER, Flags, Ints, in_turn
from transforms.algebra.state import BELIEF, State


def believed(state: State, who: Ints) -> Belief:
    """What is believed of subjects (rising numbers)."""
    belief = state.belief if len(who) == state.count else state.belief.take(pa.array(rows_of(state.belief, who)[0]))
    return _keyed(belief)


def falling_due(state: State, seen: Flags, at: int) -> Belief:
    """All of what is believed of the subjects not seen whose answers turn up to T."""
    return believed(state, np.flatnonzero((ints(state.subjects["turns_at"], FOREVER) <= at) & ~seen))


def rethought(state: State, who: Ints, fresh: Belief, at: int) -> State:
    """The state at T with a fresh belief about some subjects."""
    owner = subject_of(fresh.key).astype(np.int32)
    index = in_turn(owner)
    columns = (segment_of(fresh.key).astype(np.int16), owner, fresh.at, fresh.member)
    rows = pa.Table.from_arrays([pa.array(column[index]) for column in columns], schema=BELIEF)
    return awaiting(replace(state, belief=replaced(state.belief, who, rows)), who, fresh, at)


def awaiting(state: State, who: Ints, belief: Belief, at: int) -> State:
    """The state at T that knows when the answers turn next about some subjects, by all that is believed of them."""
    turns_at = ints(state.subjects["turns_at"], FOREVER).copy()
    turns_at[who] = FOREVER
    later = belief.at > at
    np.minimum.at(turns_at, subject_of(belief.key[later]), belief.at[later])
    return state.with_instants(turns_at=turns_at)


def _keyed(belief: pa.Table) -> Belief:
    """By (segment, subject, instant), from rows by (subject, segment, instant)."""
    segment, who, at, member = (belief[name].to_numpy() for name in BELIEF.names)
    index = in_turn(segment)
    return Belief(keyed(segment, who)[index], at[index], member[index])
