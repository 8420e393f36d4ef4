"""The way of one event: from files to staged history, features and state."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from schemas.record import AnyInput
from transforms.algebra.program import Moment, Program
from transforms.coder import ShardedBatch, sharded
from transforms.ingest import Ingest, Plan
from transforms.known import Know, Knowledge
from transforms.segment import Segment
from transforms.spill import Spill
from transforms.stage import Stage, StageRows


@dataclass(eq=False)
class SegmentUsers(beam.PTransform):  # type: ignore[misc]
    """Read records, keep the history of segments and features, and stage what changed for publishing.

    Takes:     PCollection[list[AnyInput]], one element: the files and partitions to read, each from its committed position.
    Gives:     PCollection[int], the shards that are staged; quarantine and what was read are staged beside them.
    Windowing: the global window; bounded input.
    Errors:    bad records go to the staged table `quarantine`.

    Args:
      program: the definitions.
      moment: the T and K before, and T now.
      knowledge: what decides K.
      stage: where the results go.
      plan: how records are decoded and sharded.
      remembered: for each shard what it starts from: where its state lies, or the facts to make it from.
    """

    program: Program
    moment: Moment
    knowledge: Knowledge
    stage: Stage
    plan: Plan
    remembered: Iterable[ShardedBatch]

    def expand(self, inputs: PCollection[list[AnyInput]]) -> PCollection[int]:
        """Straight down: one line a stage."""
        read = inputs | Ingest(self.plan)
        # read.facts: (shard, batch) of event.SCHEMA, profile.SCHEMA, consent.SCHEMA
        read.rejected | "StageQuarantine" >> beam.ParDo(StageRows(self.stage, "quarantine"))
        # rejection.SCHEMA
        read.inputs | "StageInputs" >> beam.ParDo(StageRows(self.stage, "inputs"))
        # what became of each file's records, and the position reached
        remembered = inputs.pipeline | "Remember" >> beam.Create(self.remembered, reshuffle=False) | "Remembered" >> sharded()
        # (shard, batch) of kind `state` or `stored_*`
        arrived = read.facts | "Spill" >> Spill(self.stage.folder / "spilled")
        # the same by path
        known = read.inputs | Know(self.knowledge, self.plan.shards)
        # (shard, batch) of kind `known`: K
        facts = (arrived, remembered, known) | "ByShard" >> beam.Flatten()
        return facts | Segment(self.program, self.moment, self.stage)


@dataclass(eq=False)
class SegmentAgain(beam.PTransform):  # type: ignore[misc]
    """Advance some shards once more, by what they have received and what they have asked for.

    Takes:     nothing.
    Gives:     PCollection[int], the shards that are staged instead of what was staged of them.
    Windowing: the global window; bounded input.
    Errors:    those of `Segment`.

    Args:
      program: the definitions.
      moment: the T and K before, and T now.
      stage: where the results go.
      received: what each shard had received, K among it, the ids of those who leave it, and all facts about them.
    """

    program: Program
    moment: Moment
    stage: Stage
    received: Iterable[ShardedBatch]

    def expand(self, begin: PBegin) -> PCollection[int]:
        """Nothing is read a second time."""
        received = begin | "Receive" >> beam.Create(self.received, reshuffle=False) | "Received" >> sharded()
        # (shard, batch) of all kinds, the large ones by path
        return received | Segment(self.program, self.moment, self.stage)
