"""Ingest: from files and topics to canonical facts by shard, with quarantine and an account of every record beside them."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PCollection, TaggedOutput

from schemas.definitions.source import Source
from schemas.record import AnyInput, RawChunk
from transforms.algebra.engine import connect
from transforms.coder import ShardedBatch, sharded
from transforms.decode import DecodePlan, decode, rejections
from transforms.faults import reach
from transforms.packed import linked_by, unpacked
from transforms.receipts import Receipts, receipts
from transforms.shard import split
from transforms.together import NOBODY, Together, read_together
from transforms.validate import set_aside
from transforms.watermarks import told_until

ACCOUNT = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "file", "position", "unseen")),
        *((name, pa.int64()) for name in ("read", "quarantined", "future", "late", "late_used", "undeclared")),
        ("until_at", pa.int64()),
        ("dated_at", pa.list_(pa.int64())),
        ("received_at", pa.list_(pa.int64())),
    ]
)
"""One row a chunk: what became of its records before they were sharded, and the position behind it as JSON.

`unseen` are the paths at which no record has a value, as JSON, each with a name that is like it; null where no record could be
read. `undeclared` counts values that were dropped; `until_at` says how far the records tell; `dated_at` and `received_at` decide
K (see Receipts).
"""
_THREADS, _AHEAD = 2, 3


@dataclass(frozen=True)
class Plan:
    """How records become facts.

    Attributes:
      read: the chunks of a file or a partition.
      sources: by name.
      decoding: the columns, lookups and purposes.
      shards: how many shards of subjects there are.
      together: the ids that lie in one shard, since links connect them; where a chunk says nothing else.
      at: T, int64 microseconds; where it `is_open`, T is not known yet and not smaller.
      tick: told of the records and bytes that are read; an importable function.
    """

    read: Callable[[AnyInput], Iterator[RawChunk]]
    sources: Mapping[str, Source]
    decoding: DecodePlan
    shards: int
    at: int
    tick: Callable[[int, int], None]
    together: Together = NOBODY
    is_open: bool = False


class Ingested(NamedTuple):
    """One chunk, ingested."""

    facts: list[ShardedBatch]
    rejected: pa.RecordBatch
    account: pa.RecordBatch


def ingest(chunk: RawChunk, plan: Plan, con: duckdb.DuckDBPyConnection) -> Ingested:
    """Decode, validate and shard one chunk; read = accepted + set aside."""

    source = plan.sources[chunk.source]
    accepted, rejected, undeclared, unseen, rows = decode(chunk, source, plan.decoding, con)
    reach("decoded")
    told = pa.Table.from_batches([rejected])
    future = int(pc.sum(pc.equal(rejected.column("reason"), "future")).as_py() or 0)
    quarantined = rejected.num_rows - future
    late = late_used = 0
    if source.kind == "events" and accepted.num_rows:
        judged = set_aside(accepted, source)
        received_at = accepted.column("received_at").take(pa.array(judged.rows))
        late_ones = rejections(chunk, rows[judged.rows], judged.code, received_at)
        accepted, future, late, late_used = (
            judged.kept,
            future + judged.future,
            judged.late + judged.dropped,
            judged.late_used,
        )
        told = pa.concat_tables([told, pa.Table.from_batches([late_ones])])
    marked = accepted.replace_schema_metadata({"kind": source.kind})
    facts = split(marked, plan.shards, plan.together) if accepted.num_rows else []
    decides = receipts(con, marked, source.kind, plan.at, not plan.is_open)
    counts = (quarantined, future, late, late_used, undeclared)
    account = _account(chunk, unseen, counts, told_until(accepted, source.kind), decides)
    return Ingested(facts, told.combine_chunks().to_batches()[0] if len(told) else rejected, account)


def _account(
    chunk: RawChunk, unseen: Mapping[str, str] | None, counts: tuple[int, ...], until_at: int, decides: Receipts
) -> pa.RecordBatch:
    """The row of ACCOUNT of a chunk; the counts follow that of the records that were read."""
    said = None if unseen is None else json.dumps(unseen)
    position = json.dumps(chunk.after.to_json(), sort_keys=True)
    told = (chunk.source, chunk.file, position, said, len(chunk))
    values = (*told, *counts, until_at, decides.dated_at, decides.received_at)
    columns = [pa.array([value], kind.type) for value, kind in zip(values, ACCOUNT, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=ACCOUNT)


class _IngestFn(beam.DoFn):  # type: ignore[misc]
    """Reads a list of files in order, while a few threads decode the chunks just read, never many of them at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def process(self, inputs: list[AnyInput]) -> Iterator[Any]:
        for ingested in self._ingested(inputs):
            yield from _given(ingested)
            self.plan.tick(_count(ingested), 0)

    def _ingested(self, inputs: list[AnyInput]) -> Iterator[Ingested]:
        under_way: deque[Future[Ingested]] = deque()
        own = threading.local()
        pool = ThreadPoolExecutor(_THREADS, initializer=lambda: setattr(own, "con", connect()))
        try:
            for chunk in (chunk for one in inputs for chunk in self._read(one)):
                under_way.append(pool.submit(self._work, chunk, own))
                if len(under_way) > _AHEAD:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, one: AnyInput) -> Iterator[RawChunk]:
        """The chunks of a file; ticks its bytes as they come."""
        seen = one.size - one.unread
        for chunk in self.plan.read(one):
            if chunk.passed > seen:
                self.plan.tick(0, chunk.passed - seen)
                seen = chunk.passed
            yield chunk
        self.plan.tick(0, one.size - seen)

    def _work(self, chunk: RawChunk, own: threading.local) -> Ingested:
        return ingest(chunk, self.plan, own.con)


class _IngestChunksFn(beam.DoFn):  # type: ignore[misc]
    """Decodes chunks one after another, as they are read."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.linked = ("", plan)

    def setup(self) -> None:
        """The engine is the worker's."""
        self.con = connect()

    def process(self, chunk: pa.RecordBatch) -> Iterator[Any]:
        ingested = ingest(unpacked(chunk), self._plan(linked_by(chunk)), self.con)
        yield from _given(ingested)
        self.plan.tick(_count(ingested), 0)

    def _plan(self, linked: str) -> Plan:
        """The plan with the ids that its reader was told, which are the same for many chunks."""
        if not linked:
            return self.plan
        if linked != self.linked[0]:
            self.linked = (linked, replace(self.plan, together=read_together(Path(linked))))
        return self.linked[1]

    def teardown(self) -> None:
        """Close the engine."""
        self.con.close()


def _given(ingested: Ingested) -> Iterator[Any]:
    """The outputs of one chunk."""
    yield from ingested.facts
    if ingested.rejected.num_rows:
        yield TaggedOutput("rejected", ingested.rejected)
    yield TaggedOutput("inputs", ingested.account)


def _count(ingested: Ingested) -> int:
    """How many records a chunk had."""
    return int(ingested.account.column("read")[0].as_py())


class Read(NamedTuple):
    """`facts` by shard, `rejected` of `rejection.SCHEMA`, `inputs` of ACCOUNT."""

    facts: PCollection[ShardedBatch]
    rejected: PCollection[pa.RecordBatch]
    inputs: PCollection[pa.RecordBatch]


@dataclass(eq=False)
class Ingest(beam.PTransform):  # type: ignore[misc]
    """Read files and make canonical facts of their records, by shard of the subject.

    Takes:     PCollection[list[AnyInput]]: lists of files and partitions, each read from its committed position.
    Gives:     `facts`, PCollection[ShardedBatch] of `event.SCHEMA`, `profile.SCHEMA` or `consent.SCHEMA` as their
               metadata `kind` says; `rejected`, `rejection.SCHEMA`; `inputs`, one row of ACCOUNT a chunk.
    Windowing: none of its own.
    Emits:     a file's chunks in order; files in any order.
    State:     none.
    Errors:    bad records go to `rejected`; a file that can not be opened fails the bundle.

    Args:
      plan: how records become facts.
    """

    plan: Plan

    def expand(self, inputs: PCollection[list[AnyInput]]) -> Any:
        """One stage, three outputs."""
        read = inputs | "ReadFiles" >> beam.ParDo(_IngestFn(self.plan)).with_outputs("rejected", "inputs", main="facts")
        return Read(read.facts | "Sharded" >> sharded(), read.rejected, read["inputs"])


@dataclass(eq=False)
class IngestChunks(beam.PTransform):  # type: ignore[misc]
    """Make canonical facts of the records of chunks, by shard of the subject.

    Takes:     PCollection[RecordBatch]: chunks as `packed` gives them.
    Gives:     what `Ingest` gives.
    Windowing: none of its own.
    Emits:     a chunk at a time.
    State:     none.
    Errors:    bad records go to `rejected`.

    Args:
      plan: how records become facts.
    """

    plan: Plan

    def expand(self, chunks: PCollection[pa.RecordBatch]) -> Any:
        """One stage, three outputs."""
        read = chunks | "Decode" >> beam.ParDo(_IngestChunksFn(self.plan)).with_outputs("rejected", "inputs", main="facts")
        return Read(read.facts | "Sharded" >> sharded(), read.rejected, read["inputs"])
