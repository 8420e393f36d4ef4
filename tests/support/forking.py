"""Calls in processes of their own that may die: `python -m tests.support.forking` has imported everything, and forks for each.

It reads orders, one JSON a line, and answers each with how the child ended.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import apache_beam.runners.portability.fn_api_runner  # noqa: F401  what commands import when they are called

import runners.manifest
import runners.publishing.placing
import runners.runs.report
import runners.runs.retrying
from runners.main import main as segue
from tests.support.publishing import bring_up

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """How a call ended: its exit code, negative for a signal, what it said on stdout and stderr, and how long it went on.

    Of a call that was stopped at a point, the time is that from there on.
    """

    code: int
    said: str
    noted: str
    seconds: float


class Forks:
    """The process that forks."""

    def __enter__(self) -> Self:
        command, environment = [sys.executable, "-m", "tests.support.forking"], {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()

    def segue(self, folder: Path, *arguments: str, **environment: str) -> Ended:
        """A command; `folder` is for what it says, and for its temporary files."""
        return self._ordered(folder, {"segue": arguments, "environment": environment})

    def bring_up(self, root: Path, after_s: float | None = None, **environment: str) -> Ended:
        """Publish two made-up runs, and say so.

        Where `after_s` is given it is killed so long after it was stopped at its point.
        """
        return self._ordered(root.parent, {"bring_up": str(root), "after_s": after_s, "environment": environment})

    def _ordered(self, folder: Path, order: Mapping[str, Any]) -> Ended:
        print(json.dumps({**order, "folder": str(folder)}), file=self.process.stdin, flush=True)
        assert self.process.stdout is not None
        code, seconds = json.loads(self.process.stdout.readline())
        return Ended(code, (folder / "said").read_text(), (folder / "noted").read_text(), seconds)


def main() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        os.write(1, f"{json.dumps(_carried_out(json.loads(line)))}\n".encode())


def _carried_out(order: Mapping[str, Any]) -> tuple[int, float]:
    began = os.times().elapsed
    child = os.fork()
    if child == 0:
        _be(order)
    if order.get("after_s") is not None:
        os.waitpid(child, os.WUNTRACED)
        began = os.times().elapsed
        _kill(child, order["after_s"])
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, os.times().elapsed - began


def _kill(child: int, after_s: float) -> None:
    """Let a child that stands still go on for so long, unless it has ended before."""
    watched = os.pidfd_open(child)
    os.kill(child, signal.SIGCONT)
    select.select([watched], [], [], after_s)
    os.kill(child, signal.SIGKILL)
    os.close(watched)


def _be(order: Mapping[str, Any]) -> None:
    """Be the child."""
    folder = Path(order["folder"])
    os.environ.update(order["environment"], TMPDIR=str(folder / "temporary"))
    (folder / "temporary").mkdir(exist_ok=True)
    tempfile.tempdir = None
    for descriptor, name in ((1, "said"), (2, "noted")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    runners.publishing.placing.LARGE = int(os.environ.get("LARGE", runners.publishing.placing.LARGE))
    code: Any = 0
    try:
        _call(order)
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    os._exit(code or 0)


def _call(order: Mapping[str, Any]) -> None:
    if "segue" in order:
        segue([*order["segue"]])
    bring_up(Path(order["bring_up"]))
    print("published")


if __name__ == "__main__":
    main()
