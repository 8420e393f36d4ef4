"""One run, planned: from what is committed to what is to be published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq

from pipelines.segmentation import SegmentAgain, SegmentUsers
from runners.audits.expectations import expectations_of
from runners.engines.local import run_locally
from runners.publishing.staging import new_staging
from runners.runs.account import positions_after, stage_fates, staged_account, undeclared, unseen
from runners.runs.keeping import goes_before, gone
from runners.runs.linking import Linked, linked, moving, standing_of
from runners.runs.notes import late_news, notes
from runners.runs.outlook import Outlook, k_below
from runners.runs.progress import tick, ticked
from runners.runs.remaking import Remaking
from runners.runs.run_plan import RunPlan
from runners.sources.entry import read as read_input
from runners.sources.lookups import read_lookups
from runners.warehouses import published, read
from runners.warehouses.lake import Lake
from runners.warehouses.whole import see_states
from schemas.cut import Closing
from schemas.definitions.composition import compositions, noted
from schemas.definitions.words import feature_in_words
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.coder import ShardedBatch
from transforms.decode import DecodePlan
from transforms.faults import reach
from transforms.ingest import Plan
from transforms.known import KIND, kept, known_at, read_until, state_at
from transforms.receipts import Receipts
from transforms.segment import STORED
from transforms.shard import split
from transforms.spill import spill
from transforms.together import Together

Tell = Callable[[str, int, float], None]
"""Told of progress: the stage's name, how many records or rows it has, and the share of what there is that is read."""


@dataclass
class Step:
    """One run, from what is committed to what is to be.

    Attributes:
      written_at: the last T of which feature rows were written, this step's among them.
      ends_day: feature rows that are staged are published even if there is nothing else.
      remade: how many subjects were made anew from the warehouse, since their state had forgotten what news was about.
    """

    lake: Lake
    outlook: Outlook
    staging: Path
    closing: Closing
    written_at: int
    known_at: int = BEGINNING
    positions: Mapping[str, Any] = field(default_factory=dict)
    undeclared: Mapping[str, int] = field(default_factory=dict)
    unseen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remade: int = 0
    ends_day: bool = False

    @classmethod
    def of(cls, lake: Lake, outlook: Outlook) -> "Step":
        """Make ready to carry it out."""
        staging = new_staging(lake)
        return cls(lake, outlook, staging, _closing(lake, outlook, staging), outlook.t_at)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth saying of the sources, and of news that came late."""
        said = notes(self.outlook.project, self.outlook.reading, self.positions, self.undeclared, self.unseen)
        return (*said, *late_news(self.remade))

    def compute(self, tell: Tell) -> None:
        """Run the graph: everything that changed is staged.

        Errors: CallError where a fixed K lies below what has been read; JobFailed where a state is gone or damaged.
        """
        project, t_at = self.outlook.project, self.outlook.t_at
        program, stage = self.outlook.program, self.outlook.stage(self.staging)
        both = linked(self.lake, self.outlook, self._decoding())
        reach("linked")
        plan = Plan(read_input, project.sources, self._decoding(), project.target.shards, t_at, tick, both.after)
        inputs = self.outlook.reading.listing.inputs
        pipeline = SegmentUsers(program, self.closing, stage, plan, self._remembered(both))
        size, (records_before, bytes_before) = sum(one.unread for one in inputs), ticked()

        def poll() -> None:
            records, read_bytes = ticked()
            share = (read_bytes - bytes_before) / size if size else 1.0
            tell("read" if share < 1 else "compute", records - records_before, share)

        def compute() -> None:
            tell("compute", ticked()[0] - records_before, 1.0)

        def advance(received: Sequence[ShardedBatch]) -> None:
            compute()
            run_locally(SegmentAgain(program, stage, received), compute)

        with self._states_read():
            run_locally("ListInputs" >> beam.Create([list(inputs)]) | pipeline, poll)
            self.settle(Remaking(self.lake, project, self.staging, both, both.moved(project.target.shards), advance))
        reach("computed")
        compute()

    def settle(self, remaking: Remaking) -> None:
        """Make anew who has to be, and take account of what was read.

        Errors: CallError where a fixed K lies below what has been read.
        """
        self.remade = remaking.until_whole()
        self._account()

    @contextmanager
    def _states_read(self) -> Iterator[None]:
        """What could not be read may be a state: another run has taken its place, or its hash tells, which takes long."""
        try:
            yield
        except Exception:
            if not self.outlook.is_rebuild and self.outlook.last is not None:
                published.see_that_is_last(self.lake, self.outlook.last.run_id)
                see_states(self.lake, by_hash=True)
            raise

    def _decoding(self) -> DecodePlan:
        project = self.outlook.project
        return DecodePlan(project.schemas, tuple(project.purposes), read_lookups(project))

    def _remembered(self, both: Linked) -> list[ShardedBatch]:
        """What each shard starts from: its state and who moves, or for a rebuild all facts that the warehouse holds."""
        if self.outlook.is_rebuild:
            stands = standing_of(self.lake, self.outlook.project, both.after)
            return [*stands, *([] if self.outlook.options.full_refresh else self._stored(both.after))]
        see_states(self.lake)
        place, found = self.lake.states.place, read.state_paths(self.lake)
        states = [(shard, state_at([*map(place, paths)])) for shard, paths in found.items()]
        return [*states, *moving(self.lake, self.outlook.project, both)]

    def _stored(self, together: Together) -> list[ShardedBatch]:
        stored: list[ShardedBatch] = []
        folder = self.staging / "spilled"
        folder.mkdir()
        sources = [name for name in self.outlook.project.sources if name not in self.outlook.reading.reread]
        for kind, path in read.export_facts(self.lake, self.outlook.project, sources, self.staging / "facts").items():
            for batch in pq.ParquetFile(path).iter_batches():
                marked = batch.replace_schema_metadata({KIND: STORED + kind.encode()})
                for shard, part in split(marked, self.outlook.project.target.shards, together) if batch.num_rows else []:
                    stored.append((shard, spill(part, folder / f"stored-{len(stored):06d}.arrow")))
        return stored

    def _account(self) -> None:
        account, t_at = staged_account(self.staging), self.outlook.t_at
        newest_at = Receipts.of_all([kept(self.closing), Receipts.of_accounts(account)]).until(t_at)
        self.known_at = known_at(self.closing, t_at, newest_at)
        if self.outlook.last is not None and self.known_at < (read_at := read_until(self.closing, newest_at)):
            raise k_below(self.known_at, read_at)
        self.positions = positions_after(self.outlook.reading.positions, account)
        self.undeclared, self.unseen = undeclared(account), unseen(account)
        stage_fates(self.staging, account)

    def run_plan(self) -> RunPlan:
        """What publishing is to do."""
        project = self.outlook.project
        columns = [(group, column) for group in project.features.values() for column in group.columns]
        before = None if self.outlook.options.full_refresh else self.outlook.last
        return RunPlan(
            staging=self.staging,
            t_at=self.outlook.t_at,
            known_at=self.known_at,
            definitions=project.meaning,
            positions_before={} if before is None else before.positions,
            positions_after=self.positions,
            written_at=self.written_at,
            shards=project.target.shards,
            started_at=self.outlook.options.now,
            parent="" if self.outlook.last is None else self.outlook.last.run_id,
            versions=self.outlook.versions,
            fact_columns={
                kind: {name: one.arrow for name, one in columns.items()} for kind, columns in project.declared.items()
            },
            feature_columns={column.name: column.type.arrow for _, column in columns},
            feature_comments={column.name: feature_in_words(group, column) for group, column in columns},
            full_refresh=self.outlook.options.full_refresh and self.outlook.last is not None,
            anew=self.outlook.is_rebuild,
            ends_day=self.ends_day,
            undeclared=self.undeclared,
            reread=self.outlook.reading.reread,
            read_as={**({} if before is None else before.read_as), **project.read_as},
            feature_meanings={name: group.meaning for name, group in project.features.items()},
            composition=noted(compositions(project)),
            expectations=expectations_of(project),
            gone_before_at=goes_before(project, self.outlook.last, self.outlook.t_at, self.outlook.options.now),
            horizon_at=self.closing.horizon_at,
            silence_budgets={
                name: source.silence_budget
                for name, source in project.sources.items()
                if source.silence_budget is not None
            },
        )


def _closing(lake: Lake, outlook: Outlook, staging: Path) -> Closing:
    """What decides T and K before anything new is read."""
    options, last, t_at = outlook.options, outlook.last, outlook.t_at
    if last is None:
        return Closing(BEGINNING, t_at, t_at, FOREVER, options.known_at)
    # of what is read once more it is not known what of it was known before
    reads_again = options.full_refresh or (outlook.is_rebuild and bool(outlook.reading.reread))
    stored_at = BEGINNING if options.full_refresh else read.newest_receipt(lake, last, t_at)
    kept_at = staging / "kept.arrow"
    Receipts.of(np.array([t_at]), np.array([stored_at])).write(kept_at)
    last_at = BEGINNING if reads_again else last.t_at
    more = gone(outlook.project, last)
    return Closing(last_at, t_at, t_at, last.known_at, options.known_at, str(kept_at), everyone=outlook.is_rebuild, **more)
