"""Profiles: what is known of subjects, valid from an instant on."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "profiles"
COMMENT = "Accepted profile rows; a row holds until the next one of the subject."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("subject", pa.string()),
        ("position", pa.string()),
        ("valid_from", INSTANT),
        ("received_at", INSTANT),
        ("payload", pa.string()),
        ("explicit_nulls", pa.list_(pa.string())),
        ("record_hash", pa.binary(32)),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "subject": "whose profile",
    "position": "file and record number",
    "valid_from": "from when on the row holds",
    "received_at": "when we received it",
    "payload": "delta: only what it says changes; snapshot: what it does not say becomes null",
    "explicit_nulls": "columns that a delta sets to null in so many words",
    "record_hash": "SHA-256 of the row without received_at",
}
