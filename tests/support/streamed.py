"""A stream as its user drives it: a process that is killed at a point, or told to stop when it has published what is there."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from runners.main import STOPPED
from runners.warehouses.ducklake import is_there, open_lake

ROOT = Path(__file__).parents[2]
_COLUMNS = "segment, version, subject, valid_from, valid_to, purpose"
HISTORY = f"SELECT {_COLUMNS} FROM segment_history WHERE known_to IS NULL ORDER BY ALL"
"""The current history, for comparing."""
_LOOK_S, _PATIENCE = 0.3, 100


@contextmanager
def streaming(project: Path, *options: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """`segue stream`, a process of its own; told to stop at the end, it must end well, or as one that was still catching up."""
    process = begin(project, *options, **environment)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        said = _ended(process)
        assert process.returncode in (0, STOPPED), said
    finally:
        end(process)


def _ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """What it has said; of one that does not end, where it stands."""
    try:
        return process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        raise AssertionError(f"it does not end: {process.communicate()[1][-9000:]}") from None


def end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def begin(project: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(project), "stream", "--every", "0.3", *options]
    whole = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", **environment}
    return subprocess.Popen(command, env=whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(
    process: "subprocess.Popen[str]",
    project: Path,
    sql: str,
    wanted: object,
    patience: int = _PATIENCE,
    warehouse: str = "warehouse",
) -> None:
    """Wait until a query gives one row with one value: published while the stream goes on."""
    found: object = None
    for _ in range(patience):
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            found = answer(project / warehouse, sql)
            if found == wanted:
                return
        else:
            break
    said = "" if process.poll() is None else process.communicate()[1][-3000:]
    raise AssertionError(f"{sql} gives {found}, not {wanted}; {process.poll()}: {said}")


def scraped(port: int) -> dict[str, float]:
    """What Prometheus reads, by name and labels as they are written."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def answer(root: Path, sql: str) -> object:
    """The one value of a query; None while there are no tables yet."""
    if not is_there(root):
        return None
    with open_lake(root) as lake:
        is_made = lake.value("SELECT count(*) > 0 FROM duckdb_views() WHERE view_name = 'segment_history'")
        return lake.value(sql) if is_made else None


def killed(project: Path, point: str, log: Path) -> None:
    """A stream that dies at a point, by SIGKILL; it must reach it."""
    process = begin(project, SEGUE_FAULT=point, SEGUE_FAULT_LOG=str(log))
    try:
        said = process.communicate(timeout=120)
    finally:
        end(process)
    assert process.returncode == -signal.SIGKILL, said[1][-3000:]
    assert log.read_text() == f"{point}\n", "the fault never fired"
