"""The live runner: Prism, as a job server of its own beside this process."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import PipelineResult, PipelineState

from schemas.errors import CallError, JobFailed

VERSION = "2.77.0"
VARIABLE = "SEGUE_PRISM"
_PACKAGE = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{VERSION}"
_READY_S = 30.0
_TIED = 'exec 3<&0; "$@" 3<&- & prism=$!; (cat <&3 >/dev/null; kill -9 $prism) & end=$!; wait $prism; kill $end'
"""Prism ends when this process does, however that ends: the pipe between them breaks."""
OPTIONS = {
    "streaming": True,
    "environment_type": "LOOPBACK",
    "experiments": ["prism_disable_sdf_split"],  # without it a slow bundle is split and the state of its keys is corrupted
    "job_server_timeout": 315_360_000,  # else the job is given up after five minutes
    "max_cache_memory_usage_mb": 256,
}
ENDED = "SEG-0619"
"""The code of a job that has ended by itself."""
_ENDED = (PipelineState.DONE, PipelineState.FAILED, PipelineState.CANCELLED)


def prism_path() -> Path:
    """Where the program is. Errors: CallError that says how to get it."""
    named = os.environ.get(VARIABLE)
    found = [Path(named)] if named else [prism_cache(), *filter(None, [_on_path()])]
    for path in found:
        if path.is_file():
            return path
    remedy = f"with Go 1.26 or later: `GOBIN={prism_cache().parent} go install {_PACKAGE}`, which is what `make prism` does"
    raise CallError("SEG-0916", f"`segue stream` runs on Prism, and {found[0]} is not there", remedy)


def prism_cache() -> Path:
    """Where `make` puts it."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "segue" / f"prism-{VERSION}" / "prism"


def _on_path() -> Path | None:
    found = shutil.which("prism")
    return Path(found) if found else None


@dataclass
class Job:
    """A pipeline that runs."""

    result: PipelineResult
    server: subprocess.Popen[bytes]

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end, whatever that was."""
        return self.server.poll() is not None or self.result.state in _ENDED

    def see_that_it_runs(self) -> None:
        """Errors: JobFailed where it does not any more."""
        if self.is_over:
            remedy = "start it again: it goes on where the last commit ended"
            raise JobFailed(ENDED, "the job of the stream has ended", remedy)


@contextmanager
def running(pipeline: beam.PTransform) -> Iterator[Job]:
    """Run a pipeline without an end beside this process; at the end nothing of it is left.

    Errors: CallError where there is no Prism; JobFailed where it does not start.
    """
    server, port = _server(prism_path())
    try:
        _wait(server, port)
        job = beam.Pipeline(
            runner=PortableRunner(),
            options=PipelineOptions.from_dictionary({**OPTIONS, "job_endpoint": f"localhost:{port}"}),
        )
        _ = job | pipeline
        yield Job(job.run(), server)
    finally:
        server.communicate()


def _server(path: Path) -> tuple["subprocess.Popen[bytes]", int]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    options = {"job_port": port, "serve_http": "false", "log_level": "warn"}
    called = ["sh", "-c", _TIED, "sh", str(path), *(f"--{name}={value}" for name, value in options.items())]
    # a process group of its own: Ctrl-C is for the launcher, which ends it when what is in hand is done
    pipes = (subprocess.PIPE, subprocess.DEVNULL, subprocess.DEVNULL)
    return subprocess.Popen(called, -1, None, *pipes, start_new_session=True), port


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _READY_S
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.02)
    raise JobFailed("SEG-0620", f"Prism did not start on port {port}", "see what it says when it is called by hand")
