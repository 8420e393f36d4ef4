"""The oracle against the law itself: consent.md's worked verdicts, row by row, and facts of semantics.md."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.oracle import (
    Consent,
    Event,
    Profile,
    World,
    breakpoints,
    event_counts,
    feature,
    history,
    member,
    node_truth,
    purpose_open,
    truth,
    verdict,
)
from tests.support.oracle_expression import evaluate, satisfies
from tests.support.oracle_model import DAY, HOUR, MINUTE, start_of_date

LATER = 10**18
"""A K at which everything is known."""

# --- The worked verdicts (time in minutes) ----------------------------------------------------------------------------

CONSENT: dict[str, Any] = {"id": "p", "basis": "consent"}
INTEREST: dict[str, Any] = {"id": "p", "basis": "legitimate_interest"}


def row(action: str, claimed: int, received: int | None = None, **more: Any) -> Consent:
    return Consent(
        source="ledger",
        subject="s",
        event_id=more.pop("event_id", f"{action}-{claimed}"),
        purpose=more.pop("purpose", "p"),
        action=action,
        claimed_at=claimed * MINUTE,
        received_at=(claimed if received is None else received) * MINUTE,
        **more,
    )


GRANT, AGAIN, WITHDRAW = row("GRANT", 100), row("GRANT", 300), row("WITHDRAW", 200)
LATE_WITHDRAW = row("WITHDRAW", 200, 260)
OBJECT, IMPORT = row("OBJECT", 10), row("GRANT", 20)
PERSONAL = row("GRANT", 30, method="interactive", actor="subject")
TWO = CONSENT | {"versions": [{"major": 1}, {"major": 2, "introduced_at": datetime.fromtimestamp(12000, UTC)}]}
SHORT = CONSENT | {"max_grant_age": "50m"}
EMAIL = row("DENY", 5, channel="email")

VERDICTS: list[tuple[str, dict[str, Any], list[Consent], tuple[int, int], int | None, str, str]] = [
    ("granted, then withdrawn", CONSENT, [GRANT, WITHDRAW], (120, 150), None, "*", "ALLOW_consent"),
    ("epoch closed", CONSENT, [GRANT, WITHDRAW], (120, 210), None, "*", "WITHDRAWN"),
    ("before the grant", CONSENT, [GRANT, WITHDRAW], (90, 150), None, "*", "EVENT_OUTSIDE_EPOCH"),
    ("old epoch not revived", CONSENT, [GRANT, WITHDRAW, AGAIN], (120, 310), None, "*", "EVENT_OUTSIDE_EPOCH"),
    ("the new epoch", CONSENT, [GRANT, WITHDRAW, AGAIN], (305, 310), None, "*", "ALLOW_consent"),
    ("not yet known", CONSENT, [GRANT, LATE_WITHDRAW], (210, 230), 230, "*", "ALLOW_consent"),
    ("known later", CONSENT, [GRANT, LATE_WITHDRAW], (210, 230), 260, "*", "WITHDRAWN"),
    ("received a little later", CONSENT, [row("GRANT", 100, 110)], (105, 120), None, "*", "ALLOW_consent"),
    ("clamped to 385", CONSENT, [row("GRANT", 100, 400)], (105, 410), None, "*", "EVENT_OUTSIDE_EPOCH"),
    ("from 385", CONSENT, [row("GRANT", 100, 400)], (385, 410), None, "*", "ALLOW_consent"),
    ("a tie", CONSENT, [GRANT, row("WITHDRAW", 100)], (100, 101), None, "*", "WITHDRAWN"),
    ("a future grant", CONSENT, [row("GRANT", 900, 100)], (901, 905), None, "*", "NO_RECORD"),
    (
        "a future withdrawal",
        CONSENT,
        [row("GRANT", 50), row("WITHDRAW", 900, 100)],
        (60, 120),
        None,
        "*",
        "WITHDRAWN",
    ),
    ("nothing, consent", CONSENT, [], (1, 2), None, "*", "NO_RECORD"),
    ("nothing, interest", INTEREST, [], (1, 2), None, "*", "ALLOW_legitimate_interest"),
    ("objection", INTEREST, [OBJECT], (40, 50), None, "*", "OBJECTED"),
    ("an import clears nothing", INTEREST, [OBJECT, IMPORT], (40, 50), None, "*", "OBJECTED"),
    ("a person does", INTEREST, [OBJECT, IMPORT, PERSONAL], (40, 50), None, "*", "ALLOW_legitimate_interest"),
    ("an older major", TWO, [GRANT], (120, 201), None, "*", "STALE_VERSION"),
    ("an older major, while in force", TWO, [GRANT], (120, 199), None, "*", "ALLOW_consent"),
    ("for an older major, given later", TWO, [row("GRANT", 300)], (301, 310), None, "*", "NO_RECORD"),
    ("expired", SHORT, [GRANT], (120, 151), None, "*", "EXPIRED"),
    ("a day's precision before", CONSENT, [row("GRANT", 0, 600, claimed_precision="day")], (590, 590), None, "*", ""),
    (
        "a day's precision after",
        CONSENT,
        [row("GRANT", 0, 600, claimed_precision="day")],
        (610, 610),
        None,
        "*",
        "ALLOW_consent",
    ),
    ("* grants nothing", CONSENT, [row("GRANT", 100, purpose="*")], (120, 130), None, "*", "NO_RECORD"),
    ("* withdraws", CONSENT, [GRANT, row("WITHDRAW", 110, purpose="*")], (105, 130), None, "*", "WITHDRAWN"),
    ("email denied", CONSENT, [row("GRANT", 0), EMAIL], (6, 10), None, "email", "CHANNEL_OPT_OUT"),
    ("not push", CONSENT, [row("GRANT", 0), EMAIL], (6, 10), None, "push", "ALLOW_consent"),
]


@pytest.mark.parametrize(
    ("purpose", "rows", "question", "known", "channel", "expected"),
    [v[1:] for v in VERDICTS],
    ids=[v[0] for v in VERDICTS],
)
def test_worked_verdict(
    purpose: dict[str, Any],
    rows: list[Consent],
    question: tuple[int, int],
    known: int | None,
    channel: str,
    expected: str,
) -> None:
    t, used = question[0] * MINUTE, question[1] * MINUTE
    seen = LATER if known is None else known * MINUTE
    project = {"timezone": "UTC", "purposes": [purpose]}
    for order in (rows, rows[::-1], rows + rows):
        world = World(project, consents=tuple(order))
        found = verdict(world, "p", channel, "s", t, used, seen)
        assert found == (expected or "NO_RECORD")
        if channel == "*":
            event = Event("e", "s", "1", "x", t, t)
            assert event_counts(world, ("p",), event, used, seen) == expected.startswith("ALLOW")


def ledger(*rows: Consent, purpose: dict[str, Any] = CONSENT, profiles: tuple[Profile, ...] = ()) -> World:
    others = [{"id": "q", "basis": "consent"}]
    return World({"timezone": "UTC", "purposes": [purpose, *others]}, profiles=profiles, consents=rows)


def reason(world: World, t: int, use: int) -> str:
    return verdict(world, "p", "*", "s", t * MINUTE, use * MINUTE, LATER)


def test_a_restriction_is_an_overlay() -> None:
    world = ledger(GRANT, row("RESTRICT", 120), row("UNRESTRICT", 150))
    assert [reason(world, 110, use) for use in (119, 120, 149, 150)] == [
        "ALLOW_consent",
        "RESTRICTED",
        "RESTRICTED",
        "ALLOW_consent",
    ]
    assert reason(world, 130, 160) == "ALLOW_consent"


def test_a_slow_clock_refuses_again_on_receipt() -> None:
    rows = (GRANT, row("WITHDRAW", 150, 200), row("GRANT", 180))
    assert reason(ledger(*rows), 205, 210) == "WITHDRAWN"
    trusted = World(
        {"timezone": "UTC", "purposes": [CONSENT], "sources": {"ledger": {"kind": "consents", "clock": "trusted"}}},
        consents=rows,
    )
    assert reason(trusted, 205, 210) == "ALLOW_consent"


def test_a_snapshot_withdraws_what_it_does_not_name() -> None:
    other = row("GRANT", 150, purpose="q", payload_kind="snapshot")
    assert reason(ledger(GRANT, other), 120, 160) == "WITHDRAWN"
    assert (
        reason(ledger(GRANT, other, row("DENY", 150, channel="email", event_id="GRANT-150")), 120, 160) == "WITHDRAWN"
    )
    delta = row("GRANT", 150, purpose="q")
    assert reason(ledger(GRANT, delta), 120, 160) == "ALLOW_consent"


def test_a_permissive_row_with_a_restrictive_twin_does_not_apply() -> None:
    assert reason(ledger(row("GRANT", 100, event_id="1"), row("DENY", 90, event_id="1")), 110, 120) == "DENIED"


def test_a_grant_while_granted_moves_the_end_and_keeps_the_epoch() -> None:
    world = ledger(GRANT, row("GRANT", 140), purpose=SHORT)
    assert reason(world, 120, 189) == "ALLOW_consent"
    assert reason(world, 120, 190) == "EXPIRED"
    anew = ledger(GRANT, row("GRANT", 150), purpose=SHORT)
    assert reason(anew, 120, 160) == "EVENT_OUTSIDE_EPOCH"


def test_invalidated_for_the_past() -> None:
    assert reason(ledger(GRANT, row("INVALIDATE", 200)), 120, 150) == "ALLOW_consent"
    assert not reason(ledger(GRANT, row("INVALIDATE", 200, retroactive=True)), 120, 150).startswith("ALLOW")


def test_erased_for_good() -> None:
    assert reason(ledger(GRANT, row("ERASE", 200), PERSONAL, AGAIN), 305, 310) == "SUPPRESSED"


def test_a_change_of_basis_closes_the_epoch() -> None:
    by_country = {"id": "p", "basis": {"default": "consent", "US": "legitimate_interest"}}

    def lives(at: int, country: str) -> Profile:
        return Profile("crm", "s", at * MINUTE, at * MINUTE, {"country": country})

    world = ledger(purpose=by_country, profiles=(lives(50, "US"), lives(80, "DE")))
    assert reason(world, 40, 45) == "JURISDICTION_UNKNOWN"
    assert reason(world, 45, 60) == "EVENT_OUTSIDE_EPOCH"
    assert reason(world, 55, 60) == "ALLOW_legitimate_interest"
    assert reason(world, 55, 90) == "NO_RECORD"
    withdrawn = ledger(row("WITHDRAW", 10), purpose=by_country, profiles=(lives(50, "US"),))
    assert reason(withdrawn, 55, 60) == "WITHDRAWN"


def test_min_age_at_both_instants() -> None:
    born = Profile("crm", "s", 0, 0, {"birth_date": date(1970 - 16, 1, 2)})
    minors = INTEREST | {"min_age": 16}
    day = DAY // MINUTE
    assert reason(ledger(purpose=minors, profiles=(born,)), day, day + 1) == "ALLOW_legitimate_interest"
    assert reason(ledger(purpose=minors, profiles=(born,)), day - 1, day + 1) == "MINOR"
    assert reason(ledger(purpose=minors), 10, 20) == "AGE_UNKNOWN"


# --- Facts of semantics.md --------------------------------------------------------------------------------------------

FREE = {"id": "free", "basis": "legitimate_interest"}
START = 1_700_000_000_000_000
SEVEN = {"did": {"event": "buy", "window": "7d"}}


def event(at: int, name: str = "buy", event_id: str = "1", received: int | None = None, **more: Any) -> Event:
    return Event("web", more.pop("subject", "s"), event_id, name, at, at if received is None else received, more)


def world_of(
    *facts: Event | Profile | Consent, when: dict[str, Any] = SEVEN, timezone: str = "UTC", **more: Any
) -> World:
    segment = {"segment": "it", "purpose": "free", "when": when} | more.pop("segment", {})
    project = {
        "timezone": timezone,
        "purposes": [FREE, *more.pop("purposes", [])],
        "segments": [segment, *more.pop("segments", [])],
    }
    return World(
        project | more,
        tuple(f for f in facts if isinstance(f, Event)),
        tuple(f for f in facts if isinstance(f, Profile)),
        tuple(f for f in facts if isinstance(f, Consent)),
    )


def test_seven_days_exactly_no_longer_counts() -> None:
    world = world_of(event(START))
    assert member(world, "it", "s", START + 7 * DAY - 1, LATER)
    assert not member(world, "it", "s", START + 7 * DAY, LATER)
    assert not member(world, "it", "s", START - 1, LATER)
    assert history(world, "it", "s", LATER) == [(START, START + 7 * DAY)]


def test_at_most_two_holds_for_a_subject_who_never_did_it() -> None:
    at_most = {"did": {"event": "buy", "count": "<= 2"}}
    world = world_of(event(START, "look"), when=at_most)
    assert history(world, "it", "s", LATER) == [(START, None)]
    assert history(world, "it", "nobody", LATER) == []
    third = world_of(*(event(START + i, event_id=str(i)) for i in range(3)), when=at_most)
    assert history(third, "it", "s", LATER) == [(START, START + 2)]


def test_an_event_a_year_ahead_changes_nothing() -> None:
    ahead = world_of(event(START + 365 * DAY, received=START))
    assert history(ahead, "it", "s", LATER) == []
    assert not member(ahead, "it", "s", START + 366 * DAY, LATER)
    assert history(world_of(event(START + 5 * MINUTE, received=START)), "it", "s", LATER) != []


def test_late_events_are_used_unless_set_aside() -> None:
    late = event(START, received=START + 2 * DAY + 1)
    for on_late, used in (("correct", True), ("quarantine", False), ("drop", False)):
        sources = {"web": {"kind": "events", "properties": {}, "allowed_lateness": "2d", "on_late": on_late}}
        assert bool(history(world_of(late, sources=sources), "it", "s", LATER)) == used


def test_one_event_counts_once_the_first_received() -> None:
    dear = {"did": {"event": "buy", "where": "amount >= 10"}}
    first, second = event(START, received=START + 5, amount=10), event(START, received=START + 4, amount=1)
    for order in ((first, second), (second, first)):
        world = world_of(*order, when=dear)
        assert not member(world, "it", "s", START, LATER)
        twice = world_of(*order, when={"did": {"event": "buy", "count": ">= 2"}})
        assert not member(twice, "it", "s", START, LATER)
    assert not member(world_of(first, when=dear), "it", "s", START, START + 4)
    assert member(world_of(first, when=dear), "it", "s", START, START + 5)


def test_a_calendar_day_follows_daylight_saving_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    yesterday = {"calendar": {"last": 1, "unit": "day", "tz": "Europe/Berlin", "include_current": False}}
    for day, hours in ((date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 7, 1), 24)):
        begins = start_of_date(day, berlin)
        world = world_of(event(begins - 1), when={"did": {"event": "buy", "window": yesterday}})
        assert history(world, "it", "s", LATER) == [(begins, begins + hours * HOUR)]


def test_a_calendar_window_uses_the_zone_of_the_profile_at_the_event() -> None:
    today = {"calendar": {"last": 1, "unit": "day", "tz": "profile"}}
    noon = start_of_date(date(2024, 1, 10), ZoneInfo("UTC")) + 12 * HOUR
    tokyo = Profile("crm", "s", noon - DAY, noon - DAY, {"timezone": "Asia/Tokyo"})
    moved = Profile("crm", "s", noon + 1, noon + 1, {"timezone": "Nowhere/At_All"})
    world = world_of(event(noon), tokyo, moved, when={"did": {"event": "buy", "window": today}})
    assert history(world, "it", "s", LATER) == [(noon, noon + 3 * HOUR)]


def test_a_day_begins_where_its_date_first_shows() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")  # 2018-11-04: the clock went from 00:00 to 01:00
    assert datetime.fromtimestamp(start_of_date(date(2018, 11, 4), sao_paulo) // 10**6, sao_paulo).hour == 1
    beirut = ZoneInfo("Asia/Beirut")  # 2023-10-29: at 00:00 back to 23:00
    assert start_of_date(date(2023, 10, 29), beirut) - start_of_date(date(2023, 10, 28), beirut) == 25 * HOUR


def test_born_on_29_february() -> None:
    born = Profile("crm", "s", START, START, {"birth_date": date(2004, 2, 29)})
    adults = world_of(born, when={"property": {"age": ">= 19"}}, timezone="Europe/Berlin")
    assert history(adults, "it", "s", LATER) == [(START, None)]
    twenty_one = world_of(born, when={"property": {"age": ">= 21"}}, timezone="Europe/Berlin")
    assert history(twenty_one, "it", "s", LATER) == [(start_of_date(date(2025, 3, 1), ZoneInfo("Europe/Berlin")), None)]
    twenty_four = world_of(born, when={"property": {"age": "= 24"}})
    leap = start_of_date(date(2028, 2, 29), ZoneInfo("UTC"))
    assert history(twenty_four, "it", "s", LATER)[0][0] == leap


def test_missing_policies() -> None:
    profile = Profile("crm", "s", START, START, {"country": None})
    world = world_of(event(START, "look"), profile)

    def value(node: dict[str, Any]) -> bool | None:
        return node_truth(world, node, ("free",), "s", START, LATER)

    assert value({"property": {"country": "!= 'DE'"}}) is None
    assert value({"not": {"property": {"country": "'DE'"}}}) is None
    assert value({"property": {"country": "'DE'", "missing": True}}) is True
    assert value({"property": {"country": "'DE'", "missing": "unknown"}}) is None
    assert value({"not": {"property": {"country": "'DE'", "missing": False}}}) is True
    assert value({"property": {"country": "is null"}}) is True
    assert value({"property": {"plan": "is not null"}}) is False
    assert value({"any": [{"property": {"country": "'DE'"}}, {"did": {"event": "look"}}]}) is True
    assert value({"all": [{"property": {"country": "'DE'"}}, {"did": {"event": "buy"}}]}) is False
    assert value({"last": {"event": "buy", "having": "amount > 1"}}) is None
    assert value({"last": {"event": "look", "having": "amount > 1", "missing": False}}) is False


def test_populations() -> None:
    facts = (event(START), event(START + DAY, event_id="2"))
    active = world_of(*facts, when={"all": []}, segment={"population": {"active_in": "2d"}})
    assert history(active, "it", "s", LATER) == [(START, START + 3 * DAY)]
    base = {"segment": "base", "purpose": "free", "when": SEVEN}
    within = world_of(
        *facts,
        when={"not": {"did": {"event": "buy", "window": "1d"}}},
        segment={"population": {"in_segment": "base"}},
        segments=[base],
    )
    assert history(within, "it", "s", LATER) == [(START + 2 * DAY, START + 8 * DAY)]


def test_only_what_one_epoch_holds_counts() -> None:
    rows = [
        Consent("ledger", "s", str(i), "p", action, START + at, START + at)
        for i, (action, at) in enumerate([("GRANT", 0), ("WITHDRAW", 2 * DAY), ("GRANT", 3 * DAY)])
    ]
    purposes = [{"id": "p", "basis": "consent", "max_lookback": "1d"}]
    world = world_of(
        event(START + DAY), *rows, when={"did": {"event": "buy"}}, purposes=purposes, segment={"purpose": "p"}
    )
    assert history(world, "it", "s", LATER) == [(START + DAY, START + 2 * DAY)]
    assert truth(world, "it", "s", START + 4 * DAY, LATER) is False
    assert purpose_open(world, "p", "s", START + 4 * DAY, LATER)
    both = world_of(
        event(START + DAY),
        *rows,
        when={"did_not": {"event": "buy", "window": "12h"}},
        purposes=purposes,
        segment={"purpose": ["p", "free"]},
    )
    assert history(both, "it", "s", LATER) == [
        (START, START + DAY),
        (START + DAY + 12 * HOUR, START + 2 * DAY),
        (START + 3 * DAY, None),
    ]


def test_features_are_exact_and_typed() -> None:
    group = {
        "features": "purchases",
        "purpose": "free",
        "source": {"event": "buy"},
        "aggregates": [
            {"name": "orders", "op": "count", "windows": ["7d", "lifetime"]},
            {"name": "spend", "op": "sum", "of": "amount", "windows": ["7d"]},
            {"name": "mean", "op": "mean", "of": "amount"},
            {"name": "p90", "op": "percentile", "of": "amount", "p": 0.9},
            {"name": "days", "op": "days_active", "windows": [{"between": ["7d", "1d"], "as": "week"}]},
        ],
    }
    sources = {"web": {"kind": "events", "properties": {"amount": "decimal(6,2)"}}}
    facts = [event(START + i, event_id=str(i), amount=a) for i, a in enumerate([Decimal("0.105"), 1, None, 2])]
    world = world_of(
        *facts,
        features=[group],
        sources=sources,
        when={"aggregate": {"feature": "purchases.mean_lifetime", "compare": "between 1.0366 and 1.0367"}},
    )

    def value(column: str, at: int) -> Any:
        return feature(world, column, "s", at, LATER)

    assert value("purchases__orders_7d", START + 3) == 4
    assert value("purchases__spend_7d", START + 3) == Decimal("3.11")
    assert value("purchases__mean_lifetime", START + 3) == float(Decimal("3.11") / 3)
    assert value("purchases__p90_lifetime", START + 3) == Decimal("2.00")
    assert value("purchases__spend_7d", START + 8 * DAY) == 0
    assert value("purchases__mean_lifetime", START - 1) is None
    assert value("purchases__days_week", START + 2 * DAY) == 1
    assert member(world, "it", "s", START + 3, LATER)


def test_a_bucket_is_stable() -> None:
    whole = {"any": [{"bucket": {"salt": "x", "range": [i, i + 25], "of": 100}} for i in (0, 25, 50, 75)]}
    assert member(world_of(event(START), when=whole), "it", "s", START, LATER)


def test_expressions() -> None:
    facts = {"a": None, "b": 3, "c": Decimal("2.50"), "d": "Éa", "e": "it's"}
    for sql, expected in {
        "a = 1 or b = 3": True,
        "not a = 1": None,
        "a = 1 and b = 4": False,
        "b not in (1, null)": None,
        "b in (3, null)": True,
        "c = 2.5 and c < b": True,
        "round(c) = 3 and round(-c) = -3": True,
        "length(d) = 2 and substr(d, 1, 1) = 'É' and lower(d) = 'éa'": True,
        "coalesce(a, b) between 3 and 3": True,
        "nullif(b, 3) is null": True,
        "contains(e, 't''') and starts_with(e, 'it')": True,
        "'Z' < 'a' and 'z' < 'É'": True,
    }.items():
        assert evaluate(sql, facts) is expected, sql
    assert satisfies(4, ">= 3 AND < 5 OR = 9") is True
    assert satisfies(5, "NOT IN (1, 5)") is False
    assert satisfies(-5, "between -10 and 2") is True
    assert satisfies(None, "is null") is True
    with pytest.raises(ValueError, match="not a literal"):
        satisfies("DE", "DE")


def test_breakpoints_are_sorted_and_enough() -> None:
    found = breakpoints(world_of(event(START)), "it", "s", LATER)
    assert found == sorted(set(found))
    assert {START, START + 7 * DAY} <= set(found)


# --- The later operators ----------------------------------------------------------------------------------------------


def story(when: dict[str, Any], *facts: tuple[int, str] | tuple[int, str, dict[str, Any]], **more: Any) -> Any:
    """The member intervals, in hours from START."""
    events = [event(START + f[0] * HOUR, f[1], str(i), **(f[2] if len(f) > 2 else {})) for i, f in enumerate(facts)]
    world = world_of(*events, when=when, **more)
    return [
        tuple(None if at is None else (at - START) / HOUR for at in interval)
        for interval in history(world, "it", "s", LATER)
    ]


def test_later_operators() -> None:
    nth = {"nth": {"event": "a", "n": 2, "window": "5h"}}
    assert story(nth, (0, "a"), (1, "b"), (2, "a"), (3, "a")) == [(2, 7)]
    session = {"did": {"event": "a", "count": ">= 2", "window": {"session": {"gap": "2h"}}}}
    assert story(session, (0, "a"), (2, "b"), (4, "a"), (10, "a")) == [(4, 6)]
    since = {"did": {"event": "a", "window": {"since": {"event": "b"}}}}
    assert story(since, (0, "a"), (1, "b"), (1, "a"), (3, "b"), (5, "a")) == [(1, 3), (5, None)]
    inaction = {"inaction": {"after": "a", "not": "b", "for": "2h", "within": "6h"}}
    assert story(inaction, (0, "a"), (4, "b"), (10, "a"), (11, "b"), (20, "a")) == [(2, 4), (22, 26)]
    stopped = {"stopped": {"event": "a", "active": "5h", "quiet": "2h"}}
    assert story(stopped, (0, "a"), (1, "a")) == [(3, 8)]
    restarted = {"restarted": {"event": "a", "active": "2h", "quiet": "5h"}}
    assert story(restarted, (0, "a"), (10, "a")) == [(10, 12)]
    lifecycle = {"lifecycle": {"event": "a", "period": "2h", "in": ["dormant", "lost"]}}
    assert story(lifecycle, (0, "a"), (10, "a")) == [(2, 10), (12, None)]
    context = {"context": {"where": "event = 'b'"}}
    assert story(context, (0, "a"), (1, "b"), (2, "a")) == [(1, 2)]
    geo = {"geo": {"within_km": 5, "of": [52.52, 13.40], "event": "a", "window": "1h"}}
    assert story(geo, (0, "a", {"lat": 52.53, "lon": 13.41}), (5, "a", {"lat": 52.6, "lon": 13.4}), (6, "a")) == [
        (0, 1)
    ]


def test_a_sequence_uses_each_event_once() -> None:
    twice = {"sequence": {"steps": ["a", "a"], "within": "3h", "window": "5h"}}
    assert story(twice, (0, "a")) == []
    assert story(twice, (0, "a"), (2, "a")) == [(2, 7)]
    assert story({"sequence": {"steps": ["b", "a"]}}, (0, "a"), (0, "b")) == [(0, None)]
    apart = {"sequence": {"steps": ["a", "b"], "gap": "2h", "bind": ["k"], "unless": "c"}}
    one, two = {"k": 1}, {"k": 2}
    assert story(apart, (0, "a", one), (1, "b", two), (2, "b", one)) == [(2, None)]
    assert story(apart, (0, "a", one), (1, "c", one), (2, "b", one)) == []
    assert story(apart, (0, "a", one), (1, "c", two), (2, "b", one)) == [(2, None)]
    whichever = {"sequence": {"steps": ["a", "b"], "order": "any", "within": "1h"}}
    assert story(whichever, (0, "b"), (1, "a"), (5, "b")) == [(1, None)]


def test_regularly_and_trend() -> None:
    weekly = {"regularly": {"event": "a", "at_least": 2, "of_last": 2, "period": "day"}}
    noon = 86400 * 19700 + 12 * 3600
    shift = (noon * 10**6 - START) // HOUR
    days = story(weekly, *((shift + 24 * i, "a") for i in range(3)))
    assert [(end - begin) / 24 for begin, end in days] == [2.0]
    group = {"features": "g", "purpose": "free", "source": "a", "aggregates": [{"name": "n", "op": "count"}]}
    fewer = {"trend": {"feature": "g.n", "this": "2h", "vs": "2h", "change": "<= -50%"}}
    assert story(fewer, (0, "a"), (1, "a"), (3, "a"), features=[group]) == [(3, 4), (5, 7)]
    rate = {"trend": {"feature": "g.n", "this": "1h", "vs": "2h", "change": "> 0"}}
    assert story(rate, (0, "a"), (5, "a"), features=[group]) == [(0, 1), (5, 6)]


def test_the_example_of_section_8() -> None:
    abandoned = {
        "all": [
            {
                "inaction": {
                    "after": {"event": "cart_add", "where": "value >= 30"},
                    "not": "order_completed",
                    "bind": ["cart_id"],
                    "for": "45m",
                    "within": "24h",
                }
            },
            {"not": {"in_segment": "internal_testers"}},
            {"property": {"country": "IN ('DE', 'FR', 'NL')"}},
        ]
    }
    testers = {
        "segment": "internal_testers",
        "purpose": "free",
        "when": {"list": {"file": "lists/testers.csv", "column": "subject"}},
    }
    lists = {"lists/testers.csv": {"subject": {"t"}}}
    profiles = [Profile("crm", s, START - DAY, START - DAY, {"country": "DE"}) for s in ("s", "t")]
    carts = [event(START, "cart_add", subject=s, cart_id="a", value=40) for s in ("s", "t")]
    bought = event(START + 30 * MINUTE, "order_completed", "2", START + 5 * HOUR, cart_id="a")
    world = world_of(*profiles, *carts, bought, when=abandoned, segments=[testers], lists=lists)
    assert member(world, "it", "s", START + HOUR, START + HOUR)
    assert not member(world, "it", "s", START + HOUR, START + 6 * HOUR)
    assert history(world, "it", "s", START) == [(START + 45 * MINUTE, START + 24 * HOUR)]
    assert history(world, "it", "t", START) == []
