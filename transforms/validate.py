"""Validate: set aside the events that are dated in the future, and those too late where the source says so (semantics 2.3)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import rejection
from schemas.definitions.source import Source
from transforms.algebra.claims import ints
from transforms.algebra.order import Flags


class SetAside(NamedTuple):
    """`kept` go on, `rejected` (of `rejection.SCHEMA`, their bytes the canonical record) to quarantine.

    `future`, `late` and `dropped` count what is set aside, `late_used` the late ones that are used all the same.
    """

    kept: pa.RecordBatch
    rejected: pa.RecordBatch
    future: int
    late: int
    dropped: int
    late_used: int


def set_aside(batch: pa.RecordBatch, source: Source) -> SetAside:
    """Judge each event by its own two instants: the answer is the same in every mode."""
    occurred_at, received_at = ints(batch.column("occurred_at"), 0), ints(batch.column("received_at"), 0)
    future = occurred_at > received_at + source.max_future_skew
    limit = source.allowed_lateness
    late = ~future & (received_at - occurred_at > limit) if limit is not None else np.zeros(len(future), np.bool_)
    out = future | late if source.on_late != "correct" else future
    told = future | late if source.on_late == "quarantine" else future
    dropped = int(late.sum()) if source.on_late == "drop" else 0
    used = int(late.sum()) if source.on_late == "correct" else 0
    kept = batch if not out.any() else batch.filter(pa.array(~out))
    return SetAside(kept, _rejections(batch, told, future), int(future.sum()), int(late.sum()) - used - dropped, dropped, used)


def _rejections(batch: pa.RecordBatch, told: Flags, future: Flags) -> pa.RecordBatch:
    rows = batch.filter(pa.array(told))
    reasons = pa.array(["late", "future"]).take(pa.array(future[told].astype(np.int64)))
    raw = pa.array([str(row).encode() for row in rows.to_pylist()], pa.binary())
    position = pc.coalesce(rows.column("event_id"), pa.scalar(""))
    columns = [rows.column("source"), position, reasons, raw, rows.column("received_at")]
    return pa.RecordBatch.from_arrays(columns, schema=rejection.SCHEMA)
