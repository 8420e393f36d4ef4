"""Windows as a stream processor's own tests compute them: sessions of an impulse, and the busiest driver of each hour."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import LATER, Shard
from tests.support.oracle_model import Event, World, to_instant

MOST = 12


def read(data: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data / "arroyo" / name).read_text().splitlines()]


def at(text: str) -> int:
    return to_instant(datetime.fromisoformat(text + ("" if text.endswith("Z") or "+" in text else "Z")))


def tick(who: str, number: int, stamp: str) -> Event:
    return Event("web", who, f"{number:05}", "tick", at(stamp), at(stamp))


def shard(folder: Path, events: list[Event], segments: dict[str, dict[str, Any]]) -> Shard:
    defined = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {"web": {"kind": "events", "properties": {}}},
        "segments": [{"segment": name, "purpose": "p", "when": when} for name, when in segments.items()],
    }
    return Shard.of(folder, World(defined, tuple(events))).step(events, LATER)


def test_every_session_begins_ends_and_holds_as_many_events_as_there(data: Path, tmp_path: Path) -> None:
    """User 0 has every tenth event: ten of them, never more than the gap apart; all others have one each."""
    impulse = read(data, "impulse.json")
    who = ["0" if one["counter"] % 10 == 0 else str(one["counter"]) for one in impulse]
    events = [tick(user, number, one["timestamp"]) for number, (user, one) in enumerate(zip(who, impulse, strict=True))]
    window = {"session": {"gap": "20s"}}
    sizes = {n: {"did": {"event": "any", "count": f">= {n}", "window": window}} for n in (1, 2, 10, 11)}
    found = shard(tmp_path, events, {f"s{n}": when for n, when in sizes.items()}).believed()
    for row in read(data, "expected_session_window.json"):
        user, begin, end = str(row["user_id"]), at(row["start"]), at(row["end"])
        assert found["s1", user] == [(begin, end)]
        assert [name for name in sizes if (f"s{name}", user) in found] == [n for n in sizes if n <= row["rows"]]


@pytest.fixture(scope="module")
def drivers(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Shard:
    """For each driver since when how many rides lie in the last hour."""
    rides = read(data, "cars.json")
    events = [tick(str(one["driver_id"]), number, one["timestamp"]) for number, one in enumerate(rides)]
    counts = {f"n{n}": {"did": {"event": "any", "count": f">= {n}", "window": "1h"}} for n in range(1, MOST + 1)}
    return shard(tmp_path_factory.mktemp("drivers"), events, counts)


def test_the_busiest_driver_of_every_hour_has_as_many_rides_as_there(data: Path, drivers: Shard) -> None:
    """Their hour is [end - 1h, end), ours (T - 1h, T]: the same instants at the microsecond before the end."""
    found = drivers.believed()
    reached: dict[int, dict[str, list[tuple[int, int | None]]]] = {n: {} for n in range(1, MOST + 1)}
    for (name, driver), intervals in found.items():
        reached[int(name[1:])][driver] = intervals
    for row in read(data, "expected_most_active_driver_last_hour.json"):
        last = at(row["end"]) - 1
        assert holds(reached[row["count"]].get(str(row["driver_id"]), []), last)
        assert not any(holds(intervals, last) for intervals in reached[row["count"] + 1].values())


def holds(intervals: list[tuple[int, int | None]], instant: int) -> bool:
    return any(begin <= instant and (end is None or instant < end) for begin, end in intervals)
