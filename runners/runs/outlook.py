"""What a run finds before it touches anything: the last one, its T, the versions of its segments, what there is to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runners.runs.keeping import see_that_answers_are_left
from runners.runs.rereading import Reading, what_to_read
from runners.runs.run_plan import SegmentVersion
from runners.sources.entry import Ends, Waiting
from runners.warehouses import published, read
from runners.warehouses.lake import Lake
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.errors import CallError
from transforms.algebra.program import Program
from transforms.stage import Stage, staged_tables


@dataclass(frozen=True)
class Options:
    """What a call of `segue run` asks for. Instants are int64 microseconds UTC.

    Attributes:
      as_of: T; the project's own or the clock's where it is None.
      known_at: K, where it is fixed.
      full_refresh: read all sources from their beginning.
      now: the clock.
      ends: where topics are read up to; their ends where it is None.
    """

    now: int
    as_of: int | None = None
    known_at: int | None = None
    full_refresh: bool = False
    ends: Ends | None = None


@dataclass(frozen=True)
class Outlook:
    """What a run is going to build on, and what it is going to read.

    Attributes:
      last: the last published run; None before the first.
      t_at: the T that it publishes.
      versions: for each segment the number of its meaning.
      reading: the files and partitions, each from where it was read to.
    """

    project: Project
    options: Options
    last: published.LastRun | None
    t_at: int
    versions: Mapping[str, SegmentVersion]
    reading: Reading

    @classmethod
    def of(cls, lake: Lake | None, project: Project, options: Options, waiting: Waiting = lambda _: None) -> "Outlook":
        """Find it out; `lake` is None where there is no warehouse yet. `waiting` is told whose brokers are asked.

        Errors: CallError for a T or K before the last, or a T of which events are gone; SourceChanged; TryAgain; GateClosed where
        a source does not reach back.
        """
        last = None if lake is None else published.last_run(lake)
        t_at = _instant_asked(project, options, last)
        if lake is not None and options.full_refresh:
            see_that_answers_are_left(lake, project, t_at, "ask for a later T with --as-of")
        reading = what_to_read(project, None if options.full_refresh else last, options.ends, waiting)
        return cls(project, options, last, t_at, versions_of({} if lake is None else published.versions(lake), project), reading)

    @classmethod
    def of_last(cls, lake: Lake, project: Project, now: int, last: published.LastRun, reading: Reading) -> "Outlook":
        """Of a stream, which goes on from the last run; what it reads it finds out itself."""
        versions = versions_of(published.versions(lake), project)
        return cls(project, Options(now), last, last.t_at, versions, reading._replace(positions=last.positions))

    @property
    def program(self) -> Program:
        """The definitions, ready to run."""
        return Program(self.project, {name: version.version for name, version in self.versions.items()})

    def stage(self, folder: Path) -> Stage:
        """Where what is computed goes."""
        about = {"definitions": self.project.meaning, "t": self.t_at}
        return Stage(folder, staged_tables(self.program), about)

    @property
    def is_rebuild(self) -> bool:
        """Whether the states are made anew: when definitions or shards changed, and on request."""
        if self.last is None:
            return False
        changed = (self.last.definitions, self.last.shards) != (self.project.meaning, self.project.target.shards)
        return changed or self.options.full_refresh

    def is_idle(self, lake: Lake) -> bool:
        """Nothing new to read, the same definitions and the same T: there is nothing that could be due (2.4)."""
        if self.last is None or self.is_rebuild or self.reading.listing.inputs or self.t_at > self.last.t_at:
            return False
        if self.options.known_at is None:
            return not read.is_any_unseen(lake, self.last)
        return self.options.known_at <= self.last.known_at


def _instant_asked(project: Project, options: Options, last: published.LastRun | None) -> int:
    """T: as asked, as the project fixes it, or now."""
    t_at, whence = _t_and_whence(project, options)
    if last is not None and t_at < last.t_at and not options.full_refresh:
        message = f"T = {write_instant(t_at)}, {whence}, lies before the last published one, {write_instant(last.t_at)}"
        raise CallError("SEG-0904", message, "ask for a later one with --as-of, or give --full-refresh")
    if last is not None and options.known_at is not None and options.known_at < last.known_at:
        raise k_below(options.known_at, last.known_at)
    return t_at


def _t_and_whence(project: Project, options: Options) -> tuple[int, str]:
    if options.as_of is not None:
        return options.as_of, "from --as-of"
    if project.as_of is not None:
        return project.as_of, f"from `as_of` at {project.as_of_at}"
    return options.now, "from this machine's clock"


def k_below(known_at: int, read: int) -> CallError:
    """What is said of a K before the last one."""
    message = f"K = {write_instant(known_at)} lies below what has been read, up to {write_instant(read)}"
    return CallError("SEG-0904", message, "ask for a later one, or leave --known-at out")


def versions_of(known: Mapping[str, list[tuple[SegmentVersion, bool]]], project: Project) -> dict[str, SegmentVersion]:
    """The number of each published segment's meaning: the current one's where it is the same, else one that was never used."""
    numbers = {}
    for name, segment in project.segments.items():
        found = known.get(name, [])
        current = next(
            (version for version, is_current in found if is_current and version.meaning == segment.meaning), None
        )
        fresh = SegmentVersion(max((version.version for version, _ in found), default=0) + 1, segment.meaning)
        numbers[name] = current or fresh
    return numbers
