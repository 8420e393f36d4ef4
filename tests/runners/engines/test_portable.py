"""A server that is not there is told of in seconds, with what to do, and the call may be made again."""

import socket
from collections.abc import Iterator

import apache_beam as beam
import pytest
from apache_beam.runners.portability.flink_runner import FlinkRunner

from runners.engines import flink, portable, prism
from runners.engines.pool import Pool, serve
from runners.engines.portable import see_that_it_answers, submitted
from schemas.definitions.engines import Flink
from schemas.errors import CallError, TryAgain


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that is taken, and at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        yield f"localhost:{taken.getsockname()[1]}"


def test_who_does_not_answer_is_named_and_the_call_ends_with_75(nowhere: str) -> None:
    with pytest.raises(TryAgain) as told:
        see_that_it_answers(nowhere, "job server", "start it")
    assert (told.value.code, told.value.message, told.value.hint, told.value.exit_code) == (
        "SEG-0621", f"no job server answers at `{nowhere}`", "start it", 75,
    )  # fmt: skip


def test_prism_apart_that_does_not_answer_is_told(nowhere: str) -> None:
    with pytest.raises(TryAgain, match="no job server answers"):
        prism.see_that_it_is_there({"job_endpoint": nowhere})


def test_a_job_server_of_flink_that_does_not_answer_is_told(nowhere: str) -> None:
    with pytest.raises(TryAgain, match="no job server answers"):
        flink.see_that_it_is_there(Flink(job_endpoint=nowhere).model_dump())


def test_flink_without_java_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CallError) as told:
        flink.see_that_it_is_there(Flink().model_dump())
    assert (told.value.code, "job_endpoint" in told.value.hint) == ("SEG-0916", True)


def test_a_job_server_that_can_not_be_fetched_is_told_and_the_call_may_be_made_again(nowhere: str) -> None:
    options = {**flink.options_of(Flink().model_dump()), "flink_job_server_jar": f"http://{nowhere}/jobs.jar"}
    with pytest.raises(TryAgain) as told, submitted(beam.Create([1]), options, runner=FlinkRunner):
        pass
    assert (told.value.code, "Traceback" in str(told.value)) == ("SEG-0621", False)


def test_a_server_that_takes_no_jobs_is_told() -> None:
    server, port = serve(Pool(), "localhost", 0)
    options = {**portable.OPTIONS, **portable.environment(f"localhost:{port}"), "job_endpoint": f"localhost:{port}"}
    with pytest.raises(TryAgain, match="no job server takes the stream"), submitted(beam.Create([1]), options):
        pass
    server.stop(0)
