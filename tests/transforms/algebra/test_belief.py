import numpy as np

from transforms.algebra.belief import Belief, differ

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
