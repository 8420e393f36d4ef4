"""Append Arrow rows to a table of BigQuery by a stream of its own: they are there together, or not at all."""

from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa
from google.api_core.exceptions import AlreadyExists
from google.cloud.bigquery_storage import types

from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, Clients
from schemas.errors import JobFailed

_MOST = 8 << 20
"""Bytes of one request, of which BigQuery takes ten million."""
_THERE = 6
"""The code of an answer: the rows at this offset were taken before."""


def append(clients: Clients, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append rows, whose columns are those of the table; gives how many. Errors: those of BigQuery; JobFailed."""
    kind = types.WriteStream(type_=types.WriteStream.Type.PENDING)
    stream = clients.writer.create_write_stream(parent=clients.path(table), write_stream=kind, retry=AGAIN, timeout=TIMEOUT_S)
    count = 0
    for batch in batches:
        for part in _parts(batch):
            _send(clients, stream.name, part, count)
            count += part.num_rows
    clients.writer.finalize_write_stream(name=stream.name, retry=AGAIN, timeout=TIMEOUT_S)
    wanted = types.BatchCommitWriteStreamsRequest(parent=clients.path(table), write_streams=[stream.name])
    done = clients.writer.batch_commit_write_streams(wanted, retry=AGAIN, timeout=TIMEOUT_S)
    if done.stream_errors:
        raise _refused(table, int(done.stream_errors[0].code))
    return count


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in parts that a request may hold, if no single row is larger."""
    rows = max(1, batch.num_rows * _MOST // max(batch.nbytes, _MOST))
    return (batch.slice(begin, rows) for begin in range(0, batch.num_rows, rows))


def _send(clients: Clients, stream: str, batch: pa.RecordBatch, offset: int) -> None:
    """Send rows until they are taken: the offset keeps what is sent twice from being taken twice."""
    request = types.AppendRowsRequest(
        write_stream=stream,
        offset=offset,
        arrow_rows=types.AppendRowsRequest.ArrowData(
            writer_schema=types.ArrowSchema(serialized_schema=batch.schema.serialize().to_pybytes()),
            rows=types.ArrowRecordBatch(serialized_record_batch=batch.serialize().to_pybytes()),
        ),
    )
    routed = (("x-goog-request-params", f"write_stream={stream}"),)  # the library does not know whose the stream is
    send = partial(clients.writer.append_rows, timeout=TIMEOUT_S, metadata=routed)
    try:
        answer = AGAIN(lambda: next(iter(send(iter([request])))))()
    except AlreadyExists:
        return
    if answer.error.code not in (0, _THERE):
        raise _refused(stream, answer.error.code)


def _refused(where: str, code: int) -> JobFailed:
    return JobFailed("SEG-0604", f"BigQuery did not take rows for `{where}`: code {code}", "nothing was published")
