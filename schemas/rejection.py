"""Rejections: records that were set aside, with the reason and their bytes."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "quarantine"
COMMENT = "Records that were set aside, replayable after a fix."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("position", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.binary()),
        ("received_at", INSTANT),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "position": "file and record number, or topic, partition and offset",
    "reason": "late, future, missing_id, bad_type, malformed, too_large, unknown_purpose, blocked, super_node or cycle",
    "raw": "the bytes of the record",
    "received_at": "when we received it, where that could be read",
}

REASONS = (
    *("late", "future", "missing_id", "bad_type", "malformed", "too_large"),
    *("unknown_purpose", "blocked", "super_node", "cycle"),
)
