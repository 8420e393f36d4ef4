"""The belief of a state, of which a step reads and replaces the part about some subjects."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.algebra.belief import Belief
from transforms.algebra.by_subject import replaced, rows_of
from transforms.algebra.claims import WHO
from transforms.algebra.order import Flags, Ints, in_turn
from transforms.algebra.state import BELIEF, State


def believed(state: State, who: Ints) -> Belief:
    """What is believed of subjects (rising numbers)."""
    belief = state.belief if len(who) == state.count else state.belief.take(pa.array(rows_of(state.belief, who)[0]))
    return _keyed(belief, state.count)


def falling_due(state: State, seen: Flags, last_at: int, at: int) -> Belief:
    """The transitions after the last T and up to T, of the subjects not seen."""
    instants = state.belief["at"].to_numpy()
    rows = np.flatnonzero((instants > last_at) & (instants <= at))
    rows = rows[~seen[state.belief[WHO].to_numpy()[rows]]]
    return _keyed(state.belief.take(pa.array(rows)), state.count)


def rethought(state: State, who: Ints, fresh: Belief) -> State:
    """The state with a fresh belief about some subjects."""
    segment, owner = np.divmod(fresh.key, max(state.count, 1))
    index = in_turn(owner)
    columns = (segment.astype(np.int16), owner.astype(np.int32), fresh.at, fresh.member)
    rows = pa.Table.from_arrays([pa.array(column[index]) for column in columns], schema=BELIEF)
    return replace(state, belief=replaced(state.belief, who, rows))


def _keyed(belief: pa.Table, count: int) -> Belief:
    """By (segment, subject, instant), from rows by (subject, segment, instant)."""
    segment, who, at, member = (belief[name].to_numpy() for name in BELIEF.names)
    index = in_turn(segment)
    return Belief((segment.astype(np.int64) * count + who)[index], at[index], member[index])
