"""One run, planned: from what is committed to what is to be published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.segmentation import SegmentUsers
from runners.account import positions_after, stage_fates, staged_account, undeclared, unseen
from runners.engines.local import run_locally
from runners.expectations import expectations_of
from runners.notes import notes
from runners.progress import tick, ticked
from runners.rereading import Reading, what_to_read
from runners.run_plan import RunPlan, SegmentVersion
from runners.sources.lookups import read_lookups
from runners.sources.reading import read as read_file
from runners.staging import new_staging
from runners.warehouses import read
from runners.warehouses.ducklake import Lake
from runners.warehouses.whole import see_states
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.definitions.words import feature_in_words
from schemas.errors import CallError
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment, Program
from transforms.coder import ShardedBatch
from transforms.decode import DecodePlan
from transforms.ingest import Plan
from transforms.known import Knowledge, newest_of
from transforms.segment import KIND, STATE, STORED
from transforms.shard import split
from transforms.spill import spill
from transforms.stage import Stage, staged_tables

Tell = Callable[[str, int, float], None]
"""Told of progress: the stage's name, how many records or rows it has, and the share of the files that is read."""


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


@dataclass
class Step:
    """One run, from what is committed to what is to be."""

    lake: Lake
    project: Project
    options: Options
    last: read.LastRun | None
    t_at: int
    versions: Mapping[str, SegmentVersion]
    reading: Reading
    staging: Path
    knowledge: Knowledge
    known_at: int = BEGINNING
    positions: Mapping[str, Any] = field(default_factory=dict)
    undeclared: Mapping[str, int] = field(default_factory=dict)
    unseen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def plan(cls, lake: Lake, project: Project, options: Options) -> "Step":
        """Find out what there is to do."""
        last = read.last_run(lake)
        t_at = _instant_asked(project, options, last)
        reading = what_to_read(project, None if options.full_refresh else last)
        knowledge = _knowledge(lake, options, last, t_at)
        return cls(lake, project, options, last, t_at, _versions(lake, project), reading, new_staging(lake), knowledge)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth saying of the sources."""
        return notes(self.project, self.reading, self.positions, self.undeclared, self.unseen)

    @property
    def is_rebuild(self) -> bool:
        """Whether the states are made anew: when definitions or shards changed, and on request."""
        if self.last is None:
            return False
        changed = (self.last.definitions, self.last.shards) != (self.project.meaning, self.project.target.shards)
        return changed or self.options.full_refresh

    @property
    def is_idle(self) -> bool:
        """Nothing new to read, the same definitions and the same T: there is nothing that could be due (2.4)."""
        if self.last is None or self.is_rebuild or self.reading.listing.inputs or self.t_at > self.last.t_at:
            return False
        if self.options.known_at is None:
            return not read.is_any_unseen(self.lake, self.last)
        return self.options.known_at <= self.last.known_at

    def compute(self, tell: Tell) -> None:
        """Run the graph: everything that changed is staged.

        Errors: CallError where a fixed K lies below what has been read; JobFailed where a state is gone or damaged.
        """
        program = Program(self.project, {name: version.version for name, version in self.versions.items()})
        about = {"definitions": self.project.meaning, "t": self.t_at}
        stage = Stage(self.staging, staged_tables(program), about)
        plan = Plan(read_file, self.project.sources, self._decoding(), self.project.target.shards, self.t_at, tick)
        pipeline = SegmentUsers(program, self._moment(), self.knowledge, stage, plan, self._remembered())
        inputs = self.reading.listing.inputs
        size, (records_before, bytes_before) = sum(one.unread for one in inputs), ticked()

        def poll() -> None:
            records, read_bytes = ticked()
            share = (read_bytes - bytes_before) / size if size else 1.0
            tell("read" if share < 1 else "compute", records - records_before, share)

        try:
            run_locally(pipeline, inputs, poll)
        except Exception:
            if not self.is_rebuild:  # what could not be read may be a state: its hash tells, and takes long
                see_states(self.lake, by_hash=True)
            raise
        tell("compute", ticked()[0] - records_before, 1.0)
        self._account()

    def _moment(self) -> Moment:
        # of what is read once more it is not known what of it was known before
        reads_again = self.options.full_refresh or (self.is_rebuild and bool(self.reading.reread))
        last_at = BEGINNING if self.last is None or reads_again else self.last.t_at
        known_before = FOREVER if self.last is None else self.last.known_at
        return Moment(last_at, self.t_at, known_before, everyone=self.is_rebuild)

    def _decoding(self) -> DecodePlan:
        project = self.project
        return DecodePlan(
            project.event_columns, project.profile_columns, tuple(project.purposes), read_lookups(project)
        )

    def _remembered(self) -> list[ShardedBatch]:
        """What each shard starts from: its state, or for a rebuild all facts that the warehouse holds."""
        if self.is_rebuild and not self.options.full_refresh:
            return self._stored()
        if self.is_rebuild:
            return []
        see_states(self.lake)
        schema = pa.schema([("path", pa.string())], {KIND: STATE})
        paths = read.state_paths(self.lake)
        return [
            (shard, pa.RecordBatch.from_arrays([pa.array([str(path)])], schema=schema)) for shard, path in paths.items()
        ]

    def _stored(self) -> list[ShardedBatch]:
        stored: list[ShardedBatch] = []
        folder = self.staging / "spilled"
        folder.mkdir()
        kept = [name for name in self.project.sources if name not in self.reading.reread]
        for kind, path in read.export_facts(self.lake, self.project, kept, self.staging / "facts").items():
            for batch in pq.ParquetFile(path).iter_batches():
                marked = batch.replace_schema_metadata({KIND: STORED + kind.encode()})
                for shard, part in split(marked, self.project.target.shards) if batch.num_rows else []:
                    stored.append((shard, spill(part, folder / f"stored-{len(stored):06d}.arrow")))
        return stored

    def _account(self) -> None:
        account = staged_account(self.staging)
        newest_at = newest_of(account.to_batches())
        self.known_at, read_until = self.knowledge.known_at(newest_at), self.knowledge.read_until(newest_at)
        if self.last is not None and self.known_at < read_until:
            raise _k_below(self.known_at, read_until)
        self.positions = positions_after(self.reading.positions, account)
        self.undeclared, self.unseen = undeclared(account), unseen(account)
        stage_fates(self.staging, account)

    def run_plan(self) -> RunPlan:
        """What publishing is to do."""
        project = self.project
        columns = [(group, column) for group in project.features.values() for column in group.columns]
        before = None if self.options.full_refresh else self.last
        return RunPlan(
            staging=self.staging,
            t_at=self.t_at,
            known_at=self.known_at,
            definitions=project.meaning,
            positions_before={} if before is None else before.positions,
            positions_after=self.positions,
            shards=project.target.shards,
            started_at=self.options.now,
            parent="" if self.last is None else self.last.run_id,
            versions=self.versions,
            event_columns={name: kind.arrow for name, kind in project.event_columns.items()},
            profile_columns={name: kind.arrow for name, kind in project.profile_columns.items()},
            feature_columns={column.name: column.type.arrow for _, column in columns},
            feature_comments={column.name: feature_in_words(group, column) for group, column in columns},
            full_refresh=self.options.full_refresh and self.last is not None,
            anew=self.is_rebuild,
            undeclared=self.undeclared,
            reread=self.reading.reread,
            read_as={**({} if before is None else before.read_as), **project.read_as},
            feature_meanings={name: group.meaning for name, group in project.features.items()},
            expectations=expectations_of(project),
            silence_budgets={
                name: source.silence_budget
                for name, source in project.sources.items()
                if source.silence_budget is not None
            },
        )


def _instant_asked(project: Project, options: Options, last: read.LastRun | None) -> int:
    """T: as asked, as the project fixes it, or now."""
    t_at, whence = _t_and_whence(project, options)
    if last is not None and t_at < last.t_at and not options.full_refresh:
        message = f"T = {write_instant(t_at)}, {whence}, lies before the last published one, {write_instant(last.t_at)}"
        raise CallError("SEG-0904", message, "ask for a later one with --as-of, or give --full-refresh")
    if last is not None and options.known_at is not None and options.known_at < last.known_at:
        raise _k_below(options.known_at, last.known_at)
    return t_at


def _t_and_whence(project: Project, options: Options) -> tuple[int, str]:
    if options.as_of is not None:
        return options.as_of, "from --as-of"
    if project.as_of is not None:
        return project.as_of, f"from `as_of` at {project.as_of_at}"
    return options.now, "from this machine's clock"


def _k_below(known_at: int, read: int) -> CallError:
    message = f"K = {write_instant(known_at)} lies below what has been read, up to {write_instant(read)}"
    return CallError("SEG-0904", message, "ask for a later one, or leave --known-at out")


def _knowledge(lake: Lake, options: Options, last: read.LastRun | None, t_at: int) -> Knowledge:
    """What decides K before anything new is read."""
    if last is None:
        return Knowledge(t_at, options.known_at)
    stored_at = BEGINNING if options.full_refresh else read.newest_receipt(lake, last, t_at)
    return Knowledge(t_at, options.known_at, last.known_at, stored_at)


def _versions(lake: Lake, project: Project) -> dict[str, SegmentVersion]:
    """The number of each published segment's meaning: the current one's where it is the same, else one that was never used."""
    known, numbers = read.versions(lake), {}
    for name, segment in project.segments.items():
        found = known.get(name, [])
        current = next(
            (version for version, is_current in found if is_current and version.meaning == segment.meaning), None
        )
        fresh = SegmentVersion(max((version.version for version, _ in found), default=0) + 1, segment.meaning)
        numbers[name] = current or fresh
    return numbers
