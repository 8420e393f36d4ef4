"""Backfills in the warehouse: what there is of them, and what an order for the writer puts there."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from runners.runs.run_plan import SegmentVersion, canonical
from runners.warehouses.lake import Lake, instant, listed, quoted
from runners.warehouses.past_rows import put_rows
from runners.warehouses.tables import BACKFILL_INTERVALS, BACKFILLS, Table
from transforms.faults import reach

PENDING, DONE, FAILED = "pending", "done", "failed"
PIECES, ROWS = "pieces", "rows"
"""The folders beside an order: memberships of segments, and feature rows."""
_KEY = ("backfill_id",)
_INSTANTS = {"started_at", "from_at", "to_at", "t_at", "known_at", "ended_at"}


@dataclass(frozen=True)
class Backfill:
    """A row of `backfills`. Instants are int64 microseconds UTC; `definitions` is JSON (see `definitions_of`)."""

    backfill_id: str
    request: str
    started_at: int
    from_at: int
    to_at: int
    t_at: int
    known_at: int
    definitions: str
    run_id: str

    @property
    def segments(self) -> Mapping[str, SegmentVersion]:
        """The segments, each with the number that its meaning will have."""
        return {name: SegmentVersion(*one) for name, one in json.loads(self.definitions)["segments"].items()}

    @property
    def features(self) -> Mapping[str, str]:
        """The feature groups, each with its meaning."""
        found: Mapping[str, str] = json.loads(self.definitions)["features"]
        return found


def definitions_of(segments: Mapping[str, SegmentVersion], features: Mapping[str, str]) -> str:
    """Segments and feature groups as a backfill notes them."""
    return canonical({"segments": {name: [*one] for name, one in segments.items()}, "features": dict(features)})


@dataclass(frozen=True)
class Interval:
    """A row of `backfill_intervals`. Instants are int64 microseconds UTC."""

    backfill_id: str
    number: int
    from_at: int
    to_at: int
    status: str = PENDING
    memberships: int | None = None
    feature_rows: int | None = None
    ended_at: int | None = None
    error: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class Order:
    """What the writer is asked to put into the warehouse, in one commit. Rows of a key that is there take its place.

    An interval that is done brings the pieces and the feature rows that lie beside the order.
    """

    backfill: Backfill
    intervals: tuple[Interval, ...]

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What was written. Raises KeyError, TypeError or ValueError where it is none."""
        said = json.loads(text)
        return cls(Backfill(**said["backfill"]), tuple(Interval(**one) for one in said["intervals"]))


def backfills(lake: Lake) -> list[Backfill]:
    """All that there are, the newest last."""
    return [Backfill(*row) for row in lake.rows(f"SELECT {_columns(BACKFILLS)} FROM backfills ORDER BY started_at, known_at")]


def intervals_of(lake: Lake, backfill_id: str) -> list[Interval]:
    """The intervals of a backfill, in order."""
    of = f"FROM backfill_intervals WHERE backfill_id = {quoted(backfill_id)} ORDER BY number"
    return [Interval(*row) for row in lake.rows(f"SELECT {_columns(BACKFILL_INTERVALS)} {of}")]


def _columns(table: Table) -> str:
    return ", ".join(f"epoch_us({name})" if name in _INSTANTS else name for name in table.schema.names)


def put(lake: Lake, order: Order, folder: Path) -> None:
    """Put an order and what lies in its folder into the warehouse: all of it, or nothing; twice is as good as once.

    Errors: those of `Lake.commit`.
    """
    lake.commit(lambda: _write(lake, order, folder), "backfill", order.backfill.backfill_id)


def _write(lake: Lake, order: Order, folder: Path) -> None:
    _forget_other_meanings(lake, order.backfill)
    _replace(lake, BACKFILLS, [order.backfill], _KEY)
    _replace(lake, BACKFILL_INTERVALS, order.intervals, ("backfill_id", "number"))
    for interval in order.intervals:
        if interval.status == DONE:
            _put_pieces(lake, order.backfill, interval, sorted((folder / PIECES).glob("*.parquet")))
            reach("pieces_put")
            put_rows(lake, order.backfill.backfill_id, sorted((folder / ROWS).glob("*.parquet")))
            reach("rows_put")


def _replace(lake: Lake, table: Table, rows: Sequence[Backfill | Interval], key: Sequence[str]) -> None:
    lake.con.register("ordered", _table(table.schema, [asdict(row) for row in rows]))
    lake.delete(table.name, key, "FROM ordered")
    lake.insert(table.name, "FROM ordered")
    lake.con.unregister("ordered")


def _table(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    plain = [pa.field(one.name, pa.int64() if one.name in _INSTANTS else one.type) for one in schema]
    return pa.Table.from_pylist([dict(row) for row in rows], pa.schema(plain)).cast(schema)


def _forget_other_meanings(lake: Lake, backfill: Backfill) -> None:
    """What earlier ones made of a segment that they took for something else is nobody's any more; the rest of them stays."""
    now = backfill.segments
    for one in backfills(lake):
        others = {name for name, version in one.segments.items() if now.get(name, version) != version}
        if others:
            lake.delete("backfill_pieces", ("segment",), f"SELECT DISTINCT segment FROM backfill_pieces WHERE {_among(others)}")
            _leave_out(lake, one, others)


def _leave_out(lake: Lake, one: Backfill, others: Set[str]) -> None:
    """What is left of a backfill without some segments answers no request, nor does what is left of none stay."""
    segments = {name: version for name, version in one.segments.items() if name not in others}
    if segments or one.features:
        _replace(lake, BACKFILLS, [replace(one, request="", definitions=definitions_of(segments, one.features))], _KEY)
    else:
        for table in (BACKFILLS, BACKFILL_INTERVALS):
            lake.delete(table.name, _KEY, f"SELECT {quoted(one.backfill_id)} AS backfill_id")


def _among(segments: Iterable[str]) -> str:
    return f"segment IN ({', '.join(map(quoted, segments)) or 'NULL'})"


def _put_pieces(lake: Lake, backfill: Backfill, interval: Interval, files: Sequence[Path]) -> None:
    """What was computed of the interval before goes; of what reaches beyond it the rest stays."""
    begin, end = instant(interval.from_at), instant(interval.to_at)
    over = f"{_among(backfill.segments)} AND valid_from < {end} AND valid_to > {begin}"
    lake.run(f"CREATE OR REPLACE TEMP TABLE pieces_over AS FROM backfill_pieces WHERE {over}")
    lake.delete("backfill_pieces", ("segment", "version", "subject", "valid_from"), "FROM pieces_over")
    lake.insert("backfill_pieces", f"SELECT * REPLACE ({begin} AS valid_to) FROM pieces_over WHERE valid_from < {begin}")
    lake.insert("backfill_pieces", f"SELECT * REPLACE ({end} AS valid_from) FROM pieces_over WHERE valid_to > {end}")
    if files:
        lake.insert("backfill_pieces", f"FROM read_parquet({listed(files)}, hive_partitioning = false)")
