"""A pool of workers: `python -m runners.engines.pool --port 50000` begins a process for each worker that a runner asks for.

It is Beam's EXTERNAL environment. Each worker is a process of this installation, which reads the orders of the launcher and
the states of the warehouse by their paths: it must see the file system that the launcher sees.
"""

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2 as fn
from apache_beam.portability.api import beam_fn_api_pb2_grpc

BOOT = (sys.executable, "-m", "runners.engines.boot")
_ENDS_S = 10.0


class Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
    """Begins and ends workers. One of its own, since Beam's gives workers a pipe that nobody reads, and stops when it is full.

    Attributes:
      command: begins a worker, given `--id` and the endpoints.
      workers: those that were begun and not ended, by id.
    """

    def __init__(self, command: Sequence[str] = BOOT) -> None:
        self.command = command
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802  the name in the protocol
        """Begin a worker."""
        names = ("logging", "artifact", "provision", "control")
        endpoints = [f"--{name}_endpoint={getattr(request, f'{name}_endpoint').url}" for name in names]
        try:
            worker = subprocess.Popen([*self.command, f"--id={request.worker_id}", *endpoints], stdin=subprocess.DEVNULL)
        except OSError as failed:
            return fn.StartWorkerResponse(error=f"no worker could be begun: {failed.strerror}")
        self.workers[request.worker_id] = worker
        return fn.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802  the name in the protocol
        """End a worker."""
        worker = self.workers.pop(request.worker_id, None)
        if worker is not None:
            _end(worker)
        return fn.StopWorkerResponse()

    def close(self) -> None:
        """End all."""
        while self.workers:
            _end(self.workers.popitem()[1])


def _end(worker: "subprocess.Popen[bytes]") -> None:
    """What has the runner's word that it is over ends by itself; else it is told to, and then made to."""
    worker.terminate()
    try:
        worker.wait(_ENDS_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def serve(pool: Pool, host: str, port: int) -> tuple[grpc.Server, int]:
    """Listen. Gives the server and its port, which is a free one where none is named."""
    server = grpc.server(ThreadPoolExecutor())
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    taken = server.add_insecure_port(f"{host}:{port}")
    server.start()
    return server, int(taken)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; then no worker is left."""
    parser = argparse.ArgumentParser(prog="python -m runners.engines.pool", description=__doc__)
    parser.add_argument("--host", default="localhost", help="where to listen: who reaches it may run code here")
    parser.add_argument("--port", type=int, default=0)
    said = parser.parse_args(arguments)
    over = _asked_to_stop()
    pool = Pool()
    server, port = serve(pool, said.host, said.port)
    print(f"workers at {said.host}:{port}", flush=True)  # noqa: T201
    over()
    server.stop(0)
    pool.close()


def _asked_to_stop() -> Callable[[], object]:
    """Waits for a signal."""
    asked = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda number, frame: asked.set())
    return asked.wait


if __name__ == "__main__":
    main()
