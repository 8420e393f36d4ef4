"""Events: what subjects did, canonical and de-duplicated."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "events"
COMMENT = "Accepted events, one row for each source, subject and event id, whatever consent says today."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("subject", pa.string()),
        ("event_id", pa.string()),
        ("event", pa.string()),
        ("occurred_at", INSTANT),
        ("received_at", INSTANT),
        ("record_hash", pa.binary(32)),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "subject": "who did it: the source's id, normalised",
    "event_id": "the source's id of the event; without one, file and record number",
    "event": "what was done",
    "occurred_at": "when it happened, by the source's clock",
    "received_at": "when we received it",
    "record_hash": "SHA-256 of the decoded record without received_at",
}
