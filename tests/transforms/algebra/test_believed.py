"""What a state believes is read and replaced subject by subject, and it knows whose answers turn next."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.algebra.belief import Belief, keyed
from transforms.algebra.believed import awaiting, believed, falling_due, rethought
from transforms.algebra.order import FOREVER
from transforms.algebra.state import BASES, BELIEF, SUBJECTS, State

COUNT = 6
NEVER = np.full(COUNT, FOREVER)
SUBJECT = st.integers(0, COUNT - 1)
TURNS = st.lists(st.tuples(st.integers(0, 2), SUBJECT, st.integers(0, 9)), unique=True, max_size=20).map(sorted)


def unthinking() -> State:
    """A state that believes nothing of a few subjects."""
    ids = pa.array([str(number) for number in range(COUNT)])
    subjects = pa.table([ids, NEVER, NEVER, NEVER, -NEVER, -NEVER], schema=SUBJECTS)
    nothing = {name: pa.table({}) for name in ("features", "verdicts", "lifecycles")}
    return State(subjects=subjects, facts={}, bases=BASES.empty_table(), belief=BELIEF.empty_table(), **nothing)


def belief(turns: list[tuple[int, int, int]]) -> Belief:
    segment, who, at = np.array(turns, np.int64).reshape(-1, 3).T
    return Belief(keyed(segment, who), at, at % 2 == 0)


def rows(found: Belief) -> list[list[int]]:
    return [column.tolist() for column in found]


@settings(deadline=None)
@given(TURNS, TURNS, st.sets(SUBJECT))
def test_a_fresh_belief_takes_the_place_of_what_was_believed_of_the_same_subjects(
    old: list[tuple[int, int, int]], new: list[tuple[int, int, int]], others: set[int]
) -> None:
    """Also where nothing is believed of one any more."""
    who = sorted({turn[1] for turn in new} | others)
    state = rethought(unthinking(), np.arange(COUNT), belief(old), -1)
    state = rethought(state, np.array(who, np.int64), belief(new), -1)
    expected = sorted([turn for turn in old if turn[1] not in who] + new)
    assert rows(believed(state, np.arange(COUNT))) == rows(belief(expected))
    assert rows(believed(state, np.array(who, np.int64))) == rows(belief(new))


@pytest.mark.parametrize(("at", "due"), [(3, []), (4, [1]), (8, [1, 2])])
def test_answers_fall_due_at_their_next_turn_and_not_before(at: int, due: list[int]) -> None:
    state = rethought(unthinking(), np.arange(COUNT), belief([(0, 1, 2), (0, 1, 4), (1, 2, 8)]), 3)
    seen = np.zeros(COUNT, np.bool_)
    found = falling_due(state, seen, at)
    assert sorted(set((found.key & 0xFFFF).tolist())) == due
    seen[1] = True
    assert not (falling_due(state, seen, at).key & 0xFFFF == 1).any()
    assert not len(falling_due(awaiting(state, np.array(due, np.int64), found, at), seen, at).key)


def test_a_state_without_subjects_believes_nothing() -> None:
    nobody = replace(unthinking(), subjects=SUBJECTS.empty_table())
    assert rows(believed(nobody, np.empty(0, np.int64))) == [[], [], []]
