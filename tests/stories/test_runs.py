"""Stories that take a second run: an event dated a year ahead, a threshold edited, a withdrawal that is known late."""

from pathlib import Path
from typing import Any

from tests.support.oracle_model import DAY, HOUR, MINUTE, Consent, Event, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY


def viewed(at_least: int, name: str = "viewed") -> dict[str, Any]:
    return {"segment": name, "purpose": "p", "when": {"did": {"event": "view", "count": f">= {at_least}"}}}


def world(*segments: dict[str, Any]) -> World:
    sources = {"app": {"kind": "events", "properties": {}}, "led": {"kind": "consents"}}
    purposes = [{"id": "p", "basis": "consent"}]
    return World({"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": [*segments]})


def ledger(action: str, at: int, received_at: int | None = None, subject: str = "ann") -> Consent:
    received = at if received_at is None else received_at
    return Consent("led", subject, f"{action}-{at}", "p", action, at, received, method="interactive", actor="subject")


def view(number: int, at: int, received_at: int | None = None) -> Event:
    return Event("app", "ann", f"v{number}", "view", at, at if received_at is None else received_at)


def started(folder: Path, *segments: dict[str, Any]) -> Target:
    """Ann consents and views three times, and a run is made a day later."""
    target = Target(folder, world(*segments)).sharded(1)
    target.write([ledger("GRANT", START), *(view(number, START + number * HOUR) for number in (1, 2, 3))])
    target.run(T)
    return target


def test_an_event_dated_a_year_ahead_changes_no_membership(tmp_path: Path) -> None:
    target = started(tmp_path, viewed(4), viewed(1, "once"))
    history, changes = target.history(), target.rows("SELECT change_id FROM segment_changes ORDER BY ALL")
    target.write([view(4, START + 365 * DAY, T)])
    target.run(START + 400 * DAY)
    assert target.history() == history
    assert target.rows("SELECT change_id FROM segment_changes ORDER BY ALL") == changes
    assert target.runs()[-1].fates["future"] == 1
    assert target.rows("SELECT reason FROM quarantine") == [("future",)]


def test_an_edited_threshold_closes_its_version_and_leaves_the_others_alone(tmp_path: Path) -> None:
    target = started(tmp_path, viewed(1, "once"), viewed(2))
    target.define(world(viewed(1, "once"), viewed(3)))
    target.sharded(1).run(T)
    edited = target.runs()[-1]
    assert target.history() == {("once@1", "ann"): [(START + HOUR, None)], ("viewed@2", "ann"): [(START + 3 * HOUR, None)]}
    told = "SELECT segment, version, epoch_us(effective_at), member, reason FROM segment_changes WHERE run_id = "
    assert sorted(target.rows(f"{told}'{edited.run_id}'")) == [
        ("viewed", 1, START + 2 * HOUR, False, "definition"),
        ("viewed", 2, START + 3 * HOUR, True, "definition"),
    ]
    assert target.folded() == target.history()


def test_a_withdrawal_that_is_known_late_corrects_the_record_and_says_what_was_exposed(tmp_path: Path) -> None:
    target = started(tmp_path, viewed(1))
    withdrawn, learned = START + 4 * HOUR, T + MINUTE
    target.write([ledger("WITHDRAW", withdrawn, learned)])
    target.run(T + DAY)
    first, second = target.runs()
    assert target.history() == {("viewed@1", "ann"): [(START + HOUR, withdrawn)]}
    assert target.members([(T, first.known_at), (T, second.known_at)]) == [{("viewed@1", "ann")}, set()]
    told = "SELECT kind, epoch_us(effective_at), member, reason FROM segment_changes ORDER BY known_at DESC LIMIT 1"
    assert target.rows(told) == [("corrected", withdrawn, False, "consent")]
    exposed = "SELECT subject, epoch_us(emitted_at), epoch_us(wrong_since_at), epoch_us(learned_at) FROM exposures"
    assert target.rows(exposed) == [("ann", first.known_at, withdrawn, second.known_at)]
    assert target.folded() == target.history()
