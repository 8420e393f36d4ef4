"""A warehouse that is written to every few seconds stays small, and says what it said."""

from runners.publishing.publish import publish
from runners.warehouses.lake import Lake
from runners.warehouses.read import state_paths
from runners.warehouses.states import run_of
from runners.warehouses.tables import TABLES
from tests.support.staged_runs import event, first_run, plan_of, stage, stage_state

COMMITS = 12


def commit_often(lake: Lake) -> None:
    publish(lake, first_run(lake))
    for number in range(COMMITS):
        plan = plan_of(lake, 20 + number / 100)
        stage(plan, "events", [event("ann", f"e{number}", 19.5 + number / 100)])
        stage(plan, "fates", [{"read": 1, "used": 1}])
        stage_state(plan, 0, f"state {number}".encode())
        publish(lake, plan)


def told(lake: Lake) -> dict[str, list[object]]:
    return {table.name: lake.rows(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {table.name} ORDER BY ALL") for table in TABLES}


def files(lake: Lake) -> int:
    return sum(1 for _ in lake.data.rglob("*.parquet"))


def snapshots(lake: Lake) -> int:
    return int(lake.value("SELECT count(*) FROM ducklake_snapshots('lake')"))


def test_many_small_files_become_few_once_nobody_reads_the_old_ones_and_the_tables_say_the_same(lake: Lake) -> None:
    commit_often(lake)
    before, many = told(lake), files(lake)
    assert many > 2 * COMMITS
    lake.tidy()
    assert (told(lake), snapshots(lake) > COMMITS) == (before, True)
    lake.tidy(grace="INTERVAL 0 SECOND")
    assert told(lake) == before
    assert files(lake) < COMMITS
    assert snapshots(lake) == 1


def test_what_is_tidied_can_be_published_to(lake: Lake) -> None:
    commit_often(lake)
    lake.tidy(grace="INTERVAL 0 SECOND")
    plan = plan_of(lake, 30)
    stage(plan, "events", [event("ann", "last", 29)])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    assert publish(lake, plan).status == "published"
    assert lake.value("SELECT count(*) FROM events WHERE event_id = 'last'") == 1


def test_only_the_states_that_are_named_stay(lake: Lake) -> None:
    commit_often(lake)
    assert len([*(lake.root / "state").iterdir()]) > COMMITS
    lake.states.drop({run_of(path) for (path,) in state_paths(lake).values()})
    named = {path.split("/")[1] for (path,) in lake.rows("SELECT path FROM kernel_state")}
    assert {path.name for path in (lake.root / "state").iterdir()} == named
