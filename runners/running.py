"""One batch or increment: read what is new, advance, stage, audit, publish."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from runners.disk import full_disk_told
from runners.publish import publish
from runners.run_plan import Published
from runners.step import Options, Step, Tell
from runners.sweeping import sweep
from runners.warehouses.ducklake import Lake, folder, open_lake
from runners.warehouses.read import LastRun
from runners.warehouses.tables import prepare
from schemas.definitions.project import Project
from transforms.faults import reach


class Outcome(NamedTuple):
    """What a run did: what was published, at which T, and what of the sources was noted."""

    published: Published
    t_at: int
    seconds: float
    notes: tuple[str, ...]


@contextmanager
def open_target(project: Project) -> Iterator[Lake]:
    """The target's warehouse, for this process alone, with all its tables.

    Errors: TryAgain where another process has it; JobFailed where the disk is full.
    """
    with full_disk_told(), open_lake(folder(project.target.warehouse, project.root), write=True) as lake:
        prepare(lake)
        sweep(lake)
        yield lake


def run_batch(lake: Lake, project: Project, options: Options, tell: Tell) -> Outcome:
    """Bring the target up to T. Running it twice changes nothing.

    Errors: SourceChanged; AuditFailed, JobFailed: nothing is published then.
    """
    started = time.monotonic()
    tell("read", 0, 0)
    step = Step.plan(lake, project, options)
    try:
        published = _idle(step.last) if step.last is not None and step.is_idle else _computed(lake, step, tell)
    finally:
        shutil.rmtree(step.staging, ignore_errors=True)
    reach("before_answer")
    return Outcome(published, step.t_at, time.monotonic() - started, step.notes)


def _idle(last: LastRun) -> Published:
    return Published("unchanged", last.run_id, last.known_at, {})


def _computed(lake: Lake, step: Step, tell: Tell) -> Published:
    step.compute(tell)
    return publish(lake, step.run_plan(), tell)
