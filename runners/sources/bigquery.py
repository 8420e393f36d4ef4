"""Tables of BigQuery as sources: all rows as of an instant, then those that were appended since."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from google.api_core.exceptions import BadRequest, NotFound

from runners.sources.rows import chunks
from runners.sources.topics import Found
from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, Clients, open_clients, told
from runners.warehouses.bigquery.scanning import Image
from schemas.errors import SourceChanged
from schemas.record import Offset, RawChunk, TableRows

_EPOCH, _US = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_SAID = {"_CHANGE_TYPE", "_CHANGE_TIMESTAMP"}
"""What BigQuery says of an appended row beside its columns."""
_APPENDED = "SELECT * FROM APPENDS(TABLE `{}`, TIMESTAMP_MICROS({}), TIMESTAMP_MICROS({}))"


def find(source: str, table: str, known: Mapping[str, Mapping[str, Any]]) -> Found:
    """The rows that were appended since, up to now by BigQuery's clock; none where the table has not changed.

    Errors: those of `told`.
    """
    start = next((Offset.from_json(at).offset for name, at in known.items() if name == f"{table}/0"), 0)
    project, dataset, _ = table.rsplit(".", 2)
    with closing(open_clients(project, dataset)) as clients, told(table):
        try:
            there = clients.rest.get_table(table, retry=AGAIN, timeout=TIMEOUT_S)
        except NotFound:
            return Found((), (), False)
        end = _now(clients) if (there.modified - _EPOCH) // _US >= start else start
        rows = 0 if end == start else int(there.num_rows or 0)
    return Found((TableRows(source, table, 0, start, end, f"bigquery:{table}", rows=rows),), (), True)


def _now(clients: Clients) -> int:
    asked = clients.rest.query("SELECT UNIX_MICROS(CURRENT_TIMESTAMP()) AS at", job_retry=None, retry=AGAIN)
    return next(int(row["at"]) for row in asked.result(retry=AGAIN))


def read(one: TableRows) -> Iterator[RawChunk]:
    """The rows, numbered by the second up to which they are read, and within it."""
    project, dataset, name = one.topic.rsplit(".", 2)
    with closing(open_clients(project, dataset)) as clients, told(one.topic):
        yield from chunks(one, _numbered(_rows(clients, one, name), one.end // 1_000_000 << 32))


def _numbered(batches: Iterator[pa.RecordBatch], first: int) -> Iterator[tuple[pa.RecordBatch, pa.Int64Array]]:
    for batch in batches:
        yield batch, pa.array(np.arange(first, first + batch.num_rows))
        first += batch.num_rows


def _rows(clients: Clients, one: TableRows, name: str) -> Iterator[pa.RecordBatch]:
    if not one.start:
        yield from Image(clients, _EPOCH + one.end * _US).whole(name)
        return
    try:
        sql = _APPENDED.format(one.topic, one.start, one.end)
        asked = clients.rest.query(sql, job_retry=None, retry=AGAIN).result(retry=AGAIN)
    except BadRequest as error:
        message = f"BigQuery does not tell any more what was appended to `{one.topic}` since it was read"
        raise SourceChanged("SEG-0702", message, "read everything again with --full-refresh") from error
    for batch in asked.to_arrow_iterable(bqstorage_client=clients.reader):
        yield batch.select([column for column in batch.schema.names if column not in _SAID])
