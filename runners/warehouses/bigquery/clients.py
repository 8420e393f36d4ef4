"""The clients of BigQuery, and what goes wrong with it as its user is told."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import grpc
import requests
from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient, BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from schemas.errors import CallError, JobFailed, SegueError, TryAgain

REST_EMULATOR, GRPC_EMULATOR = "BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST"
"""Where an emulator is asked for, instead of BigQuery: `http://HOST:PORT`, and `HOST:PORT` of its Storage API."""
TIMEOUT_S = 60.0
"""No single call takes longer, but for the job that commits."""
_BUSY = (
    api.TooManyRequests,
    api.ServerError,
    api.Aborted,
    api.RetryError,
    requests.ConnectionError,
    requests.Timeout,
    TransportError,
)
TOLD = (api.GoogleAPICallError, api.RetryError, GoogleAuthError, requests.RequestException)
"""What the libraries raise."""
_SHORT = ("quotaExceeded", "rateLimitExceeded", "backendError", "jobRateLimitExceeded")
"""Reasons of a refusal that time removes."""
_ABORTED = ("concurrent update", "transaction is aborted")


class Clients(NamedTuple):
    """The project that pays, the dataset, and who is asked for tables, rows and streams."""

    project: str
    dataset: str
    rest: bigquery.Client
    reader: BigQueryReadClient
    writer: BigQueryWriteClient

    def path(self, table: str) -> str:
        """A table, as the Storage API names it."""
        return f"projects/{self.project}/datasets/{self.dataset}/tables/{table}"

    def sql(self, table: str) -> str:
        """A table, as SQL names it."""
        return f"`{self.project}`.`{self.dataset}`.`{table}`"

    def reference(self, table: str) -> str:
        """A table, as requests name it."""
        return f"{self.project}.{self.dataset}.{table}"

    def close(self) -> None:
        """Close the connections."""
        self.rest.close()
        for client in (self.reader, self.writer):
            client.transport.close()


def open_clients(project: str, dataset: str) -> Clients:
    """Clients with the credentials of this machine; of an emulator where the environment names one. Errors: JobFailed."""
    with told(f"{project}.{dataset}"):
        host, storage = os.environ.get(REST_EMULATOR), os.environ.get(GRPC_EMULATOR)
        if not host or not storage:
            return Clients(project, dataset, bigquery.Client(project), BigQueryReadClient(), BigQueryWriteClient())
        rest = bigquery.Client(project, AnonymousCredentials(), client_options=ClientOptions(api_endpoint=host))
        reader = BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=grpc.insecure_channel(storage)))
        writer = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=grpc.insecure_channel(storage)))
        return Clients(project, dataset, rest, reader, writer)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what BigQuery and the way to it say into this project's errors; messages of theirs may quote a person's data."""
    try:
        yield
    except TOLD as error:
        raise translated(error, where) from error


def translated(error: Exception, where: str) -> SegueError:
    """The error as this project's."""
    if is_busy(error):
        return TryAgain("SEG-0605", f"BigQuery's `{where}` is busy, or can not be reached", "try again later")
    if isinstance(error, api.Forbidden | api.Unauthorized | GoogleAuthError):
        roles = "bigquery.dataEditor, jobUser and readSessionUser do; `gcloud auth application-default login` says who asks"
        return JobFailed("SEG-0630", f"BigQuery does not let this user into `{where}`", roles)
    if isinstance(error, api.NotFound):
        return CallError("SEG-0601", f"there is no warehouse in BigQuery's `{where}`, or not all of it", "`segue run` makes it")
    return JobFailed("SEG-0604", f"BigQuery's `{where}` has refused a request: {_reason(error)}", "nothing was published")


def is_busy(error: Exception) -> bool:
    """Whether it may go well another time; a call that ended so may have been carried out."""
    low = str(error).lower()
    return isinstance(error, _BUSY) or _reason(error) in _SHORT or any(sign in low for sign in _ABORTED)


def _reason(error: Exception) -> str:
    listed = getattr(error, "errors", None) or [{}]
    said = listed[0].get("reason") if isinstance(listed[0], dict) else None
    return said or type(error).__name__


AGAIN = Retry(predicate=is_busy, initial=0.2, maximum=3.0, timeout=20.0)
"""What is tried again for a while: all but the job that commits, which is looked for first."""
