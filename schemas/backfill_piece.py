"""Pieces of memberships, as backfills compute them: each lies in one interval."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "backfill_pieces"
COMMENT = "Internal, may change in any version. Memberships by versions not in force, cut at intervals: see segment_backfilled."
SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("version", pa.int32()),
        ("subject", pa.string()),
        ("valid_from", INSTANT),
        ("valid_to", INSTANT),
        ("purpose", pa.string()),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "segment": "name of the segment",
    "version": "the number that its meaning will have",
    "subject": "the member",
    "valid_from": "where the piece begins, inclusive",
    "valid_to": "where it ends, exclusive",
    "purpose": "purposes that the segment may serve, joined by +",
    "run_id": "the last published run when it was computed",
}
