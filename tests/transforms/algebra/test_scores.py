"""Published scores as the kernel sees them: states like a profile's rows, by model (semantics 5.14)."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import DefinitionErrors
from tests.support.histories import LATER, Shard, facts_of
from tests.support.merged import START, Fact, Hours, event, instant, lives, row, score, world
from tests.support.oracle_model import DAY, HOUR, Json
from transforms.algebra.explain import explain
from transforms.algebra.order import FOREVER
from transforms.algebra.state import facts_of as seen_of

SOURCES = {
    "web": {"kind": "events", "properties": {}},
    "crm": {"kind": "profiles", "properties": {"plan": "string"}},
    "led": {"kind": "consents"},
    "models": {"kind": "scores"},
}
RISKY = {"score": {"model": "churn", "compare": ">= 0.5"}}
LOYAL = {"rfm": {"model": "ranks", "in": ["loyal", "champions"]}}


def shard_of(folder: Path, *facts: Fact, when: Json = RISKY, purpose: str = "free") -> Shard:
    told = world(*facts, when=when, purpose=purpose, sources=SOURCES)
    return Shard.of(folder, told).step(facts_of(told), LATER)


def hours(shard: Shard) -> Hours:
    found = shard.believed().get(("it", "a"), [])
    return [tuple(None if at is None else (at - START) / HOUR for at in interval) for interval in found]  # type: ignore[misc]


def during(folder: Path, *facts: Fact, **said: Any) -> Hours:
    return hours(shard_of(folder, event(0, "a", "look"), *facts, **said))


def test_a_score_holds_until_the_next_of_its_model(tmp_path: Path) -> None:
    others = (score(2, "a", model="other", value=0.0), score(2, "b", value=0.0))
    assert during(tmp_path, score(1, "a", value=0.5), *others, score(4, "a", value=0.25)) == [(1, 4)]


def test_a_row_replaces_the_whole_of_the_one_before(tmp_path: Path) -> None:
    assert during(tmp_path, score(1, "a", value=0.5), score(4, "a", label="high")) == [(1, 4)]


def test_rfm_and_persona_ask_for_the_label(tmp_path: Path) -> None:
    facts = (score(1, "a", model="ranks", label="loyal"), score(4, "a", model="ranks", label="lost", value=1.0))
    assert during(tmp_path / "rfm", *facts, when=LOYAL) == [(1, 4)]
    assert during(tmp_path / "persona", *facts, when={"persona": LOYAL["rfm"]}) == [(1, 4)]


@pytest.mark.parametrize(
    ("missing", "during_it"), [({}, []), ({"missing": True}, [(0, 3)]), ({"missing": False}, []), ({"missing": "unknown"}, [])]
)
def test_where_there_is_none_it_is_unknown_unless_missing_says_else(tmp_path: Path, missing: Json, during_it: Hours) -> None:
    when = {"score": {"model": "churn", "compare": "> 0.5", **missing}}
    assert during(tmp_path, score(3, "a", value=0.1), when=when) == during_it


def test_that_there_is_none_is_what_a_comparison_with_null_asks_for(tmp_path: Path) -> None:
    asked = {"score": {"model": "churn", "compare": "is null"}}
    assert during(tmp_path / "a", score(3, "a", value=0.1), when=asked) == [(0, 3)]
    assert during(tmp_path / "b", score(3, "a", value=0.1), when={"not": asked}) == [(3, None)]


def test_scores_make_nobody_known(tmp_path: Path) -> None:
    alone = shard_of(tmp_path / "alone", score(1, "a", value=1.0))
    assert hours(alone) == []
    assert len(alone.published[-1]["feature_rows"]) == 0
    assert sum(one["subjects"] for one in alone.published[-1]["verdicts"].to_pylist()) == 0
    assert hours(shard_of(tmp_path / "known", score(1, "a", value=1.0), lives(3, "a"))) == [(3, None)]


def test_it_is_used_while_the_purpose_is_open_whenever_it_was_made(tmp_path: Path) -> None:
    facts = (score(1, "a", value=1.0), row(3, "a"), row(6, "a", "WITHDRAW"), row(8, "a"))
    assert during(tmp_path, *facts, purpose="asked") == [(3, 6), (8, None)]


def test_a_score_dated_ahead_is_used_from_its_instant(tmp_path: Path) -> None:
    facts = [event(0, "a", "look"), score(50, "a", received=1, value=1.0)]
    shard = Shard.of(tmp_path, world(when=RISKY, sources=SOURCES)).step(facts, instant(10))
    assert len(shard.published[-1]["transitions"]) == 0
    shard.step([], instant(60))
    assert [(one["kind"], one["reason"]) for one in shard.published[-1]["changes"].to_pylist()] == [("entered", "profile")]


def test_a_score_that_is_known_late_corrects_the_past_with_the_reason_of_a_profile(tmp_path: Path) -> None:
    shard = Shard.of(tmp_path, world(when=RISKY, sources=SOURCES)).step([event(0, "a", "look")], instant(10))
    shard.step([score(2, "a", received=12, value=1.0), event(11, "a", "look")], instant(20))
    told = [(one["kind"], one["reason"], one["member"]) for one in shard.published[-1]["changes"].to_pylist()]
    assert told == [("corrected", "profile", True)]


def test_a_score_read_twice_is_one(tmp_path: Path) -> None:
    shard = Shard.of(tmp_path, world(when=RISKY, sources=SOURCES))
    shard.step([event(0, "a", "look"), score(1, "a", value=1.0)], instant(10)).step([score(1, "a", value=1.0)], instant(20))
    (fates,) = shard.published[-1]["fates"].to_pylist()
    assert (fates["read"], fates["duplicate"], len(shard.state.facts["scores"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("when", "numbers"),
    [
        (RISKY, {"value": 0.7, "compared": ">= 0.5", "distance": 0.2}),
        ({"rfm": {"model": "churn", "in": ["low"]}}, {"value": "high", "compared": "= 'low'"}),
        ({"score": {"model": "other", "compare": "> 1"}}, {"value": None, "compared": "> 1"}),
    ],
)
def test_explain_tells_what_the_model_says(tmp_path: Path, when: Json, numbers: Json) -> None:
    shard = shard_of(tmp_path, event(0, "a", "look"), score(1, "a", value=0.7, label="high"), when=when)
    project = shard.program.project
    facts = seen_of(shard.state, np.zeros(1, np.int64), FOREVER, project)
    told = explain(project.segments["it"], facts, pa.table({}), START + DAY, "a")
    assert told["tree"]["numbers"] == numbers


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"score": {"model": "churn", "compare": "= 'high'"}}, "SEG-0207"),
        ({"score": {"model": "churn", "compare": ">= 50%"}}, "SEG-0206"),
        ({"score": {"compare": "> 1"}}, "SEG-0101"),
        ({"rfm": {"model": "churn", "in": []}}, "SEG-0115"),
        ({"persona": {"model": "churn", "in": ["a", "a"]}}, "SEG-0115"),
        ({"persona": {"model": 3, "in": ["a"]}}, "SEG-0103"),
    ],
)
def test_what_no_model_can_answer_is_refused(tmp_path: Path, when: Json, code: str) -> None:
    with pytest.raises(DefinitionErrors) as refused:
        Shard.of(tmp_path, world(when=when, sources=SOURCES))
    assert [problem.code for problem in refused.value.problems] == [code]
