"""Servers that streams run on, apart from the launcher: Prism, and pools of workers."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from runners.engines.portable import see_that_it_answers
from runners.engines.prism import prism_path
from schemas.errors import TryAgain
from tests.support.streamed import ROOT

_TRIES = 6


def on_prism(project: Path, shards: int = 4, **said: Any) -> Path:
    """The project, with Prism as the runner of its target."""
    settings = yaml.safe_load((project / "segue.yaml").read_text())
    settings["targets"]["dev"] |= {"runner": "prism", "prism": said, "shards": shards}
    (project / "segue.yaml").write_text(yaml.safe_dump(settings))
    return project


@contextmanager
def prism_apart() -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """Prism, a server of its own, and its address."""
    port = _free_port()
    with _serving([str(prism_path()), f"--job_port={port}", "--serve_http=false", "--log_level=error"], port, Path.cwd()) as one:
        yield one


@contextmanager
def pool_apart(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A pool of workers, begun in another folder than anything else, and its address."""
    port = _free_port()
    with _serving([sys.executable, "-m", "runners.engines.pool", f"--port={port}"], port, folder) as one:
        yield one


@contextmanager
def _serving(command: list[str], port: int, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=folder, env=environment, **pipes)
    try:
        _wait(port)
        yield server, f"localhost:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait(port: int) -> None:
    for _ in range(_TRIES):
        try:
            return see_that_it_answers(f"localhost:{port}", "server", "")
        except TryAgain as silent:
            failed = silent
    raise failed


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def workers_of(pool: "subprocess.Popen[bytes]") -> list[int]:
    """The workers that a pool has begun."""
    return sorted(children(pool.pid))


def children(parent: int) -> list[int]:
    """The processes that a process has begun, and that are not over."""
    found = list[int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, of = stat.read_text().rpartition(") ")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it has ended since
            continue
        if int(of) == parent and state != "Z":
            found.append(int(stat.parent.name))
    return found
