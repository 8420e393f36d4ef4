"""Sessions, and what lies since the last anchor (semantics 2)."""

import numpy as np

from transforms.algebra.anchors import anchored, session_ends
from transforms.algebra.order import FOREVER

ALONE = np.zeros(4, np.int64)


def test_a_silence_of_exactly_the_gap_goes_on_with_the_session() -> None:
    assert session_ends(ALONE, np.array([0, 10, 20, 31]), 10).tolist() == [30, 30, 30, 41]


def test_a_microsecond_more_begins_another() -> None:
    assert session_ends(ALONE[:2], np.array([0, 11]), 10).tolist() == [10, 21]


def test_sessions_end_with_their_subject() -> None:
    assert session_ends(np.array([0, 0, 1]), np.array([0, 5, 6]), 10).tolist() == [15, 15, 16]


def test_an_event_counts_until_the_next_anchor_after_it() -> None:
    anchors = np.array([10, 20, 30])
    found = anchored(ALONE[:3], anchors, ALONE[:3], np.array([12, 20, 35]), None)
    assert found.tolist() == [20, 30, FOREVER]


def test_before_the_first_anchor_nothing_counts() -> None:
    assert anchored(ALONE[:1], np.array([10]), ALONE[:1], np.array([9]), None).tolist() == [9]


def test_anothers_anchor_is_none() -> None:
    assert anchored(np.array([0, 2]), np.array([10, 10]), np.array([1]), np.array([20]), None).tolist() == [20]


def test_an_event_counts_no_longer_than_its_anchor() -> None:
    assert anchored(ALONE[:1], np.array([10]), ALONE[:1], np.array([15]), 7).tolist() == [17]
