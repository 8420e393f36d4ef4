"""The consent ledger: who allowed or refused what, when, and how we know."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "consents"
COMMENT = "Accepted ledger rows; rows of one key with different bodies all stay."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("subject", pa.string()),
        ("event_id", pa.string()),
        ("purpose", pa.string()),
        ("action", pa.string()),
        ("claimed_at", INSTANT),
        ("received_at", INSTANT),
        ("scope", pa.string()),
        ("purpose_major", pa.int32()),
        ("channel", pa.string()),
        ("claimed_precision", pa.string()),
        ("expires_at", INSTANT),
        ("payload_kind", pa.string()),
        ("method", pa.string()),
        ("actor", pa.string()),
        ("retroactive", pa.bool_()),
        ("jurisdiction", pa.string()),
        ("notice_version", pa.string()),
        ("raw_sha256", pa.string()),
        ("effective_at", INSTANT),
        ("record_hash", pa.binary(32)),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "subject": "whose decision",
    "event_id": "the source's id of the row",
    "purpose": "the purpose, or * for all",
    "action": "GRANT, DENY, WITHDRAW, OBJECT, UNOBJECT, RESTRICT, UNRESTRICT, INVALIDATE or ERASE",
    "claimed_at": "when it was decided, by the source's clock",
    "received_at": "when we received it",
    "scope": "person or device",
    "purpose_major": "major version of the purpose that was agreed to",
    "channel": "the channel it is about, or *",
    "claimed_precision": "us, s or day",
    "expires_at": "when a grant ends by itself",
    "payload_kind": "delta or snapshot",
    "method": "how it was collected",
    "actor": "who acted",
    "retroactive": "whether an INVALIDATE voids earlier epochs",
    "jurisdiction": "evidence",
    "notice_version": "evidence",
    "raw_sha256": "evidence",
    "effective_at": "from when the row acts, computed once",
    "record_hash": "SHA-256 of the row without received_at",
}

PERMISSIVE = ("GRANT", "UNOBJECT", "UNRESTRICT")
RESTRICTIVE = ("DENY", "WITHDRAW", "OBJECT", "RESTRICT", "INVALIDATE", "ERASE")
ACTIONS = (*PERMISSIVE, *RESTRICTIVE)
REQUIRED = ("event_id", "subject", "purpose", "action", "claimed_at")
DEFAULTS: dict[str, str | int | bool] = {
    "scope": "person",
    "purpose_major": 1,
    "channel": "*",
    "claimed_precision": "us",
    "payload_kind": "delta",
    "method": "import",
    "actor": "system",
    "retroactive": False,
}
"""What an absent column means."""
DECIDING = (
    *("source", "event_id", "purpose", "action", "claimed_at", "received_at", "purpose_major", "channel"),
    *("claimed_precision", "expires_at", "payload_kind", "method", "actor", "retroactive", "record_hash"),
)
"""What a row's effect follows from, beside its subject."""
