"""An open warehouse, whatever holds its tables: asked in one dialect of SQL, and written by a few verbs."""

import random
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

from runners.warehouses.leasing import Lease, lease
from runners.warehouses.states import States
from runners.warehouses.tables import Table
from runners.warehouses.views import View
from schemas.errors import TryAgain

Found = TypeVar("Found")

PATIENCE_S = 15.0
"""How long a busy warehouse is waited for before the call gives up with exit 75."""
GRACE = "INTERVAL 1 DAY"
"""A reader that holds one state of the warehouse for longer may find it empty."""
LIVE_GRACE = "INTERVAL 10 MINUTE"
"""The same where a stream writes: it makes tens of thousands of states a day."""
SPILL = "spill"
"""What does not fit into memory, one folder for whoever has opened the warehouse: people are in it, so it is swept."""
HANDED = "handed"
"""What other processes hand to the writer, one folder an order: it is swept once nobody waits for it."""


@dataclass(eq=False)
class Lake(ABC):
    """An open warehouse. Unqualified names in SQL are its tables and views; sessions run in UTC.

    What a verb writes is seen by nobody before the commit. Nor may what a verb is given read what another verb of the same
    commit has written: not every warehouse shows it.

    Attributes:
      root: a folder of this machine: its own, or one to work in.
      states: the files of the kernel's state.
      spill: holds the folder for what does not fit into memory.
    """

    root: Path
    con: duckdb.DuckDBPyConnection
    states: States
    patience_s: float = PATIENCE_S
    spill: Lease | None = field(default=None, kw_only=True)

    @property
    def where(self) -> str:
        """Where people find the tables."""
        return str(self.root)

    @property
    def staging(self) -> Path:
        """The folder in which each run has a folder of its own until it is published."""
        return self.root / "staging"

    @property
    def data(self) -> Path | None:
        """The folder of the tables' files, if they lie on this machine."""
        return None

    @property
    def adopts(self) -> Path | None:
        """The folder in which files become rows: of the table that its folder is named by; None: rows are always copied."""
        return None

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
            with self.told():
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

    @abstractmethod
    def told(self) -> AbstractContextManager[None]:
        """Turn what is wrong with the warehouse into this project's errors."""

    @abstractmethod
    def commit(self, work: Callable[[], None], message: str = "", token: str = "", parent: str | None = None) -> None:
        """Do `work` in one transaction: all of its tables flip together, or none does.

        A warehouse that is busy is tried again with jitter, `work` included, which must therefore bear repeating. Where the
        work publishes a run, `token` is that run and `parent` the one that was published last, '' for none; where it does
        not, there is no parent.

        Errors: TryAgain when the warehouse stays busy; JobFailed when it can not be written. Nothing is published then.
        """

    @abstractmethod
    def insert(self, table: str, select: str) -> int:
        """Add the rows of a query, their columns by name; gives how many there are."""

    @abstractmethod
    def delete(self, table: str, keys: Sequence[str], select: str) -> None:
        """Remove the rows whose keys are among those that a query gives."""

    @abstractmethod
    def clear(self, table: str) -> None:
        """Remove all rows."""

    @abstractmethod
    def assign(self, table: str, column: str, keys: Sequence[str], select: str, *, once: bool = False) -> None:
        """Give `column` of each row the value that a query, with one row a key, has for its keys; `once`: where it has none."""

    @abstractmethod
    def adopt(self, table: str, folder: Path, select: str) -> int:
        """Add the rows of a query that lie in the files of a folder, where `take_facts` has brought them."""

    @abstractmethod
    def columns(self, table: str) -> dict[str, tuple[str, str]]:
        """Column -> its type, as DuckDB writes it, and its comment."""

    @abstractmethod
    def comments(self, kind: str) -> dict[str, str]:
        """What is said of each `table` or each `view`, by its name."""

    @abstractmethod
    def make(self, tables: Iterable[Table], views: Iterable[View]) -> None:
        """Make tables that are not there, and make views anew, with their comments."""

    @abstractmethod
    def widen(self, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> None:
        """Add the columns that `table` lacks and widen those whose type has grown; rows that are there hold null.

        Errors: CallError where a column's type has changed into one that does not hold its values.
        """

    @abstractmethod
    def filled(self) -> Sequence[str]:
        """The tables that may have rows."""

    @abstractmethod
    def drop_orphans(self) -> None:
        """Remove what commits that were never carried out have left of tables, once it is old enough to be nobody's."""

    def tidy(self, grace: str = GRACE) -> None:
        """Undo what many small commits do to the files of tables. What the tables say does not change; only the writer may."""
        for _ in self.tidying(grace):
            pass

    @abstractmethod
    def tidying(self, grace: str = GRACE) -> Iterator[None]:
        """Tidy in steps: between two of them the warehouse may be read and written as at any time.

        Args:
          grace: for how long a reader may hold one state of the warehouse, as an SQL interval.
        """

    @abstractmethod
    def is_untidy(self) -> bool:
        """Whether what might go, by the grace of a day, might have gone a day ago."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held. A statement that was left half done is not waited for."""

    def _end(self) -> None:
        """End the engine, and give its folder back."""
        with suppress(duckdb.ConnectionException):  # it is closed already
            self.con.interrupt()
        self.con.close()
        if self.spill is not None:
            self.spill.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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


def spill_lease(root: Path) -> Lease | None:
    """Where an engine may put what does not fit into memory; nowhere where this user may not write."""
    with suppress(OSError):
        return lease(root / SPILL)
    return None


def patiently(attempt: Callable[[], Found], patience_s: float) -> Found:
    """The result of `attempt`, tried again with jitter while it says that the warehouse is busy."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except TryAgain:
            if time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0.02, 0.4))
