"""Scores through whole runs: read, published as a table, corrected, stored and read again, explained."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from tests.support.oracle_model import DAY, HOUR, Event, Score, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY
TABLE = "SELECT subject, model, version, value, label, epoch_us(valid_from) FROM scores ORDER BY ALL"


def risky(least: str) -> dict[str, Any]:
    return {"segment": "risky", "purpose": "p", "when": {"score": {"model": "churn", "compare": f">= {least}"}}}


def world(least: str = "0.5") -> World:
    sources = {"app": {"kind": "events", "properties": {}}, "models": {"kind": "scores"}}
    purposes = [{"id": "p", "basis": "legitimate_interest"}]
    return World({"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": [risky(least)]})


def score(hour: float, value: float | None, received: float | None = None, who: str = "ann", label: str | None = None) -> Score:
    at = START + int(hour * HOUR)
    return Score("models", who, "churn", "7", at, at if received is None else START + int(received * HOUR), value, label)


def asked(target: Target, *arguments: str) -> Any:
    with redirect_stdout(io.StringIO()) as said:
        assert call(["--project-dir", str(target.folder), "--format", "json", *arguments]) == 0
    return json.loads(said.getvalue())


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Ann visits, and the model sees her leave from hour 2 to hour 5; nobody but the model knows Bob."""
    made = Target(tmp_path, world()).sharded(2)
    visit = Event("app", "ann", "v1", "visit", START, START)
    made.write([visit, score(2, 0.5), score(5, 0.25), score(3, 0.9, who="bob")])
    made.run(T)
    return made


def test_scores_are_a_table_and_make_members_of_known_subjects_alone(target: Target) -> None:
    assert target.history() == {("risky@1", "ann"): [(START + 2 * HOUR, START + 5 * HOUR)]}
    assert target.rows(TABLE) == [
        ("ann", "churn", "7", 0.25, None, START + 5 * HOUR),
        ("ann", "churn", "7", 0.5, None, START + 2 * HOUR),
        ("bob", "churn", "7", 0.9, None, START + 3 * HOUR),
    ]
    assert target.runs()[0].fates == {**dict.fromkeys(target.runs()[0].fates, 0), "read": 4, "unneeded": 1, "used": 3}


def test_an_increment_with_an_earlier_score_corrects_the_past(target: Target) -> None:
    target.write([score(1, 0.75, received=30), score(1, None, received=31, label="high", who="bob")])
    target.run(T + DAY)
    told = "SELECT reason, member, epoch_us(effective_at), epoch_us(until_at) FROM segment_changes WHERE kind = 'corrected'"
    assert target.rows(told) == [("profile", True, START + HOUR, START + 2 * HOUR)]
    assert target.history() == {("risky@1", "ann"): [(START + HOUR, START + 5 * HOUR)]}


def test_a_changed_threshold_is_answered_from_the_scores_that_are_stored(target: Target) -> None:
    target.define(world("0.2"))
    for path in (target.folder / "data/models").iterdir():
        path.unlink()
    target.sharded(2).run(T)
    assert target.history() == {("risky@2", "ann"): [(START + 2 * HOUR, None)]}


def test_a_score_that_says_nothing_is_set_aside_whole(target: Target) -> None:
    (path,) = target.write([score(7, None), score(8, 1.0)])
    target.run(T)
    first = path.read_text().splitlines(keepends=True)[0]
    assert target.rows("SELECT reason, decode(raw) FROM quarantine") == [("bad_type", first)]


def test_whom_only_models_speak_of_is_not_among_the_subjects_of_a_preview(target: Target) -> None:
    assert asked(target, "preview", "risky")["subjects"] == 1


def test_a_full_refresh_reads_them_once_more_and_keeps_one_of_each(target: Target) -> None:
    before = target.rows(TABLE)
    target.run(T, full_refresh=True)
    assert target.rows(TABLE) == before


def test_explain_tells_the_value_in_force_and_what_it_misses(target: Target) -> None:
    told = asked(target, "explain", "ann", "risky")
    assert (told["member"], told["tree"]["rule"]) == (False, "score churn, compare >= 0.5")
    assert told["tree"]["numbers"] == {"value": 0.25, "compared": ">= 0.5", "distance": -0.25}
    assert asked(target, "explain", "ann", "risky", "--at", "2026-01-05T03:00:00Z")["member"] is True


def test_a_subject_that_only_models_speak_of_is_explained_as_not_known(target: Target) -> None:
    told = asked(target, "explain", "bob", "risky")
    assert (told["member"], told["population"], told["tree"]["value"]) == (False, False, True)
