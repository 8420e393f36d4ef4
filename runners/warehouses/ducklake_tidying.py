"""Keep a DuckLake small that is written to every few seconds: small files become few, and what nobody reads any more goes."""

from runners.warehouses.lake import Lake

_SMALL = 16 << 20
"""Bytes: larger files are not touched any more, so that what is written is written again a few times at most."""
_DELETED = 0.3
"""Files of which so large a part is deleted are written anew."""


def tidy(lake: Lake, grace: str) -> None:
    """Merge small files, forget snapshots older than an SQL interval, and remove what only they have named."""
    lake.run(f"CALL ducklake_merge_adjacent_files('lake', max_file_size => {_SMALL})")
    lake.run(f"CALL ducklake_rewrite_data_files('lake', delete_threshold => {_DELETED})")
    old = _old_snapshots(lake, grace)
    if old:
        lake.run(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
        lake.run("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")


def _old_snapshots(lake: Lake, grace: str) -> list[int]:
    """Those that may go. `older_than` of the engine compares texts in a SQLite catalog: all of today's are older than now."""
    snapshots = "FROM ducklake_snapshots('lake')"
    among = f"snapshot_id < (SELECT max(snapshot_id) {snapshots}) AND snapshot_time < now() - {grace}"
    return [number for (number,) in lake.rows(f"SELECT snapshot_id {snapshots} WHERE {among} ORDER BY 1")]
