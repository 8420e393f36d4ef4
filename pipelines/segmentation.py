"""The way of one event: from what is read to staged history, features and state."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas.cut import Closing, Heard
from schemas.record import AnyInput
from transforms.algebra.program import Program
from transforms.coder import ShardedBatch, sharded
from transforms.cut_windows import whole_cuts
from transforms.follow import Follow, Following, chunks, closings
from transforms.ingest import Ingest, IngestChunks, Plan, Read
from transforms.known import Know, closed
from transforms.segment import Segment
from transforms.spill import Spill
from transforms.stage import Stage, StageRows

_READER, _SHARDS = "1MiB", "2MiB"
"""Hints that tell stages apart; how much they say matters to no one."""


@dataclass(eq=False)
class SegmentUsers(beam.PTransform):  # type: ignore[misc]
    """Read records, keep the history of segments and features, and stage what changed for publishing.

    Takes:     PCollection[list[AnyInput]], one element: the files and partitions to read, each from its committed position.
    Gives:     PCollection[int], the shards that are staged; quarantine and what was read are staged beside them.
    Windowing: the global window; bounded input.
    Errors:    bad records go to the staged table `quarantine`.

    Args:
      program: the definitions.
      closing: the T and K before, T now, and what decides K.
      stage: where the results go.
      plan: how records are decoded and sharded.
      remembered: for each shard what it starts from: where its state lies, or the facts to make it from.
    """

    program: Program
    closing: Closing
    stage: Stage
    plan: Plan
    remembered: Iterable[ShardedBatch]

    def expand(self, inputs: PCollection[list[AnyInput]]) -> PCollection[int]:
        """Straight down: one line a stage."""
        read = inputs | Ingest(self.plan)
        # read.facts: (shard, batch) of event.SCHEMA, profile.SCHEMA, consent.SCHEMA, identity.SCHEMA, score.SCHEMA
        said = closed(self.closing, Heard(self.closing.until_at))
        closing = inputs.pipeline | "Close" >> beam.Create([said], reshuffle=False) | "Closed" >> _batches()
        remembered = inputs.pipeline | "Remember" >> beam.Create(self.remembered, reshuffle=False) | "Remembered" >> sharded()
        # (shard, batch) of kind `state` or `stored_*`
        arrived = _gathered(read, closing, self.stage, self.plan.shards)
        # (shard, batch) by path, and of kind `known`: T and K
        facts = (arrived, remembered) | "ByShard" >> beam.Flatten()
        return facts | Segment(self.program, self.stage)


@dataclass(eq=False)
class SegmentStream(beam.PTransform):  # type: ignore[misc]
    """The same without an end: each cut of the stream is staged like a run.

    Takes:     nothing.
    Gives:     PCollection[int], the shards that are staged, cut by cut.
    Windowing: one window a cut.
    Errors:    bad records go to the staged table `quarantine`.

    Args:
      program: the definitions.
      stage: where the results go, each cut in a folder of its own.
      plan: how records are decoded and sharded.
      following: what is read.
      processes: over so many worker processes the stages may be spread.
    """

    program: Program
    stage: Stage
    plan: Plan
    following: Following
    processes: int = 1

    def expand(self, begin: PBegin) -> PCollection[int]:
        """What is read, then what becomes of it."""
        told = begin | _apart(Follow(self.following), self.processes > 2, _READER)
        # chunks of raw records, and closings of cuts
        return told | SegmentCuts(self.program, self.stage, self.plan, self.processes)


@dataclass(eq=False)
class SegmentCuts(beam.PTransform):  # type: ignore[misc]
    """Stage each cut of what is read like a run.

    Takes:     PCollection[RecordBatch] in cuts: chunks as `packed` gives them, and closings.
    Gives:     PCollection[int], the shards that are staged, cut by cut.
    Windowing: one window a cut.
    Errors:    bad records go to the staged table `quarantine`.

    Args:
      program: the definitions.
      stage: where the results go, each cut in a folder of its own.
      plan: how records are decoded and sharded.
      processes: over so many worker processes the stages may be spread.
    """

    program: Program
    stage: Stage
    plan: Plan
    processes: int = 1

    def expand(self, told: PCollection[pa.RecordBatch]) -> PCollection[int]:
        """Straight down: one line a stage."""
        read = told | "Chunks" >> chunks() | IngestChunks(self.plan)
        # read.facts: (shard, batch) of event.SCHEMA, profile.SCHEMA, consent.SCHEMA, identity.SCHEMA, score.SCHEMA
        arrived = _gathered(read, told | "Closings" >> closings(), self.stage, self.plan.shards)
        # (shard, batch) by path, of kind `known`: T and K, and of kind `state`
        whole = arrived | "WholeCuts" >> whole_cuts()
        return whole | _apart(Segment(self.program, self.stage), self.processes > 1, _SHARDS)


def _apart(stage: beam.PTransform, is_apart: bool, hint: str) -> beam.PTransform:
    """The stage, with a hint that no other has where it is to be apart: another hint is another environment, and that is what
    a runner has workers for.
    """
    return stage.with_resource_hints(min_ram=hint) if is_apart else stage


def _gathered(read: Read, closing: PCollection[pa.RecordBatch], stage: Stage, shards: int) -> PCollection[ShardedBatch]:
    """What each shard gets of what was read: the facts, and T and K once all else is staged."""
    rejected = read.rejected | "StageQuarantine" >> beam.ParDo(StageRows(stage, "quarantine")).with_output_types(pa.RecordBatch)
    # rejection.SCHEMA
    inputs = read.inputs | "StageInputs" >> beam.ParDo(StageRows(stage, "inputs")).with_output_types(pa.RecordBatch)
    # what became of each file's records, and the position reached
    known = (rejected, inputs, closing) | "Said" >> beam.Flatten() | Know(shards)
    arrived = read.facts | "Spill" >> Spill(stage.spilled)
    return (arrived, known) | "Arrived" >> beam.Flatten()


def _batches() -> beam.PTransform:
    return beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)


@dataclass(eq=False)
class SegmentAgain(beam.PTransform):  # type: ignore[misc]
    """Advance some shards once more, by what they have received and what they have asked for.

    Takes:     nothing.
    Gives:     PCollection[int], the shards that are staged instead of what was staged of them.
    Windowing: the global window; bounded input.
    Errors:    those of `Segment`.

    Args:
      program: the definitions.
      stage: where the results go.
      received: what each shard had received, T and K among it, the ids of those who leave it, and all facts about them.
    """

    program: Program
    stage: Stage
    received: Iterable[ShardedBatch]

    def expand(self, begin: PBegin) -> PCollection[int]:
        """Nothing is read a second time."""
        received = begin | "Receive" >> beam.Create(self.received, reshuffle=False) | "Received" >> sharded()
        # (shard, batch) of all kinds, the large ones by path
        return received | Segment(self.program, self.stage)
