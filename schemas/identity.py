"""Identities: links by which one id belongs to another from an instant on (semantics 6.3)."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "identities"
COMMENT = "Accepted links between ids; the last of an id holds. Those refused for a cycle or a crowd are in quarantine, too."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("subject", pa.string()),
        ("position", pa.string()),
        ("to_id", pa.string()),
        ("linked_at", INSTANT),
        ("received_at", INSTANT),
        ("record_hash", pa.binary(32)),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "subject": "the id that is merged (from_id): from then on it is a member of nothing",
    "position": "file and record number",
    "to_id": "the id that it belongs to; empty where the link undoes those before it",
    "linked_at": "from when on",
    "received_at": "when we received it",
    "record_hash": "SHA-256 of the row without received_at",
}

BLOCKED = (
    *("null", "(null)", "none", "nil", "undefined", "nan", "n/a", "na", "unknown", "true", "false", "0", "-1"),
    *("anonymous", "anon", "guest", "id", "user_id", "distinct_id", "device_id", "email", "not_authenticated"),
    *("[object object]", "00000000-0000-0000-0000-000000000000"),
)
"""Ids that many people share by mistake, in lower case: no link leads from or to one."""
MOST = 100
"""How many ids may be one subject."""
