"""T and K: both are known when all input of a run is read, and before any of its subjects is judged (semantics 2.4)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from schemas.cut import Closing, Heard
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment
from transforms.coder import ShardedBatch, sharded
from transforms.faults import reach
from transforms.receipts import NONE, Receipts
from transforms.watermarks import advanced, reached

KIND = b"kind"
KNOWN = b"known"
"""The kind of the batch that says T and K: one row, the fields of `Moment`."""
STATE = b"state"
"""The kind of the batch that says where a shard's state lies: its layers, the lower one first; `path`."""
CLOSING = b"closing"
"""The kind of the batch that closes a cut: one row, `closing` and `heard` as JSON."""
_MOMENT = pa.schema(
    [
        *((name, pa.int64()) for name in ("last_at", "at", "known_before", "known_at", "gone_before_at", "horizon_at")),
        *((name, pa.bool_()) for name in ("everyone", "writes_features")),
    ],
    {KIND: KNOWN},
)


def closed(closing: Closing, heard: Heard) -> pa.RecordBatch:
    """What a reader says when a cut is closed."""
    said = {"closing": json.dumps(closing.to_json()), "heard": json.dumps(heard.to_json())}
    return pa.record_batch({name: [text] for name, text in said.items()}).replace_schema_metadata({KIND: CLOSING})


def is_closing(said: pa.RecordBatch) -> bool:
    """Whether it is what a reader says when a cut is closed."""
    return (said.schema.metadata or {}).get(KIND) == CLOSING


def is_account(said: pa.RecordBatch) -> bool:
    """Whether it is an account of what was read."""
    return "until_at" in said.schema.names


def kept(closing: Closing) -> Receipts:
    """The receipts of facts that were read before."""
    return Receipts.read(Path(closing.kept)) if closing.kept else NONE


def known_at(closing: Closing, t_at: int, newest_at: int) -> int:
    """K, given the largest receipt of all facts dated up to T: later than the last one; T before the first fact."""
    known = read_until(closing, newest_at) if closing.fixed_at is None else closing.fixed_at
    if known == BEGINNING:
        return t_at
    return known + 1 if known == closing.known_before else known


def read_until(closing: Closing, newest_at: int) -> int:
    """The largest receipt of all; never below the last K."""
    return max(newest_at, BEGINNING if closing.known_before == FOREVER else closing.known_before)


@dataclass(frozen=True)
class Reading:
    """All that was said of a cut: how it is closed, what the readers say, and what they have read."""

    closing: Closing
    heard: tuple[Heard, ...]
    accounts: tuple[pa.RecordBatch, ...]

    @classmethod
    def of(cls, said: Iterable[pa.RecordBatch]) -> "Reading":
        """Of closings and accounts in any order."""
        told = list(said)
        closings = [one for one in told if is_closing(one)]
        heard = (Heard.from_json(json.loads(one["heard"][0].as_py())) for one in closings)
        closing = Closing.from_json(json.loads(closings[0]["closing"][0].as_py()))
        return cls(closing, tuple(heard), tuple(filter(is_account, told)))

    @property
    def watermarks(self) -> dict[str, dict[str, int]]:
        """How far each partition that is not idle has told."""
        active = (partition for one in self.heard for partition in one.active)
        return advanced(self.closing.watermarks, self.accounts, active)

    @property
    def receipts(self) -> Receipts:
        """Those of all facts that were read now, and of those read before that may not have raised K."""
        return Receipts.of_all([kept(self.closing), *map(Receipts.of_accounts, self.accounts)])

    @property
    def moment(self) -> Moment:
        """T, K, and those before."""
        closing = self.closing
        t_at = reached(closing, self.heard, self.watermarks)
        k_at = known_at(closing, t_at, self.receipts.until(t_at))
        gone = {"gone_before_at": closing.gone_before_at, "horizon_at": closing.horizon_at}
        is_day_end = t_at >= closing.day_ends_at
        return Moment(closing.last_at, t_at, closing.known_before, k_at, closing.everyone, is_day_end, **gone)


def told(moment: Moment) -> pa.RecordBatch:
    """A moment as shards are told of it."""
    values = asdict(moment)
    return pa.RecordBatch.from_arrays([pa.array([values[one.name]], one.type) for one in _MOMENT], schema=_MOMENT)


def moment_of(batch: pa.RecordBatch) -> Moment:
    """What was told."""
    return Moment(**{name: batch[name][0].as_py() for name in _MOMENT.names})


def state_at(paths: Sequence[str]) -> pa.RecordBatch:
    """Where the layers of a shard's state lie, as it is told of it."""
    return pa.record_batch({"path": list(paths)}).replace_schema_metadata({KIND: STATE})


class _GatherFn(beam.CombineFn):  # type: ignore[misc]
    """Gathers closings and accounts."""

    def create_accumulator(self) -> list[pa.RecordBatch]:
        return []

    def add_input(self, gathered: list[pa.RecordBatch], said: pa.RecordBatch) -> list[pa.RecordBatch]:
        return [*gathered, said] if is_closing(said) or is_account(said) else gathered

    def merge_accumulators(self, several: Iterable[list[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        return [said for one in several for said in one]

    def extract_output(self, gathered: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        return gathered


@dataclass(eq=False)
class Know(beam.PTransform):  # type: ignore[misc]
    """Tell every shard T and K, and where its state lies where the closing says so.

    Takes:     PCollection[RecordBatch]: accounts of what was read, of ACCOUNT, and one closing from each reader. Others
               are only waited for.
    Gives:     PCollection[ShardedBatch], for each shard a batch of kind `known`, and one of kind `state` where it has one.
    Windowing: that of the input: the global window, or one window a cut.
    Emits:     once a window, when all of it is read; nothing where no closing came: the cut was given up.
    State:     none.
    Errors:    none of its own.

    Args:
      shards: how many shards there are.
    """

    shards: int

    def expand(self, said: PCollection[pa.RecordBatch]) -> PCollection[ShardedBatch]:
        """All that was said, then T and K, then one batch a shard."""
        gathered = said | "Gather" >> beam.CombineGlobally(_GatherFn()).without_defaults()
        return gathered | "TellShards" >> beam.FlatMap(self._tell) | "Known" >> sharded()

    def _tell(self, gathered: list[pa.RecordBatch]) -> Iterator[ShardedBatch]:
        if any(map(is_closing, gathered)):
            reading = Reading.of(gathered)
            known = told(reading.moment)
            reach("known")
            for shard in range(self.shards):
                yield shard, known
                if shard in reading.closing.states:
                    yield shard, state_at(reading.closing.states[shard])
