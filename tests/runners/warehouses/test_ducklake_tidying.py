"""A warehouse that is written to again and again stays small, and says what it said, also to who has opened it before."""

from datetime import timedelta
from pathlib import Path

import pytest

from runners.publishing import placing
from runners.publishing.publish import publish
from runners.warehouses.ducklake import DuckLake
from runners.warehouses.lake import Lake
from runners.warehouses.read import state_paths
from tests.support.aged import age
from tests.support.reading import reader, seen
from tests.support.staged_runs import COMMITS, commit_often, commit_once, correction, event, first_run, plan_of, stage

AT_ONCE = "INTERVAL 0 SECOND"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def files(lake: Lake) -> set[Path]:
    assert lake.data is not None
    return {*lake.data.rglob("*.parquet")}


def snapshots(lake: Lake) -> int:
    return int(lake.value("SELECT count(*) FROM ducklake_snapshots('lake')"))


def test_many_small_files_become_few_once_nobody_reads_the_old_ones_and_the_tables_say_the_same(lake: Lake) -> None:
    commit_often(lake)
    before, many = seen(lake), files(lake)
    assert len(many) > 4 * COMMITS
    lake.tidy()
    assert (seen(lake), snapshots(lake) > COMMITS, files(lake) >= many) == (before, True, True)
    lake.tidy(grace=AT_ONCE)
    assert seen(lake) == before
    assert len(files(lake)) < 4 * COMMITS
    assert snapshots(lake) == 1


def test_what_is_tidied_can_be_published_to(lake: Lake) -> None:
    commit_often(lake)
    lake.tidy(grace=AT_ONCE)
    plan = plan_of(lake, 30)
    stage(plan, "events", [event("ann", "last", 29)])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    assert publish(lake, plan).status == "published"
    assert lake.value("SELECT count(*) FROM events WHERE event_id = 'last'") == 1


def test_between_two_steps_the_warehouse_is_read_and_published_to_as_at_any_time(lake: Lake) -> None:
    commit_often(lake)
    for number, _ in enumerate(lake.tidying(AT_ONCE)):
        before = lake.value("SELECT count(*) FROM events")
        commit_once(lake, COMMITS + number)
        assert lake.value("SELECT count(*) FROM events") == before + 1
    assert number > 2


def test_files_that_were_adopted_go_with_their_folders(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "LARGE", 1)
    commit_often(lake)
    before = seen(lake)
    assert len([*lake.root.rglob("events/run_id=*")]) > COMMITS
    lake.tidy(grace=AT_ONCE)
    assert (seen(lake), [*lake.root.rglob("events/run_id=*")]) == (before, [])


def test_who_opened_the_warehouse_within_the_grace_sees_all_rows_though_its_state_is_old(lake: Lake) -> None:
    publish(lake, first_run(lake))
    age(lake.root, 9 * DAY)
    with reader(lake.root) as one:
        opened = one.look()
        publish(lake, correction(lake))
        for number in range(3):
            commit_once(lake, number)
        lake.tidy()
        assert one.look() == opened
        age(lake.root, DAY - HOUR)
        lake.tidy()
        assert one.look() == opened
    assert seen(lake) != opened


def test_files_that_a_query_may_be_reading_stay_for_the_grace(lake: Lake) -> None:
    commit_often(lake)
    lake.tidy()
    listed = files(lake)
    age(lake.root, DAY - HOUR)
    lake.tidy()
    assert files(lake) >= listed
    age(lake.root, 2 * HOUR)
    lake.tidy()
    assert len(files(lake)) < 4 * COMMITS


def test_what_is_within_the_grace_is_not_untidy_nor_what_was_tidied_within_a_day(lake: Lake) -> None:
    assert isinstance(lake, DuckLake)
    publish(lake, first_run(lake))
    assert not lake.is_untidy()
    age(lake.root, 2 * DAY - HOUR)
    assert not lake.is_untidy()
    age(lake.root, 2 * HOUR)
    assert lake.is_untidy()
    lake.tidy()
    assert not lake.is_untidy()


def test_only_the_states_that_are_named_stay(lake: Lake) -> None:
    commit_often(lake)
    assert len([*(lake.root / "state").iterdir()]) > COMMITS
    lake.states.drop({path for (path,) in state_paths(lake).values()})
    named = {path.split("/")[1] for (path,) in lake.rows("SELECT path FROM kernel_state")}
    assert {path.name for path in (lake.root / "state").iterdir()} == named
