"""Chains against every assignment of events to steps: where matches end, and when they began at the latest (5.9)."""

from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.algebra.chains import NEVER, Instants, Pattern, latest_starts, starts_of_several
from transforms.algebra.order import FOREVER, firsts


class Row(NamedTuple):
    """An event: of which key, when, which steps it could serve as bits, and whether a chain may not pass over it."""

    key: int
    at: int
    steps: int
    forbids: bool = False


def instants(rows: list[Row]) -> Instants:
    rows = sorted(rows)
    key, at = np.array([row.key for row in rows]), np.array([row.at for row in rows])
    begins = firsts(key, at)
    where, steps = np.cumsum(begins) - 1, np.array([row.steps for row in rows])
    return Instants(key[begins], at[begins], where, steps, np.array([row.forbids for row in rows], np.bool_))


def matches(rows: list[Row], pattern: Pattern) -> Iterator[tuple[Row, ...]]:
    """Every assignment of different events of one key to the steps that is allowed, in the order of time."""
    for chosen in permutations(range(len(rows)), pattern.count):
        match = [rows[index] for index in chosen]
        serves = all(row.steps >> bit & 1 for bit, row in enumerate(match))
        ordered = match if pattern.listed else sorted(match, key=lambda row: row.at)
        first, last = ordered[0], ordered[-1]
        others = [row for index, row in enumerate(rows) if index not in chosen and row.key == first.key and row.forbids]
        if (
            serves
            and len({row.key for row in match}) == 1
            and all(0 <= b.at - a.at <= pattern.gap for a, b in pairwise(ordered))
            and last.at - first.at <= pattern.within
            and not any(first.at < row.at < last.at for row in others)
        ):
            yield tuple(ordered)


def by_trying(rows: list[Row], pattern: Pattern) -> dict[tuple[int, int], int]:
    """The latest beginning of a match for each (key, at) at which one ends."""
    found: dict[tuple[int, int], int] = {}
    for match in matches(rows, pattern):
        end = match[-1].key, match[-1].at
        found[end] = max(found.get(end, NEVER), match[0].at)
    return found


def by_chains(rows: list[Row], pattern: Pattern) -> dict[tuple[int, int], int]:
    given_rows = instants(rows)
    began = latest_starts(given_rows, pattern)
    ends = zip(given_rows.key.tolist(), given_rows.at.tolist(), began.tolist(), strict=True)
    return {(key, at): start for key, at, start in ends if start != NEVER}


ROWS = st.builds(Row, st.integers(0, 1), st.integers(0, 5), st.integers(1, 7), st.booleans())
SPANS = st.one_of(st.just(FOREVER), st.integers(0, 5))


@settings(max_examples=400, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=7), st.integers(2, 3), st.booleans(), SPANS, SPANS)
def test_the_latest_match_of_each_instant_is_found(rows: list[Row], count: int, listed: bool, gap: int, within: int) -> None:
    pattern = Pattern(count, listed, gap, within)
    assert by_chains(rows, pattern) == by_trying(rows, pattern)


SOUGHT = st.tuples(st.lists(ROWS, min_size=1, max_size=7), SPANS, SPANS)


@settings(deadline=None)
@given(st.lists(SOUGHT, min_size=1, max_size=4), st.integers(2, 3), st.booleans())
def test_patterns_that_are_sought_together_are_found_as_each_alone(
    several: list[tuple[list[Row], int, int]], count: int, listed: bool
) -> None:
    sought = [(instants(rows), Pattern(count, listed, gap, within)) for rows, gap, within in several]
    alone = [latest_starts(*one).tolist() for one in sought]
    assert [began.tolist() for began in starts_of_several(sought)] == alone


@pytest.mark.parametrize(("within", "found"), [(10, {(0, 10): 0}), (9, {})])
def test_first_and_last_may_lie_exactly_within_apart(within: int, found: dict[tuple[int, int], int]) -> None:
    assert by_chains([Row(0, 0, 1), Row(0, 10, 2)], Pattern(2, within=within)) == found


@pytest.mark.parametrize(("gap", "found"), [(5, {(0, 10): 0}), (4, {})])
def test_neighbours_may_lie_exactly_a_gap_apart(gap: int, found: dict[tuple[int, int], int]) -> None:
    assert by_chains([Row(0, 0, 1), Row(0, 5, 2), Row(0, 10, 4)], Pattern(3, gap=gap)) == found


def test_one_event_serves_one_step_though_it_could_serve_two() -> None:
    assert by_chains([Row(0, 5, 3)], Pattern(2)) == {}
    assert by_chains([Row(0, 5, 3), Row(0, 5, 3)], Pattern(2)) == {(0, 5): 5}


def test_what_forbids_is_no_hindrance_where_it_is_of_the_match_itself() -> None:
    rows = [Row(0, 0, 1), Row(0, 5, 2, True), Row(0, 10, 4)]
    assert by_chains(rows, Pattern(3)) == {(0, 10): 0}


def test_of_two_that_forbid_at_one_instant_the_match_must_hold_both() -> None:
    rows = [Row(0, 0, 1), Row(0, 5, 2, True), Row(0, 5, 2, True), Row(0, 10, 4)]
    assert by_chains(rows, Pattern(3)) == {}


def test_what_forbids_at_the_instant_of_the_first_or_the_last_does_not_lie_between() -> None:
    rows = [Row(0, 0, 1), Row(0, 0, 0, True), Row(0, 10, 2), Row(0, 10, 0, True)]
    assert by_chains(rows, Pattern(2)) == {(0, 10): 0}


def test_keys_do_not_mix() -> None:
    assert by_chains([Row(0, 0, 1), Row(1, 5, 2)], Pattern(2)) == {}
