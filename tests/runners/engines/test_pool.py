"""A pool begins a process for each worker, and a worker is told what the runner says of it."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    endpoints_pb2,
)
from google.protobuf.struct_pb2 import Struct

from runners.engines.boot import provision, told
from runners.engines.pool import Pool, serve

WAITS = (sys.executable, "-c", "import sys; sys.stdin.read() or __import__('signal').pause()")
SAID = {"id": "w1", "logging": "a:1", "control": "a:2", "artifact": "", "provision": ""}


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(WAITS)
    yield pool
    pool.close()


@pytest.fixture
def stub(pool: Pool) -> Iterator[Any]:
    server, port = serve(pool, "localhost", 0)
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        yield beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
    server.stop(0)


def start(stub: Any, worker: str) -> str:
    endpoint = endpoints_pb2.ApiServiceDescriptor(url="localhost:1")
    asked = beam_fn_api_pb2.StartWorkerRequest(worker_id=worker, provision_endpoint=endpoint, control_endpoint=endpoint)
    return str(stub.StartWorker(asked).error)


def test_each_worker_is_a_process_that_knows_its_name_and_where_to_ask(pool: Pool, stub: Any) -> None:
    assert (start(stub, "w1"), start(stub, "w2")) == ("", "")
    first, second = pool.workers.values()
    assert (first.pid == second.pid, first.poll(), second.poll()) == (False, None, None)
    assert isinstance(first.args, list)
    assert {"--id=w1", "--provision_endpoint=localhost:1"} <= {*first.args}


def test_a_worker_that_is_stopped_is_gone_and_the_others_are_not(pool: Pool, stub: Any) -> None:
    start(stub, "w1")
    start(stub, "w2")
    first, second = pool.workers.values()
    stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="w1"))
    assert (first.poll() is None, second.poll() is None, [*pool.workers]) == (False, True, ["w2"])


def test_to_stop_who_is_not_there_is_no_failure(stub: Any) -> None:
    stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="nobody"))


def test_a_program_that_is_not_there_is_told_to_the_runner(pool: Pool, stub: Any) -> None:
    pool.command = ("/nowhere/boot",)
    assert start(stub, "w1") == "no worker could be begun: No such file or directory"


class Runner(beam_provision_api_pb2_grpc.ProvisionServiceServicer):  # type: ignore[misc]
    """Tells a worker what it is to be, and keeps by what name it asked."""

    def __init__(self) -> None:
        self.asked_by: list[str] = []

    def GetProvisionInfo(self, request: Any, context: Any) -> Any:
        self.asked_by += [value for name, value in context.invocation_metadata() if name == "worker_id"]
        options = Struct()
        options.update({"beam:option:streaming:v1": True})
        info = beam_provision_api_pb2.ProvisionInfo(
            pipeline_options=options,
            control_endpoint=endpoints_pb2.ApiServiceDescriptor(url="runner:7"),
            runner_capabilities=["beam:one", "beam:two"],
        )
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=info)


def test_a_worker_is_told_its_options_and_where_to_report_and_the_runner_goes_before_the_call() -> None:
    runner, server = Runner(), grpc.server(ThreadPoolExecutor(1))
    beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(runner, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    found = told(SAID, provision(f"localhost:{port}", "w1"))
    server.stop(0)
    assert runner.asked_by == ["w1"]
    assert json.loads(found.pop("PIPELINE_OPTIONS")) == {"beam:option:streaming:v1": True}
    assert found == {
        "WORKER_ID": "w1",
        "RUNNER_CAPABILITIES": "beam:one beam:two",
        "LOGGING_API_SERVICE_DESCRIPTOR": 'url: "a:1"',
        "CONTROL_API_SERVICE_DESCRIPTOR": 'url: "runner:7"',
    }
