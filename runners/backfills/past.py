"""What definitions say of the past: memberships and feature rows of some intervals, in one look at all subjects."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runners.answers.recalling import recall
from runners.backfills.day_rows import day_rows
from runners.backfills.intervals import Period, day_ends
from runners.warehouses.backfills import PIECES, ROWS, Backfill, Interval, backfills
from runners.warehouses.lake import Lake
from runners.warehouses.past_rows import last_rows, rows_there
from runners.warehouses.published import LastRun, run_of
from runners.warehouses.read import known_subjects
from runners.warehouses.tables import BACKFILL_PIECES
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from transforms.algebra.order import FOREVER, TRUE, Steps
from transforms.algebra.study import Study
from transforms.faults import reach

_SCHEMA = BACKFILL_PIECES.schema


@dataclass
class Past:
    """The past of a backfill's definitions.

    Attributes:
      folders: interval -> where its part is written to, a file for each portion of the subjects.
      last: the last published run.
      written: interval -> table -> how many rows there are of it.
    """

    lake: Lake
    project: Project
    backfill: Backfill
    folders: Mapping[Interval, Path]
    last: LastRun
    written: dict[Interval, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def compute(self, tell: Callable[[int, float], None]) -> None:
        """Write all that is asked for; `tell` is told how many subjects have been looked at, and which share of all that is.

        What was received after the backfill's K is not seen.
        """
        known_at, looked_at = self.backfill.known_at, 0
        subjects = known_subjects(self.lake, self._asked, known_at)
        tell(0, 0.0)
        for ids, study in recall(self.lake, self._asked, subjects, known_at, answered=bool(self.backfill.segments)):
            for interval in self.folders:
                self._write(interval, PIECES, self._pieces(ids, study, Period(interval.from_at, interval.to_at)))
                if self._columns:
                    self._write(interval, ROWS, self._rows(ids, study, interval))
            looked_at += len(ids)
            tell(looked_at, looked_at / len(subjects))

    def told(self, interval: Interval) -> Interval:
        """The interval with what was written of it."""
        written = self.written[interval]
        return replace(interval, memberships=written[PIECES], feature_rows=written[ROWS], run_id=self.last.run_id)

    @cached_property
    def _asked(self) -> Project:
        """The definitions that are asked for, and those that they refer to."""
        segments = narrow(self.project, "segments", *self.backfill.segments)
        groups = {name: self.project.features[name] for name in self.backfill.features}
        return replace(segments, features={**segments.features, **groups})

    @cached_property
    def _columns(self) -> list[str]:
        return [column.name for name in self.backfill.features for column in self.project.features[name].columns]

    def _pieces(self, ids: pa.Array, study: Study, period: Period) -> pa.Table:
        parts = []
        for name, (version, _) in self.backfill.segments.items():
            found = pieces(study.evaluation.answers[name], ids, period)
            purpose = "+".join(self.project.segments[name].purposes)
            said: dict[str, str | int] = {"segment": name, "version": version, "purpose": purpose, "run_id": self.last.run_id}
            parts.append(_filled(found, said))
        return pa.concat_tables([_SCHEMA.empty_table(), *parts])

    def _rows(self, ids: pa.Array, study: Study, interval: Interval) -> pa.Table:
        """The rows of the ends of days, as far as no run has told more; then, where none has told anything, that it has not."""
        period = Period(interval.from_at, interval.to_at)
        ends = day_ends(period, self.project.timezone)
        instants = ends[ends <= self._written_at]
        if interval.to_at == self.backfill.to_at:
            instants = np.unique(np.append(instants, self._written_at))
        there, last = rows_there(self.lake, ids, *period), last_rows(self.lake, ids, self._columns, self._alike)
        return day_rows(study, ids, self._columns, instants, there, last)

    @cached_property
    def _written_at(self) -> int:
        """The last T of which runs had written rows when the backfill began, or that of a refresh to an earlier T since then."""
        return min(run_of(self.lake, self.backfill.run_id).written_at, self.last.written_at)

    @cached_property
    def _alike(self) -> set[str]:
        """This backfill, which may have been killed on its way, and others that write some of its feature groups."""
        asked = self.backfill.features.keys()
        return {self.backfill.backfill_id, *(one.backfill_id for one in backfills(self.lake) if asked & one.features.keys())}

    def _write(self, interval: Interval, table: str, rows: pa.Table) -> None:
        self.written[interval][table] += len(rows)
        if len(rows):
            folder = self.folders[interval] / table
            folder.mkdir(exist_ok=True)
            pq.write_table(rows, folder / f"{len([*folder.iterdir()]):06d}.parquet", compression="zstd")
            reach("past_written")


def pieces(answers: Steps, ids: pa.Array, period: Period) -> pa.Table:
    """The memberships that an answer tells, as far as they lie in a period: `subject`, `valid_from` and `valid_to`."""
    ends_at = np.append(answers.at[1:], FOREVER)
    ends_at[np.flatnonzero(np.diff(answers.who))] = FOREVER  # the next step is another subject's
    begin, end = np.maximum(answers.at, period.from_at), np.minimum(ends_at, period.to_at)
    lies = (answers.value == TRUE) & (begin < end)
    instants = {"valid_from": begin[lies], "valid_to": end[lies]}
    return pa.table({"subject": ids.take(pa.array(answers.who[lies])), **instants})


def _filled(found: pa.Table, said: Mapping[str, str | int]) -> pa.Table:
    """The rows with what is alike in all of them."""
    there = set(found.column_names)
    columns = [found[name] if name in there else pa.array([said[name]] * len(found)) for name in _SCHEMA.names]
    return pa.table(columns, names=_SCHEMA.names).cast(_SCHEMA)
