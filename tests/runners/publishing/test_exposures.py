"""What was published before a restriction was known is told (consent.md, late news): all of it, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import Fact
from tests.support.oracle_model import DAY, HOUR, MINUTE, Consent, Event, Profile, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY
LEARNED = T + MINUTE
WITHDRAWN = START + 4 * HOUR


def ledger(action: str, claimed_at: int, received_at: int, purpose: str = "p", **more: Any) -> Consent:
    method = {"method": "interactive", "actor": "subject"} if action == "GRANT" else {}
    return Consent("led", "ann", f"{action}{purpose}{claimed_at}", purpose, action, claimed_at, received_at, **(method | more))


def seen(number: int, at: int, received_at: int | None = None) -> Event:
    return Event("e1", "ann", f"i{number}", "a", at, at if received_at is None else received_at)


def came(times: int, name: str = "came") -> dict[str, Any]:
    return {"segment": name, "purpose": "p", "when": {"did": {"event": "a", "count": f">= {times}"}}}


def world(*segments: dict[str, Any], declared: dict[str, str] | None = None) -> World:
    return World(
        {
            "timezone": "UTC",
            "purposes": [{"id": "p", "basis": "consent"}, {"id": "q", "basis": "consent"}],
            "sources": {
                "e1": {"kind": "events", "properties": declared or {}},
                "pro": {"kind": "profiles", "payload": "delta", "properties": {"country": "string"}},
                "led": {"kind": "consents"},
            },
            "segments": list(segments),
        }
    )


GRANT = ledger("GRANT", START, START)
FACTS: list[Fact] = [GRANT, seen(1, START + HOUR), seen(2, START + 2 * HOUR)]
WITHDRAWAL = ledger("WITHDRAW", WITHDRAWN, LEARNED)
EXPOSED = [("ann", WITHDRAWN)]


def started(folder: Path, *segments: dict[str, Any]) -> Target:
    target = Target(folder, world(*segments)).sharded(1)
    target.write(FACTS)
    target.run(T)
    return target


def exposed(target: Target) -> list[tuple[Any, ...]]:
    """Whom, and since when the published was wrong."""
    joined = target.rows("SELECT e.subject, epoch_us(wrong_since_at) FROM exposures e JOIN segment_changes c USING (change_id)")
    assert len(joined) == len(target.rows("FROM exposures"))
    return joined


def reasons(target: Target, version: int = 1, segment: str = "came") -> list[str]:
    """The reasons of the corrections of the last run."""
    rows = target.rows(
        "SELECT reason FROM segment_changes SEMI JOIN (FROM run_manifest ORDER BY k DESC LIMIT 1) USING (run_id) "
        f"WHERE kind = 'corrected' AND segment = '{segment}' AND version = {version} ORDER BY effective_at"
    )
    return [reason for (reason,) in rows]


ALTERED: dict[str, Callable[[Target], object]] = {
    "nothing else": lambda target: None,
    "a segment added": lambda target: target.define(world(came(1), came(2, "more"))),
    "other shards": lambda target: target.sharded(3),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_what_a_late_withdrawal_takes_back_is_exposed_whatever_else_a_run_brings(
    tmp_path: Path, alter: Callable[[Target], object]
) -> None:
    target = started(tmp_path, came(1))
    alter(target)
    target.write([WITHDRAWAL])
    target.run(T + DAY)
    assert exposed(target) == EXPOSED
    assert reasons(target) == ["consent"]
    assert target.history()["came@1", "ann"] == [(START + HOUR, WITHDRAWN)]


@pytest.mark.parametrize("again", ["full refresh", "property declared"])
def test_it_is_exposed_also_where_sources_are_read_once_more(tmp_path: Path, again: str) -> None:
    target = started(tmp_path, came(1))
    if again == "property declared":
        target.define(world(came(1), declared={"brand": "string"}))
        target.sharded(1)
    target.write([WITHDRAWAL])
    target.run(T + DAY, full_refresh=again == "full refresh")
    assert exposed(target) == EXPOSED
    assert reasons(target) == ["consent"]


def test_a_version_that_ends_in_the_same_run_is_closed_by_its_definition_and_exposed(tmp_path: Path) -> None:
    target = started(tmp_path, came(1))
    target.define(world(came(2)))
    target.sharded(1).write([WITHDRAWAL])
    target.run(T + DAY)
    assert reasons(target, version=1) == ["definition"]
    assert exposed(target) == EXPOSED


def snapshot(*purposes: str) -> list[Fact]:
    said = {"payload_kind": "snapshot", "method": "interactive", "actor": "subject"}
    return [Consent("led", "ann", "snap", purpose, "GRANT", WITHDRAWN, LEARNED, **said) for purpose in purposes]


RESTRICTS_NOTHING: dict[str, list[Fact]] = {
    "another purpose": [ledger("GRANT", START, LEARNED, "q"), ledger("WITHDRAW", WITHDRAWN, LEARNED, "q")],
    "one channel": [ledger("DENY", WITHDRAWN, LEARNED, channel="email")],
    "a snapshot that grants it": snapshot("p", "q"),
    "a snapshot without another": snapshot("p"),
}


@pytest.mark.parametrize("news", RESTRICTS_NOTHING.values(), ids=RESTRICTS_NOTHING)
def test_a_version_that_ends_while_nothing_is_restricted_is_not_exposed(tmp_path: Path, news: list[Fact]) -> None:
    target = started(tmp_path, came(1))
    target.define(world(came(2)))
    target.sharded(1).write(news)
    target.run(T + DAY)
    assert reasons(target, version=1) == ["definition"]
    assert exposed(target) == []


def test_a_snapshot_that_leaves_the_purpose_out_restricts_it(tmp_path: Path) -> None:
    target = started(tmp_path, came(1))
    target.define(world(came(2)))
    target.sharded(1).write(snapshot("q"))
    target.run(T + DAY)
    assert [who for who, _ in exposed(target)] == ["ann"]


LATE = seen(9, START, LEARNED)
BESIDE: dict[str, list[Fact]] = {
    "a grant of another purpose": [ledger("GRANT", START, LEARNED, "q")],
    "an opt-out of a channel": [ledger("WITHDRAW", WITHDRAWN, LEARNED, channel="email")],
    "a withdrawal of another purpose": [ledger("WITHDRAW", WITHDRAWN, LEARNED, "q")],
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_rows_of_the_ledger_that_decide_nothing_are_no_reason(tmp_path: Path, beside: list[Fact]) -> None:
    """A late event makes Ann a member earlier, and takes a membership back where nothing may have been done."""
    silent = {"segment": "quiet", "purpose": "p", "when": {"not": {"did": {"event": "a", "count": ">= 3"}}}}
    target = started(tmp_path, came(1), silent)
    target.write([*beside, LATE])
    target.run(T + DAY)
    assert reasons(target) == ["late"]
    assert reasons(target, segment="quiet") == ["late"]
    assert exposed(target) == []


def test_of_two_kinds_of_news_the_first_without_which_it_would_stand_is_named(tmp_path: Path) -> None:
    target = started(tmp_path, came(1))
    target.write([LATE, Profile("pro", "ann", START, LEARNED, {"country": "DE"}), WITHDRAWAL])
    target.run(T + DAY)
    assert reasons(target) == ["late", "consent"]
    assert exposed(target) == EXPOSED


def test_a_segment_that_did_not_change_keeps_its_reasons_beside_one_that_did(tmp_path: Path) -> None:
    target = started(tmp_path, came(1))
    target.define(world(came(1), came(2, "more")))
    target.sharded(1).write([LATE])
    target.run(T + DAY)
    assert reasons(target) == ["late"]
    assert reasons(target, segment="more") == ["definition"]


def test_what_a_fixed_k_had_hidden_is_late_news_once_it_is_seen(tmp_path: Path) -> None:
    target = Target(tmp_path, world(came(1))).sharded(1)
    target.write([*FACTS, LATE])
    target.run(T, START + 3 * HOUR)
    target.run(T + DAY)
    assert reasons(target) == ["late"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ledger("GRANT", START, START, "q"), "event"),
        (ledger("WITHDRAW", START + HOUR, START + HOUR, channel="email"), "event"),
        (ledger("UNRESTRICT", START + HOUR, START + HOUR), "consent"),
    ],
    ids=["another purpose", "one channel", "the purpose itself"],
)
def test_an_entry_is_by_consent_where_a_row_on_its_purpose_acts_at_its_instant(tmp_path: Path, row: Fact, reason: str) -> None:
    target = Target(tmp_path, world(came(1))).sharded(1)
    target.write([*FACTS, row])
    target.run(T)
    assert target.rows("SELECT reason FROM segment_changes") == [(reason,)]


def test_a_refusal_known_to_the_day_ends_a_membership_by_consent_at_the_end_of_the_day(tmp_path: Path) -> None:
    """Acting at the beginning of its day, and again at its end, after a grant of that day."""
    vague = ledger("WITHDRAW", START, START + 3 * DAY, claimed_precision="day")
    target = Target(tmp_path, world(came(1))).sharded(1)
    target.write([ledger("GRANT", START + HOUR, START + HOUR), seen(1, START + 2 * HOUR), vague])
    target.run(START + 4 * DAY)
    told = target.rows("SELECT kind, epoch_us(effective_at), reason FROM segment_changes ORDER BY effective_at")
    assert told == [("entered", START + 2 * HOUR, "event"), ("exited", START + DAY, "consent")]


ALONE = {"segment": "alone", "purpose": "p", "when": {"all": [{"did": {"event": "a"}}, {"did_not": {"event": "b"}}]}}
ENDS_IT = Event("e1", "ann", "i8", "b", START + 3 * HOUR, LEARNED)


@pytest.mark.parametrize("runs", [[[WITHDRAWAL, ENDS_IT]], [[WITHDRAWAL], [ENDS_IT]]], ids=["in one run", "in two"])
def test_a_restriction_is_exposed_though_other_news_takes_the_membership_back_as_well(
    tmp_path: Path, runs: list[list[Fact]]
) -> None:
    target = started(tmp_path, ALONE)
    for day, news in enumerate(runs, 1):
        target.write(news)
        target.run(T + day * DAY)
    assert exposed(target) == EXPOSED


def test_a_grant_that_ends_a_membership_exposes_nobody(tmp_path: Path) -> None:
    """What had not counted before the grant counts now, and there is something that she was not to have done."""
    never = {"segment": "never", "purpose": "p", "when": {"did_not": {"event": "a"}}}
    target = Target(tmp_path, world(never)).sharded(1)
    target.write([ledger("GRANT", START + 30 * MINUTE, START + 30 * MINUTE), seen(1, START + 20 * MINUTE)])
    target.run(T)
    target.write([ledger("GRANT", START + 15 * MINUTE, START + 25 * MINUTE)])
    target.run(T + DAY)
    assert target.rows("SELECT reason FROM segment_changes WHERE kind = 'corrected' AND NOT member") == [("consent",)]
    assert exposed(target) == []


def test_a_restriction_after_the_last_t_has_exposed_nobody(tmp_path: Path) -> None:
    target = started(tmp_path, came(1))
    target.define(world(came(2)))
    target.sharded(1).write([ledger("WITHDRAW", T + HOUR, T + HOUR)])
    target.run(T + DAY)
    assert exposed(target) == []


@pytest.mark.parametrize("ends", [False, True], ids=["the version stands", "the version ends"])
def test_a_consent_that_was_never_valid_exposes_all_that_rested_on_it(tmp_path: Path, ends: bool) -> None:
    target = started(tmp_path, came(1))
    if ends:
        target.define(world(came(2)))
        target.sharded(1)
    target.write([ledger("INVALIDATE", LEARNED, LEARNED, retroactive=True)])
    target.run(T + DAY)
    assert exposed(target) == [("ann", START + HOUR)]


def test_it_was_emitted_by_the_first_run_that_was_wrong(tmp_path: Path) -> None:
    """A later run closed the entry and inserted it anew, since an event of before came late."""
    target = started(tmp_path, came(1))
    first = target.runs()[0]
    target.write([seen(7, START + 30 * MINUTE, T + HOUR)])
    target.run(T + DAY)
    target.write([ledger("WITHDRAW", WITHDRAWN, T + 2 * DAY)])
    target.run(T + 3 * DAY)
    assert target.rows("SELECT epoch_us(emitted_at) FROM exposures") == [(first.known_at,)]
