"""Intervals of backfills: each is published by itself, and what is done is not done again."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "backfill_intervals"
COMMENT = "One row an interval of a backfill: whether it is done, and what it made."
SCHEMA = pa.schema(
    [
        ("backfill_id", pa.string()),
        ("number", pa.int32()),
        ("from_at", INSTANT),
        ("to_at", INSTANT),
        ("status", pa.string()),
        ("memberships", pa.int64()),
        ("feature_rows", pa.int64()),
        ("ended_at", INSTANT),
        ("error", pa.string()),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "backfill_id": "the backfill",
    "number": "which one, from 1 on",
    "from_at": "where it begins, inclusive",
    "to_at": "where it ends, exclusive",
    "status": "pending, done or failed",
    "memberships": "memberships that lie in it, or a part of them; null until it is done",
    "feature_rows": "feature rows that differ from those before, or take the place of others; null until it is done",
    "ended_at": "when it was done or failed, by the clock",
    "error": "the code of what it failed on",
    "run_id": "the last published run when it was computed",
}
