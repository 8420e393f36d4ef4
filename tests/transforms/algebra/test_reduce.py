"""Contributions that come and go become step functions."""

import numpy as np
import pytest

from transforms.algebra.order import FALSE, TRUE, Ints
from transforms.algebra.pending import reaches, settled
from transforms.algebra.reduce import Contributions


def rows(number: int) -> Contributions:
    """So many events of one subject, a microsecond apart, that count for ten."""
    at: Ints = np.arange(number)
    return Contributions(at * 0, at, at + 10)


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("threshold", range(1, 9))
def test_a_count_is_reached_at_its_last_event_or_not_at_all(number: int, threshold: int) -> None:
    """However many fewer there are in the whole shard."""
    steps = settled(reaches(rows(number), threshold), 1)
    reached = number >= threshold
    assert steps.at.tolist() == ([threshold - 1, number - threshold + 10] if reached else [])
    assert steps.value.tolist() == ([TRUE, FALSE] if reached else [])
    assert steps.initial.tolist() == [FALSE]


def test_windows_that_do_not_end_in_the_order_in_which_they_began_are_counted_all_the_same() -> None:
    """As the days of a subject that moves to where the day ends earlier."""
    both = Contributions(np.zeros(2, np.int64), np.array([0, 5]), np.array([30, 20]))
    assert settled(reaches(both, 1), 1).at.tolist() == [0, 30]
    assert settled(reaches(both, 2), 1).at.tolist() == [5, 20]
    assert settled(reaches(both, 2, negated=True), 1).initial.tolist() == [TRUE]
