"""Rides of 101 drivers, out of order: who had more than 85 events, as a stream processor's own tests count them."""

import json
from datetime import datetime
from itertools import accumulate
from pathlib import Path

import pytest

from tests.support.command_line import Json, asked, segue, write_definitions

EVENTS, OUT_OF_ORDER = 7_932, 488
MORE_THAN = 85

SOURCE: Json = {
    "source": "rides",
    "kind": "events",
    "from": {"files": "data/*.ndjson"},
    "fields": {"event": "event_type", "subject": "driver_id", "occurred_at": "timestamp"},
}
FEATURES: Json = {
    "features": "rides",
    "purpose": "counting",
    "source": {"event": "any"},
    "aggregates": [{"name": "events", "op": "count", "windows": ["lifetime"]}],
}
SEGMENTS: list[Json] = [
    {"segment": "by_did", "purpose": "counting", "when": {"did": {"event": "any", "count": f"> {MORE_THAN}"}}},
    {
        "segment": "by_aggregate",
        "purpose": "counting",
        "when": {"aggregate": {"feature": "rides.events_lifetime", "compare": f"> {MORE_THAN}"}},
    },
]


@pytest.fixture(scope="module")
def lines(data: Path) -> list[str]:
    return (data / "arroyo" / "cars.json").read_text().splitlines()


@pytest.fixture(scope="module")
def rides(lines: list[str]) -> dict[str, list[datetime]]:
    """The instants of each driver, in the order of the file."""
    found: dict[str, list[datetime]] = {}
    for one in map(json.loads, lines):
        found.setdefault(str(one["driver_id"]), []).append(datetime.fromisoformat(one["timestamp"]))
    return found


@pytest.fixture(scope="module")
def whole(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("whole"), [lines])


@pytest.fixture(scope="module")
def in_parts(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same file, growing: cut where it is most out of order, and once within the first events."""
    return _run(tmp_path_factory.mktemp("parts"), [lines[:100], lines[100:5_000], lines[5_000:]])


def _run(root: Path, parts: list[list[str]]) -> Path:
    write_definitions(root, {"name": "rides", "as_of": "2023-09-20"}, [SOURCE], SEGMENTS, [FEATURES])
    (root / "data").mkdir()
    for part in parts:
        with (root / "data" / "cars.ndjson").open("a") as file:
            file.writelines(f"{line}\n" for line in part)
        segue(root, "run")
    return root


@pytest.fixture(params=["whole", "in_parts"])
def ran(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_the_events_are_out_of_order(lines: list[str]) -> None:
    stamps = [json.loads(line)["timestamp"] for line in lines]
    assert len(stamps) == EVENTS
    assert sum(one < latest for one, latest in zip(stamps, accumulate(stamps, max), strict=True)) == OUT_OF_ORDER


@pytest.mark.parametrize("segment", ["by_did", "by_aggregate"])
def test_the_drivers_are_those_that_the_stream_processor_counted(ran: Path, data: Path, segment: str) -> None:
    [expected] = map(json.loads, (data / "arroyo" / "expected_active_drivers.json").read_text().splitlines())
    assert asked(ran, f"SELECT count(*) AS drivers FROM segment_membership WHERE segment = '{segment}'") == [
        expected["after"]
    ]


@pytest.mark.parametrize("segment", ["by_did", "by_aggregate"])
def test_each_is_a_member_from_the_ride_that_was_one_too_many(
    ran: Path, rides: dict[str, list[datetime]], segment: str
) -> None:
    """By the clock of the rides, wherever in the file that ride stands."""
    rows = asked(ran, f"SELECT subject, since FROM segment_membership WHERE segment = '{segment}'")
    busy = {driver: sorted(stamps)[MORE_THAN] for driver, stamps in rides.items() if len(stamps) > MORE_THAN}
    assert {row["subject"]: datetime.fromisoformat(row["since"]) for row in rows} == busy


def test_the_rides_of_every_driver_are_counted(ran: Path, rides: dict[str, list[datetime]]) -> None:
    rows = asked(
        ran,
        "SELECT subject, rides__events_lifetime AS n FROM feature_rows "
        "QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1",
    )
    assert {row["subject"]: row["n"] for row in rows} == {driver: len(stamps) for driver, stamps in rides.items()}
    assert asked(ran, "SELECT sum(read) AS read, sum(used) AS used FROM run_manifest") == [
        {"read": EVENTS, "used": EVENTS}
    ]
