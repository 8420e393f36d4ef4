"""The table of sessions after whole runs: what changed is replaced, what did not stays, what may not be used any more goes."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.merged import START, Fact, event, instant, link, row, world
from tests.support.oracle_model import HOUR, World
from tests.support.whole_runs import Target

SOURCES = {"web": {"kind": "events", "properties": {}}, "led": {"kind": "consents"}, "ids": {"kind": "identities"}}
HOURLY = {"session": {"gap": "1h"}}
_TOLD = f"""
SELECT subject, (epoch_us(started_at) - {START}) / {HOUR}, (epoch_us(ended_at) - {START}) / {HOUR}, events
FROM sessions ORDER BY ALL
"""


def project(window: Any) -> World:
    return world(when={"did": {"event": "buy", "window": window}}, purpose="asked", sources=SOURCES)


def told(target: Target) -> list[tuple[Any, ...]]:
    return target.rows(_TOLD)


def run(target: Target, hours: float, *facts: Fact, full_refresh: bool = False) -> Target:
    target.write(facts)
    target.run(instant(hours), full_refresh=full_refresh)
    return target


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Ann and Bob at hour 4: she has two sessions, he has one."""
    made = Target(tmp_path, project(HOURLY)).sharded(4)
    seen = [event(1, "ann"), event(1.5, "ann"), event(3, "ann"), event(3, "bob")]
    return run(made, 4, row(0, "ann"), row(0, "bob"), *seen)


BOTH = [("ann", 1, 2.5, 2), ("ann", 3, 4, 1), ("bob", 3, 4, 1)]


def test_sessions_that_stay_as_they_are_keep_the_run_that_wrote_them_and_their_id(target: Target) -> None:
    rows = "SELECT session_id, run_id FROM sessions ORDER BY subject, started_at"
    assert told(target) == BOTH
    before = target.rows(rows)
    assert len({one for one, _ in before}) == 3
    run(target, 5, event(4, "ann"))
    after = target.rows(rows)
    assert told(target) == [BOTH[0], ("ann", 3, 5, 2), BOTH[2]]
    assert [one for one, _ in after] == [one for one, _ in before]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_an_event_that_arrives_late_joins_sessions_and_moves_their_beginning(target: Target) -> None:
    run(target, 5, event(0.5, "ann"), event(2.25, "ann"))
    assert told(target) == [("ann", 0.5, 4, 5), BOTH[2]]


def test_sessions_of_whom_nothing_may_be_used_any_more_go(target: Target) -> None:
    run(target, 6, row(5, "ann", "WITHDRAW"))
    assert told(target) == [BOTH[2]]


def test_sessions_follow_who_is_merged_into_another_shard(target: Target) -> None:
    run(target, 6, event(3.5, "zoe"), row(0, "zoe"), link(5, "ann", "zoe"))
    assert told(target) == [BOTH[2], ("zoe", 1, 2.5, 2), ("zoe", 3, 4.5, 2)]


def test_a_run_that_makes_its_states_anew_says_the_same_and_writes_no_row_again(target: Target) -> None:
    before = target.rows("SELECT * FROM sessions ORDER BY ALL")
    run(target.sharded(2), 4.5)
    assert target.rows("SELECT * FROM sessions ORDER BY ALL") == before
    run(target, 2, full_refresh=True)
    assert told(target) == [BOTH[0]]


def test_definitions_that_ask_for_other_sessions_or_none_have_them(target: Target) -> None:
    target.define(project({"session": {"gap": "2h"}}))
    assert told(run(target.sharded(4), 5)) == [("ann", 1, 5, 3), ("bob", 3, 5, 1)]
    target.define(project("1d"))
    assert told(run(target.sharded(4), 6)) == []


def test_no_two_first_events_make_one_session(tmp_path: Path) -> None:
    """Whatever stands in their ids."""
    names = [("a|b", "c"), ("a", "b|c"), ("a|1|b", "c"), ("a|1", "b|c")]
    made = Target(tmp_path, project(HOURLY)).sharded(1)
    run(made, 4, *(event(1, who, event_id=name) for who, name in names), *(row(0, who) for who, _ in names))
    assert made.rows("SELECT count(DISTINCT session_id) FROM sessions") == [(4,)]
