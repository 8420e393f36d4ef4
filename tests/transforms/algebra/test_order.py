"""Pairs of subject and instant packed into one number are ordered and found as the pairs are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.order import (
    BEGINNING,
    FOREVER,
    different,
    firsts_of,
    in_turn,
    largest,
    last_of_each,
    lasts_of,
    latest_over,
    order,
    running,
    search,
    settle,
    spread,
    stable_order,
    value_at,
)

DAY = 86_400_000_000
FAR = (1 << 62) - 1
NEAR = (BEGINNING, -FAR, -DAY, -1, 0, 1, 2, DAY, DAY + 1, FAR, FOREVER)
EARLY = (BEGINNING, BEGINNING + 1, BEGINNING + 4, BEGINNING + 9, FOREVER)
LATE = (BEGINNING, FOREVER - 9, FOREVER - 4, FOREVER - 1, FOREVER)
"""Where there is hardly room beside an instant."""
PAIRS = st.one_of(
    *(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(some)), max_size=20) for some in (NEAR, EARLY, LATE))
)


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


@pytest.mark.parametrize("span", range(36))
def test_instants_beyond_all_that_are_there_belong_to_nobody_else_however_far_those_reach(span: int) -> None:
    pairs = [(who, at) for who in range(3) for at in (BEGINNING, 0, span, FOREVER)]
    sought = [(who, at) for who in range(3) for at in (BEGINNING, -9, -1, 0, span, span + 1, span + 9, FOREVER)]
    for known in (pairs, [pair for pair in pairs if pair[1] not in (BEGINNING, FOREVER)]):
        left, right = (search(*columns(known), *columns(sought), side).tolist() for side in ("left", "right"))  # type: ignore[arg-type]
        assert left == [sum(pair < one for pair in known) for one in sought]
        assert right == [sum(pair <= one for pair in known) for one in sought]


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


OWNED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=12).map(sorted)


@given(OWNED, st.integers(0, 3))
def test_the_first_and_the_last_rows_of_each_are_so_many(rows: list[tuple[int, int, bool]], most: int) -> None:
    who, kind, among = (np.array([row[place] for row in rows], kinds) for place, kinds in enumerate((int, int, bool)))
    of_each = [[n for n, row in enumerate(rows) if row[0] == one] for one in range(4)]
    assert np.flatnonzero(firsts_of(who, most)).tolist() == [n for mine in of_each for n in mine[:most]]
    assert np.flatnonzero(lasts_of(who, most)).tolist() == [n for mine in of_each for n in mine[::-1][:most][::-1]]
    latest = {row[:2]: n for n, row in enumerate(rows) if row[2]}
    assert np.flatnonzero(last_of_each(who, kind, among)).tolist() == sorted(latest.values())


@pytest.mark.parametrize("largest_number", [0, 3, 65_535, 65_536, 131_072, 1 << 40])
def test_numbers_are_put_in_turn_however_large_the_largest_is(largest_number: int) -> None:
    numbers = [largest_number, 1, 0, largest_number, 2, 0]
    assert in_turn(np.array(numbers)).tolist() == sorted(range(6), key=lambda place: numbers[place])
    assert in_turn(np.empty(0, np.int64)).tolist() == []


TURNS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 2)), max_size=12).map(
    lambda rows: sorted(rows, key=lambda row: row[:2])
)


@given(TURNS, st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_the_last_row_of_an_instant_is_in_force_until_the_next(rows: list[tuple[int, int, int]], initial: list[int]) -> None:
    who, at, value = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    steps = settle(who, at, value, np.array(initial))
    for one in range(3):
        for instant in range(-1, 7):
            told = [row[2] for row in rows if row[0] == one and row[1] <= instant]
            assert value_at(steps, np.array([one]), np.array([instant])).tolist() == [([initial[one], *told])[-1]]
        values = [initial[one], *steps.value[steps.who == one].tolist()]
        assert all(now != then for now, then in pairwise(values))


@given(TURNS)
def test_sums_run_within_each(rows: list[tuple[int, int, int]]) -> None:
    who, _, weight = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    sums = [sum(row[2] for row in rows[: n + 1] if row[0] == rows[n][0]) for n in range(len(rows))]
    assert running(who, weight).tolist() == sums


@given(RANGES)
def test_ranges_are_told_place_by_place(ranges: list[list[int]]) -> None:
    low, high = (np.array([one[end] for one in ranges], np.int64) for end in (0, 1))
    told = [(n, place) for n, (begin, end) in enumerate(ranges) for place in range(begin, end)]
    assert list(zip(*(column.tolist() for column in spread(low, high)), strict=True)) == told
    assert spread(high, low)[0].tolist() == []
