"""The table of sessions against the sessions that a stream processor's own tests expect of the same impulse."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Json, asked, segue, write_definitions

SOURCE: Json = {
    "source": "impulse",
    "kind": "events",
    "from": {"files": "data/*.ndjson"},
    "fields": {"event": "'tick'", "subject": "user_id", "occurred_at": "timestamp", "event_id": "counter"},
}
SEGMENT: Json = {
    "segment": "here",
    "purpose": "counting",
    "when": {"did": {"event": "tick", "window": {"session": {"gap": "20s"}}}},
}


def lines(data: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data / "arroyo" / name).read_text().splitlines()]


def with_user(one: dict[str, Any]) -> str:
    """Every tenth event is user 0's, as in the query of their test."""
    return json.dumps({**one, "user_id": 0 if one["counter"] % 10 == 0 else one["counter"]})


@pytest.fixture(params=[1, 4], ids=["at once", "in parts"])
def ran(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> Path:
    """The impulse at once, or growing: T moves on with what has arrived, so that sessions grow and end."""
    impulse, parts = lines(data, "impulse.json"), int(request.param)
    write_definitions(tmp_path, {"name": "impulse"}, [SOURCE], [SEGMENT], [])
    (tmp_path / "data").mkdir()
    size = -(-len(impulse) // parts)
    for begin in range(0, len(impulse), size):
        some = impulse[begin : begin + size]
        with (tmp_path / "data" / "impulse.ndjson").open("a") as file:
            file.writelines(f"{with_user(one)}\n" for one in some)
        segue(tmp_path, "run", "--as-of", max(one["timestamp"] for one in impulse[: begin + size]))
    return tmp_path


def test_the_sessions_are_those_that_the_stream_processor_expects(ran: Path, data: Path) -> None:
    found = asked(ran, "SELECT subject, started_at, ended_at, events, entry, converted FROM sessions")
    expected = lines(data, "expected_session_window.json")
    told = {(str(row["user_id"]), at(row["start"]), at(row["end"]), row["rows"]) for row in expected}
    assert {(row["subject"], at(row["started_at"]), at(row["ended_at"]), row["events"]) for row in found} == told
    assert len(found) == len(expected)
    assert all(row["entry"] == "tick" and row["converted"] for row in found)


def at(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
