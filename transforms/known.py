"""K: what a run knows is known when all its input is read, and before any of its subjects is judged (semantics 2.4)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PCollection

from schemas.kinds import KINDS
from transforms.algebra.order import BEGINNING
from transforms.coder import ShardedBatch, sharded

KNOWN = b"known"
"""The kind of the batch that says K: one row, `known_at`."""


@dataclass(frozen=True)
class Knowledge:
    """What decides K besides what is read now. Instants are int64 microseconds UTC.

    Attributes:
      at: T.
      fixed_at: K, where the caller fixes it.
      before_at: the K published last; None before the first run.
      newest_at: the largest receipt among the facts dated up to T that were read before; BEGINNING where there are none.
    """

    at: int
    fixed_at: int | None = None
    before_at: int | None = None
    newest_at: int = BEGINNING

    def read_until(self, newest_at: int) -> int:
        """The largest receipt of all, given that of what is read now; never below the last K."""
        return max(newest_at, self.newest_at, BEGINNING if self.before_at is None else self.before_at)

    def known_at(self, newest_at: int) -> int:
        """K, given the largest receipt of what is read now: later than the last one; T before the first fact."""
        known_at = self.read_until(newest_at) if self.fixed_at is None else self.fixed_at
        if known_at == BEGINNING:
            return self.at
        return known_at + 1 if known_at == self.before_at else known_at


def newest_receipt(con: duckdb.DuckDBPyConnection, facts: pa.RecordBatch, kind: str, at: int) -> int:
    """The largest `received_at` of the facts of a kind that are dated up to T; BEGINNING where there are none."""
    con.register("facts", facts)
    try:
        found = con.execute(f"SELECT max(epoch_us(received_at)) FROM facts WHERE epoch_us({KINDS[kind].dated}) <= {at}")
        ((newest_at,),) = found.fetchall()
    finally:
        con.unregister("facts")
    return BEGINNING if newest_at is None else int(newest_at)


def newest_of(inputs: Iterable[pa.RecordBatch]) -> int:
    """The largest receipt in accounts of what was read."""
    return max((int(pc.max(one.column("newest_at")).as_py()) for one in inputs if one.num_rows), default=BEGINNING)


class _NewestFn(beam.CombineFn):  # type: ignore[misc]
    def create_accumulator(self) -> int:
        return BEGINNING

    def add_input(self, newest_at: int, account: pa.RecordBatch) -> int:
        return max(newest_at, newest_of([account]))

    def merge_accumulators(self, newest: Iterable[int]) -> int:
        return max(newest, default=BEGINNING)

    def extract_output(self, newest_at: int) -> int:
        return newest_at


@dataclass(eq=False)
class Know(beam.PTransform):  # type: ignore[misc]
    """Tell every shard K.

    Takes:     PCollection[RecordBatch], accounts of what was read, with the column `newest_at`.
    Gives:     PCollection[ShardedBatch], one batch of kind `known` for each shard.
    Windowing: the global window; bounded input.
    Emits:     once, when all is read; also where nothing is.
    State:     none.
    Errors:    none of its own.

    Args:
      knowledge: what decides K besides.
      shards: how many shards there are.
    """

    knowledge: Knowledge
    shards: int

    def expand(self, inputs: PCollection[pa.RecordBatch]) -> PCollection[ShardedBatch]:
        """The newest of all, then K, then one batch a shard."""
        newest = inputs | "Newest" >> beam.CombineGlobally(_NewestFn())
        return newest | "TellShards" >> beam.FlatMap(self._tell) | "Known" >> sharded()

    def _tell(self, newest_at: int) -> Iterator[ShardedBatch]:
        schema = pa.schema([("known_at", pa.int64())], {b"kind": KNOWN})
        batch = pa.RecordBatch.from_arrays([pa.array([self.knowledge.known_at(newest_at)])], schema=schema)
        return ((shard, batch) for shard in range(self.shards))
