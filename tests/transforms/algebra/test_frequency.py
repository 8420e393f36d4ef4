"""How often each value occurs, and how frequent the most frequent is over time."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.frequency import by_frequency, frequency_levels
from transforms.algebra.reduce import Contributions

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 6), st.integers(1, 4)), max_size=12)


@given(ROWS)
def test_as_many_rows_count_as_the_most_frequent_value_has(rows: list[tuple[int, int, int, int]]) -> None:
    rows = sorted(rows)
    who, value, start, length = (np.array([row[place] for row in rows], np.int64) for place in range(4))
    levels = frequency_levels(Contributions(who, start, start + length), value)
    for one in range(3):
        for at in range(12):
            there = Counter(row[1] for row in rows if row[0] == one and row[2] <= at < row[2] + row[3])
            count = np.sum((levels.who == one) & (levels.start <= at) & (at < levels.stop))
            assert count == max(there.values(), default=0)


def test_equally_frequent_values_come_in_their_own_order() -> None:
    row, place = by_frequency(np.array([0, 0, 0, 1]), pa.array(["b", "a", "c", "z"]))
    assert [(index, rank) for index, rank in zip(row.tolist(), place.tolist(), strict=True)] == [(1, 0), (0, 1), (2, 2), (3, 0)]
