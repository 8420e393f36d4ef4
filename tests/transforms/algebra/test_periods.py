"""Periods of T: the zone valid at T serves for all of them, also of a subject that moves."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import LATER, Shard, expected, facts_of
from tests.support.oracle_model import DAY, HOUR, Event, Profile, World

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z, a Monday
WEST, EAST = "America/Los_Angeles", "Asia/Tokyo"


def world(when: dict[str, Any], moves: tuple[tuple[int, str], ...], hours: tuple[int, ...]) -> World:
    defined = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {
            "e1": {"kind": "events", "properties": {}},
            "pro": {"kind": "profiles", "properties": {"timezone": "string"}},
        },
        "segments": [{"segment": "s", "purpose": "p", "when": when}],
    }
    events = tuple(Event("e1", "ann", f"i{n}", "a", START + n * HOUR, START + n * HOUR) for n in hours)
    homes = tuple(Profile("pro", "ann", START + at * HOUR, START, {"timezone": zone}) for at, zone in moves)
    return World(defined, events, homes)


def believed(folder: Path, asked: World) -> list[tuple[int, int | None]]:
    shard = Shard.of(folder, asked).step(facts_of(asked), LATER)
    assert shard.believed() == expected(asked)
    return shard.believed().get(("s", "ann"), [])


DAILY = {"regularly": {"event": "a", "at_least": 2, "of_last": 3, "period": "day", "tz": "profile"}}
PHASE = {"lifecycle": {"event": "a", "period": {"unit": "day", "tz": "profile"}, "in": ["retained"]}}
TODAY = {"did": {"event": "a", "window": {"calendar": {"last": 1, "unit": "day", "tz": "profile"}}}}


@pytest.mark.parametrize("when", [DAILY, PHASE, TODAY], ids=["regularly", "lifecycle", "calendar window"])
@pytest.mark.parametrize("moves", [((0, WEST), (30, EAST)), ((0, EAST), (30, WEST)), ((-9, WEST), (31, EAST), (40, WEST))])
def test_a_subject_that_moves_is_asked_by_the_days_of_where_it_lives(
    tmp_path: Path, when: dict[str, Any], moves: tuple[tuple[int, str], ...]
) -> None:
    assert believed(tmp_path, world(when, moves, (1, 9, 20, 29, 32, 50, 73)))


def test_the_period_that_holds_t_is_no_whole_one(tmp_path: Path) -> None:
    when = {"regularly": {"event": "a", "at_least": 1, "of_last": 1, "period": "day"}}
    assert believed(tmp_path, world(when, (), (1,))) == [(START + DAY, START + 2 * DAY)]


def test_an_event_at_the_first_instant_of_a_unit_belongs_to_it(tmp_path: Path) -> None:
    when = {"lifecycle": {"event": "a", "period": {"unit": "week"}, "in": ["new"]}}
    assert believed(tmp_path, world(when, (), (0,))) == [(START, START + 7 * DAY)]
