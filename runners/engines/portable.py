"""Jobs at a job server of Beam, whichever runner is behind it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import PipelineResult, PipelineState

from runners.engines.sampled import end_bundles_promptly
from schemas.errors import JobFailed, TryAgain

OPTIONS = {
    "streaming": True,
    "job_server_timeout": 315_360_000,  # else the job is given up after five minutes
    "max_cache_memory_usage_mb": 32,  # a cut is asked for once: what the cache keeps of it is never asked for again
}
"""What a stream needs of any runner."""
ENDED = "SEG-0619"
"""The code of a job that has ended by itself."""
_ENDED = (PipelineState.DONE, PipelineState.FAILED, PipelineState.CANCELLED)
ANSWERS_S = 5.0
"""So long a server that is to be there is waited for."""


def see_that_it_answers(address: str, what: str, remedy: str) -> None:
    """Errors: TryAgain where nothing at the address speaks as servers of Beam do."""
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(ANSWERS_S)
        except grpc.FutureTimeoutError:
            raise TryAgain("SEG-0621", f"no {what} answers at `{address}`", remedy) from None


def environment(workers: str) -> dict[str, str]:
    """The options that say where workers are: in a pool, or threads of this process."""
    if workers:
        return {"environment_type": "EXTERNAL", "environment_config": workers}
    return {"environment_type": "LOOPBACK"}


@dataclass
class Job:
    """A pipeline that runs.

    Attributes:
      is_gone: whether its server has ended, where that can be told.
    """

    result: PipelineResult
    is_gone: Callable[[], bool] = lambda: False

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end, whatever that was; of a server that does not answer nobody gets to know."""
        try:
            return self.is_gone() or self.result.state in _ENDED
        except grpc.RpcError:
            return True

    def see_that_it_runs(self) -> None:
        """Errors: JobFailed where it does not any more."""
        if self.is_over:
            remedy = "start it again: it goes on where the last commit ended"
            raise JobFailed(ENDED, "the job of the stream has ended", remedy)

    def end(self) -> None:
        """Leave nothing of it."""
        if not self.is_over:
            with suppress(grpc.RpcError):  # the server has ended in the meantime
                self.result.cancel()


@contextmanager
def submitted(
    pipeline: beam.PTransform,
    options: Mapping[str, Any],
    is_gone: Callable[[], bool] = lambda: False,
    runner: type[PortableRunner] = PortableRunner,
) -> Iterator[Job]:
    """Run a pipeline without an end; what is left of it at the end is cancelled.

    Errors: TryAgain where no server takes it.
    """
    end_bundles_promptly()
    graph = beam.Pipeline(runner=runner(), options=PipelineOptions.from_dictionary(dict(options)))
    _ = graph | pipeline
    try:
        job = Job(graph.run(), is_gone)
    except (OSError, RuntimeError, grpc.RpcError) as failed:  # RuntimeError: the job server could not be fetched
        remedy = "name one that runs, `job_endpoint: host:port`, and see what it says: Beam could begin none, or it refused"
        raise TryAgain("SEG-0621", f"no job server takes the stream ({type(failed).__name__})", remedy) from failed
    try:
        yield job
    finally:
        job.end()
