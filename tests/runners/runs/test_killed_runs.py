"""A run that is killed anywhere and called again, or retried, leaves the tables of a run that was left alone."""

from itertools import pairwise
from pathlib import Path

import pytest

from schemas.kinds import EVENTS
from tests.support.forking import Forks
from tests.support.killed_points import LETS_GO, POINTS, SOME, Point, killed_and_run_again
from tests.support.killed_worlds import LeftAlone, Worlds

NAMED = [pytest.param(point, id=point.name) for point in POINTS]


def test_there_are_as_many_points_as_are_promised_and_each_has_a_name_of_its_own() -> None:
    names = [point.name for point in POINTS]
    assert len({*names}) == len(names) >= 20
    assert {*SOME} <= {*names}


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("point", [point for point in NAMED if point.id in SOME])
def test_killed_anywhere_and_run_again_all_is_as_if_it_had_been_left_alone(
    point: Point, seed: int, tmp_path: Path, worlds: Worlds, forks: Forks
) -> None:
    killed_and_run_again(point, seed, tmp_path, worlds(seed), forks)


@pytest.mark.parametrize("seed", [11, 39])
@pytest.mark.parametrize("point", [point for point in NAMED if point.id in LETS_GO])
def test_killed_while_events_go_all_is_as_if_it_had_been_left_alone(
    point: Point, seed: int, tmp_path: Path, forgetful: Worlds, forks: Forks
) -> None:
    killed_and_run_again(point, seed, tmp_path, forgetful(seed), forks)
    see_that_events_went(forgetful(seed))


def see_that_events_went(world: LeftAlone) -> None:
    """More than one run removes events that the warehouse had."""
    place = [EVENTS.noun.SCHEMA.names.index(name) for name in EVENTS.key]
    held = [{tuple(row[number] for number in place) for row in tables["events"]} for tables in world.tables]
    assert sum(bool(before - after) for before, after in pairwise(held)) > 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("point", NAMED)
def test_killed_anywhere_in_a_run_that_lets_events_go_all_is_as_if_it_had_been_left_alone(
    point: Point, seed: int, tmp_path: Path, forgetful: Worlds, forks: Forks
) -> None:
    killed_and_run_again(point, seed, tmp_path, forgetful(seed), forks)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("point", NAMED)
def test_killed_at_every_point_and_run_again_all_is_as_if_it_had_been_left_alone(
    point: Point, seed: int, tmp_path: Path, worlds: Worlds, forks: Forks
) -> None:
    killed_and_run_again(point, seed, tmp_path, worlds(seed), forks)
