"""Advance each shard by what has arrived, and stage what is to be published."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagRuntimeState, BagStateSpec, RuntimeTimer, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from schemas.kinds import KINDS
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance, recalled
from transforms.algebra.outdated import Outdated, see_that_nobody_is_torn_away
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state, read_state, without
from transforms.coder import RecordBatchCoder, ShardedBatch
from transforms.known import KNOWN
from transforms.spill import fetch
from transforms.stage import Stage

KIND = b"kind"
STATE = b"state"
"""The kind of the batch that says where a shard's state lies: one row, `path`."""
STORED = b"stored_"
"""Before the kind of facts that the warehouse holds already: what is not in the state is made anew from them."""
LEAVING = b"leaving"
"""The kind of the batch that names the subjects who go to another shard: `subject`."""
_THREADS = min(4, os.cpu_count() or 1)
"""Shards that are advanced at once: Arrow, numpy and DuckDB let go of the interpreter while they work."""


Received = dict[bytes, list[pa.RecordBatch]]
"""The batches of a shard by kind."""


def sorted_out(batches: Iterable[pa.RecordBatch]) -> Received:
    """The batches of a shard by kind, in whatever order they came."""
    received: Received = {}
    for batch in batches:
        received.setdefault((batch.schema.metadata or {})[KIND], []).append(batch)
    return received


def remembered(program: Program, received: Received) -> State:
    """The state of the last run, or an empty one."""
    if STATE not in received:
        return empty_state(program)
    state, _ = read_state(pa.memory_map(received[STATE][0]["path"][0].as_py()).read_buffer())
    return state


def segment(program: Program, state: State, received: Received, moment: Moment) -> tuple[State, dict[str, pa.Table]]:
    """Advance one shard from what it remembers less those who leave: by stored facts about who comes, then by new facts.

    Errors: Outdated, where what has come bears on what the state has forgotten of some subjects.
    """
    if KNOWN in received:
        moment = replace(moment, known_at=received[KNOWN][0]["known_at"][0].as_py())
    if LEAVING in received:
        state = _less(state, pa.concat_arrays([batch["subject"] for batch in received[LEAVING]]))
    stored = _arrived(program, received, STORED)
    if any(map(len, stored.values())):
        state = recalled(program, state, stored, moment)
    return advance(program, state, _arrived(program, received, b""), moment)


def _less(state: State, leaving: pa.Array) -> State:
    see_that_nobody_is_torn_away(state, leaving)
    return without(state, leaving)


def _arrived(program: Program, received: Received, before: bytes) -> Arrived:
    schemas = program.project.schemas
    return {name: _table(received.get(before + name.encode(), []), schemas[name]) for name in KINDS}


def _table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches([batch.replace_schema_metadata(None) for batch in batches], schema)


class _SegmentFn(beam.DoFn):  # type: ignore[misc]
    """Gathers a shard's batches, and advances it once when the input has ended, a few shards at a time."""

    ARRIVED = BagStateSpec("arrived", RecordBatchCoder())
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, program: Program, moment: Moment, stage: Stage) -> None:
        self.program, self.moment, self.stage = program, moment, stage

    def setup(self) -> None:
        """The pool is the worker's; what a bundle has begun it ends."""
        self.pool = ThreadPoolExecutor(_THREADS)

    def start_bundle(self) -> None:
        self.under_way = deque[Future[int]]()

    def process(
        self,
        element: ShardedBatch,
        arrived: BagRuntimeState = beam.DoFn.StateParam(ARRIVED),
        end: RuntimeTimer = beam.DoFn.TimerParam(END),
        window: GlobalWindow = beam.DoFn.WindowParam,
    ) -> None:
        arrived.add(element[1])
        end.set(window.max_timestamp())

    @on_timer(END)  # type: ignore[untyped-decorator]
    def finish(
        self,
        shard: int = beam.DoFn.KeyParam,
        arrived: BagRuntimeState = beam.DoFn.StateParam(ARRIVED),
    ) -> Iterator[int]:
        self.under_way.append(self.pool.submit(self._advance, shard, list(arrived.read())))
        arrived.clear()
        if len(self.under_way) > _THREADS:
            yield self.under_way.popleft().result()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """The shards still under way."""
        for shard in self.under_way:
            yield GlobalWindows.windowed_value(shard.result(), GlobalWindow().max_timestamp())

    def teardown(self) -> None:
        """Where a bundle has failed, what it had not begun is not begun any more."""
        self.pool.shutdown(cancel_futures=True)

    def _advance(self, shard: int, batches: Sequence[pa.RecordBatch]) -> int:
        received = sorted_out(map(fetch, batches))
        state = remembered(self.program, received)
        if not state.is_whole:
            self.stage.keep(shard, batches)
        try:
            self.stage.write_shard(shard, *segment(self.program, state, received, self.moment))
        except Outdated as outdated:
            self.stage.ask(shard, outdated.subjects)
        return shard


@dataclass(eq=False)
class Segment(beam.PTransform):  # type: ignore[misc]
    """Keep the history of segments and the features of each shard of subjects, and stage what changed.

    Takes:     PCollection[ShardedBatch] by shard: facts of the KINDS, told apart by the schema's
               metadata `kind`; one batch of kind `state` for each shard that has one; and where the
               moment does not say K, one of kind `known`.
    Gives:     PCollection[int], the shards that are staged, or ask for facts that their state has forgotten.
    Windowing: the global window; bounded input.
    Emits:     each shard once, at the end of the input.
    State:     the batches of the shard, until then. What lasts is the file that the stage writes.
    Errors:    a batch of another schema or a state file that is none fails the bundle.

    Args:
      program: the definitions.
      moment: the T and K before and now.
      stage: where the results go.
    """

    program: Program
    moment: Moment
    stage: Stage

    def expand(self, batches: PCollection[ShardedBatch]) -> PCollection[int]:
        """Bring the data to a stateful DoFn."""
        return batches | "AdvanceShards" >> beam.ParDo(_SegmentFn(self.program, self.moment, self.stage))
