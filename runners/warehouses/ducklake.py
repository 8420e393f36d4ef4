"""The embedded warehouse: a DuckLake with a SQLite catalog, all of it inside one folder."""

import fcntl
import importlib.util
import os
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

from runners.disk import disk_told
from runners.warehouses.failures import CATALOG, told
from schemas.errors import CallError, JobFailed, TryAgain

Found = TypeVar("Found")

LOCK = "lake.lock"
SPILL = "spill"
"""What does not fit into memory, one folder a process: people are in it, so it is swept."""
PATIENCE_S = 15.0
"""How long a busy catalog is waited for before the call gives up with exit 75."""
_EXTENSIONS = ("sqlite_scanner", "ducklake")
_SIGNED: set[str] = set()
"""The extensions whose signatures this process has seen: to look again at each opening takes five times as long as all else."""

@dataclass(eq=False)
class Lake:
    """An open warehouse. Unqualified names in SQL are its tables and views; sessions run in UTC.

    Only a writer holds the lock of the folder, from opening to closing; readers hold none.
    """

    root: Path
    con: duckdb.DuckDBPyConnection
    patience_s: float = PATIENCE_S
    _lock: int | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """The folder of the tables' Parquet files."""
        return self.root / "data"

    @property
    def tables(self) -> Path:
        """Below it each table has a folder of its name."""
        return self.data / "main"

    @property
    def staging(self) -> Path:
        """The folder in which each run has a folder of its own until it is published."""
        return self.root / "staging"

    @property
    def states(self) -> Path:
        """The folder of the kernel's state files, one folder a run."""
        return self.root / "state"

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Carry out one statement."""
        with self._told():
            self._execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. Instants come as int64 microseconds only where the query says `epoch_us`."""
        with self._told():
            return self._execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, None without rows."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as one Arrow table; instants are timestamp[us, UTC]."""
        with self._told():
            return self._execute(sql, parameters).to_arrow_table()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result of a query, a part after the other."""
        with self._told():
            yield from self._execute(sql, ()).to_arrow_reader(100_000)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the engine as this project's, and Ctrl-C as itself."""
        try:
            with told(self.root):
                yield
        except RuntimeError as error:
            if not isinstance(error.__cause__, KeyboardInterrupt):
                raise
            self.con.interrupt()  # the engine's threads work on for the statement, and the next one would wait for them
            raise KeyboardInterrupt from error

    def _execute(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        # Binding a parameter makes the engine import pandas, half a second: not without need.
        return self.con.execute(sql, list(parameters)) if parameters else self.con.execute(sql)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One transaction: what is read is one state of the warehouse, found out once and not at each statement."""
        self.run("BEGIN TRANSACTION")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self.con.execute("ROLLBACK")
            raise

    def commit(self, work: Callable[[], None], message: str = "", token: str = "") -> None:
        """Do `work` in one transaction: all of its tables flip together, or none does.

        A catalog that another process holds is tried again with jitter, `work` included, which must therefore bear
        repeating. `token` goes into the snapshot's `commit_extra_info`.

        Errors: TryAgain when the catalog stays busy; JobFailed when the disk is full. Nothing is published then.
        """
        _patiently(lambda: self._attempt(work, message, token), self.patience_s)

    def _attempt(self, work: Callable[[], None], message: str, token: str) -> None:
        with self.snapshot():
            work()
            if message:
                said = f"{quoted(message)}, extra_info => {quoted(token)}"
                self.run(f"CALL ducklake_set_commit_message('lake', 'segue', {said})")

    def close(self) -> None:
        """Close the catalog, then give the lock back. A statement that was left half done is not waited for."""
        with suppress(duckdb.ConnectionException):  # it is closed already
            self.con.interrupt()
        self.con.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def folder(warehouse: str, project: Path) -> Path:
    """The folder of a warehouse address `ducklake:DIR`; a relative DIR is the project's."""
    kind, _, place = warehouse.partition(":")
    if kind != "ducklake" or not place or place.startswith("postgres:"):
        raise CallError("SEG-0600", f"`{kind}:` is not a warehouse that this version can open", "use `ducklake:DIR`")
    return (project / place).absolute()


def is_there(root: Path) -> bool:
    """Whether a warehouse was ever made in this folder."""
    return (root / CATALOG).exists()


def open_lake(root: Path, *, write: bool = False, patience_s: float = PATIENCE_S) -> Lake:
    """Open the warehouse in `root`; a writer makes the folder if need be and holds it alone.

    Errors: TryAgain (75) when another process is writing or the catalog stays busy; CallError (2) when a reader finds
    no warehouse; JobFailed (1) where the catalog is none, or this user may not write: readers leave notes beside it, too.
    """
    with disk_told():
        lock = _locked(root) if write else None
        if not write and not is_there(root):
            raise CallError("SEG-0601", f"there is no warehouse in {root}", "`segue run` makes it")
    try:
        return Lake(root, _patiently(lambda: _attach(root, write, patience_s), patience_s), patience_s, lock)
    except BaseException:
        if lock is not None:
            os.close(lock)
        raise


def _locked(root: Path) -> int:
    (root / "data").mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise TryAgain("SEG-0602", f"another process is writing to {root}", "try again when it has finished") from error
    return descriptor


def _attach(root: Path, write: bool, patience_s: float) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": str(_SIGNED.issuperset(_EXTENSIONS)).lower(),
            "temp_directory": str(root / SPILL / f"{os.getpid()}-{secrets.token_hex(4)}"),
        }
    )
    try:
        with told(root):
            with suppress(OSError):  # who may not write here reads what fits into memory
                (root / SPILL).mkdir(exist_ok=True)
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
            con.execute(f"ATTACH {quoted(f'ducklake:sqlite:{root / CATALOG}')} AS lake ({listed})")
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


def quoted(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def instant(at: int) -> str:
    """An instant, microseconds UTC, as an SQL expression."""
    return f"make_timestamptz(CAST({at} AS BIGINT))"


def listed(files: Iterable[Path]) -> str:
    """The paths of files as an SQL list of patterns, each of which matches one alone."""
    patterns = (re.sub(r"([*?[])", r"[\1]", str(path)) for path in files)
    return f"[{', '.join(map(quoted, patterns))}]"


def _patiently(attempt: Callable[[], Found], patience_s: float) -> Found:
    """The result of `attempt`, tried again with jitter while it says that the catalog is busy."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except TryAgain:
            if time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0.02, 0.4))
