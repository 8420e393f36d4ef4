"""Processes that publish one series of runs at once: `python contending.py write|collide ROOT ...`.

The n-th run makes the n-th subject a member: whoever publishes it, it is the same run, by its id and row by row.
"""

import os
import random
import sys
import time
from pathlib import Path

from runners.publishing.publish import publish
from runners.publishing.staging import give_up
from runners.runs.run_plan import RunPlan
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from schemas.errors import AuditFailed, TryAgain
from tests.support.staged_runs import enter, event, plan_of, stage, stage_state

LONGEST = 60
"""So many runs: with each commit there are more files to read."""
OVERTAKEN = "SEG-0607"
UNAUDITED = "unaudited"
"""Who is in no run that may be published."""


def made(root: Path) -> None:
    """Make the tables."""
    with open_lake(root, write=True) as lake:
        prepare(lake)


def next_run(lake: Lake) -> RunPlan:
    """The run behind those that are published."""
    number = lake.value("SELECT count(*) FROM run_commits")
    who, plan = f"s{number:04}", plan_of(lake, number + 1)
    stage(plan, "events", [event(who, who, number + 1)])
    enter(plan, [(who, number + 1, True)])
    stage(plan, "verdicts", [{"purpose": "push", "reason": "ALLOW_consent", "events": 1, "subjects": number + 1}])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    stage_state(plan, 0)
    return plan


def fail(lake: Lake) -> None:
    """A run that adds somebody, and of one record does not say what became of it."""
    plan = next_run(lake)
    stage(plan, "events", [event(UNAUDITED, "1", 1)], shard=1)
    stage(plan, "fates", [{"read": 2, "used": 1}])
    try:
        publish(lake, plan)
    except AuditFailed:
        give_up(plan.staging)
        return
    raise AssertionError("it was published")


def write(root: Path, stop: Path) -> None:
    """Fail and publish by turns until a file tells to stop; prints how often it did each."""
    failed = committed = 0
    while not stop.exists():
        with open_lake(root, write=True) as lake:
            fail(lake)
            failed += 1
            if committed < LONGEST:
                committed += publish(lake, next_run(lake)).status == "published"
    print(failed, committed)


def collide(root: Path, processes: int, times: int) -> None:
    """Publish so many times in each process, planned before anybody is locked out; prints what became of each."""
    children = [_child(root, times) for _ in range(processes)]
    assert all(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children)


def _child(root: Path, times: int) -> int:
    """A process that publishes and ends: this one has imported everything."""
    child = os.fork()
    if child == 0:
        said = "".join(f"{_published(root)}\n" for _ in range(times))
        os.write(1, said.encode())
        os._exit(0)
    return child


def _published(root: Path) -> str:
    """Plan the next run and publish it; where another one has gone on meanwhile, plan again."""
    while True:
        try:
            with open_lake(root) as lake, lake.snapshot():  # the last run and what it says of the next are of one commit
                plan = next_run(lake)
            return _publish(root, plan)
        except TryAgain:
            pass


def _publish(root: Path, plan: RunPlan) -> str:
    while True:
        try:
            with open_lake(root, write=True) as lake:
                return publish(lake, plan).status
        except TryAgain as busy:
            if busy.code == OVERTAKEN:
                give_up(plan.staging)
                raise
        time.sleep(random.uniform(0.01, 0.2))  # as whoever tries again should: not all at once


if __name__ == "__main__":
    order, root, rest = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    write(root, Path(rest[0])) if order == "write" else collide(root, *map(int, rest))
