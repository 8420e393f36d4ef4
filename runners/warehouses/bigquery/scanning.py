"""Tables of a BigQuery dataset as DuckDB scans them: Storage Read sessions, all of one instant."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from google.cloud.bigquery_storage import types

from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, TOLD, Clients
from runners.warehouses.bigquery.restriction import restriction_of
from runners.warehouses.bigquery.types import ABSENT, restored

SMALL = 8 << 20
"""Bytes: a table that has no more is read whole, once."""


@dataclass
class Image:
    """All tables as they were at one instant.

    Attributes:
      at: the instant, by BigQuery's clock.
      small: the tables that are read already.
      large: those that are read by what is asked.
      failed: why reading one has failed; the engine that asked tells it as text alone.
    """

    clients: Clients
    at: datetime
    small: dict[str, pa.Table] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    failed: Exception | None = None

    def read(self, table: str, schema: pa.Schema, restriction: str) -> Iterator[pa.RecordBatch]:
        """The rows of a table that meet a restriction, some that do not among them, with some of its columns."""
        try:
            yield from self._read(table, schema, restriction)
        except TOLD as failed:
            self.failed = failed
            raise

    def _read(self, table: str, schema: pa.Schema, restriction: str) -> Iterator[pa.RecordBatch]:
        if table not in self.large and table not in self.small:
            self._try_whole(table)
        if table in self.small:
            yield from restored(self.small[table], schema).to_batches()
        else:
            wanted = [*schema.names, *([ABSENT] if any(map(pa.types.is_list, schema.types)) else [])]
            yield from (part for rows in self._rows(self._session(table, wanted, restriction)) for part in _as(rows, schema))

    def whole(self, table: str) -> Iterator[pa.RecordBatch]:
        """All rows of a table."""
        return self._rows(self._session(table, [], ""))

    def _try_whole(self, table: str) -> None:
        session = self._session(table, [], "")
        if session.estimated_total_bytes_scanned > SMALL:
            self.large.add(table)
        else:
            self.small[table] = pa.Table.from_batches(self._rows(session), _schema(session))

    def _session(self, table: str, columns: Sequence[str], restriction: str) -> types.ReadSession:
        options = types.ReadSession.TableReadOptions(selected_fields=columns, row_restriction=restriction)
        wanted = types.ReadSession(
            table=self.clients.path(table),
            data_format=types.DataFormat.ARROW,
            read_options=options,
            table_modifiers=types.ReadSession.TableModifiers(snapshot_time=self.at),
        )
        return self.clients.reader.create_read_session(
            parent=f"projects/{self.clients.project}",
            read_session=wanted,
            max_stream_count=1,
            retry=AGAIN,
            timeout=TIMEOUT_S,
        )

    def _rows(self, session: types.ReadSession) -> Iterator[pa.RecordBatch]:
        schema = _schema(session)
        for stream in session.streams:
            for answer in self.clients.reader.read_rows(stream.name):
                yield pa.ipc.read_record_batch(pa.py_buffer(answer.arrow_record_batch.serialized_record_batch), schema)


def _schema(session: types.ReadSession) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))


def _as(rows: pa.RecordBatch, schema: pa.Schema) -> list[pa.RecordBatch]:
    return restored(pa.Table.from_batches([rows]), schema).to_batches()


class Scanned(ds.Dataset):  # type: ignore[misc]
    """A table that DuckDB scans as it does a data set of Arrow: with the columns and the filter of a query."""

    def __init__(self, image: Callable[[], Image], table: str, schema: pa.Schema) -> None:
        self._image, self._table, self._schema = image, table, schema

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        return self._schema

    def scanner(self, columns: Sequence[str] | None = None, filter: pc.Expression | None = None, **_: Any) -> ds.Scanner:  # noqa: A002
        """The rows that pass the filter, with these columns."""
        asked = self._schema if columns is None else pa.schema([self._schema.field(name) for name in columns])
        rows = self._image().read(self._table, asked, restriction_of(filter, self._schema))
        return ds.Scanner.from_batches(rows, schema=asked, columns=asked.names, filter=filter)
