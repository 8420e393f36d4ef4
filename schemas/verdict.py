"""Verdicts: how many consent refused, and why."""

import pyarrow as pa

TABLE = "consent_verdicts"
COMMENT = "Who was refused and why, in numbers; the sums are the same for every purpose."
SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("purpose", pa.string()),
        ("reason", pa.string()),
        ("events", pa.int64()),
        ("subjects", pa.int64()),
    ]
)
COMMENTS = {
    "run_id": "the run",
    "purpose": "the purpose",
    "reason": "the first reason that applies, ALLOW_ and the basis where use is allowed",
    "events": "events read by the run",
    "subjects": "subjects at T",
}
