"""Advance each shard by what has arrived, and stage what is to be published."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagRuntimeState, BagStateSpec, RuntimeTimer, TimerSpec, on_timer
from apache_beam.transforms.window import BoundedWindow
from apache_beam.utils.windowed_value import WindowedValue

from schemas.kinds import KINDS
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance, recalled
from transforms.algebra.coded import whole
from transforms.algebra.gone import STANDING, without_what_is_gone
from transforms.algebra.layers import Layers, read_layers, without
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.outdated import Outdated, see_that_nobody_is_torn_away
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state
from transforms.alive import live
from transforms.coder import RecordBatchCoder, ShardedBatch
from transforms.known import KIND, KNOWN, STATE, moment_of
from transforms.places import read_at
from transforms.spill import fetch
from transforms.stage import Stage

STORED = b"stored_"
"""Before the kind of facts that the warehouse holds already: what is not in the state is made anew from them."""
STANDS = b"stands"
"""The kind of the batch that says what was published of those who are made anew, of what can not be computed any more."""
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


def remembered(program: Program, received: Received) -> Layers:
    """The state of the last run, or an empty one."""
    if STATE not in received:
        return Layers.of(empty_state(program))
    rest, *awake = map(read_at, received[STATE][0]["path"].to_pylist())
    return read_layers(rest, *awake)


def segment(program: Program, before: Layers, received: Received, moment: Moment) -> tuple[Layers, dict[str, pa.Table]]:
    """Advance one shard from what it remembers less those who leave: by stored facts about who comes, then by new facts.

    What retention has removed goes first. The layers are those before where nothing has changed.

    Errors: Outdated, where what has come bears on what the state has forgotten of some subjects.
    """
    leaving = pa.chunked_array([batch["subject"] for batch in received.get(LEAVING, [])], pa.string()).combine_chunks()
    stored, new = (_arrived(program, received, kind) for kind in (STORED, b""))
    standing = _table(received.get(STANDS, []), STANDING)
    layers = before.without_what_is_gone(program, moment).waking(_named(leaving, stored, new), moment)
    state = _less(layers.awake, leaving, moment) if len(leaving) else layers.awake
    state = without_what_is_gone(program, state, moment)  # and not what is recalled: the warehouse may hold more of it still
    if len(standing) or any(map(len, stored.values())):
        state = recalled(program, state, stored, moment, standing)
    state, tables = advance(program, state, new, moment)
    after = layers.stepped(state)
    resting = after.numbers(program)
    return after, {**tables, **{name: pa.concat_tables([tables[name], rows]) for name, rows in resting.items()}}


def _named(leaving: pa.Array, *several: Arrived) -> pa.Array:
    """All ids that anything names."""
    ids = [facts[name][column] for facts in several for name, kind in KINDS.items() for column in kind.ids]
    return pc.unique(pa.concat_arrays([leaving, *(whole(one) for one in ids)]))


def _less(state: State, leaving: pa.Array, moment: Moment) -> State:
    see_that_nobody_is_torn_away(state, leaving, moment)
    return without(state, leaving)


def _arrived(program: Program, received: Received, before: bytes) -> Arrived:
    schemas = program.project.schemas
    return {name: _table(received.get(before + name.encode(), []), schemas[name]) for name in KINDS}


def _table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches([batch.replace_schema_metadata(None) for batch in batches], schema)


class _SegmentFn(beam.DoFn):  # type: ignore[misc]
    """Gathers a shard's batches, and advances it once when its window has ended, a few shards at a time."""

    ARRIVED = BagStateSpec("arrived", RecordBatchCoder())
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, program: Program, stage: Stage) -> None:
        self.program, self.stage = program, stage

    def setup(self) -> None:
        """The pool is the worker's; what a bundle has begun it ends."""
        self.pool = ThreadPoolExecutor(_THREADS)
        live(self.stage.folder)

    def start_bundle(self) -> None:
        self.under_way = deque[tuple[BoundedWindow, Future[int]]]()

    def process(
        self,
        element: ShardedBatch,
        arrived: BagRuntimeState = beam.DoFn.StateParam(ARRIVED),
        end: RuntimeTimer = beam.DoFn.TimerParam(END),
        window: BoundedWindow = beam.DoFn.WindowParam,
    ) -> None:
        arrived.add(element[1])
        end.set(window.max_timestamp())

    @on_timer(END)  # type: ignore[untyped-decorator]
    def finish(
        self,
        shard: int = beam.DoFn.KeyParam,
        window: BoundedWindow = beam.DoFn.WindowParam,
        arrived: BagRuntimeState = beam.DoFn.StateParam(ARRIVED),
    ) -> Iterator[int]:
        received = sorted_out(arrived.read())
        arrived.clear()
        if KNOWN in received:
            self.under_way.append((window, self.pool.submit(self._advance, shard, received, self.stage.of(window))))
        if len(self.under_way) > _THREADS:
            yield self.under_way.popleft()[1].result()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """The shards still under way."""
        for window, shard in self.under_way:
            yield WindowedValue(shard.result(), window.max_timestamp(), (window,))

    def teardown(self) -> None:
        """Where a bundle has failed, what it had not begun is not begun any more."""
        self.pool.shutdown(cancel_futures=True)

    def _advance(self, shard: int, received: Received, stage: Stage) -> int:
        moment = moment_of(received[KNOWN][0])
        before = remembered(self.program, received)
        may_ask = not before.is_whole or (moment.horizon_at > BEGINNING and not moment.everyone)
        if stage.keeps or may_ask:
            stage.keep(shard, (batch for batches in received.values() for batch in batches))
        fetched = {kind: [*map(fetch, batches)] for kind, batches in received.items()}
        following = (FOREVER, 0)
        try:
            after, tables = segment(self.program, before, fetched, moment)
            stage.write_shard(shard, None if after is before and STATE in received else after.settled(shard, before), tables)
            following = (int(after.turns_at.min(initial=FOREVER)), int((after.turns_at < FOREVER).sum()))
        except Outdated as outdated:
            stage.ask(shard, outdated.subjects)
        stage.finish(shard, moment, *following)
        return shard


@dataclass(eq=False)
class Segment(beam.PTransform):  # type: ignore[misc]
    """Keep the history of segments and the features of each shard of subjects, and stage what changed.

    Takes:     PCollection[ShardedBatch] by shard: facts of the KINDS, told apart by the schema's metadata `kind`; one batch of
               kind `state` for each shard that has one; and one of kind `known`, which says T and K.
    Gives:     PCollection[int], the shards that are staged, or ask for facts that their state has forgotten.
    Windowing: that of the input: the global window, or one window a cut.
    Emits:     each shard once, at the end of its window, unless the window knows of no T: then it was given up.
    State:     the batches of the shard, until then. What lasts is the file that the stage writes.
    Errors:    a batch of another schema or a state file that is none fails the bundle.

    Args:
      program: the definitions.
      stage: where the results go.
    """

    program: Program
    stage: Stage

    def expand(self, batches: PCollection[ShardedBatch]) -> PCollection[int]:
        """Bring the data to a stateful DoFn."""
        return batches | "AdvanceShards" >> beam.ParDo(_SegmentFn(self.program, self.stage))
