"""A series of runs that leave something to tidy: rows that come, rows that go, and states that replace each other."""

from pathlib import Path

from runners.publishing.publish import publish
from runners.publishing.sweeping import sweep
from runners.runs.run_plan import RunPlan
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from tests.support.staged_runs import at, enter, event, plan_of, stage, stage_state


def next_run(lake: Lake) -> RunPlan:
    """The n-th run: the n-th subject becomes a member, and from the second on the one before has left."""
    day = 1 + int(lake.value("SELECT count(*) FROM run_commits"))
    plan, who, before = plan_of(lake, day), f"s{day:04}", f"s{day - 1:04}"
    stage(plan, "events", [event(who, who, day)])
    enter(plan, [*([(before, day - 0.5, False)] if day > 1 else []), (who, day, True)])
    key = {"segment": "vip", "version": 1}
    turning = [{"subject": before, "next_transition_at": None}, {"subject": who, "next_transition_at": at(day + 100)}]
    stage(plan, "upcoming", [{**key, **one} for one in turning])
    stage(plan, "verdicts", [{"purpose": "push", "reason": "ALLOW_consent", "events": 1, "subjects": day}])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    stage_state(plan, 0, f"state {day}".encode())
    return plan


def publish_next(root: Path) -> None:
    """One more run, by whoever gets the lock."""
    with open_lake(root, write=True) as lake:
        prepare(lake)
        sweep(lake)
        publish(lake, next_run(lake))


def tidy(root: Path, grace: str) -> None:
    """Tidy, as at the end of a run."""
    with open_lake(root, write=True) as lake:
        sweep(lake)
        lake.tidy(grace)
