"""Kernel state: where the state of each shard lies."""

import pyarrow as pa

BESIDE = ("lifecycles", "sessions")
"""What the states of this version keep beside facts and answers."""

TABLE = "kernel_state"
COMMENT = "The state of each shard as of the last commit, one file or two; a file that no row names is an orphan."
SCHEMA = pa.schema(
    [
        ("shard", pa.int32()),
        ("shards", pa.int32()),
        ("run_id", pa.string()),
        ("path", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("positions", pa.string()),
    ]
)
COMMENTS = {
    "shard": "number of the shard",
    "shards": "how many there are",
    "run_id": "the run that wrote it",
    "path": "the file, below the warehouse; `*.awake.arrow` lies over the other of its shard",
    "bytes": "its size",
    "sha256": "its hash",
    "positions": "JSON: what the shard has applied",
}
