"""What retention has removed from the warehouse goes from states, too: they tell answers from the horizon on."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.absorb import with_subjects
from transforms.algebra.belief import Belief, keyed, subject_of
from transforms.algebra.believed import rethought
from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import coded, referred, whole
from transforms.algebra.columns import value_name
from transforms.algebra.folding import since
from transforms.algebra.order import BEGINNING, Flags, Ints, order
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State

STANDING = pa.schema([("segment", pa.string()), ("subject", pa.string()), ("at", pa.int64()), ("member", pa.bool_())])
"""The transitions that were published of before the horizon."""
NOBODY = STANDING.empty_table()


def tells_too_much(program: Program, state: State, moment: Moment) -> bool:
    """Whether a state may tell answers that can not be computed any more, or holds what is gone from the warehouse."""
    return _reaches_back(state, moment) or _holds_what_is_gone(program, state.facts["events"], moment.gone_before_at)


def without_what_is_gone(program: Program, state: State, moment: Moment) -> State:
    """The state without the events that are gone; of each subject what was known of it first stays, as a mark."""
    if not tells_too_much(program, state, moment):
        return state
    state = replace(state, facts={**state.facts, "events": _left(program, state.facts["events"], moment.gone_before_at)})
    return told_from_horizon(without_record(state, state.floors < moment.horizon_at, moment), moment)


def without_record(state: State, some: Flags, moment: Moment) -> State:
    """The state that believes of some, of before the horizon, only the memberships that last until then."""
    return replace(state, belief=since(state, np.flatnonzero(some), moment.horizon_at)) if some.any() else state


def told_from_horizon(state: State, moment: Moment) -> State:
    """The state that tells nobody's answers before the horizon."""
    if not _reaches_back(state, moment):
        return state
    return state.with_instants(
        floor_at=np.maximum(state.floors, moment.horizon_at), cut_at=np.maximum(_cuts(state), moment.gone_to_at)
    )


def with_standing(program: Program, state: State, standing: pa.Table) -> State:
    """The state that believes of subjects what was published of before the horizon."""
    if not len(standing):
        return state
    ids = whole(standing["subject"])
    unknown = pc.unique(ids.filter(pc.invert(pc.is_in(ids, value_set=state.ids))))
    state = with_subjects(state, unknown) if len(unknown) else state
    place = pc.index_in(whole(standing["segment"]), value_set=pa.array(program.segments, pa.string()))
    key = keyed(ints(place, 0), ints(pc.index_in(ids, value_set=state.ids), 0))
    at = ints(standing["at"], 0)
    index = order(key, at)
    belief = Belief(key[index], at[index], np.asarray(standing["member"]).astype(np.bool_)[index])
    return rethought(state, np.unique(subject_of(key)), belief, BEGINNING)


def _reaches_back(state: State, moment: Moment) -> bool:
    """Whether a state may tell somebody's answers before the horizon, or takes events for there that are gone."""
    return bool((state.floors < moment.horizon_at).any() or (_cuts(state) < moment.gone_to_at).any())


def _cuts(state: State) -> Ints:
    return ints(state.subjects["cut_at"], BEGINNING)


def _holds_what_is_gone(program: Program, events: pa.Table, gone_before_at: int) -> bool:
    """Whether events are there that are gone: whoever has a later floor may have kept marks with all that they say."""
    is_gone, is_mark = _gone(events, gone_before_at)
    if (is_gone & ~is_mark).any():
        return True
    marks = pa.array(np.flatnonzero(is_mark))
    if any(pc.any(events[name].take(marks)).as_py() for name in program.projection.predicates):
        return True
    return any(events[name].take(marks).null_count < len(marks) for name in _values(program))


def _gone(events: pa.Table, gone_before_at: int) -> tuple[Flags, Flags]:
    """Which events are gone, and which of these stay as marks: each that was received before all that come before it.

    By whatever K, the first that is seen of a subject is one of them.
    """
    is_gone = ints(events["occurred_at"], 0) < gone_before_at
    rows = np.flatnonzero(is_gone)
    who, received_at = ints(events[WHO], 0)[rows], ints(events["received_at"], 0)[rows]
    _, rank = np.unique(received_at, return_inverse=True)
    falling = rank - who * len(rows)  # subjects rise: whoever comes later is below all before
    is_mark = is_gone.copy()
    is_mark[rows[1:]] = falling[1:] < np.minimum.accumulate(falling)[:-1]
    return is_gone, is_mark


def _left(program: Program, events: pa.Table, gone_before_at: int) -> pa.Table:
    """The events that are left; the marks say no more than when somebody was heard of first."""
    is_gone, is_mark = _gone(events, gone_before_at)
    stays = ~is_gone | is_mark
    rows, is_mark = referred(events.filter(pa.array(stays))), is_mark[stays]
    for place, name in enumerate(rows.column_names):
        if name in program.projection.predicates:
            rows = rows.set_column(place, name, pa.array(np.asarray(rows[name]).astype(np.bool_) & ~is_mark))
        elif name in _values(program):
            rows = rows.set_column(place, name, _without(rows[name], is_mark))
    return rows


def _values(program: Program) -> set[str]:
    """The columns that hold properties: an event's name is none."""
    return {value_name(name) for name in program.projection.columns if name != "event"}


def _without(column: pa.ChunkedArray, gone: Flags) -> pa.Array:
    """The column with nothing in some rows, and without the texts that stood there."""
    values = whole(column).take(pa.array(np.arange(len(gone)), mask=gone))
    return coded(values.dictionary_decode()) if pa.types.is_dictionary(values.type) else values
