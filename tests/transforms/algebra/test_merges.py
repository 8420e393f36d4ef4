"""Ids that become one subject: whose events count, what refusals reach, what undoing restores (6.3)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import LATER, Shard, facts_of
from tests.support.merged import Fact, Hours, event, instant, link, lives, row, undo, world
from tests.support.oracle_model import HOUR, Json, World

SOURCES = {
    "web": {"kind": "events", "properties": {"n": "int"}},
    "crm": {"kind": "profiles", "properties": {"country": "string", "birth_date": "date"}},
    "led": {"kind": "consents"},
    "ids": {"kind": "identities"},
}
TWICE: Json = {"did": {"event": "buy", "count": ">= 2"}}
Members = Callable[..., dict[str, Hours]]


@pytest.fixture
def members(tmp_path: Path) -> Members:
    """When each id is a member of `it`, in hours, as the kernel says it of these facts."""

    def told(*facts: Fact, links: dict[str, Any] | None = None, **project: Any) -> dict[str, Hours]:
        sources = {**SOURCES, "ids": {**SOURCES["ids"], **(links or {})}}
        asked: World = world(*facts, sources=sources, **project)
        shard = Shard.of(tmp_path, asked).step(facts_of(asked), LATER)
        return {who: in_hours(intervals) for (_, who), intervals in shard.believed().items()}

    return told


def in_hours(intervals: Sequence[tuple[int, int | None]]) -> Hours:
    return [((begin - instant(0)) / HOUR, None if end is None else (end - instant(0)) / HOUR) for begin, end in intervals]


def test_from_the_link_on_the_survivor_has_the_events_of_both(members: Members) -> None:
    told = members(event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe"), when=TWICE)
    assert told == {"zoe": [(5, None)]}


def test_the_merged_id_is_a_member_of_nothing_from_the_link_on(members: Members) -> None:
    assert members(event(1, "phone"), link(5, "phone", "zoe")) == {"phone": [(1, 5)], "zoe": [(5, None)]}


def test_an_event_that_the_merged_id_goes_on_to_collect_is_the_survivors(members: Members) -> None:
    assert members(link(5, "phone", "zoe"), event(6, "phone")) == {"zoe": [(6, None)]}


def test_links_lead_to_the_last_id_of_a_chain(members: Members) -> None:
    told = members(event(1, "tv"), event(2, "phone"), link(3, "tv", "phone"), link(4, "phone", "zoe"), when=TWICE)
    assert told == {"phone": [(3, 4)], "zoe": [(4, None)]}


def test_undoing_gives_each_its_own_again(members: Members) -> None:
    told = members(event(1, "phone"), link(5, "phone", "zoe"), undo(8, "phone"))
    assert told == {"phone": [(1, 5), (8, None)], "zoe": [(5, 8)]}


def test_one_event_id_in_both_ids_is_two_events(members: Members) -> None:
    told = members(event(1, "phone", event_id="x"), event(1, "zoe", event_id="x"), link(5, "phone", "zoe"), when=TWICE)
    assert told == {"zoe": [(5, None)]}


def test_a_sequence_may_go_from_one_id_to_the_other(members: Members) -> None:
    steps: Json = {"sequence": {"steps": ["view", "buy"], "within": "3h"}}
    told = members(event(1, "phone", "view"), event(2, "zoe", "buy"), link(5, "phone", "zoe"), when=steps)
    assert told == {"zoe": [(5, None)]}


def test_a_grant_does_not_cross(members: Members) -> None:
    facts = (row(0, "zoe"), event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe"))
    assert members(*facts, when=TWICE, purpose="asked") == {}
    assert members(row(0, "phone"), *facts, when=TWICE, purpose="asked") == {"zoe": [(5, None)]}


@pytest.mark.parametrize("refuses", ["phone", "zoe"])
def test_a_refusal_of_either_is_a_refusal_of_both(members: Members, refuses: str) -> None:
    facts = (row(0, "zoe"), row(0, "phone"), event(1, "phone"), link(5, "phone", "zoe"), row(7, refuses, "WITHDRAW"))
    assert members(*facts, purpose="asked") == {"phone": [(1, 5)], "zoe": [(5, 7)]}


def test_a_refusal_from_before_the_link_holds_from_the_link_on(members: Members) -> None:
    facts = (row(0, "zoe"), row(1, "phone", "WITHDRAW"), event(2, "zoe"), link(5, "phone", "zoe"))
    assert members(*facts, purpose="asked") == {"zoe": [(2, 5)]}
    assert members(*facts, undo(8, "phone"), purpose="asked") == {"zoe": [(2, 5), (8, None)]}


def test_a_grant_that_is_later_than_the_refusal_of_the_other_id_stands(members: Members) -> None:
    facts = (row(0, "phone", "WITHDRAW"), row(1, "zoe"), event(2, "zoe"), link(5, "phone", "zoe"))
    assert members(*facts, purpose="asked") == {"zoe": [(2, None)]}


def test_what_lifts_a_restriction_does_not_cross(members: Members) -> None:
    restricted = (row(0, "phone", "RESTRICT"), row(1, "phone", "UNRESTRICT"))
    facts = (row(1, "zoe"), event(2, "zoe"), link(5, "phone", "zoe"))
    assert members(*restricted, *facts, purpose="asked") == {"zoe": [(2, 5)]}


def test_the_profile_is_the_survivors(members: Members) -> None:
    facts = (lives(0, "phone", country="FR"), lives(0, "zoe", country="DE"), link(5, "phone", "zoe"))
    assert members(*facts, when={"property": {"country": "= 'FR'"}}) == {"phone": [(0, 5)]}
    assert members(*facts, when={"property": {"country": "= 'DE'"}}) == {"zoe": [(0, None)]}


def test_a_list_looks_at_all_ids_and_a_bucket_at_the_survivors(members: Members) -> None:
    facts = (event(0, "phone"), event(0, "zoe"), link(5, "phone", "zoe"), undo(8, "phone"))
    listed: Json = {"list": {"file": "lists/vip.csv", "column": "subject"}}
    lists = {"lists/vip.csv": {"subject": {"phone"}}}
    assert members(*facts, when=listed, lists=lists) == {"phone": [(0, 5), (8, None)], "zoe": [(5, 8)]}
    drawn = {who for part in ([0, 50], [50, 100]) for who in members(*facts, when={"bucket": {"salt": "s", "range": part}})}
    assert drawn == {"phone", "zoe"}


def test_no_link_leads_to_who_is_erased(members: Members) -> None:
    assert members(event(1, "phone"), row(0, "zoe", "ERASE"), link(5, "phone", "zoe")) == {"phone": [(1, None)]}


def test_a_subject_has_no_more_ids_than_the_source_says(members: Members) -> None:
    facts = (event(1, "tv"), event(2, "phone"), link(5, "tv", "zoe"), link(6, "phone", "zoe"))
    assert members(*facts, when=TWICE, links={"max_links": 2}) == {}
    assert members(*facts, when=TWICE) == {"zoe": [(6, None)]}


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_events_of_two_ids_that_are_alike_in_all_else_are_in_the_order_of_these_ids(members: Members, order: slice) -> None:
    alike = (event(1, "tv", event_id="i", n=1), event(1, "phone", event_id="i", n=2))
    links = (link(5, "tv", "zoe"), link(5, "phone", "zoe"))
    last = {"last": {"event": "buy", "having": "n = 1"}}
    assert members(*alike[order], *links, when=last) == {"tv": [(1, 5)], "zoe": [(5, None)]}


def test_an_id_is_known_by_a_link_alone(members: Members) -> None:
    assert members(link(5, "phone", "zoe"), when={"did_not": {"event": "buy"}}) == {"zoe": [(5, None)]}


def test_verdicts_are_of_subjects_and_not_of_what_was_merged_into_them(tmp_path: Path) -> None:
    asked = world(event(1, "phone"), event(2, "zoe"), event(2, "tv"), link(5, "phone", "zoe"), sources=SOURCES)
    shard = Shard.of(tmp_path, asked).step(facts_of(asked), instant(4)).step([], instant(6))
    counted = [sum(row["subjects"] for row in one["verdicts"].to_pylist() if row["purpose"] == "free") for one in shard.published]
    assert counted == [3, 2]
