"""Watermarks: how far each partition has told, and the T that all that are not idle have reached."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from schemas.cut import Closing, Heard, Partition
from schemas.kinds import KINDS
from transforms.algebra.claims import ints
from transforms.algebra.order import BEGINNING

SLACK = 1_000_000
"""Events of one partition that are out of order by no more, microseconds, are no corrections."""

Watermarks = Mapping[str, Mapping[str, int]]


def told_until(facts: pa.RecordBatch, kind: str) -> int:
    """How far facts of one partition tell, int64 microseconds UTC: BEGINNING where there are none.

    An event tells of its own instant, though not of one after its receipt: who dates it ahead knows no more than others. What
    else is told, even of the past or of the future, tells of when it was received.
    """
    if not facts.num_rows:
        return BEGINNING
    received_at = ints(facts.column("received_at"), BEGINNING)
    if kind != "events":
        return int(received_at.max())
    return int(np.minimum(ints(facts.column(KINDS[kind].at), BEGINNING), received_at).max())


def advanced(
    before: Watermarks, accounts: Iterable[pa.RecordBatch], active: Iterable[Partition]
) -> dict[str, dict[str, int]]:
    """The watermarks of the partitions that are not idle, given accounts of what was read since `before`."""
    told: dict[Partition, int] = {}
    for account in accounts:
        columns = (account.column(name).to_pylist() for name in ("source", "file", "until_at"))
        for source, partition, until_at in zip(*columns, strict=True):
            told[source, partition] = max(told.get((source, partition), BEGINNING), until_at)
    after: dict[str, dict[str, int]] = {}
    for source, partition in active:
        known = before.get(source, {}).get(partition, BEGINNING)
        after.setdefault(source, {})[partition] = max(known, told.get((source, partition), BEGINNING))
    return after


def reached(closing: Closing, heard: Sequence[Heard], watermarks: Watermarks) -> int:
    """T: that of the slowest partition that is not idle, else the slowest reader's clock; it never goes back."""
    if closing.at is not None:
        return closing.at
    slowest = min((at for partitions in watermarks.values() for at in partitions.values()), default=None)
    clock_at = min(one.clock_at for one in heard)
    until_at = clock_at if slowest is None else min(slowest, clock_at)
    return max(closing.last_at, min(until_at - SLACK, closing.until_at))
