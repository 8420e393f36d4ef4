"""Changes: what each run announced, append only."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "segment_changes"
COMMENT = (
    "One row a transition after the last T, and one a corrected interval before it; folding them gives the history."
)
SCHEMA = pa.schema(
    [
        ("change_id", pa.string()),
        ("segment", pa.string()),
        ("version", pa.int32()),
        ("subject", pa.string()),
        ("kind", pa.string()),
        ("effective_at", INSTANT),
        ("until_at", INSTANT),
        ("member", pa.bool_()),
        ("reason", pa.string()),
        ("known_at", INSTANT),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "change_id": "hash of segment, version, subject, kind, effective_at, known_at",
    "segment": "name of the segment",
    "version": "number of the segment's meaning; it rises when the meaning changes",
    "subject": "whose membership",
    "kind": "entered, exited or corrected",
    "effective_at": "when it takes effect",
    "until_at": "where a corrected interval ends, or T where it reaches it; else null",
    "member": "the answer from then on",
    "reason": "definition, erasure, consent, identity, late, profile, event or expiry",
    "known_at": "K of the run that announced it",
    "run_id": "the run that announced it",
}
