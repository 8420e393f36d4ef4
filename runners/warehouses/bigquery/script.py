"""What a run writes into BigQuery: rows in staging tables, and the one script that makes them rows of the tables."""

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.cloud import bigquery

from runners.warehouses.bigquery.appending import append
from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, Clients
from runners.warehouses.bigquery.making import GUARD
from runners.warehouses.bigquery.restriction import text
from runners.warehouses.bigquery.types import fields_of, stored
from transforms.faults import reach

STAGING = "staging_"
"""Begins the names of staging tables, which BigQuery removes by itself when they are a day old."""
_KEPT = timedelta(days=1)
OVERTAKEN = "segue: another run was published"


@dataclass
class Script:
    """The statements of one commit, which read nothing but staging tables of its own."""

    clients: Clients
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    statements: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)

    def insert(self, table: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
        """Add rows."""
        staged, count = self._stage(rows, schema)
        if staged:
            names = _listed(_stored_names(schema))
            self.statements.append(f"INSERT INTO {self._sql(table)} ({names}) SELECT {names} FROM {self._sql(staged)}")
        return count

    def delete(self, table: str, keys: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Remove the rows that have one of these keys."""
        staged, _ = self._stage(keys, schema)
        if staged:
            same = f"EXISTS (SELECT 1 FROM {self._sql(staged)} AS s WHERE {_equal(schema.names)})"
            self.statements.append(f"DELETE FROM {self._sql(table)} AS t WHERE {same}")

    def clear(self, table: str) -> None:
        """Remove all rows."""
        self.statements.append(f"DELETE FROM {self._sql(table)} WHERE true")

    def assign(
        self, table: str, column: str, keys: Sequence[str], rows: Iterable[pa.RecordBatch], schema: pa.Schema, *, once: bool
    ) -> None:
        """Give a column the values that rows have for their keys."""
        staged, _ = self._stage(rows, schema)
        if staged:
            unset = f" AND t.`{column}` IS NULL" if once else ""
            setting = f"`{column}` = s.`{column}` FROM {self._sql(staged)} AS s"
            self.statements.append(f"UPDATE {self._sql(table)} AS t SET {setting} WHERE {_equal(keys)}{unset}")

    def text(self, run_id: str, parent: str | None) -> str:
        """The script: it fails as a whole where the last published run is not the parent.

        What publishes no run has none, and leaves the last one the last: it only meets whoever publishes at that moment.
        """
        met = [f"UPDATE {self._sql(GUARD)} SET run_id = run_id WHERE true"]
        guarded = met if parent is None else self._guarded(run_id, parent)
        return ";\n".join(["BEGIN TRANSACTION", *guarded, *self.statements, "COMMIT TRANSACTION", ""])

    def _guarded(self, run_id: str, parent: str) -> list[str]:
        guard, before = self._sql(GUARD), f"run_id = {text(parent)}"
        is_parent = f"(SELECT COUNT(*) FROM {guard} WHERE {before}) = 1"
        return [
            f"SELECT IF({is_parent}, 'the parent is the last run', ERROR({text(OVERTAKEN)}))",
            f"UPDATE {guard} SET run_id = {text(run_id)} WHERE {before}",
        ]

    def give_up(self) -> None:
        """Remove the staging tables; those that stay remove themselves."""
        with suppress(GoogleAPICallError, RetryError, OSError):
            for name in self.staged:
                self.clients.rest.delete_table(self.clients.reference(name), not_found_ok=True, retry=AGAIN, timeout=TIMEOUT_S)

    def _stage(self, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[str, int]:
        """A table of rows, '' where there are none; and how many."""
        batches = (one for one in rows if one.num_rows)
        first = next(iter(batches), None)
        if first is None:
            return "", 0
        name = f"{STAGING}{self.token}_{len(self.staged)}"
        self.staged.append(name)
        wanted = bigquery.Table(self.clients.reference(name), fields_of(schema, {}))
        wanted.expires = datetime.now(UTC) + _KEPT
        # Nobody else has the name: if it exists, the answer to a try before this one was lost.
        self.clients.rest.create_table(wanted, exists_ok=True, retry=AGAIN, timeout=TIMEOUT_S)
        count = append(self.clients, name, (_ready(one, schema) for one in _after(first, batches)))
        reach("rows_appended")
        return name, count

    def _sql(self, table: str) -> str:
        return self.clients.sql(table)


def _after(first: pa.RecordBatch, others: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    yield first
    yield from others


def _ready(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    rows = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
    return stored(rows).combine_chunks().to_batches()[0]


def _stored_names(schema: pa.Schema) -> list[str]:
    return [one.name for one in fields_of(schema, {})]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _equal(keys: Iterable[str]) -> str:
    return " AND ".join(f"t.`{key}` = s.`{key}`" for key in keys)
