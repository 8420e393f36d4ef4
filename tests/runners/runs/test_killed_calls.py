"""Backfills, plans and runs done again: killed anywhere and called again they leave what one call leaves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.forking import Forks
from tests.support.killed_calls import AGAIN, PUT, RUN, Stop, Waiting, killed_and_called_again
from tests.support.killed_worlds import Worlds

STOPS = {"backfill": PUT, "promote": RUN, "roll_back": RUN, "apply": RUN, "retry": AGAIN}
EVERY_DAY = {
    "backfill": ("pieces_put", "put"),
    "promote": ("inside_commit",),
    "roll_back": (),
    "apply": (),
    "retry": (),
}
SEED = 2
NAMED = [pytest.param(kind, stop, id=f"{kind}-{stop.point.name}") for kind, stops in STOPS.items() for stop in stops]
SOME = [pytest.param(*one.values, id=one.id) for one in NAMED if one.values[1].point.name in EVERY_DAY[str(one.values[0])]]


@pytest.fixture(scope="session")
def waiting(worlds: Worlds) -> Callable[[int], Waiting]:
    """The projects of a seed, made once."""
    made: dict[int, Waiting] = {}

    def of(seed: int) -> Waiting:
        if seed not in made:
            made[seed] = Waiting(worlds(seed), seed)
        return made[seed]

    return of


def test_there_are_as_many_points_as_are_promised_and_each_has_a_name_of_its_own() -> None:
    for kind, stops in STOPS.items():
        names = [stop.point.name for stop in stops]
        assert len({*names}) == len(names) >= 13
        assert {*EVERY_DAY[kind]} <= {*names}


@pytest.mark.parametrize(("kind", "stop"), SOME)
def test_killed_and_called_again_all_is_as_if_it_had_been_left_alone(
    kind: str, stop: Stop, tmp_path: Path, waiting: Callable[[int], Waiting], forks: Forks
) -> None:
    killed_and_called_again(stop, SEED, tmp_path, waiting(SEED).of(kind), forks)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("kind", "stop"), NAMED)
def test_killed_at_every_point_and_called_again_all_is_as_if_it_had_been_left_alone(
    kind: str, stop: Stop, seed: int, tmp_path: Path, waiting: Callable[[int], Waiting], forks: Forks
) -> None:
    killed_and_called_again(stop, seed, tmp_path, waiting(seed).of(kind), forks)
