"""Feature rows: the features of a subject as they were at T."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "feature_rows"
COMMENT = "A row whenever a subject's values differ from its last row; the row at T is the latest with as_of <= T."
SCHEMA = pa.schema(
    [
        ("subject", pa.string()),
        ("as_of", INSTANT),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "subject": "whose features",
    "as_of": "the T of the values",
    "run_id": "the run, or the backfill, that wrote it",
}
