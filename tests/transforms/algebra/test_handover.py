"""Of many the latest, or the earliest, counts at a time: whatever order their windows end in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.handover import Standing, handover, takeover
from transforms.algebra.reduce import Contributions

Row = tuple[int, int, int, int]
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(1, 5), st.integers(0, 1)), max_size=9)


def contributions(rows: list[Row]) -> tuple[Contributions, np.ndarray]:
    """Rows of (who, start, length, value), in the order of their starts."""
    who, start, length, value = (np.array([row[place] for row in rows], np.int64) for place in range(4))
    return Contributions(who, start, start + length), value


def counting(standing: Standing, at: int) -> list[int]:
    """Which rows count at an instant."""
    rows = standing.rows
    of = np.arange(len(rows.who)) if standing.of is None else standing.of
    return sorted(of[(rows.start <= at) & (at < rows.stop)].tolist())


def covering(rows: list[Row], at: int) -> list[int]:
    return [index for index, (_, start, length, _) in enumerate(rows) if start <= at < start + length]


@given(ROWS)
def test_of_each_value_the_latest_that_counts_does(rows: list[Row]) -> None:
    rows = sorted(rows)
    standing = handover(*contributions(rows))
    for at in range(12):
        there = covering(rows, at)
        latest = {(rows[index][0], rows[index][3]): index for index in there}
        assert counting(standing, at) == sorted(latest.values())


@given(ROWS)
def test_of_each_subject_the_earliest_that_counts_does(rows: list[Row]) -> None:
    rows = sorted(rows)
    standing = takeover(contributions(rows)[0])
    for at in range(12):
        earliest = {rows[index][0]: index for index in reversed(covering(rows, at))}
        assert counting(standing, at) == sorted(earliest.values())
