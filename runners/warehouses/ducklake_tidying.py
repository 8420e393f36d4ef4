"""Keep a DuckLake small: small files become few, and what nobody reads any more goes."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runners.warehouses.lake import Lake, quoted
from transforms.faults import reach

_SMALL = 16 << 20
"""Bytes: larger files are not touched any more, so that what is written is written again a few times at most."""
_MANY = 4
"""Fewer small files of a partition are left as they are; files that were adopted have a folder for each run."""
_DELETED = 0.3
"""Files of which so large a part is deleted are written anew."""
_ANY = 1e-12
"""The same of what retention removes: no file keeps what is gone."""
_GOES = ("events", "quarantine")
_KEEPS_BUT_FOR_A_TIME = "SELECT contains(inputs, '\"gone\":{\"before_at\":') FROM run_manifest ORDER BY k DESC LIMIT 1"
_GIVEN_UP = "FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion"

# A snapshot may be read by whom it was the newest for: it goes once its successor is old, however old it is itself. `older_than`
# of the engine asks for the snapshot's own age, and compares texts in a SQLite catalog: all of today's are older than now.
_OLD_SNAPSHOTS = """
FROM (SELECT snapshot_id, lead(snapshot_time) OVER (ORDER BY snapshot_id) AS until_at FROM ducklake_snapshots('lake'))
WHERE until_at <= now() - {grace}
"""

_SMALL_FILES = f"""
FROM ducklake_list_files('lake', {{table}}) WHERE data_file_size_bytes < {_SMALL}
QUALIFY count(*) OVER (PARTITION BY regexp_replace(data_file, '(run_id=[^/]*/)?[^/]+$', '')) >= {_MANY}
"""


def tidying(lake: Lake, grace: str) -> Iterator[None]:
    """Merge small files, forget snapshots that nobody can have opened within an SQL interval, and remove what only they had.

    Done in steps. A process that dies in between leaves a whole warehouse, as does whoever stops: the next tidying goes on.
    """
    for table in _with_many_files(lake):
        _merge_small_files(lake, table)
        reach("files_merged")
        yield
    lake.run(f"CALL ducklake_rewrite_data_files('lake', delete_threshold => {_DELETED})")
    for table in _GOES if lake.value(_KEEPS_BUT_FOR_A_TIME) else ():
        lake.run(f"CALL ducklake_rewrite_data_files('lake', {quoted(table)}, delete_threshold => {_ANY})")
    reach("files_rewritten")
    yield
    old = [number for (number,) in lake.rows(f"SELECT snapshot_id {_OLD_SNAPSHOTS.format(grace=grace)} ORDER BY 1")]
    if old:
        lake.run(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
    reach("snapshots_expired")
    _remove_files(lake)


def is_untidy(lake: Lake, grace: str, since: str) -> bool:
    """Whether there is a snapshot that might have gone before an SQL interval."""
    return bool(lake.value(f"SELECT EXISTS ({_OLD_SNAPSHOTS.format(grace=f'{grace} - {since}')})"))


def _with_many_files(lake: Lake) -> list[str]:
    tables = lake.rows(f"SELECT table_name FROM ducklake_table_info('lake') WHERE file_count >= {_MANY} ORDER BY 1")
    return [table for (table,) in tables]


def _merge_small_files(lake: Lake, table: str) -> None:
    """Write the rows of small files once more, as any commit would: who reads an older snapshot goes on with its own files.

    `ducklake_merge_adjacent_files` takes the files out of older snapshots, too, and who has one open finds no rows.
    """
    small = lake.rows(f"SELECT data_file {_SMALL_FILES.format(table=quoted(table))} ORDER BY 1")
    if small:
        files = ", ".join(quoted(file) for (file,) in small)
        lake.commit(lambda: _write_anew(lake, table, files))


def _write_anew(lake: Lake, table: str, files: str) -> None:
    lake.run(f"CREATE OR REPLACE TEMP TABLE tidied AS SELECT * FROM {table} WHERE filename IN ({files})")
    lake.run(f"DELETE FROM {table} WHERE filename IN ({files})")
    lake.insert(table, "FROM tidied")
    lake.run("DROP TABLE temp.main.tidied")


def _remove_files(lake: Lake) -> None:
    """Remove the files that only forgotten snapshots had. The engine would stumble over one that is gone already."""
    for path, is_relative in lake.rows(f"SELECT path, path_is_relative {_GIVEN_UP}"):
        _remove((lake.data or lake.root) / path if is_relative else Path(path))
    lake.run(f"DELETE {_GIVEN_UP}")


def _remove(path: Path) -> None:
    """Remove a file, and its folder with the last of its files."""
    path.unlink(missing_ok=True)
    reach("file_removed")
    with suppress(OSError):  # there are others
        path.parent.rmdir()
