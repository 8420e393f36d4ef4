import numpy as np

from transforms.algebra.order import BEGINNING, FOREVER, Steps, constant
from transforms.algebra.pieces import Pieces, meetings, next_within, pieces


def ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_a_step_function_covers_all_time_in_pieces() -> None:
    cut = pieces(Steps(ints(1, 1), ints(10, 20), ints(7, 8), ints(5, 6)))
    assert list(zip(*(each.tolist() for each in cut), strict=True)) == [
        (0, BEGINNING, FOREVER, 5),
        (1, BEGINNING, 10, 6),
        (1, 10, 20, 7),
        (1, 20, FOREVER, 8),
    ]


def test_a_constant_is_one_piece() -> None:
    assert pieces(constant(ints(3))).from_at.tolist() == [BEGINNING]


def test_the_next_instant_is_one_of_the_same_subject() -> None:
    assert next_within(ints(0, 0, 1), ints(5, 9, 2)).tolist() == [9, FOREVER, FOREVER]


def test_pieces_meet_where_they_share_an_instant() -> None:
    others = Pieces(ints(0, 0, 1), ints(0, 10, 0), ints(10, 20, 99), ints(0, 0, 0))
    mine, theirs = meetings(ints(0, 0, 0, 1), ints(0, 10, 20, 50), ints(10, 11, 30, 60), others)
    assert (mine.tolist(), theirs.tolist()) == ([0, 1, 3], [0, 1, 2])


def test_nothing_meets_nothing() -> None:
    nobody = Pieces(ints(), ints(), ints(), ints())
    assert [len(each) for each in meetings(ints(0), ints(0), ints(1), nobody)] == [0, 0]
