"""Sessions of stitched users, against the model of the web that comes with a tracker."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import Json, asked, segue, write_definitions

GAP = timedelta(minutes=30)
CUT_OTHERWISE = {
    "Multiple first sessions per user",
    "Multiple last sessions per user",
    "Rotating domain_userid per session",
    "long session",
}
"""Where the tracker has two sessions at once, or one with days of silence: its cookie says so, and no clock."""

EVENTS: Json = {
    "source": "web",
    "kind": "events",
    "from": {"files": "data/events.csv"},
    "fields": {"event": "event", "event_id": "event_id", "subject": "domain_userid", "occurred_at": "derived_tstamp"},
    "properties": {"channel": {"from": "app_id", "type": "string"}},
}
LINKS: Json = {
    "source": "logins",
    "kind": "identities",
    "from": {"files": "data/logins.csv"},
    "fields": {"from_id": "domain_userid", "to_id": "user_id", "linked_at": "derived_tstamp"},
}
SEGMENT: Json = {
    "segment": "here",
    "purpose": "counting",
    "when": {"did": {"event": "page_view", "window": {"session": {"gap": "30m"}}}},
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sessions(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """The table after one run: whoever said who they are has an event that links the cookie to the user."""
    root, events = tmp_path_factory.mktemp("snowplow"), data / "snowplow_web/input/snowplow_web_events.csv"
    write_definitions(root, {"name": "snowplow", "as_of": "2021-04-01"}, [EVENTS, LINKS], [SEGMENT])
    (root / "data").mkdir()
    (root / "data/events.csv").write_text(events.read_text())
    with (root / "data/logins.csv").open("w") as file:
        logins = csv.DictWriter(file, ("domain_userid", "user_id", "derived_tstamp"), extrasaction="ignore")
        logins.writeheader()
        logins.writerows(row for row in rows(events) if row["user_id"] and row["domain_userid"])
    segue(root, "run")
    return asked(root, "SELECT * FROM sessions")


@pytest.fixture(scope="module")
def expected(data: Path) -> list[dict[str, str]]:
    """Their sessions that a silence of half an hour cuts as the tracker did, of cookies that belong to a user."""
    theirs = rows(data / "snowplow_web/expected/snowplow_web_sessions_expected.csv")
    return [row for row in theirs if row["stitched_user_id"] and row["user_id"] not in CUT_OTHERWISE]


def test_every_session_is_the_stitched_users_and_ends_with_its_last_event(
    sessions: list[Json], expected: list[dict[str, str]]
) -> None:
    found = {(row["subject"], at(row["ended_at"]) - GAP, row["events"]) for row in sessions}
    theirs = {(row["stitched_user_id"], at(row["end_tstamp"]), int(row["total_events"])) for row in expected}
    assert len(expected) == len(theirs) == 11
    assert theirs <= found


def test_it_begins_with_its_first_event_and_says_whether_a_page_was_viewed(
    sessions: list[Json], expected: list[dict[str, str]]
) -> None:
    """To them, a ping without a page view says that its page was there for some seconds before."""
    found = {(row["subject"], at(row["ended_at"]) - GAP): row for row in sessions}
    for row in expected:
        ours = found[row["stitched_user_id"], at(row["end_tstamp"])]
        first = at(row["end_tstamp"]) if ours["entry"] == "page_ping" else at(row["start_tstamp"])
        assert at(ours["started_at"]) == first
        assert ours["converted"] == (ours["entry"] != "page_ping")


def at(text: str) -> datetime:
    instant = datetime.fromisoformat(text.strip())
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
