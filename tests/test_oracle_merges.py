"""The oracle on merges (6.3): whose an event is before and after a link, and which links are refused."""

import hashlib
from dataclasses import replace
from itertools import permutations
from typing import Any

from tests.support.merged import LATER, Link, during, event, instant, link, lives, undo, world
from tests.support.oracle import feature, member, node_truth, survivor

TWICE = {"did": {"event": "buy", "count": ">= 2"}}
LISTED = {"list": {"file": "lists/vip.csv", "column": "subject"}}
HELD: dict[str, Any] = {"lists": {"lists/vip.csv": {"subject": {"a"}}}}


def leads(at: float, *links: Link, who: str = "a", known: float | None = None, **source: Any) -> str:
    told = world(*links, sources={"ids": {"kind": "identities", **source}})
    return survivor(told, who, instant(at), LATER if known is None else instant(known))


# --- Whose an event is ------------------------------------------------------------------------------------------------


def test_an_event_is_its_own_ids_before_the_link_and_the_survivors_from_then_on() -> None:
    told = world(event(0, "a"), link(5, "a", "b"))
    assert during(told, "a") == [(0, 5)]
    assert during(told, "b") == [(5, None)]


def test_the_merged_id_is_a_member_of_nothing_not_even_by_what_it_did_not_do() -> None:
    told = world(event(0, "a", "look"), link(5, "a", "b"), when={"did_not": {"event": "buy"}})
    assert during(told, "a") == [(0, 5)]
    assert node_truth(told, {"did_not": {"event": "buy"}}, ("free",), "a", instant(6), LATER) is None


def test_what_the_merged_id_does_later_is_the_survivors_at_once() -> None:
    told = world(link(5, "a", "b"), event(7, "a"))
    assert (during(told, "a"), during(told, "b")) == ([], [(7, None)])


def test_events_of_both_ids_count_together_from_the_link_on() -> None:
    told = world(event(0, "a"), event(1, "b"), link(5, "a", "b"), when=TWICE)
    assert (during(told, "a"), during(told, "b")) == ([], [(5, None)])


def test_one_event_id_counts_once_in_each_original_id() -> None:
    same = (event(0, "a", event_id="1"), event(0, "b", event_id="1"))
    assert during(world(*same, link(5, "a", "b"), when=TWICE), "b") == [(5, None)]
    assert during(world(same[0], same[0], link(5, "a", "b"), when=TWICE), "b") == []


def test_a_window_begins_at_the_event_and_not_at_the_link() -> None:
    told = world(event(0, "a"), link(5, "a", "b"), when={"did": {"event": "buy", "window": "8h"}})
    assert (during(told, "a"), during(told, "b")) == ([(0, 5)], [(5, 8)])


def test_the_first_event_is_that_of_all_ids() -> None:
    told = world(event(0, "a"), event(6, "b"), link(8, "a", "b"), when={"first_time": {"event": "buy", "window": "4h"}})
    assert during(told, "b") == [(6, 8)]


def test_a_sequence_goes_across_ids() -> None:
    steps = {"sequence": {"steps": ["look", "buy"], "within": "4h"}}
    told = world(event(0, "a", "look"), event(3, "b"), link(5, "a", "b"), when=steps)
    assert (during(told, "a"), during(told, "b")) == ([], [(5, None)])


def test_an_inaction_is_ended_by_what_the_other_id_did() -> None:
    waits = {"inaction": {"after": "cart", "not": "buy", "for": "2h"}}
    told = world(event(0, "a", "cart"), event(1, "b"), link(4, "a", "b"), when=waits)
    assert (during(told, "a"), during(told, "b")) == ([(2, 4)], [])


def test_a_session_goes_on_across_ids() -> None:
    together = {"did": {"event": "buy", "count": ">= 2", "window": {"session": {"gap": "2h"}}}}
    told = world(event(0, "a"), link(1, "a", "b"), event(2, "b"), event(4, "a", "look"), when=together)
    assert during(told, "b") == [(2, 6)]


def test_an_anchor_of_one_id_parts_the_events_of_the_other() -> None:
    since = {"did": {"event": "buy", "window": {"since": "renewed"}}}
    told = world(event(0, "a", "renewed"), event(1, "b"), link(5, "a", "b"), event(7, "b", "renewed"), when=since)
    assert during(told, "b") == [(5, 7)]


def test_at_equal_instants_the_id_that_collected_the_event_is_the_last_to_decide_its_order() -> None:
    latest = {"last": {"event": "buy", "having": "amount = 2"}}
    said = (event(0, "a", event_id="1", amount=1), event(0, "b", event_id="1", amount=2))
    assert during(world(*said, link(5, "a", "b"), when=latest), "b") == [(0, None)]
    assert during(world(*said, link(5, "b", "a"), when=latest), "a") == [(5, None)]


def test_features_are_of_all_ids_and_a_merged_id_has_no_row() -> None:
    sums = {"name": "spend", "op": "sum", "of": "amount"}
    group = {"features": "shop", "purpose": "free", "source": "buy", "aggregates": [sums]}
    told = world(event(0, "a", amount=2), event(1, "b", amount=3), link(5, "a", "b"), features=[group])
    found = [[feature(told, "shop__spend_lifetime", who, instant(at), LATER) for who in "ab"] for at in (4, 5)]
    assert found == [[2, 3], [None, 5]]


def test_a_segment_in_another_and_a_population_are_asked_of_the_survivor() -> None:
    buyers = {"segment": "buyers", "purpose": "free", "when": TWICE}
    facts = (event(0, "a"), event(1, "b"), link(5, "a", "b"))
    assert during(world(*facts, when={"in_segment": "buyers"}, segments=[buyers]), "b") == [(5, None)]
    told = world(*facts, segment={"population": {"in_segment": "buyers"}}, segments=[buyers])
    assert (during(told, "a"), during(told, "b")) == ([], [(5, None)])
    active = world(event(0, "a"), link(2, "a", "b"), segment={"population": {"active_in": "5h"}})
    assert (during(active, "a"), during(active, "b")) == ([(0, 2)], [(2, 5)])


# --- Profile, list, bucket, population --------------------------------------------------------------------------------


def test_the_profile_is_the_survivors_and_no_column_crosses() -> None:
    facts = (lives(0, "a", country="DE"), lives(0, "b", plan="free"), link(5, "a", "b"))
    assert during(world(*facts, when={"property": {"country": "= 'DE'"}}), "b") == []
    assert during(world(*facts, when={"property": {"plan": "= 'free'"}}), "b") == [(0, None)]
    assert during(world(*facts, when={"property": {"country": "is null"}}), "b") == [(0, None)]


def test_a_zone_of_the_profile_is_the_survivors_for_events_of_before_the_link_too() -> None:
    today = {"did": {"event": "buy", "window": {"calendar": {"last": 1, "unit": "day", "tz": "profile"}}}}
    told = world(lives(0, "b", timezone="Asia/Tokyo"), event(10, "a"), link(12, "a", "b"), when=today)
    assert (during(told, "a"), during(told, "b")) == ([(10, 12)], [(12, 15)])


def test_a_list_holds_for_any_id_that_is_the_subjects_at_the_time() -> None:
    told = world(event(0, "a"), event(0, "b"), link(5, "a", "b"), undo(9, "a"), when=LISTED, **HELD)
    assert (during(told, "a"), during(told, "b")) == ([(0, 5), (9, None)], [(5, 9)])


def test_the_bucket_is_the_survivors() -> None:
    digests = {who: hashlib.sha256(f"x\0{who}".encode()).digest()[:8] for who in "ab"}
    buckets = {who: int.from_bytes(digest, "big") % 1000 for who, digest in digests.items()}
    of_b = {"bucket": {"salt": "x", "range": [buckets["b"], buckets["b"] + 1], "of": 1000}}
    told = world(event(0, "a"), link(5, "a", "b"), when=of_b)
    assert (during(told, "a"), during(told, "b")) == ([], [(5, None)])


def test_a_link_is_a_fact_of_both_its_ids() -> None:
    told = world(link(5, "a", "b"), undo(9, "a"), when={"did_not": {"event": "buy"}})
    assert (during(told, "a"), during(told, "b")) == ([(9, None)], [(5, None)])


def test_a_refused_link_makes_nobody_known() -> None:
    told = world(link(5, "a", "a"), when={"did_not": {"event": "buy"}})
    assert during(told, "a") == []


# --- Which links hold -------------------------------------------------------------------------------------------------


def test_an_empty_to_id_undoes() -> None:
    told = world(event(0, "a"), link(5, "a", "b"), undo(9, "a"))
    assert (during(told, "a"), during(told, "b")) == ([(0, 5), (9, None)], [(5, 9)])


def test_a_chain_leads_to_its_end() -> None:
    told = world(event(0, "a"), link(5, "a", "b"), link(7, "b", "c"), undo(9, "b"))
    assert [during(told, who) for who in "abc"] == [[(0, 5)], [(5, 7), (9, None)], [(7, 9)]]


def test_a_later_link_replaces_an_earlier_one() -> None:
    told = world(event(0, "a"), link(5, "a", "b"), link(8, "a", "c"))
    assert [during(told, who) for who in "abc"] == [[(0, 5)], [(5, 8)], [(8, None)]]


def test_an_id_takes_its_own_tree_along() -> None:
    links = (link(1, "a", "b"), link(2, "c", "a"), link(3, "a", "d"))
    assert [leads(at, *links, who="c") for at in (0, 1, 2, 3)] == ["c", "c", "b", "d"]


def test_at_one_instant_the_larger_to_id_wins() -> None:
    for links in permutations((link(5, "a", "b"), link(5, "a", "d"), link(5, "a", "c"), undo(5, "a"))):
        assert leads(5, *links) == "d"


def test_to_ids_compare_by_bytes() -> None:
    assert leads(5, link(5, "a", "Z"), link(5, "a", "b")) == "b"
    assert leads(5, link(5, "a", "z"), link(5, "a", "é")) == "é"


def test_a_link_that_closes_a_cycle_is_refused_for_good() -> None:
    links = (link(5, "a", "b"), link(6, "b", "a"), undo(9, "a"))
    assert [leads(at, *links, who=who) for at in (6, 9) for who in "ab"] == ["b", "b", "a", "b"]


def test_a_refused_link_leaves_the_earlier_one_of_its_id() -> None:
    links = (link(3, "b", "c"), link(5, "a", "b"), link(6, "b", "a"))
    assert [leads(6, *links, who=who) for who in "ab"] == ["c", "c"]


def test_an_id_does_not_lead_to_itself() -> None:
    assert leads(5, link(5, "a", "a")) == "a"
    assert leads(6, link(5, "a", "b"), link(6, "a", "a")) == "b"


def test_a_long_cycle_is_refused_at_its_last_link() -> None:
    links = (link(1, "a", "b"), link(2, "b", "c"), link(3, "c", "d"), link(4, "d", "a"))
    assert {leads(9, *links, who=who) for who in "abcd"} == {"d"}


def test_of_two_links_of_one_instant_that_close_a_cycle_the_larger_to_id_wins() -> None:
    for links in permutations((link(5, "a", "b"), link(5, "b", "a"))):
        assert [leads(5, *links, who=who) for who in "ab"] == ["b", "b"]


def test_a_link_closes_no_cycle_that_another_of_its_instant_undoes() -> None:
    for links in permutations((link(1, "b", "a"), undo(5, "b"), link(5, "a", "b"))):
        assert [leads(5, *links, who=who) for who in "ab"] == ["b", "b"]


def test_a_link_counts_from_when_it_is_known() -> None:
    told = world(event(0, "a"), link(5, "a", "b", received=20))
    assert member(told, "it", "a", instant(7), instant(19))
    assert not member(told, "it", "a", instant(7), instant(20))
    assert (during(told, "b", known=19), during(told, "b", known=20)) == ([], [(5, None)])


def test_a_link_known_late_can_refuse_a_later_one() -> None:
    links = (link(3, "b", "a", received=20), link(5, "a", "b"))
    assert [leads(10, *links, known=known) for known in (10, 20)] == ["b", "a"]


def test_a_link_dated_in_the_future_is_kept_and_not_used_yet() -> None:
    told = world(event(0, "a"), link(50, "a", "b", received=1))
    assert survivor(told, "a", instant(50) - 1, LATER) == "a"
    assert (during(told, "a", known=1), during(told, "b", known=1)) == ([(0, 50)], [(50, None)])


def test_any_order_and_any_repetition_of_links_says_the_same() -> None:
    links = (link(5, "a", "b"), link(6, "b", "c"), link(6, "c", "a"), undo(8, "b"), link(8, "a", "c"))
    first = [during(world(event(0, "a"), *links), who) for who in "abc"]
    again = replace(links[0], position="again", received_at=instant(7))
    for order in permutations(links):
        assert [during(world(event(0, "a"), *order, again, order[0]), who) for who in "abc"] == first


def test_a_tree_has_at_most_max_links_ids_the_survivor_among_them() -> None:
    links = (link(1, "a", "d"), link(2, "b", "d"), link(3, "c", "d"))
    assert [leads(9, *links, who=who, max_links=3) for who in "abc"] == ["d", "d", "c"]
    assert [leads(9, *links, who=who, max_links=4) for who in "abc"] == ["d", "d", "d"]


def test_a_super_node_is_told_by_whole_trees() -> None:
    links = (link(1, "a", "b"), link(2, "c", "d"), link(3, "b", "d"))
    assert [leads(9, *links, who=who, max_links=3) for who in "abcd"] == ["b", "b", "d", "d"]


def test_what_a_super_node_refused_stays_refused() -> None:
    links = (link(1, "a", "d"), link(2, "b", "d"), undo(3, "a"))
    assert [leads(9, *links, who=who, max_links=2) for who in "ab"] == ["a", "b"]


def test_a_hundred_ids_are_one_subject_and_no_more() -> None:
    many = [link(n, f"x{n:03}", "z") for n in range(100)]
    assert [leads(200, *many, who=f"x{n:03}") for n in (98, 99)] == ["z", "x099"]


def test_of_links_of_one_instant_to_one_id_the_smaller_ids_keep_their_place() -> None:
    for links in permutations((link(5, "a", "d"), link(5, "b", "d"), link(5, "c", "d"))):
        assert [leads(5, *links, who=who, max_links=3) for who in "abc"] == ["d", "d", "c"]


def test_a_blocked_value_links_nothing() -> None:
    links = (link(1, "a", "none"), link(2, "none", "b"))
    assert [leads(9, *links, who=who, blocked=["none"]) for who in ("a", "none")] == ["a", "none"]
    assert leads(9, *links) == "b"
