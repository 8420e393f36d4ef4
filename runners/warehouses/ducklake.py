"""The embedded warehouse: a DuckLake with a SQLite catalog, all of it inside one folder."""

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
from typing_extensions import override

from runners.disk import disk_told
from runners.warehouses import ducklake_tables
from runners.warehouses.ducklake_bounds import ARE_FORGOTTEN, forget_bounds
from runners.warehouses.ducklake_tidying import is_untidy, tidying
from runners.warehouses.failures import CATALOG, told
from runners.warehouses.lake import GRACE, PATIENCE_S, Lake, named, patiently, quoted, spill_lease
from runners.warehouses.leasing import Lease
from runners.warehouses.locking import Lock, locked
from runners.warehouses.states import LocalStates
from runners.warehouses.tables import Table
from runners.warehouses.views import View
from schemas.errors import CallError, JobFailed

Found = TypeVar("Found")

_EXTENSIONS = ("sqlite_scanner", "ducklake")
_POSITIONS = {"event_id", "position"}
"""Columns that may hold NUL (semantics 2.7), at which DuckLake cuts off a question to its catalog."""
_SIGNED: set[str] = set()
"""The extensions whose signatures this process has seen: to look again at each opening takes five times as long as all else."""


@dataclass(eq=False)
class DuckLake(Lake):
    """Only a writer holds the lock of the folder, from opening to closing; readers hold none."""

    lock: Lock | None = None

    @property
    @override
    def data(self) -> Path:
        return self.root / "data"

    @property
    @override
    def adopts(self) -> Path:
        return self.data / "main"

    @override
    def told(self) -> AbstractContextManager[None]:
        return told(self.root)

    @override
    def commit(self, work: Callable[[], None], message: str = "", token: str = "", parent: str | None = None) -> None:
        """As said; `token` goes into the snapshot's `commit_extra_info`."""
        patiently(lambda: self._attempt(work, message, token), self.patience_s)

    def _attempt(self, work: Callable[[], None], message: str, token: str) -> None:
        with self.snapshot():
            work()
            if message:
                said = f"{quoted(message)}, extra_info => {quoted(token)}"
                self.run(f"CALL ducklake_set_commit_message('lake', 'segue', {said})")

    @override
    def insert(self, table: str, select: str) -> int:
        return int(self.value(f"INSERT INTO {table} BY NAME {select}"))

    @override
    def delete(self, table: str, keys: Sequence[str], select: str) -> None:
        self.run(f"DELETE FROM {table} USING ({select}) AS s WHERE {_equal(table, keys)}")

    @override
    def clear(self, table: str) -> None:
        self.run(f"DELETE FROM {table}")

    @override
    def assign(self, table: str, column: str, keys: Sequence[str], select: str, *, once: bool = False) -> None:
        unset = f" AND {table}.{named(column)} IS NULL" if once else ""
        setting = f"{named(column)} = s.{named(column)} FROM ({select}) AS s"
        self.run(f"UPDATE {table} SET {setting} WHERE {_equal(table, keys)}{unset}")

    @override
    def adopt(self, table: str, folder: Path, select: str) -> int:
        """Take the files as they are; columns that only other runs have are null, those that only staging has stay unread."""
        files = f"'lake', {quoted(table)}, {quoted(str(folder / '*.parquet'))}"
        read = "hive_partitioning => true, allow_missing => true, ignore_extra_columns => true"
        self.run(f"CALL ducklake_add_data_files({files}, {read})")
        return int(self.value(f"SELECT count(*) FROM ({select})"))

    @override
    def columns(self, table: str) -> dict[str, tuple[str, str]]:
        found = self.rows(
            "SELECT column_name, data_type, coalesce(comment, '') FROM duckdb_columns() "
            f"WHERE database_name = 'lake' AND table_name = {quoted(table)}"
        )
        return {name: (type_, comment) for name, type_, comment in found}

    @override
    def comments(self, kind: str) -> dict[str, str]:
        listed = f"SELECT {kind}_name, coalesce(comment, '') FROM duckdb_{kind}s() WHERE database_name = 'lake'"
        return dict(self.rows(f"{listed} ORDER BY 1"))

    @override
    def make(self, tables: Iterable[Table], views: Iterable[View]) -> None:
        self.commit(lambda: ducklake_tables.make(self, tables, views), "make the tables")

    @override
    def widen(self, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> None:
        ducklake_tables.widen(self, table, columns, comments)

    @override
    def filled(self) -> Sequence[str]:
        """Those that have files: a table that never had any is read slowly, its columns' statistics sought in vain."""
        found = self.rows("SELECT table_name FROM ducklake_table_info('lake') WHERE file_count > 0")
        return [table for (table,) in found]

    @override
    def drop_orphans(self) -> None:
        """Of files that are an hour old: a younger one may belong to a transaction that is still open."""
        self.run("CALL ducklake_delete_orphaned_files('lake', older_than => now() - INTERVAL 1 HOUR)")

    @override
    def tidying(self, grace: str = GRACE) -> Iterator[None]:
        return tidying(self, grace)

    @override
    def is_untidy(self) -> bool:
        return is_untidy(self, GRACE, "INTERVAL 1 DAY")

    @override
    def close(self) -> None:
        """Close the catalog, then give the lock back. A statement that was left half done is not waited for."""
        self._end()
        if self.lock is not None:
            self.lock.release()


def folder(warehouse: str, project: Path) -> Path:
    """The folder of a warehouse address `ducklake:DIR`; a relative DIR is the project's."""
    kind, _, place = warehouse.partition(":")
    if kind != "ducklake" or not place or place.startswith("postgres:"):
        raise CallError("SEG-0600", f"`{kind}:` is not a warehouse that this version can open", "use `ducklake:DIR`")
    return (project / place).absolute()


def is_there(root: Path) -> bool:
    """Whether a warehouse was ever made in this folder."""
    return (root / CATALOG).exists()


def open_lake(root: Path, *, write: bool = False, patience_s: float = PATIENCE_S) -> DuckLake:
    """Open the warehouse in `root`; a writer makes the folder if need be and holds it alone.

    Errors: TryAgain (75) when another process is writing or the catalog stays busy; CallError (2) when a reader finds
    no warehouse; JobFailed (1) where the catalog is none, or this user may not write: readers leave notes beside it, too.
    """
    with disk_told():
        if write:
            (root / "data").mkdir(parents=True, exist_ok=True)
        lock = locked(root) if write else None
        if not write and not is_there(root):
            raise CallError("SEG-0601", f"there is no warehouse in {root}", "`segue run` makes it")
    spill = spill_lease(root)
    try:
        con = patiently(lambda: _attach(root, write, patience_s, spill), patience_s)
        return DuckLake(root, con, LocalStates(root), patience_s, lock, spill=spill)
    except BaseException:
        if spill is not None:
            spill.release()
        if lock is not None:
            lock.release()
        raise


def _attach(root: Path, write: bool, patience_s: float, spill: Lease | None) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": str(_SIGNED.issuperset(_EXTENSIONS)).lower(),
            "temp_directory": "" if spill is None else str(spill.folder),
        }
    )
    try:
        with told(root):
            for name in _EXTENSIONS:
                con.load_extension(str(extension(name)))
                _SIGNED.add(name)
            options = {
                "DATA_PATH": quoted(str(root / "data")),
                "OVERRIDE_DATA_PATH": "true",  # a folder that was moved or copied is the same warehouse
                "DATA_INLINING_ROW_LIMIT": "0",  # rows live in Parquet alone: one place to read, one place to erase
                "META_JOURNAL_MODE": "'WAL'",
                "META_BUSY_TIMEOUT": str(int(min(patience_s, 10.0) * 1000)),
            }
            listed = ", ".join(
                [*(f"{key} {value}" for key, value in options.items()), *([] if write else ["READ_ONLY"])]
            )
            attach = f"ATTACH {quoted(f'ducklake:sqlite:{root / CATALOG}')} AS lake ({listed})"
            con.execute(attach)
            if write and con.execute(ARE_FORGOTTEN).fetchall() != [(True,)]:
                con.execute("DETACH lake")
                forget_bounds(root / CATALOG)
                con.execute(attach)
            con.execute("USE lake")
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET enable_external_file_cache = false")  # it keeps what each commit wrote, and so grows with a stream
    except BaseException:
        con.close()
        raise
    return con


def extension(name: str) -> Path:
    """The file of a DuckDB extension that was installed as a Python package: nothing is downloaded."""
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        raise JobFailed("SEG-0603", f"the package duckdb-extension-{name.replace('_', '-')} is not installed")
    version = f"v{duckdb.__version__}"
    return Path(found.submodule_search_locations[0]) / "extensions" / version / f"{name}.duckdb_extension"


def _equal(table: str, keys: Sequence[str]) -> str:
    """The condition; what may hold NUL is compared as an expression, about which the catalog is not asked."""
    texts = ((named(key), " || ''" if key in _POSITIONS else "") for key in keys)
    return " AND ".join(f"{table}.{key}{more} = s.{key}{more}" for key, more in texts)
