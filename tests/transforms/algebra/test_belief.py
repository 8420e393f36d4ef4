import numpy as np
import pytest

from transforms.algebra.belief import Belief, differ, standing_at
from transforms.algebra.order import FOREVER

NOBODY = Belief(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))


def turns(*at: int) -> Belief:
    """One key that turns at these instants, a member first."""
    return Belief(np.zeros(len(at), np.int64), np.array(at), np.arange(len(at)) % 2 == 0)


def announced(old: Belief, new: Belief, last_at: int, at: int) -> list[tuple[int, int | None, bool]]:
    found = differ(old, new, last_at, at)
    corrected = [(int(a), int(b), bool(m)) for _, a, b, m in zip(*found.corrections, strict=True)]
    return corrected + [(int(a), None, bool(m)) for _, a, m in zip(*found.news, strict=True)]


def test_a_correction_that_reaches_t_is_told_by_one_row() -> None:
    assert announced(NOBODY, turns(5), 10, 10) == [(5, 10, True)]
    assert announced(NOBODY, turns(5, 11), 10, 10) == [(5, 10, True)]


def test_a_correction_that_ends_at_t_itself_is_followed_by_its_turn() -> None:
    assert announced(NOBODY, turns(5, 10), 10, 10) == [(5, 10, True), (10, None, False)]


def test_a_turn_at_t_that_is_a_correction_of_its_own_is_told_once() -> None:
    assert announced(turns(10), turns(5, 10), 10, 10) == [(5, 10, True), (10, 10, False)]


def test_a_correction_that_reached_the_last_t_and_turns_at_the_next_is_told_once() -> None:
    assert announced(NOBODY, turns(5, 20), 10, 20) == [(5, 20, True), (20, None, False)]


def test_a_membership_that_both_believe_stays_where_another_of_the_subject_changes() -> None:
    found = differ(turns(5, 10, 20), turns(5, 10, 25), 30, 30)
    assert (found.closings.at.tolist(), found.inserts.at.tolist()) == ([20], [25])


def test_what_is_told_of_one_says_nothing_of_the_next() -> None:
    """The last turn of one, and the first of the next, stay apart: who stays a member does so for ever."""
    old = Belief(np.array([0, 1, 1]), np.array([5, 7, 9]), np.array([True, True, False]))
    new = Belief(np.array([0, 0, 1, 1]), np.array([5, 8, 7, 9]), np.array([True, False, True, False]))
    found = differ(old, new, 10, 10)
    assert [column.tolist() for column in found.corrections] == [[0], [8], [10], [False]]
    assert [column.tolist() for column in found.closings[:2]] == [[0], [5]]
    assert [column.tolist() for column in found.inserts] == [[0, 0], [5, 8], [True, False]]


@pytest.mark.parametrize(
    ("at", "standing"), [(4, []), (5, [(0, 8)]), (7, [(0, 8), (1, FOREVER)]), (8, [(1, FOREVER)]), (9, [(1, FOREVER), (2, 12)])]
)
def test_who_is_a_member_at_an_instant_is_told_with_the_next_turn(at: int, standing: list[tuple[int, int]]) -> None:
    belief = Belief(np.array([0, 0, 1, 2, 2]), np.array([5, 8, 6, 9, 12]), np.array([True, False, True, True, False]))
    assert list(zip(*(column.tolist() for column in standing_at(belief, at)), strict=True)) == standing
