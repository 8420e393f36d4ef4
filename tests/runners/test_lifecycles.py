"""The lifecycle matrix of whole runs: one for each T that is published, from all shards, and the last word on it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.oracle_model import DAY, HOUR, Event, Link, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
SAID = "lifecycle order, period 1 day"
_MATRIX = """
SELECT (epoch_us(as_of) - {start}) // {day}, lifecycle, purpose, from_state || ' > ' || to_state, subjects
FROM lifecycle_transitions ORDER BY ALL
"""


def world(period: str = "1d", *conditions: str) -> World:
    lifecycle = {"event": "order", "period": period, "in": ["new"]}
    leaves = [{"lifecycle": {**lifecycle, **more}} for more in ({}, *({"where": one} for one in conditions))]
    segments = [{"segment": "fresh", "purpose": ["q", "p"], "when": {"not": {"any": leaves}}}]
    purposes = [{"id": name, "basis": "legitimate_interest"} for name in ("p", "q")]
    sources = {"e1": {"kind": "events", "properties": {"n": "int"}}, "ids": {"kind": "identities"}}
    return World({"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": segments})


def order(who: str, at: int) -> Event:
    return Event("e1", who, f"{who}-{at}", "order", at, at)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Twenty who order in the first hour; five of them again on day 1, which ends at T."""
    made = Target(tmp_path, world()).sharded(4)
    made.write([order(f"u{number}", START + HOUR) for number in range(20)], "first")
    made.run(START + DAY)
    made.write([order(f"u{number}", START + DAY + HOUR) for number in range(5)], "second")
    made.run(START + 2 * DAY)
    return made


def matrix(target: Target, day: int) -> list[tuple[Any, ...]]:
    found = target.rows(_MATRIX.format(start=START, day=DAY))
    assert {row[1:3] for row in found} == {(SAID, "p+q")}
    return [row[3:] for row in found if row[0] == day]


def test_each_published_t_has_a_matrix_over_all_shards(target: Target) -> None:
    assert matrix(target, 1) == [("never > new", 20)]
    assert matrix(target, 2) == [("new > dormant", 15), ("new > retained", 5)]


def test_a_second_run_at_a_t_has_the_last_word_on_it(target: Target) -> None:
    target.write([order("u19", START + DAY + HOUR), order("new", START + HOUR)], "late")
    target.run(START + 2 * DAY)
    assert matrix(target, 2) == [("new > dormant", 15), ("new > retained", 6)]
    assert matrix(target, 1) == [("never > new", 20)]


def test_a_run_that_goes_back_takes_the_matrices_of_later_ones_with_it(target: Target) -> None:
    target.run(START + DAY, full_refresh=True)
    assert (matrix(target, 1), matrix(target, 2)) == ([("never > new", 20)], [])


def test_ids_that_become_one_are_one_wherever_they_lay_before(target: Target) -> None:
    links = [Link("ids", str(number), f"u{number}", "u0", START + DAY, START + 2 * DAY) for number in (10, 19)]
    target.write(links, "links")
    target.run(START + 2 * DAY)
    assert matrix(target, 2) == [("new > dormant", 13), ("new > retained", 5)]


def test_a_condition_that_is_only_written_otherwise_leaves_each_lifecycle_its_own_numbers(target: Target) -> None:
    """What a state remembers goes by what is meant: by their texts the two would change places."""
    latest = "lifecycle LIKE '%where%' AND as_of = (SELECT max(as_of) FROM lifecycle_transitions) GROUP BY ALL ORDER BY ALL"
    for condition in ("n > 1", "(n > 1)"):
        target.define(world("1d", condition, "event = 'order'"))
        target.write([order(f"late{condition}", START + HOUR)])
        target.sharded(4).run(START + 2 * DAY)
    never = "SELECT lifecycle LIKE '%n > 1%', sum(subjects) FILTER (to_state = 'never') FROM lifecycle_transitions"
    assert target.rows(f"{never} WHERE {latest}") == [(False, None), (True, 22)]


def test_a_changed_lifecycle_is_counted_anew_and_the_former_stays_of_former_instants(target: Target) -> None:
    target.define(world("12h"))
    target.sharded(4).run(START + 2 * DAY + HOUR)
    found = target.rows(_MATRIX.format(start=START, day=HOUR))
    assert [row[1] for row in found if row[0] == 49] == ["lifecycle order, period 12 hours"] * 2
    assert {row[1] for row in found if row[0] < 49} == {SAID}
