"""Runs: what each one read, and what became of every record."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "run_manifest"
COMMENT = "One row a run; read = quarantined + future + late + duplicate + kept + refused + unneeded + used."
SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("started_at", INSTANT),
        ("t", INSTANT),
        ("k", INSTANT),
        ("watermark", INSTANT),
        ("definitions", pa.string()),
        ("inputs", pa.string()),
        ("shards", pa.int32()),
        ("read", pa.int64()),
        ("quarantined", pa.int64()),
        ("future", pa.int64()),
        ("late", pa.int64()),
        ("duplicate", pa.int64()),
        ("kept", pa.int64()),
        ("refused", pa.int64()),
        ("unneeded", pa.int64()),
        ("used", pa.int64()),
        ("late_used", pa.int64()),
        ("conflicts", pa.int64()),
    ]
)
COMMENTS = {
    "run_id": "hash of definitions, T, K and the positions before and after",
    "started_at": "when it started, by the clock",
    "t": "the instant asked about",
    "k": "what was known",
    "watermark": "no event before it is still expected; T for a batch",
    "definitions": "hash of the definitions",
    "inputs": "JSON: for each source and file, how far it was read before and after, the undeclared values left out, "
    "before when events are gone; what the definitions meant, leaf by leaf; the last T of which feature rows were written",
    "shards": "number of shards of subjects",
    "read": "records read",
    "quarantined": "set aside as unreadable",
    "future": "set aside as dated in the future",
    "late": "set aside or dropped as late",
    "duplicate": "lost to another record of the same id",
    "kept": "dated after T, kept for later",
    "refused": "no purpose may use them at T",
    "unneeded": "no definition names them",
    "used": "used",
    "late_used": "late, and used all the same",
    "conflicts": "lost to a record of the same id with other content",
}
