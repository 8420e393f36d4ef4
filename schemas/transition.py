"""Transitions: the instants at which membership turns, appended."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "segment_transitions"
COMMENT = "Where membership turns; rows with known_to null are believed now, nothing is overwritten."
SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("version", pa.int32()),
        ("subject", pa.string()),
        ("at", INSTANT),
        ("member", pa.bool_()),
        ("purpose", pa.string()),
        ("known_from", INSTANT),
        ("known_to", INSTANT),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "segment": "name of the segment",
    "version": "number of the segment's meaning; it rises when the meaning changes",
    "subject": "whose membership",
    "at": "the instant at which it turns",
    "member": "whether the subject is a member from then on",
    "purpose": "the purposes that the segment serves, joined by +",
    "known_from": "K of the run that published it",
    "known_to": "K of the run that corrected it; null while it is believed",
    "run_id": "the run that published it",
}
