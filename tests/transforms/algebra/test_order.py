"""Pairs of subject and instant packed into one number are ordered and found as the pairs are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.order import BEGINNING, FOREVER, different, largest, latest_over, order, search, stable_order

DAY = 86_400_000_000
FAR = (1 << 62) - 1
INSTANTS = st.sampled_from((BEGINNING, -FAR, -DAY, -1, 0, 1, 2, DAY, DAY + 1, FAR, FOREVER))
PAIRS = st.lists(st.tuples(st.integers(0, 3), INSTANTS), max_size=20)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    who, at = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(who, np.int64), np.array(at, np.int64)


@given(PAIRS)
def test_pairs_are_sorted_and_equal_ones_stay_as_they_came(pairs: list[tuple[int, int]]) -> None:
    index = stable_order(*columns(pairs)).tolist()
    assert index == sorted(range(len(pairs)), key=lambda row: pairs[row])
    assert [pairs[row] for row in order(*columns(pairs))] == sorted(pairs)


@given(PAIRS, PAIRS)
def test_a_pair_belongs_behind_all_that_are_smaller(pairs: list[tuple[int, int]], sought: list[tuple[int, int]]) -> None:
    known = columns(sorted(pairs))
    left, right = (search(*known, *columns(sought), side).tolist() for side in ("left", "right"))  # type: ignore[arg-type]
    assert left == [sum(pair < one for pair in pairs) for one in sought]
    assert right == [sum(pair <= one for pair in pairs) for one in sought]


RANGES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), max_size=12)


@given(RANGES)
def test_the_last_range_that_holds_a_place_is_found(ranges: list[list[int]]) -> None:
    low, high = (np.array([one[end] for one in ranges], np.int64) for end in (0, 1))
    holding = [[n for n, (begin, end) in enumerate(ranges) if begin <= place < end] for place in range(20)]
    assert latest_over(low, high, 20).tolist() == [max(numbers, default=-1) for numbers in holding]


@given(st.lists(st.integers(-5, 5), max_size=20), RANGES)
def test_the_largest_value_of_a_range_is_found(values: list[int], ranges: list[list[int]]) -> None:
    inside = [(min(low, len(values)), min(high, len(values))) for low, high in ranges]
    low, high = (np.array([one[end] for one in inside], np.int64) for end in (0, 1))
    expected = [max(values[begin:end], default=-9) for begin, end in inside]
    assert largest(np.array(values, np.int64), low, high, -9).tolist() == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_different_values_come_once_each_and_rising(values: list[int]) -> None:
    assert different(np.array(values, np.int64)).tolist() == sorted(set(values))
