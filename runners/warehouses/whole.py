"""Whether the files that the warehouse names are there, as they were written."""

from pathlib import Path

from runners.warehouses.failures import lost
from runners.warehouses.lake import Lake, quoted
from schemas.errors import JobFailed


def see_states(lake: Lake, *, by_hash: bool = False) -> int:
    """How many state files there are: each of its size, and by its hash where that is asked for. Errors: JobFailed.

    Who reads while others write may look for one whose place another has taken meanwhile.
    """
    named = lake.rows("SELECT path, bytes, sha256 FROM kernel_state ORDER BY shard")
    for path, size, digest in named:
        is_whole = lake.states.size(path) == size and not (by_hash and lake.states.digest(path) != digest)
        if not is_whole and lake.value(f"SELECT EXISTS (FROM kernel_state WHERE path = {quoted(path)})"):
            remedy = "`segue run --full-refresh` makes the states anew from the sources"
            raise JobFailed("SEG-0618", f"the state file `{path}` of {lake.root} is gone or damaged", remedy)
    return len(named)


def see_data(lake: Lake) -> int:
    """How many files the tables have: each is there, of its size. Errors: JobFailed."""
    count = 0
    for (table,) in lake.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY 1"):
        listed = f"FROM ducklake_list_files('lake', {quoted(table)})"
        files = " UNION ALL ".join(f"SELECT {part}, {part}_size_bytes {listed}" for part in ("data_file", "delete_file"))
        for file, size in lake.rows(f"FROM ({files}) AS named(file, size) WHERE file IS NOT NULL ORDER BY 1"):
            if not _is_of(Path(file), size):
                raise lost(lake.root, file.removeprefix(f"{lake.root}/"))
            count += 1
    return count


def _is_of(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
