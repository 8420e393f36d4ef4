"""Backfills: for which definitions the past was computed, over which period, and as known when."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "backfills"
COMMENT = "One row a backfill: what was to be computed of the past, as known when. What it has come to is in backfill_intervals."
SCHEMA = pa.schema(
    [
        ("backfill_id", pa.string()),
        ("request", pa.string()),
        ("started_at", INSTANT),
        ("from_at", INSTANT),
        ("to_at", INSTANT),
        ("t_at", INSTANT),
        ("known_at", INSTANT),
        ("definitions", pa.string()),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "backfill_id": "hash of the request and of what was known",
    "request": "hash of the definitions and the period: the same call goes on where it ended",
    "started_at": "when it began, by the clock",
    "from_at": "where the period begins, inclusive",
    "to_at": "where it ends, exclusive",
    "t_at": "T of the last published run when it began",
    "known_at": "K: what was received later is not seen",
    "definitions": "JSON: the segments, each with its version and its meaning, and the feature groups with theirs",
    "run_id": "the last published run when it began",
}
