"""What a run is: everything that is pinned before it starts, and what publishing answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from runners.audits.expectations import Expectations
from runners.audits.finding import Checked
from transforms.algebra.order import BEGINNING


class SegmentVersion(NamedTuple):
    """The number of a segment's meaning, and the meaning's hash."""

    version: int
    meaning: str


@dataclass(frozen=True)
class RunPlan:
    """One run, pinned. Instants are int64 microseconds UTC.

    Attributes:
      staging: the folder that the workers filled.
      t_at: T, the instant asked about.
      known_at: K, up to whose receipt it knows.
      definitions: hash of the definitions.
      positions_before: partition -> what was applied before, JSON-able; as read from the warehouse.
      positions_after: partition -> what is applied once this run is published.
      written_at: the last T of which feature rows were written, wherever they differed: its own, but for commits within a day.
      shards: number of shards of subjects.
      started_at: when the run started, by the clock.
      parent: run id of the last published run when this one started; empty for the first.
      versions: every published segment of the definitions; versions that are not here any more are closed.
      fact_columns: kind of facts -> property -> Arrow type, the union over the sources.
      feature_columns: feature column -> Arrow type.
      feature_comments: feature column -> what it holds.
      full_refresh: the sources were read from their beginning: stored facts, quarantine and feature rows after T
        are replaced.
      reread: sources that were read from their beginning: what is stored of them is replaced.
      read_as: for each source how its records were read (see `Project`); what the next run compares its own with.
      feature_meanings: feature group -> the hash of what it means.
      composition: what the segments' meanings are made of (see `noted`), for plans to compare with.
      anew: the states were made anew: the feature rows of all subjects and the whole history of every segment are staged.
        What equals the record is left alone; what differs is closed and inserted anew, with one `corrected` change for
        each interval up to the parent's T.
      ends_day: it ends a day of a stream: feature rows that differ are reason enough to publish (semantics 4.5).
      expectations: what the user expects of the staged run.
      undeclared: source -> how many values of fields that it does not declare were dropped, where there were any.
      gone_before_at: events before it that the warehouse has are gone once this run is published, but for each subject's marks.
      horizon_at: from when on answers can be computed: what is told of the time before stands.
      silence_budgets: source of consents -> for how long it may say nothing, microseconds.
    """

    staging: Path
    t_at: int
    known_at: int
    definitions: str
    positions_before: Mapping[str, Any]
    positions_after: Mapping[str, Any]
    written_at: int
    shards: int
    started_at: int
    parent: str = ""
    versions: Mapping[str, SegmentVersion] = field(default_factory=dict)
    fact_columns: Mapping[str, Mapping[str, pa.DataType]] = field(default_factory=dict)
    feature_columns: Mapping[str, pa.DataType] = field(default_factory=dict)
    feature_comments: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    reread: frozenset[str] = frozenset()
    read_as: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    feature_meanings: Mapping[str, str] = field(default_factory=dict)
    composition: Mapping[str, Any] = field(default_factory=dict)
    anew: bool = False
    ends_day: bool = False
    expectations: Expectations = field(default_factory=Expectations)
    undeclared: Mapping[str, int] = field(default_factory=dict)
    silence_budgets: Mapping[str, int] = field(default_factory=dict)
    gone_before_at: int = BEGINNING
    horizon_at: int = BEGINNING

    @cached_property
    def run_id(self) -> str:
        """Hash of definitions, T, K, and the positions before and after: one input makes one run."""
        pinned = [self.definitions, self.t_at, self.known_at, self.positions_before, self.positions_after]
        return hashlib.sha256(canonical(pinned).encode()).hexdigest()[:32]


class Published(NamedTuple):
    """What became of a run.

    Attributes:
      status: published now; already published (a repetition); unchanged (there was nothing to publish).
      run_id: the run; for `unchanged` the last published one, empty if there is none.
      known_at: its K, int64 microseconds; None where no run was ever published.
      rows: table -> rows written.
      checks: what each check of its audit saw.
      went: how many events retention has let go with it.
      leaves_some: the next run has more to let go: what this one has read, or what states hold still.
    """

    status: Literal["published", "already", "unchanged"]
    run_id: str
    known_at: int | None
    rows: Mapping[str, int]
    checks: tuple[Checked, ...] = ()
    went: int = 0
    leaves_some: bool = False


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
