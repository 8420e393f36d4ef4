"""Where what `retention` removes meets other work: backfills that are under way, and what is asked of long ago."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runners.answers.explaining import explain_subject
from runners.backfills.backfilling import Backfilled, backfill
from runners.backfills.intervals import Period
from runners.warehouses.backfills import FAILED
from schemas.definitions.catalog import read_project
from schemas.definitions.selection import select
from schemas.errors import CallError, JobFailed
from tests.runners.runs.test_retention import KEPT, Kept, buy, told
from tests.support.merged import instant
from tests.support.worlds import language

ALL = {"segment": "all", "purpose": "free", "when": {"did": {"event": "buy"}}}
"""Another segment, of who has bought at all within two days."""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Kept]:
    yield Kept(tmp_path, told())


def backfilled(target: Kept, meanwhile: Callable[[], object]) -> Backfilled:
    """A backfill of a new segment from hour 168 to 190; something else comes about when it is to look at subjects."""
    target.define(told(segments=[ALL]))
    project = read_project(target.folder, language())
    target.define(told())

    def tell(stage: str, done: int, share: float) -> None:
        if (stage, done) == ("look at subjects", 0):
            meanwhile()

    return backfill(project, select(project, "all"), Period(instant(168), instant(190)), lambda: instant(200), tell)


def test_a_backfill_fails_of_which_events_went_while_it_was_computed(target: Kept) -> None:
    target.at(200, buy(0), buy(125))
    done = backfilled(target, lambda: target.at(225, buy(224)))
    assert [(one.status, one.error, one.memberships) for one in done.intervals] == [(FAILED, "SEG-0923", None)]
    assert target.rows("SELECT status, error FROM backfill_intervals") == [(FAILED, "SEG-0923")]
    assert target.rows("SELECT * FROM segment_backfilled") == []
    with pytest.raises(JobFailed, match="SEG-0922 1 of 1 intervals failed: 1") as failed:
        done.see_that_none_failed()
    assert failed.value.hint == "events of the time of 1 are gone: begin later"


def test_a_backfill_goes_well_beside_a_run_that_lets_nothing_go_that_it_needs(target: Kept) -> None:
    target.at(200, buy(0), buy(125))
    done = backfilled(target, lambda: target.at(201, buy(200)))
    done.see_that_none_failed()
    assert [one.memberships for one in done.intervals] == [1]


def test_nothing_goes_that_news_within_state_reach_could_still_need(tmp_path: Path) -> None:
    """A day more of `state_reach` would let late news of the last two days count for less than is there."""
    target = Kept(tmp_path, replace(told(), project={**told().project, "state_reach": "2d"}))
    assert [one for _, one, _ in target.at(200, buy(0), buy(1)).at(225, buy(224)).events] == ["buy-0", "buy-1", "buy-224"]


def test_what_the_record_does_not_tell_of_a_time_of_which_events_are_gone_is_told_as_that(target: Kept) -> None:
    """Nothing was published of a segment that is for others only, nor by a version that began later."""
    target.at(200, buy(0), buy(130), buy(190))
    inner = {**ALL, "segment": "inner", "publish": False}
    target.define(told(segments=[ALL, inner]))
    target.at(201).at(225, buy(224))
    assert record(target, "it", 10) == "the record says: a member then, as it was published"
    assert record(target, "it", 100) == "the record says: no member then, as it was published"
    assert {record(target, "inner", 10), record(target, "inner", 170)} == {"the record tells nothing of then"}
    assert record(target, "all", 167) == "the record tells nothing of then"
    assert record(target, "all", 169) == "the record says: a member then, as it was published"


def record(target: Kept, segment: str, hours: float) -> str:
    """What is said where one asks to explain an instant of which events are gone."""
    with target.lake() as lake, pytest.raises(CallError) as refused:
        explain_subject(lake, read_project(target.folder, language()), "ann", segment, instant(hours), None)
    return refused.value.hint


def test_reading_all_sources_again_for_a_time_of_which_events_are_gone_is_refused(target: Kept) -> None:
    target.at(200, buy(0), buy(130)).at(201)
    with pytest.raises(CallError) as refused:
        target.run(instant(167), full_refresh=True)
    assert refused.value.code == "SEG-0923"
    target.run(instant(168), full_refresh=True)
    assert target.during("ann") == [(0, 48), (130, None)]


def test_another_number_of_shards_changes_nothing_though_events_are_gone(target: Kept) -> None:
    target.at(200, buy(0), buy(130), buy(160, "bob")).at(201)
    target.sharded(3).at(202, buy(201, "bob", 202))
    assert (target.during("ann"), target.during("bob")) == ([(0, 48), (130, 178)], [(160, None)])
    assert target.at(260).during("bob") == [(160, 249)]


def test_definitions_that_come_to_look_back_further_tell_answers_from_the_last_t_before_them_on(target: Kept) -> None:
    """Late news is heard of all the time since then, however late T is by now."""
    target.at(200, buy(0), buy(130), buy(190, "bob")).at(201)
    longer = {key: value for key, value in KEPT.items() if key != "max_lookback"}
    target.define(replace(told(), project={**told().project, "purposes": [longer]}))
    target.at(202).at(230, buy(205, "cid", 230))
    assert target.during("ann") == [(0, 48), (130, 178)]
    assert [target.during(who, "it@2") for who in ("ann", "bob", "cid")] == [[(201, None)], [(201, None)], [(205, None)]]
