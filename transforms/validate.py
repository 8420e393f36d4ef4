"""Validate: set aside events dated in the future, and those too late where the source says so (semantics 2.3)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas import rejection
from schemas.definitions.source import Source
from transforms.algebra.claims import ints
from transforms.algebra.order import Ints

LATE, FUTURE = rejection.REASONS.index("late"), rejection.REASONS.index("future")


class SetAside(NamedTuple):
    """`kept` go on; `rows` of the batch go to quarantine, with the `code` of their reason in `rejection.REASONS`.

    `future`, `late` and `dropped` count what is set aside, `late_used` the late ones that are used all the same.
    """

    kept: pa.RecordBatch
    rows: Ints
    code: Ints
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
    rows = np.flatnonzero(future | late if source.on_late == "quarantine" else future)
    kept = batch if not out.any() else batch.filter(pa.array(~out))
    times = {policy: int(late.sum()) if source.on_late == policy else 0 for policy in ("quarantine", "drop", "correct")}
    return SetAside(kept, rows, np.where(future[rows], FUTURE, LATE), int(future.sum()), *times.values())
