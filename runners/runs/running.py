"""One batch or increment: read what is new, advance, stage, audit, publish."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Protocol

import duckdb

from runners.disk import disk_told
from runners.publishing.publish import publish
from runners.publishing.staging import give_up
from runners.publishing.sweeping import sweep
from runners.runs.notes import let_go
from runners.runs.outlook import Options, Outlook
from runners.runs.run_plan import Published, RunPlan
from runners.runs.step import Step, Tell
from runners.runs.unheard import unheard
from runners.sources.entry import tell_groups
from runners.terminal.stopping import heard_afterwards, undisturbed
from runners.warehouses.entry import open_warehouse
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.published import LastRun
from schemas.definitions.project import Project
from schemas.errors import SegueError
from transforms.faults import reach


class Outcome(NamedTuple):
    """What a run did: what was published, at which T, what was noted, and how many subjects were made anew for late news."""

    published: Published
    t_at: int
    seconds: float
    notes: tuple[str, ...]
    remade: int


class Keeping(Protocol):
    """Who keeps what a run was begun with, so that it can be done again."""

    def begin(self, outlook: Outlook) -> None:
        """Told before anything is read."""

    def settle(self, plan: RunPlan) -> None:
        """Told before anything is audited. Errors: CallError where it may not be published."""


@contextmanager
def open_target(project: Project) -> Iterator[Lake]:
    """The target's warehouse, for this process alone, with all its tables.

    Errors: TryAgain where another process has it; JobFailed where the disk is full, or closed to this user.
    """
    with disk_told(), open_warehouse(project, write=True) as lake:
        prepare(lake)
        sweep(lake)
        yield lake


def run_batch(lake: Lake, project: Project, options: Options, tell: Tell, keeping: Keeping | None = None) -> Outcome:
    """Bring the target up to T. Running it twice changes nothing.

    Errors: SourceChanged; TryAgain; AuditFailed, JobFailed: nothing is published then.
    """
    started = time.monotonic()
    tell("read", 0, 0)
    outlook = Outlook.of(lake, project, options, lambda source: tell(f"waiting for the brokers of `{source}`", 0, 0))
    outcome = carry_out(lake, outlook, tell, keeping)
    return outcome._replace(seconds=time.monotonic() - started)


def carry_out(lake: Lake, outlook: Outlook, tell: Tell, keeping: Keeping | None = None) -> Outcome:
    """Read what the outlook has found, and publish.

    Errors: AuditFailed, JobFailed: nothing is published then.
    """
    started = time.monotonic()
    step = Step.of(lake, outlook)
    with _put_away(lake, step):
        is_idle = outlook.last is not None and outlook.is_idle(lake)
        published = _idle(outlook.last) if outlook.last is not None and is_idle else _computed(lake, step, tell, keeping)
    reach("before_answer")
    notes = step.notes
    if published.status == "published":
        notes = (*notes, *let_go(published.went), *unheard(lake, outlook.project), *tell_groups(outlook.project, step.positions))
    return Outcome(published, outlook.t_at, time.monotonic() - started, notes, step.remade)


def published_before(last: LastRun) -> Outcome:
    """Of the last run, where it is what is asked for."""
    return Outcome(Published("already", last.run_id, last.known_at, {}), last.t_at, 0.0, (), 0)


@contextmanager
def _put_away(lake: Lake, step: Step) -> Iterator[None]:
    """However the run ends, nothing is left of it but what is published."""
    try:
        yield
    except BaseException:
        with undisturbed(), suppress(SegueError, duckdb.Error):  # what ended the run is what is told
            give_up(step.staging)
            sweep(lake)
        raise
    with heard_afterwards():  # a stream catches up so, and goes on
        give_up(step.staging)


def _idle(last: LastRun) -> Published:
    return Published("unchanged", last.run_id, last.known_at, {})


def _computed(lake: Lake, step: Step, tell: Tell, keeping: Keeping | None) -> Published:
    if keeping is not None:
        keeping.begin(step.outlook)
    reach("begun")
    step.compute(tell)
    plan = step.run_plan()
    if keeping is not None:
        keeping.settle(plan)
    return publish(lake, plan, tell)
