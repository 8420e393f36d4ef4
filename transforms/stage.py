"""Stage what a run makes: one Parquet file a table and shard, and the state beside them, for publishing to take up."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.transforms.window import BoundedWindow, GlobalWindow

from schemas import rejection, session
from transforms.algebra.layers import Layers, write_awake
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import write_state
from transforms.alive import live
from transforms.cut_windows import number_of
from transforms.faults import reach
from transforms.ingest import ACCOUNT
from transforms.spill import put_down

ASKED = "asked"
"""The folder of the ids that shards need all facts of, `<shard>.arrow`."""
RECEIVED = "received"
"""The folder of what those shards have received that may have to be advanced again, `<shard>.arrow`."""
AWAKE = ".awake.arrow"
"""Ends the name of the file of a state's upper layer."""
DONE = "done"
"""The folder in which each shard says that nothing more of it comes, `<shard>.json`."""
_REPLACES = pa.field("replaces", pa.bool_())
UNSURE = pa.field("unsure", pa.bool_())
"""Of a feature row: whether what was written last of its subject is to be looked up, since the state does not know it."""
INSTANT = pa.timestamp("us", "UTC")
_DISTINCT = ("event_id", "position", "raw")
_KEY = [("segment", pa.string()), ("version", pa.int32()), ("subject", pa.string())]
_TABLES: dict[str, pa.Schema] = {
    "transitions": pa.schema([*_KEY, ("at", INSTANT), ("member", pa.bool_()), ("purpose", pa.string())]),
    "closings": pa.schema([*_KEY, ("at", INSTANT)]),
    "changes": pa.schema(
        [
            *_KEY,
            ("kind", pa.string()),
            ("effective_at", INSTANT),
            ("until_at", INSTANT),
            ("member", pa.bool_()),
            ("reason", pa.string()),
        ]
    ),
    "exposed": pa.schema([*_KEY, ("effective_at", INSTANT), ("wrong_since_at", INSTANT)]),
    "upcoming": pa.schema([*_KEY, ("next_transition_at", INSTANT)]),
    "sessions": session.STAGED,
    "visitors": session.VISITORS,
    "lifecycles": pa.schema(
        [(name, pa.string()) for name in ("lifecycle", "purpose", "from_state", "to_state")] + [("subjects", pa.int64())]
    ),
    "verdicts": pa.schema(
        [("purpose", pa.string()), ("reason", pa.string()), ("events", pa.int64()), ("subjects", pa.int64())]
    ),
}
FATES = (
    "read",
    "quarantined",
    "future",
    "late",
    "duplicate",
    "kept",
    "refused",
    "unneeded",
    "used",
    "late_used",
    "conflicts",
)


@dataclass(frozen=True)
class Stage:
    """A folder: `<table>/<name>.parquet` for each table, the state as `state/<shard>.arrow` or, of who is awake alone,
    `<shard>.awake.arrow`, and what shards ask for.

    Attributes:
      folder: on a file system that workers and launcher share. It is the launcher's to make and to take away: once it is
        gone nothing is written any more.
      schemas: the columns of each table, exactly.
      about: JSON that is noted in the state files.
      keeps: what shards have received is written down, also where no state of theirs has forgotten anything.
    """

    folder: Path
    schemas: Mapping[str, pa.Schema]
    about: Mapping[str, object] = field(default_factory=dict)
    keeps: bool = False

    def of(self, window: BoundedWindow) -> "Stage":
        """The stage of a cut, which is a window; in the global window there is one run alone."""
        return self if isinstance(window, GlobalWindow) else self.of_cut(number_of(window))

    def of_cut(self, number: int) -> "Stage":
        """The stage of a cut: a folder in this one."""
        return replace(self, folder=self.folder / f"{number:012d}")

    def spilled(self, window: BoundedWindow) -> Path:
        """The folder of what goes by file to the shards."""
        return self.of(window).folder / "spilled"

    def write(self, table: str, name: str, rows: pa.Table) -> None:
        """Write the rows of one table, unless there are none: then there is no file of that name, nor one of an earlier try."""
        path = self.folder / table / f"{name}.parquet"
        if not len(rows):
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(exist_ok=True)
            wanted = self.schemas[table]
            options = {"compression": "zstd", "compression_level": 1, **_encodings(wanted)}
            pq.write_table(rows.select(wanted.names).cast(wanted), path, **options)

    def write_shard(self, shard: int, state: Layers | None, tables: Mapping[str, pa.Table]) -> None:
        """Write everything that a shard has made, of a state the layer that is new; none where that of before stands."""
        name = f"{shard:04d}"
        for table, rows in tables.items():
            self.write(table, name, fates_row(rows) if table == "fates" else rows)
        path = self._of_shard("state", shard)
        for one in (path, path.with_suffix(AWAKE)):  # of an earlier try
            one.unlink(missing_ok=True)
        if state is not None:
            with pa.OSFile(str(path if state.is_at_rest else path.with_suffix(AWAKE)), "wb") as file:
                write_state(state.rest, self.about, file) if state.is_at_rest else write_awake(state, self.about, file)
        reach("state_written")

    def finish(self, shard: int, moment: Moment, turning_at: int, waiting: int) -> None:
        """Say that a shard is done with a moment, when the next answer turns without any news, and of how many any does."""
        path = self._of_shard(DONE, shard).with_suffix(".json")
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({**asdict(moment), "turning_at": turning_at, "waiting": waiting}))
        fresh.replace(path)
        reach("shard_done")

    def keep(self, shard: int, received: Iterable[pa.RecordBatch]) -> None:
        """Write down what a shard has received, so that it can be advanced again."""
        put_down(received, self._of_shard(RECEIVED, shard))

    def ask(self, shard: int, subjects: pa.Array) -> None:
        """Say of whom a shard needs all facts, instead of anything that it has made."""
        put_down([pa.record_batch([subjects], names=["subject"])], self._of_shard(ASKED, shard))
        reach("asked")

    def _of_shard(self, folder: str, shard: int) -> Path:
        path = self.folder / folder / f"{shard:04d}.arrow"
        path.parent.mkdir(exist_ok=True)
        return path


def _encodings(schema: pa.Schema) -> dict[str, list[str]]:
    """No dictionary is tried where nearly every value differs, and no bounds are noted of hashes, which nobody seeks."""
    texts = [column.name for column in schema if pa.types.is_string(column.type) or pa.types.is_boolean(column.type)]
    bounded = [name for name in schema.names if name != "record_hash"]
    return {"use_dictionary": [name for name in texts if name not in _DISTINCT], "write_statistics": bounded}


def staged_tables(program: Program) -> dict[str, pa.Schema]:
    """The columns of every table that a run of `program` stages."""
    return {
        **{name: schema.append(_REPLACES) for name, schema in program.project.schemas.items()},
        "feature_rows": pa.schema([pa.field("subject", pa.string()), *program.feature_schema, UNSURE]),
        "quarantine": rejection.SCHEMA,
        "inputs": ACCOUNT,
        "fates": pa.schema([(name, pa.int64()) for name in FATES]),
        **_TABLES,
    }


def fates_row(counted: pa.Table) -> pa.Table:
    """One row with every fate; what was not counted is 0."""
    there = set(counted.column_names)
    return pa.table({name: counted[name] if name in there else pa.array([0] * len(counted)) for name in FATES})


class StageRows(beam.DoFn):  # type: ignore[misc]
    """Writes batches of one table, each to a file of its own, and hands them on."""

    def __init__(self, stage: Stage, table: str) -> None:
        self.stage, self.table = stage, table

    def setup(self) -> None:
        """Say that there is a worker."""
        live(self.stage.folder)

    def process(self, batch: pa.RecordBatch, window: BoundedWindow = beam.DoFn.WindowParam) -> Iterator[pa.RecordBatch]:
        """Write one batch."""
        self.stage.of(window).write(self.table, uuid.uuid4().hex, pa.Table.from_batches([batch]))
        reach("rows_staged")
        yield batch
