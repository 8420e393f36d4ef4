"""A BigQuery dataset as a warehouse: DuckDB asks it, and what verbs write is committed by one script."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery
from typing_extensions import override

from runners.warehouses.bigquery import making
from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, Clients, told
from runners.warehouses.bigquery.scanning import Image, Scanned
from runners.warehouses.bigquery.script import OVERTAKEN, Script
from runners.warehouses.bigquery.types import arrow_of
from runners.warehouses.ducklake_tables import sql_types
from runners.warehouses.lake import GRACE, Lake, named, patiently, quoted
from runners.warehouses.locking import Lock
from runners.warehouses.tables import TABLES, Table
from runners.warehouses.views import VIEWS, View
from schemas.errors import TryAgain
from transforms.faults import reach

_AT_ONCE = 8
_TABLES = {table.name for table in TABLES}
_VIEWS = {view.name for view in VIEWS}


class _Overtaken(Exception):
    """The last published run is not the one that this one builds on."""


@dataclass(eq=False)
class BigQuery(Lake):
    """A writer of this machine holds its folder alone; of writers on several machines one commits, the others try again.

    Attributes:
      there: the tables and views that there are.
      image: what is read.
      script: what the commit that is under way has written.
    """

    clients: Clients = field(kw_only=True)
    location: str = field(kw_only=True, default="")
    lock: Lock | None = field(kw_only=True, default=None)
    there: dict[str, bigquery.Table] = field(init=False, default_factory=dict)
    image: Image = field(init=False)
    script: Script = field(init=False)

    def __post_init__(self) -> None:
        with self.told():
            self._look()

    @property
    @override
    def where(self) -> str:
        return f"{self.clients.project}.{self.clients.dataset}"

    def _look(self) -> None:
        """Find out which tables there are, and let queries see them."""
        names = [name for name in self._listed() if name in _TABLES | _VIEWS]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self.there = dict(zip(names, pool.map(self._told_of, names), strict=True))
        self.pin()
        for name in _TABLES & {*names}:
            self._show(name)
        for view in VIEWS if self.there.keys() >= _TABLES else ():
            self.con.execute(f"CREATE OR REPLACE VIEW lake.main.{view.name} AS {view.sql}")

    def _listed(self) -> list[str]:
        try:
            return [one.table_id for one in self.clients.rest.list_tables(self.where, retry=AGAIN, timeout=TIMEOUT_S)]
        except NotFound:
            return []

    def _told_of(self, name: str) -> bigquery.Table:
        return self.clients.rest.get_table(self.clients.reference(name), retry=AGAIN, timeout=TIMEOUT_S)

    def _show(self, name: str) -> None:
        scanned = named(f"scanned_{name}")
        self.con.register(f"scanned_{name}", Scanned(lambda: self.image, name, self._schema(name)))
        self.con.execute(f"CREATE OR REPLACE VIEW lake.main.{name} AS SELECT * FROM temp.main.{scanned}")

    def _schema(self, table: str) -> pa.Schema:
        return arrow_of(self.there[table].schema)

    def pin(self) -> None:
        """From now on read all tables as they are now, by BigQuery's clock."""
        asked = self.clients.rest.query("SELECT CURRENT_TIMESTAMP() AS at", job_retry=None, retry=AGAIN)
        (at,) = (row["at"] for row in asked.result(retry=AGAIN))
        self.image = Image(self.clients, at)

    @override
    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.told():
            self.pin()
        yield

    @override
    @contextmanager
    def told(self) -> Iterator[None]:
        with told(self.where):
            try:
                yield
            except duckdb.Error as error:
                if self.image.failed is None:
                    raise
                raise self.image.failed from error

    @override
    def commit(self, work: Callable[[], None], message: str = "", token: str = "", parent: str | None = None) -> None:
        """As said. A commit whose answer was lost is looked for by its token before it is tried again.

        Errors: TryAgain also where another run than the parent was published last.
        """
        try:
            patiently(lambda: self._attempt(work, token, parent), self.patience_s)
        except _Overtaken as error:
            self.pin()
            if not self.value(f"SELECT EXISTS (FROM run_commits WHERE run_id = {quoted(token)})"):
                raise TryAgain("SEG-0607", "another run was published since this one started", "run again") from error

    def _attempt(self, work: Callable[[], None], token: str, parent: str | None) -> None:
        self.script = Script(self.clients)
        try:
            with self.told():
                self.pin()
                work()
                if self.script.statements:
                    self._carry_out(self.script.text(token, parent))
                    self.pin()
        finally:
            self.script.give_up()

    def _carry_out(self, script: str) -> None:
        try:
            job = self.clients.rest.query(script, job_retry=None, retry=AGAIN)
            reach("script_sent")
            job.result(retry=AGAIN)
        except BadRequest as error:
            if OVERTAKEN in str(error):
                raise _Overtaken from error
            raise

    @override
    def insert(self, table: str, select: str) -> int:
        rows, schema = self._asked(table, select)
        return self.script.insert(table, rows, schema)

    @override
    def delete(self, table: str, keys: Sequence[str], select: str) -> None:
        rows, schema = self._asked(table, f"SELECT DISTINCT {', '.join(map(named, keys))} FROM ({select})")
        self.script.delete(table, rows, schema)

    @override
    def clear(self, table: str) -> None:
        self.script.clear(table)

    @override
    def assign(self, table: str, column: str, keys: Sequence[str], select: str, *, once: bool = False) -> None:
        rows, schema = self._asked(table, f"SELECT {', '.join(map(named, (*keys, column)))} FROM ({select})")
        self.script.assign(table, column, keys, rows, schema, once=once)

    def _asked(self, table: str, select: str) -> tuple[Iterable[pa.RecordBatch], pa.Schema]:
        """The rows of a query, and their columns with the types that the table has."""
        reader = self._execute(select, ()).to_arrow_reader(100_000)
        there = self._schema(table)
        return reader, pa.schema([there.field(name) for name in reader.schema.names])

    @override
    def adopt(self, table: str, folder: Path, select: str) -> int:
        return self.insert(table, select)

    @override
    def columns(self, table: str) -> dict[str, tuple[str, str]]:
        if table not in self.there:
            return {}
        said = {one.name: one.description or "" for one in self.there[table].schema}
        return {name: (kind, said[name]) for name, kind in sql_types(self._schema(table)).items()}

    @override
    def comments(self, kind: str) -> dict[str, str]:
        return {name: one.description or "" for name, one in self.there.items() if one.table_type.lower() == kind}

    @override
    def make(self, tables: Iterable[Table], views: Iterable[View]) -> None:
        with self.told():
            making.make_dataset(self.clients, self.location)
            making.make_tables(self.clients, tables)
            making.make_guard(self.clients)
            making.make_views(self.clients, views)
            self._look()

    @override
    def widen(self, table: str, columns: Mapping[str, pa.DataType], comments: Mapping[str, str]) -> None:
        """As said, at once: BigQuery changes no columns in a transaction; until the commit they are null."""
        with self.told():
            if making.widen(self.clients, table, columns, comments):
                self.there[table] = self._told_of(table)
                self.pin()
                self._show(table)

    @override
    def filled(self) -> Sequence[str]:
        return sorted(_TABLES & self.there.keys())

    @override
    def drop_orphans(self) -> None:
        """Nothing: staging tables remove themselves."""

    @override
    def tidying(self, grace: str = GRACE) -> Iterator[None]:
        """Nothing: BigQuery keeps its files by itself."""
        return iter(())

    @override
    def is_untidy(self) -> bool:
        return False

    @override
    def close(self) -> None:
        self._end()
        self.clients.close()
        if self.lock is not None:
            self.lock.release()
