"""A year of orders by a few people, a segment that is published, and others that come later: for backfills."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from runners.backfills.backfilling import Backfilled, backfill
from runners.backfills.intervals import Period
from schemas.definitions.catalog import read_project
from schemas.definitions.selection import Selection, select
from tests.support.histories import History
from tests.support.oracle_model import DAY, Event, World
from tests.support.whole_runs import NOW, Target
from tests.support.worlds import language

ROOT = Path(__file__).parents[2]
YEAR = Period(1_735_689_600_000_000, 1_767_225_600_000_000)  # 2025, UTC
T = YEAR.to_at + DAY
PEOPLE = ("ann", "bob", "cat")

Said = dict[str, Any]


def did(name: str, count: str, window: str) -> Said:
    return {"segment": name, "purpose": "p", "when": {"did": {"event": "order", "count": count, "window": window}}}


BEFORE = [did("buyers", ">= 1", "lifetime"), did("loyal", ">= 3", "90d")]
AFTER = [did("buyers", ">= 1", "lifetime"), did("loyal", ">= 3", "45d"), did("lately", ">= 1", "10d")]
"""One stays as it is, one changes, one is new."""


def world(segments: list[Said], features: list[Said] | None = None) -> World:
    sources = {"shop": {"kind": "events", "properties": {"value": "int"}}}
    purposes = [{"id": "p", "basis": "legitimate_interest"}]
    said = {"timezone": "UTC", "sources": sources, "purposes": purposes, "segments": segments, "features": features or []}
    return World(said, tuple(order(who, number) for place, who in enumerate(PEOPLE) for number in range(0, 365, 9 + 7 * place)))


def order(who: str, day: int) -> Event:
    at = YEAR.from_at + day * DAY + DAY // 3
    return Event("shop", who, f"{who}{day:03}", "order", at, at, {"value": day})


def published(folder: Path, segments: list[Said] = BEFORE, features: list[Said] | None = None) -> Target:
    """One run over the year."""
    told = world(segments, features)
    target = Target(folder, told).sharded(2)
    target.write(told.events)
    target.run(T)
    return target


def redefined(target: Target, segments: list[Said] = AFTER, features: list[Said] | None = None) -> Target:
    """The same with other definitions, which no run has put in force."""
    target.define(world(segments, features))
    return target.sharded(2)


def backfilled(target: Target, period: Period = YEAR, chosen: str = "lately loyal") -> Backfilled:
    """One call."""
    project = read_project(target.folder, language())
    return backfill(project, select(project, chosen), period, lambda: NOW, lambda *_: None)


def everything(target: Target, period: Period) -> Backfilled:
    """A call for all segments."""
    project = read_project(target.folder, language())
    return backfill(project, Selection(project.order, ()), period, lambda: NOW, lambda *_: None)


_MEMBERSHIPS = """
SELECT segment, version, subject, epoch_us(valid_from), epoch_us(valid_to) FROM segment_backfilled
ORDER BY segment, version, subject, valid_from
"""


def memberships(target: Target) -> History:
    """What is backfilled, as the history of `Target`."""
    found: History = {}
    for segment, version, subject, begin, end in target.rows(_MEMBERSHIPS):
        found.setdefault((f"{segment}@{version}", subject), []).append((begin, end))
    return found


def within(history: History, period: Period) -> History:
    """As much of a history as lies in a period."""
    ends = {key: [(begin, period.to_at if end is None else end) for begin, end in value] for key, value in history.items()}
    cut = {
        key: [(max(begin, period.from_at), min(end, period.to_at)) for begin, end in value if _overlap(begin, end, period)]
        for key, value in ends.items()
    }
    return {key: [*value] for key, value in cut.items() if value}


def _overlap(begin: int, end: int, period: Period) -> bool:
    return begin < period.to_at and end > period.from_at


def called(target: Target, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`segue backfill`, a process of its own."""
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(target.folder), "backfill", *arguments]
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, env=whole, capture_output=True, text=True, timeout=300, check=False)
