"""The oracle on merges and consent (6.3, consent.md "Identity"): restrictions flow, grants never do, nothing is laundered."""

from datetime import date
from typing import Any

from tests.support.merged import ASKED, FREE, LATER, Hours, Link, during, event, instant, link, lives, row, undo, world
from tests.support.oracle import Consent, Event, Profile, event_counts, member, survivor, verdict

WATCHED = {"did": {"event": "buy", "count": ">= 1"}}
BY_COUNTRY = {"id": "asked", "basis": {"default": "consent", "US": "legitimate_interest"}}
PERSONAL = {"method": "interactive", "actor": "subject"}


def asked(who: str, *facts: Event | Link | Consent | Profile, purpose: Any = "asked", **project: Any) -> Hours:
    return during(world(*facts, when=WATCHED, purpose=purpose, **project), who)


def free(who: str, *facts: Event | Link | Consent | Profile) -> Hours:
    return asked(who, *facts, purpose="free")


GRANTED = (row(0, "a"), row(0, "b"), event(1, "a"))
"""Both have granted, and `a` has bought."""
LINKED = (*GRANTED, link(5, "a", "b"))

# --- Grants never cross -----------------------------------------------------------------------------------------------


def test_an_event_counts_for_the_survivor_where_both_ids_granted() -> None:
    assert (asked("a", *LINKED), asked("b", *LINKED)) == ([(1, 5)], [(5, None)])


def test_the_survivors_grant_opens_nothing_that_the_merged_id_collected() -> None:
    assert asked("b", row(0, "b"), event(1, "a"), link(5, "a", "b"), event(7, "a")) == []


def test_the_merged_ids_grant_does_not_open_the_survivors_purpose() -> None:
    facts = (row(0, "a"), event(1, "a"), link(5, "a", "b"), event(7, "b"))
    assert (asked("a", *facts), asked("b", *facts)) == ([(1, 5)], [])


def test_an_epoch_of_the_id_that_collected_it_must_hold_the_events_time() -> None:
    facts = (row(3, "a"), row(0, "b"), event(1, "a"), link(5, "a", "b"))
    assert asked("b", *facts) == []
    assert asked("b", *facts, event(4, "a", event_id="2")) == [(5, None)]


def test_the_survivors_epoch_need_not_hold_the_time_of_what_the_merged_id_collected() -> None:
    assert asked("b", row(0, "a"), event(1, "a"), row(3, "b"), link(5, "a", "b")) == [(5, None)]


def test_a_grant_of_the_merged_id_after_the_link_is_its_own() -> None:
    assert asked("b", row(0, "b"), link(5, "a", "b"), row(6, "a"), event(7, "a"), event(8, "b")) == [(7, None)]
    assert asked("b", link(5, "a", "b"), row(6, "a"), event(7, "a"), event(8, "b")) == []


def test_of_two_purposes_each_id_needs_an_epoch_of_both() -> None:
    both = {"purpose": ["asked", "other"], "purposes": [ASKED, {"id": "other", "basis": "consent"}]}
    others = (row(0, "b", purpose="other"),)
    assert asked("b", *LINKED, *others, **both) == []
    assert asked("b", *LINKED, *others, row(0, "a", purpose="other"), **both) == [(5, None)]


# --- Restrictions flow ------------------------------------------------------------------------------------------------


def test_what_the_merged_id_withdrew_before_is_withdrawn_for_the_survivor_from_the_link_on() -> None:
    facts = (row(0, "a"), row(0, "b"), event(1, "b"), row(3, "a", "WITHDRAW"), link(5, "a", "b"))
    assert asked("b", *facts) == [(1, 5)]
    assert asked("b", *facts, row(8, "b"), event(9, "b")) == [(1, 5), (9, None)]


def test_what_the_survivor_withdrew_closes_what_the_merged_id_collected() -> None:
    facts = (*GRANTED, row(3, "b", "WITHDRAW"), link(5, "a", "b"), row(6, "b"))
    assert asked("b", *facts) == []
    assert asked("b", *facts, event(7, "a", event_id="2"), row(6, "a")) == [(7, None)]


def test_a_withdrawal_after_the_link_closes_both_whoever_makes_it() -> None:
    for who in "ab":
        facts = (*LINKED, event(1, "b"), row(7, who, "WITHDRAW"))
        assert asked("b", *facts) == [(1, 7)]


def test_a_refusal_keeps_its_own_instant_so_that_a_later_grant_of_the_other_id_stands() -> None:
    facts = (row(0, "a"), row(2, "a", "WITHDRAW"), event(1, "b"), row(3, "b"), event(4, "b"), link(5, "a", "b"))
    assert asked("b", *facts) == [(4, None)]
    assert asked("b", *facts[:3], row(0, "b"), *facts[5:]) == [(1, 5)]


def test_a_refusal_flows_even_where_the_id_that_made_it_granted_again() -> None:
    facts = (row(0, "a"), row(2, "a", "DENY"), row(3, "a"), row(0, "b"), event(4, "a"), event(4, "b"), link(5, "a", "b"))
    assert (asked("a", *facts), asked("b", *facts)) == ([(4, 5)], [(4, 5)])


def test_a_refusal_closes_a_grant_of_its_own_instant() -> None:
    facts = (row(5, "a", "WITHDRAW"), row(5, "b"), link(5, "a", "b"), event(6, "b"))
    assert asked("b", *facts) == []


def test_a_refusal_flows_along_a_chain_and_to_siblings() -> None:
    facts = (row(0, "c"), event(1, "c"), row(2, "a", "WITHDRAW"), link(3, "a", "b"), link(5, "b", "c"))
    assert asked("c", *facts) == [(1, 5)]
    siblings = (row(0, "b"), row(0, "c"), event(1, "b"), link(3, "b", "c"), row(4, "a", "WITHDRAW"), link(6, "a", "c"))
    assert asked("c", *siblings) == [(3, 6)]


def test_a_withdrawal_of_everything_flows() -> None:
    assert asked("b", *LINKED, event(1, "b"), row(7, "a", "WITHDRAW", purpose="*")) == [(1, 7)]


def test_a_snapshot_that_leaves_a_purpose_out_withdraws_it_for_both() -> None:
    two = [ASKED, {"id": "other", "basis": "consent"}]
    left_out = row(7, "a", purpose="other", payload_kind="snapshot")
    assert asked("b", *LINKED, left_out, purposes=two) == [(5, 7)]


def test_a_refusal_known_late_corrects_both() -> None:
    late = Consent("led", "a", "late", "asked", "WITHDRAW", instant(3), instant(9))
    told = world(*LINKED, event(1, "b"), late, purpose="asked")
    assert during(told, "b", known=8) == [(1, None)]
    assert during(told, "b", known=9) == [(1, 5)]


def test_an_objection_flows_and_each_id_must_clear_its_own() -> None:
    facts = (event(1, "a"), event(1, "b"), row(3, "a", "OBJECT", "free"), link(5, "a", "b"))
    assert free("b", *facts) == [(1, 5)]
    anew = (*facts, row(6, "b", "UNOBJECT", "free", **PERSONAL))
    assert free("b", *anew, event(7, "a", event_id="2")) == [(1, 5)]
    assert free("b", *anew, event(7, "b", event_id="2")) == [(1, 5), (7, None)]


def test_a_restriction_of_either_is_of_both_and_its_lifting_only_of_one() -> None:
    facts = (event(1, "b"), row(3, "a", "RESTRICT", "free"), link(5, "a", "b"))
    assert free("b", *facts) == [(1, 5)]
    assert free("b", *facts, row(7, "a", "UNRESTRICT", "free")) == [(1, 5)]
    assert free("b", *facts, row(7, "b", "UNRESTRICT", "free")) == [(1, 5), (7, None)]


def test_an_invalidation_for_the_past_voids_the_epochs_of_the_other_id() -> None:
    facts = (*LINKED, event(1, "b"), row(7, "a", "INVALIDATE", retroactive=True))
    assert asked("b", *facts) == [(1, 5)]
    assert asked("b", *facts, row(8, "b")) == [(1, 5)]


def test_rows_of_a_channel_stay_with_their_channel() -> None:
    told = world(*LINKED, row(7, "a", "DENY", channel="email"), purpose="asked")
    assert during(told, "b") == [(5, None)]
    found = [verdict(told, "asked", channel, "b", instant(6), instant(8), LATER) for channel in ("email", "push")]
    assert found == ["CHANNEL_OPT_OUT", "ALLOW_consent"]


# --- Undoing restores -------------------------------------------------------------------------------------------------


def test_undoing_a_merge_restores_because_nothing_was_laundered() -> None:
    facts = (*GRANTED, event(1, "b"), row(3, "a", "WITHDRAW"), link(5, "a", "b"), undo(7, "a"))
    assert (asked("a", *facts), asked("b", *facts)) == ([(1, 3)], [(1, 5), (7, None)])


def test_a_second_merge_lets_the_refusal_flow_again_from_then_on() -> None:
    facts = (row(0, "b"), event(1, "b"), row(3, "a", "WITHDRAW"), link(5, "a", "b"), undo(7, "a"), link(9, "a", "b"))
    assert asked("b", *facts) == [(1, 5), (7, 9)]
    assert asked("b", *facts, row(6, "b"), event(6, "b", event_id="2")) == [(1, 5), (6, None)]


def test_a_link_that_is_said_again_closes_nothing_anew() -> None:
    facts = (row(0, "b"), row(3, "a", "WITHDRAW"), link(5, "a", "b"), row(6, "b"), event(7, "b"), link(8, "a", "b"))
    assert asked("b", *facts) == [(7, None)]


def test_a_withdrawal_in_the_time_of_the_merge_stays_with_who_made_it_when_it_is_undone() -> None:
    facts = (*LINKED, event(1, "b"), row(6, "a", "WITHDRAW"), undo(7, "a"))
    assert (asked("a", *facts), asked("b", *facts)) == ([(1, 5)], [(1, 6), (7, None)])


# --- Erasure ----------------------------------------------------------------------------------------------------------


def test_an_erasure_of_either_closes_both_for_good() -> None:
    for who in "ab":
        facts = (*LINKED, row(7, who, "ERASE"), row(8, "a", **PERSONAL), row(8, "b", **PERSONAL))
        assert asked("b", *facts, event(9, "a", event_id="2"), event(9, "b")) == [(5, 7)]


def test_an_edge_to_an_erased_id_is_refused() -> None:
    facts = (*GRANTED, row(3, "b", "ERASE"), link(5, "a", "b"))
    assert (asked("a", *facts), asked("b", *facts)) == ([(1, None)], [])
    at_once = (*GRANTED, row(5, "b", "ERASE"), link(5, "a", "b"))
    assert asked("a", *at_once) == [(1, None)]


def test_an_id_is_erased_with_the_ids_that_it_is_one_subject_with() -> None:
    facts = (row(0, "a"), event(1, "a"), row(2, "c", "ERASE"), link(3, "c", "b"), link(5, "a", "b"))
    assert asked("a", *facts) == [(1, None)]


def test_an_edge_from_an_erased_id_takes_its_erasure_along() -> None:
    facts = (row(0, "b"), event(1, "b"), row(3, "a", "ERASE"), link(5, "a", "b"), row(6, "b", **PERSONAL))
    assert asked("b", *facts) == [(1, 5)]


def test_an_edge_of_before_the_erasure_stands() -> None:
    told = world(*LINKED, row(6, "b", "ERASE"), purpose="asked")
    assert survivor(told, "a", instant(9), LATER) == "b"
    assert (during(told, "a"), during(told, "b")) == ([(1, 5)], [(5, 6)])


# --- Age and jurisdiction ---------------------------------------------------------------------------------------------

YEAR = 24 * 365.25


def test_the_least_age_is_told_by_the_survivors_profile_at_both_instants() -> None:
    adults = {"purposes": [{"id": "free", "basis": "legitimate_interest", "min_age": 18}], "purpose": "free"}
    born = lives(0, "b", birth_date=date(2005, 11, 16))  # 18 from hour 24 on
    facts = (event(23, "a"), event(25, "a", event_id="2"), link(30, "a", "b"))
    assert asked("b", *facts, born, **adults) == [(30, None)]
    assert asked("b", facts[0], facts[2], born, **adults) == []
    assert asked("b", *facts, lives(0, "a", birth_date=date(1980, 1, 1)), **adults) == []


def test_a_minors_own_grant_is_none_by_whosever_profile_of_the_two() -> None:
    adults = {"purposes": [{"id": "asked", "basis": "consent", "min_age": 14}]}
    child = {"country": "DE", "birth_date": date(2008, 11, 1)}  # 15; the age of consent is 16
    grown = {"country": "DE", "birth_date": date(1980, 1, 1)}
    facts = (*LINKED, lives(0, "b", **grown))
    assert asked("b", *facts, lives(0, "a", **grown), **adults) == [(5, None)]
    assert asked("b", *facts, lives(0, "a", **child), **adults) == []
    assert asked("b", *LINKED, lives(0, "a", **grown), lives(0, "b", **child), **adults) == []


def test_an_epoch_must_hold_by_the_country_of_the_id_and_of_the_survivor() -> None:
    here = {"purposes": [FREE, BY_COUNTRY]}
    us, de = {"country": "US"}, {"country": "DE"}
    bought = (event(1, "a"), link(5, "a", "b"))
    assert asked("b", lives(0, "a", **us), lives(0, "b", **us), *bought, **here) == [(5, None)]
    # Not granted where it was needed: moving under a survivor elsewhere makes it no more usable.
    assert asked("b", lives(0, "a", **de), lives(0, "b", **us), *bought, **here) == []
    assert asked("b", *bought, lives(0, "b", **us), **here) == []
    # Granted by the survivor, where its own country asks for it: what the other collected needs that id's grant.
    assert asked("b", lives(0, "a", **us), lives(0, "b", **de), row(0, "b"), *bought, **here) == []
    assert asked("b", lives(0, "a", **us), lives(0, "b", **de), row(0, "a"), row(0, "b"), *bought, **here) == [(5, None)]


def test_the_profile_of_a_merged_id_does_not_open_the_survivors_purpose() -> None:
    here = {"purposes": [FREE, BY_COUNTRY]}
    facts = (lives(0, "a", country="US"), event(1, "a"), link(5, "a", "b"))
    assert (asked("a", *facts, **here), asked("b", *facts, **here)) == ([(1, 5)], [])


# --- Reasons ----------------------------------------------------------------------------------------------------------


def test_the_verdict_on_an_event_of_a_merged_id_is_that_ids_and_then_the_survivors() -> None:
    told = world(*GRANTED, row(3, "b", "DENY", "free"), link(5, "a", "b"), row(8, "b", "WITHDRAW"), purpose="asked")
    reasons = [verdict(told, "asked", "*", "a", instant(1), instant(at), LATER) for at in (2, 5, 8)]
    assert reasons == ["ALLOW_consent", "ALLOW_consent", "WITHDRAWN"]
    alone = world(row(0, "a"), event(1, "a"), link(5, "a", "b"), purpose="asked")
    assert verdict(alone, "asked", "*", "a", instant(1), instant(6), LATER) == "NO_RECORD"
    assert [event_counts(alone, ("asked",), alone.events[0], instant(at), LATER) for at in (4, 6)] == [True, False]


def test_nothing_is_used_that_the_look_back_does_not_reach() -> None:
    near = {"purposes": [{"id": "asked", "basis": "consent", "max_lookback": "6h"}]}
    assert asked("b", *LINKED, **near) == [(5, 7)]
    assert not member(world(*LINKED, purpose="asked", **near), "it", "b", instant(7), LATER)
