"""News about what states have forgotten: whom it concerns is made anew from the warehouse, and nothing differs for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from runners.main import call
from tests.support.merged import START, link, row, world
from tests.support.oracle_model import DAY, Event, Link, World
from tests.support.whole_runs import Target
from transforms.algebra.order import BEGINNING
from transforms.algebra.state import read_state
from transforms.shard import shards_of

ROOT = Path(__file__).parents[3]
SHARDS = 4
SOURCES: dict[str, Any] = {
    "web": {"kind": "events", "properties": {"n": "int"}},
    "bare": {"kind": "events", "properties": {"n": "int"}, "fields": {"event": "name", "subject": "uid", "occurred_at": "at"}},
    "led": {"kind": "consents"},
    "ids": {"kind": "identities"},
}
OFTEN = {"segment": "often", "purpose": "free", "when": {"did": {"event": "buy", "count": ">= 6"}}}
ALLOWED = {"segment": "allowed", "purpose": "asked", "when": {"did": {"event": "buy", "window": "3d"}}}
SHOP = {
    "features": "shop",
    "purpose": "free",
    "source": {"event": "buy"},
    "aggregates": [{"name": "n", "op": "count", "windows": ["lifetime", "2d"]}],
}
_LATEST = "QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"
_LAST = "WHERE run_id = (SELECT run_id FROM run_manifest ORDER BY k DESC LIMIT 1)"
TABLES = {
    "feature_rows": f"SELECT * EXCLUDE (run_id, as_of) FROM feature_rows {_LATEST}",
    "events": "SELECT * EXCLUDE run_id FROM events",
    "members": "FROM segment_membership",
    "verdicts": f"SELECT purpose, reason, subjects FROM consent_verdicts {_LAST}",
    "lifecycles": "SELECT * EXCLUDE run_id FROM lifecycle_transitions",
}


def day(days: float) -> int:
    return START + int(days * DAY)


def buy(subject: str, days: float, received: float | None = None, **more: Any) -> Event:
    at = day(days)
    told = Event("web", subject, f"buy-{days}", "buy", at, at if received is None else day(received), {})
    return replace(told, **more)


def project() -> World:
    recent = {"did": {"event": "buy", "window": "2d"}}
    return world(when=recent, sources=SOURCES, segments=[OFTEN, ALLOWED], features=[SHOP], state_reach="1d")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Ann and Bob bought daily for five days, Cy once, and 25 days later nobody remembers: states reach one day back."""
    made = Target(tmp_path, project()).sharded(SHARDS)
    made.write([buy(who, days) for who in ("ann", "bob") for days in range(5)])
    made.write([buy("cy", 1), *(row(0, who) for who in ("ann", "bob"))])
    made.run(day(30))
    assert {"ann", "bob"} <= forgetful(made)
    return made


def forgetful(target: Target) -> set[str]:
    """Of whom the states have forgotten events."""
    found = set[str]()
    for (path,) in target.rows("SELECT path FROM kernel_state"):
        state, _ = read_state(pa.memory_map(str(target.folder / "lake" / path)).read_buffer())
        found |= {one["subject"] for one in state.subjects.to_pylist() if one["floor_at"] > BEGINNING}
    return found


def stands(target: Target) -> dict[str, Any]:
    """What is published, whichever runs it took."""
    return {"history": target.history(), **{name: sorted(target.rows(sql), key=repr) for name, sql in TABLES.items()}}


def see_that_it_is_what_all_files_say(target: Target, days: float) -> None:
    found = stands(target)
    assert target.folded() == target.history()
    target.run(day(days), full_refresh=True)
    assert stands(target) == found


def note(count: int) -> str:
    who = "1 subject was" if count == 1 else f"{count} subjects were"
    return f"{who} made anew from the warehouse: news about them reaches further back than `state_reach`"


def rebuilt(target: Target, days: float, facts: Iterable[Any]) -> tuple[int, tuple[str, ...]]:
    target.write(facts)
    outcome = target.run(day(days))
    return outcome.remade, tuple(one for one in outcome.notes if "anew" in one)


def test_an_event_older_than_states_reach_makes_its_subject_anew(target: Target) -> None:
    assert rebuilt(target, 31, [buy("ann", 2.5, received=31)]) == (1, (note(1),))
    assert target.history()["often@1", "ann"] == [(day(4), None)]
    assert target.history()["it@1", "ann"] == [(day(0), day(6))]
    see_that_it_is_what_all_files_say(target, 31)


def test_news_that_states_still_hold_makes_nobody_anew(target: Target) -> None:
    assert rebuilt(target, 31, [buy("ann", 30.5), buy("new", 2, received=31)]) == (0, ())
    see_that_it_is_what_all_files_say(target, 31)


def test_many_at_once_are_made_anew_in_all_their_shards(target: Target) -> None:
    late = [buy("ann", 2.5, received=31), buy("bob", 0.5, received=31), buy("ann", 30.5), buy("cy", 30.5)]
    assert rebuilt(target, 31, late) == (2, (note(2),))
    see_that_it_is_what_all_files_say(target, 31)


def test_who_was_made_anew_is_forgotten_again_and_made_anew_again(target: Target) -> None:
    assert rebuilt(target, 31, [buy("ann", 2.5, received=31)])[0] == 1
    assert "ann" in forgetful(target)
    assert rebuilt(target, 32, [buy("ann", 3.5, received=32)])[0] == 1
    see_that_it_is_what_all_files_say(target, 32)


def test_an_event_that_comes_again_after_it_was_forgotten_is_a_repeat(target: Target) -> None:
    assert rebuilt(target, 31, [buy("ann", 2, received=31)])[0] == 1
    assert target.runs()[-1].fates["duplicate"] == 1
    assert target.rows("SELECT count(*) FROM events WHERE subject = 'ann'") == [(5,)]
    see_that_it_is_what_all_files_say(target, 31)


def test_an_id_that_comes_again_with_a_later_event_counts_once(target: Target) -> None:
    assert rebuilt(target, 31, [buy("ann", 30.5, event_id="buy-2")])[0] == 1
    assert target.rows("SELECT conflicts FROM run_manifest ORDER BY k DESC LIMIT 1") == [(1,)]
    assert target.history()["it@1", "ann"] == [(day(0), day(6))]
    see_that_it_is_what_all_files_say(target, 31)


def test_a_better_twin_of_a_forgotten_event_takes_its_place(target: Target) -> None:
    target.write([buy("dan", 2, received=30.9), *(buy("dan", days) for days in (3, 4, 5, 6))])
    target.run(day(31))
    assert "dan" in forgetful(target)
    assert rebuilt(target, 32, [buy("dan", 30.5, received=30.6, event_id="buy-2")])[0] == 1
    assert target.history()["it@1", "dan"] == [(day(3), day(8)), (day(30.5), None)]
    see_that_it_is_what_all_files_say(target, 32)


def test_a_subject_of_whom_only_a_repeat_came_goes_on_as_if_nothing_had_come(target: Target) -> None:
    target.write([buy("ann", 31)])
    target.run(day(31))
    before = stands(target)
    assert rebuilt(target, 31.5, [buy("ann", 2, received=31.2)])[0] == 1
    assert {**stands(target), "lifecycles": before["lifecycles"]} == before
    target.run(day(34))
    assert target.history()["it@1", "ann"] == [(day(0), day(6)), (day(31), day(33))]
    see_that_it_is_what_all_files_say(target, 34)


def test_records_without_ids_are_never_repeats(target: Target) -> None:
    assert rebuilt(target, 31, [replace(buy("ann", 30.5), source="bare"), replace(buy("ann", 30.5), source="bare")])[0] == 0
    assert target.rows("SELECT count(*) FROM events WHERE subject = 'ann'") == [(7,)]
    see_that_it_is_what_all_files_say(target, 31)


def test_the_same_call_again_changes_nothing(target: Target) -> None:
    rebuilt(target, 31, [buy("ann", 2.5, received=31)])
    before = stands(target), target.runs()
    outcome = target.run(day(31))
    assert (outcome.published.status, outcome.remade, stands(target), target.runs()) == ("unchanged", 0, *before)


def test_a_withdrawal_that_is_older_than_states_reach_takes_back_what_was_published(target: Target) -> None:
    withdrawn = replace(row(0, "ann", "WITHDRAW"), claimed_at=day(2.2), received_at=day(31))
    assert rebuilt(target, 31, [withdrawn])[0] == 1
    assert target.history()["allowed@1", "ann"][-1][1] is not None
    see_that_it_is_what_all_files_say(target, 31)


def late_link(one: str, other: str) -> Link:
    return replace(link(0, one, other), linked_at=day(2.5), received_at=day(31))


@pytest.mark.parametrize("together", [True, False])
def test_ids_that_are_linked_late_are_made_anew_where_they_lie_then(target: Target, together: bool) -> None:
    (home,) = shards_of(pa.array(["ann"]), SHARDS)
    other = next(f"u{n}" for n in range(99) if (shards_of(pa.array([f"u{n}"]), SHARDS)[0] == home) == together)
    target.write([buy(other, days + 0.25) for days in range(5)])
    target.run(day(30.5))
    assert other in forgetful(target)
    count, _ = rebuilt(target, 31, [late_link("ann", other)])
    assert count == (2 if together else 1), "who moves is made anew in any case"
    see_that_it_is_what_all_files_say(target, 31)


def test_linked_ids_are_made_anew_together(target: Target) -> None:
    rebuilt(target, 31, [late_link("ann", "bob")])
    rebuilt(target, 32, [buy("ann", 1.5, received=32)])
    see_that_it_is_what_all_files_say(target, 32)


def test_a_run_tells_programs_how_many_were_made_anew(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    target.write([buy("ann", 2.5, received=31), buy("bob", 2.5, received=31)])
    assert call(["--project-dir", str(target.folder), "run", "--as-of", "2023-12-16"]) == 0
    assert f"note: {note(2)}" in capsys.readouterr().err.splitlines()
    assert json.loads((target.folder / "target/run_results.json").read_text())["made_anew"] == 2


@pytest.mark.parametrize(
    ("point", "asked", "code"),
    [("asked", "SIGINT", 130), (f"state_written:{SHARDS}", "SIGINT", 130), (f"state_written:{SHARDS}", "SIGKILL", -9)],
)
def test_a_run_that_ends_while_it_makes_subjects_anew_publishes_nothing_and_the_next_one_does(
    target: Target, tmp_path: Path, point: str, asked: str, code: int
) -> None:
    before, fired = (stands(target), target.runs()), tmp_path / "fired"
    target.write([buy("ann", 2.5, received=31)])
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(target.folder), "run", "--as-of", "2023-12-16"]
    fault = {"SEGUE_FAULT": point, "SEGUE_FAULT_SIGNAL": asked, "SEGUE_FAULT_LOG": str(fired), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env={**os.environ, **fault}, capture_output=True, text=True, timeout=900, check=False)
    assert (done.returncode, fired.read_text()) == (code, f"{point}\n")
    assert (stands(target), target.runs()) == before
    assert target.run(day(31)).remade == 1
    assert list((target.folder / "lake" / "staging").iterdir()) == []
    see_that_it_is_what_all_files_say(target, 31)
