"""The live runner: Prism, beside this process or as a job server apart, and the workers that it has."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam

from runners.engines import portable
from runners.engines.portable import Job, environment, see_that_it_answers, submitted
from schemas.errors import CallError, JobFailed, TryAgain

VERSION = "2.77.0"
VARIABLE = "SEGUE_PRISM"
_PACKAGE = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{VERSION}"
_READY_S = 30.0
_TIED = 'exec 3<&0; "$@" 3<&- & begun=$!; (cat <&3 >/dev/null; kill -9 $begun) & end=$!; wait $begun; kill $end'
"""What is begun ends when this process does, however that ends: the pipe between them breaks."""
OPTIONS = {
    **portable.OPTIONS,
    "experiments": ["prism_disable_sdf_split"],  # without it a slow bundle is split and the state of its keys is corrupted
}


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


def see_that_it_is_there(said: Mapping[str, Any]) -> None:
    """Errors: CallError where there is no Prism to begin; TryAgain where one, or a pool, does not answer."""
    if said.get("job_endpoint"):
        see_that_it_answers(said["job_endpoint"], "job server", "start Prism there, or leave `job_endpoint` out")
    else:
        prism_path()
    if said.get("workers"):  # Prism itself dies of a pool that does not answer
        remedy = "start `python -m runners.engines.pool --port PORT` there, or leave `workers` out"
        see_that_it_answers(said["workers"], "pool of workers", remedy)


@contextmanager
def running(pipeline: beam.PTransform, said: Mapping[str, Any] | None = None) -> Iterator[Job]:
    """Run a pipeline without an end; at the end nothing of it is left.

    Errors: CallError where there is no Prism; JobFailed where it does not start; TryAgain where one apart does not answer.
    """
    wanted = said or {}
    see_that_it_is_there(wanted)
    with _server(wanted.get("job_endpoint", "")) as (server, endpoint), _workers(wanted) as workers:
        options = {**OPTIONS, **environment(workers), "job_endpoint": endpoint}
        with submitted(pipeline, options, lambda: server is not None and server.poll() is not None) as job:
            yield job


@contextmanager
def _server(endpoint: str) -> Iterator[tuple["subprocess.Popen[bytes] | None", str]]:
    """A job server: the one that is named, or one beside this process."""
    if endpoint:
        yield None, endpoint
        return
    port = _free_port()
    options = {"job_port": port, "serve_http": "false", "log_level": "warn"}
    with _tied([str(prism_path()), *(f"--{name}={value}" for name, value in options.items())], port, "Prism") as server:
        yield server, f"localhost:{port}"


@contextmanager
def _workers(said: Mapping[str, Any]) -> Iterator[str]:
    """A pool of workers: the one that is named, or where there are to be several processes one beside this process."""
    if said.get("workers") or said.get("processes", 1) == 1:
        yield said.get("workers", "")
        return
    port = _free_port()
    with _tied([sys.executable, "-m", "runners.engines.pool", f"--port={port}"], port, "the pool of workers"):
        yield f"localhost:{port}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@contextmanager
def _tied(command: list[str], port: int, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that ends with this process, once it answers.

    It has a process group of its own: Ctrl-C is for the launcher, which ends it when what is in hand is done.
    """
    pipes = (subprocess.PIPE, subprocess.DEVNULL, subprocess.DEVNULL)
    server = subprocess.Popen(["sh", "-c", _TIED, "sh", *command], -1, None, *pipes, start_new_session=True)
    try:
        _wait(server, port, name)
        yield server
    finally:
        server.communicate()


def _wait(server: "subprocess.Popen[bytes]", port: int, name: str) -> None:
    for _ in range(int(_READY_S / portable.ANSWERS_S)):
        if server.poll() is None:
            try:
                see_that_it_answers(f"localhost:{port}", name, "")
                return
            except TryAgain:
                continue
    raise JobFailed("SEG-0620", f"{name} did not start on port {port}", "see what it says when it is called by hand")
