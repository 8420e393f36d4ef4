"""Advance each shard by what has arrived, and stage what is to be published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer
from apache_beam.transforms.timeutil import TimeDomain

from schemas import consent, event, kernel_state, profile
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state, read_state, write_state
from transforms.coder import RecordBatchCoder, ShardedBatch

KIND = b"kind"


@dataclass(frozen=True)
class Staged:
    """Where a run's workers leave what they make: `<folder>/<table>/<shard>.parquet` and `<folder>/state/<shard>.arrow`."""

    folder: Path

    def write(self, table: str, shard: int, rows: pa.Table) -> None:
        """Write the rows of one table, unless there are none."""
        if len(rows):
            path = self.folder / table / f"{shard:04d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, path, compression="zstd", compression_level=1)

    def write_state(self, shard: int, blob: bytes) -> None:
        """Write a shard's state."""
        path = self.folder / "state" / f"{shard:04d}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)


def segment_shard(program: Program, state: State, arrived: Arrived, moment: Moment) -> tuple[State, dict[str, pa.Table]]:
    """Advance one shard: the pure kernel, under the name of its transform."""
    return advance(program, state, arrived, moment)
