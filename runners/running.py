"""One batch or increment: read what is new, advance, stage, audit, publish."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.segmentation import SegmentUsers
from runners.engines.local import run_locally
from runners.expectations import Expectations, FeatureExpectation, SourceExpectation
from runners.publish import publish
from runners.run_plan import Published, RunPlan, SegmentVersion
from runners.sources.files import Listing, list_inputs
from runners.staging import new_staging, sweep
from runners.warehouses import read
from runners.warehouses.ducklake import Lake, folder, open_lake
from runners.warehouses.tables import prepare
from schemas.definitions.project import Project
from schemas.errors import CallError
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment, Program
from transforms.segment import KIND, STATE, STORED
from transforms.stage import Stage, staged_tables

Tell = Callable[[str, int, int], None]
"""Told of progress: the stage's name, how many rows are done, and of how many bytes."""


@dataclass(frozen=True)
class Options:
    """What a call of `segue run` asks for. Instants are int64 microseconds UTC.

    Attributes:
      as_of: T; the project's own or the clock's where it is None.
      known_at: K, where it is fixed.
      full_refresh: read all sources from their beginning.
      now: the clock.
    """

    now: int
    as_of: int | None = None
    known_at: int | None = None
    full_refresh: bool = False


class Outcome(NamedTuple):
    """What a run did: what was published, at which T, and what of the sources was noted."""

    published: Published
    t_at: int
    seconds: float
    notes: tuple[str, ...]


def run_batch(project: Project, options: Options, tell: Tell) -> Outcome:
    """Bring the target up to T. Running it twice changes nothing.

    Errors: TryAgain where another process publishes; SourceChanged; AuditFailed, JobFailed: nothing is published then.
    """
    started = time.monotonic()
    with open_lake(folder(project.target.warehouse, project.root), write=True) as lake:
        prepare(lake)
        sweep(lake)
        step = _Step.plan(lake, project, options)
        if step.is_idle(lake):
            return Outcome(Published("unchanged", step.last.run_id if step.last else "", None, {}), step.t_at, 0.0, step.notes)
        step.compute(tell)
        tell("publish", 0, 0)
        published = publish(lake, step.run_plan())
        return Outcome(published, step.t_at, time.monotonic() - started, step.notes)


@dataclass
class _Step:
    """One run, from what is committed to what is to be."""

    lake: Lake
    project: Project
    options: Options
    last: "read.LastRun | None"
    t_at: int
    versions: Mapping[str, SegmentVersion]
    listing: Listing
    staging: Path

    @classmethod
    def plan(cls, lake: Lake, project: Project, options: Options) -> "_Step":
        last = read.last_run(lake)
        t_at = _instant_asked(project, options, last)
        known = {} if options.full_refresh or last is None else last.positions
        listing = list_inputs(project, known)
        return cls(lake, project, options, last, t_at, _versions(lake, project), listing, new_staging(lake))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth saying of the sources."""
        empty = [f"no file matches `{pattern}`" for pattern in self.listing.empty]
        return (*empty, *(f"`{name}` has vanished; its records are committed" for name in self.listing.vanished))

    @property
    def is_rebuild(self) -> bool:
        """Whether the states are made anew: at first, when definitions or shards changed, and on request."""
        last = self.last
        return (
            last is None
            or self.options.full_refresh
            or last.definitions != self.project.meaning
            or last.shards != self.project.target.shards
        )

    def is_idle(self, lake: Lake) -> bool:
        """Nothing new to read, the same definitions, and nothing due up to T (2.4)."""
        if self.last is None or self.is_rebuild or self.listing.inputs or self.t_at > self.last.t_at:
            return False
        return self.options.known_at is None or self.options.known_at <= self.last.known_at

    def compute(self, tell: Tell) -> None:
        program = Program(self.project, {name: version.version for name, version in self.versions.items()})
        about = {"definitions": self.project.meaning, "t": self.t_at}
        stage = Stage(self.staging, staged_tables(program), about)
        pipeline = SegmentUsers(program, self.moment(), stage, self.decoding(), self.remembered())
        run_locally(pipeline, self.listing.inputs, partial(tell, "read"))

    def moment(self) -> Moment:
        """What the workers are to know about time."""
        last_at = BEGINNING if self.last is None else self.last.t_at
        known_before = FOREVER if self.last is None else self.last.known_at
        known_at = FOREVER if self.options.known_at is None else self.options.known_at
        return Moment(last_at, self.t_at, known_before, known_at, everyone=self.is_rebuild)

    def decoding(self) -> Any:
        raise NotImplementedError

    def remembered(self) -> list[tuple[int, pa.RecordBatch]]:
        raise NotImplementedError

    def run_plan(self) -> RunPlan:
        raise NotImplementedError


def _instant_asked(project: Project, options: Options, last: "read.LastRun | None") -> int:
    t_at = options.as_of if options.as_of is not None else project.as_of if project.as_of is not None else options.now
    if last is not None and t_at < last.t_at and not options.full_refresh:
        raise CallError("SEG-0904", "T lies before the last published one", "ask for a later one, or give --full-refresh")
    return t_at


def _versions(lake: Lake, project: Project) -> dict[str, SegmentVersion]:
    """The number of each segment's meaning: as before where the meaning is the current one, else a new one."""
    known = read.versions(lake)
    numbers = {}
    for name, segment in project.segments.items():
        numbers[name] = known.get(name)
    return numbers


_ = (json, pq, Iterator, Expectations, FeatureExpectation, SourceExpectation, KIND, STATE, STORED)
