"""Where a stream over topics is struck, by whom it is survived, and what is delivered to it meanwhile."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from runners.engines.portable import ENDED
from runners.main import STOPPED
from schemas.definitions.instant import write_instant
from tests.support.broker import Broker
from tests.support.command_line import write_definitions
from tests.support.ordering import FIELDS, order
from tests.support.streamed import answer, begin, end, killed

LAUNCHER, RUNNER = "launcher", "runner"
_PATIENCE_S = 300.0


class Point(NamedTuple):
    """A place where a process is killed.

    Attributes:
      process: who is killed there: the launcher, in which the SDK worker lives, or the runner, while the launcher stands there.
      place: what the launcher or its worker reaches.
      first: its first passage by the live graph, behind those of the run that catches up.
      spread: so many passages from the first on are tried.
    """

    process: Literal["launcher", "runner"]
    place: str
    first: int = 1
    spread: int = 3

    @property
    def name(self) -> str:
        """As tests are called."""
        return f"{self.process}-{self.place}"

    def at(self, seed: int) -> str:
        """The place with its passage."""
        return f"{self.place}:{self.first + seed % self.spread}"


POINTS = (
    Point(LAUNCHER, "caught_up", spread=1),  # before there is a graph
    Point(LAUNCHER, "order_written"),  # a cut has its folder, and nobody was told
    Point(LAUNCHER, "opened", spread=1),  # the reader is at the committed positions, and has not said so
    Point(LAUNCHER, "followed", spread=4),  # records in hand
    Point(LAUNCHER, "decoded", 4, 4),
    Point(LAUNCHER, "rows_staged", 6, 4),  # accounts and what is set aside lie in the cut's folder
    Point(LAUNCHER, "checkpointed", 3, 5),  # amid the runner's checkpoint
    Point(LAUNCHER, "finalized", 3, 5),  # between the runner's checkpoint and the commit
    Point(LAUNCHER, "cut_closed"),
    Point(LAUNCHER, "closed"),  # the reader has closed the cut, and not handed that on
    Point(LAUNCHER, "known", 2),  # T and K are known, and told to no shard
    Point(LAUNCHER, "state_written", 5, 4),  # amid the shards
    Point(LAUNCHER, "shard_done", 5, 4),
    Point(LAUNCHER, "cut_done"),  # all is staged
    Point(LAUNCHER, "staged", 2),
    Point(LAUNCHER, "audited", 2),
    Point(LAUNCHER, "before_commit", 2),
    Point(LAUNCHER, "inside_commit", 2),
    Point(LAUNCHER, "after_commit", 2),
    Point(LAUNCHER, "carried"),
    Point(LAUNCHER, "states_dropped"),
    Point(RUNNER, "followed", spread=4),
    Point(RUNNER, "decoded", 4, 4),
    Point(RUNNER, "checkpointed", 3, 5),
    Point(RUNNER, "finalized", 3, 5),
    Point(RUNNER, "closed"),
    Point(RUNNER, "state_written", 5, 4),
    Point(RUNNER, "cut_closed"),
    Point(RUNNER, "before_commit", 2),
    Point(RUNNER, "after_commit", 2),
)
SOME = ("launcher-finalized", "launcher-shard_done", "launcher-inside_commit", "runner-finalized", "runner-state_written")
"""Those that are tried whenever a broker is there."""
SHARDS = (4, 3, 1, 6, 4)
"""How many shards the stream has that goes on, by seed; the one before has four."""


def strike(point: Point, seed: int, project: Path, fired: Path) -> None:
    """A stream whose launcher or runner is killed at a point; it must get there.

    Where the runner died the launcher goes on by itself, or ends as it says it does where nothing was published yet.
    """
    if point.process == LAUNCHER:
        killed(project, point.at(seed), fired)
        return
    process = begin(project, SEGUE_FAULT=point.at(seed), SEGUE_FAULT_LOG=str(fired), SEGUE_FAULT_SIGNAL="SIGSTOP")
    try:
        _wait_until_stopped(process)
        assert fired.read_text() == f"{point.at(seed)}\n"
        before = answer(project / "warehouse", _RUNS)
        os.kill(_runner_of(process.pid), signal.SIGKILL)
        process.send_signal(signal.SIGCONT)
        _see_that_it_goes_on(process, project, before)
    finally:
        end(process)


_RUNS = "SELECT count(*) FROM run_commits"


def _wait_until_stopped(process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        told = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if told is not None:
            assert told.si_status == signal.SIGSTOP, process.communicate()[1][-3000:]
            return
        threading.Event().wait(0.05)
    raise AssertionError("the fault never fired")


def _runner_of(pid: int) -> int:
    """The process of Prism below another one."""
    for child in _children(pid):
        if Path(f"/proc/{child}/comm").read_text().strip() == "prism":
            return child
        with_it = [one for one in _children(child) if Path(f"/proc/{one}/comm").read_text().strip() == "prism"]
        if with_it:
            return with_it[0]
    raise AssertionError("there is no runner")


def _children(pid: int) -> list[int]:
    return [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]


def _see_that_it_goes_on(process: "subprocess.Popen[str]", project: Path, before: Any) -> None:
    """It publishes what is delivered, and ends when it is told to; or has ended with the job."""
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and answer(project / "warehouse", _RUNS) < before + 2 and time.monotonic() < deadline:
        threading.Event().wait(0.3)
    assert time.monotonic() < deadline, "nothing was published any more"
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=_PATIENCE_S)[1]
    has_ended = process.returncode == 1 and ENDED in said
    assert has_ended or process.returncode in (0, STOPPED), (process.returncode, said[:3000], said[-3000:])


class Deliveries:
    """Orders on two partitions of a topic, and rows of the ledger on another: some twice, some that are none. All by a seed.

    Attributes:
      facts: how many were delivered, each counted once.
    """

    def __init__(self, broker: Broker, topic: str, seed: int) -> None:
        self.broker, self.topic, self.ledger, self.dice = broker, topic, f"{topic}-ledger", Random(seed)
        self.facts, self.told = 0, list[bytes]()
        broker.create(topic, 2)
        broker.create(self.ledger)

    def deliver(self, count: int) -> None:
        """Some more."""
        at_ms = time.time_ns() // 1_000_000
        lines: dict[int, list[bytes]] = {0: [], 1: []}
        for _ in range(count):
            lines[self.dice.randrange(2)].append(self._line(at_ms))
        for partition, some in lines.items():
            self.broker.write(self.topic, some, partition, at_ms)
        if self.dice.random() < 0.4:
            self.broker.write(self.ledger, [self._ledger_row(at_ms)], 0, at_ms)

    def _line(self, at_ms: int) -> bytes:
        kind = self.dice.random()
        if kind < 0.1:
            return b"no order"
        if kind < 0.25 and self.told:
            return self.dice.choice(self.told)
        self.facts += 1
        at = write_instant((at_ms - self.dice.randrange(1_500)) * 1_000)
        self.told.append(order(self.facts, who=f"u{self.dice.randrange(7)}", at=at))
        return self.told[-1]

    def _ledger_row(self, at_ms: int) -> bytes:
        self.facts += 1
        row = {"event_id": f"c{self.facts}", "subject": f"u{self.dice.randrange(7)}", "purpose": "counting"}
        said = {"action": self.dice.choice(("WITHDRAW", "OBJECT", "GRANT")), "claimed_at": write_instant(at_ms * 1_000)}
        return json.dumps({**row, **said, "method": "interactive", "actor": "subject"}).encode()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """A few, three times a second."""
        is_over = threading.Event()

        def go_on() -> None:
            while not is_over.wait(0.3):
                self.deliver(self.dice.randrange(1, 6))

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            yield
        finally:
            is_over.set()
            writer.join()


_SEGMENTS = (
    {"segment": "buyers", "purpose": "counting", "when": {"did": {"event": "buy"}}},
    {"segment": "lately", "purpose": "counting", "when": {"did": {"event": "buy", "count": ">= 2", "window": "2s"}}},
)


def shop_of(folder: Path, deliveries: Deliveries, shards: int = SHARDS[0]) -> Path:
    """A project over both topics, whose members leave a segment when nothing comes."""
    def whence(topic: str) -> dict[str, Any]:
        return {"from": {"kafka": {"bootstrap": deliveries.broker.bootstrap, "topic": topic}}}

    fields = {name: path for name, path in FIELDS.items() if name != "received_at"}
    orders = {"source": "orders", "kind": "events", **whence(deliveries.topic), "fields": fields, "properties": {"amount": "int"}}
    ledger = {"source": "ledger", "kind": "consents", **whence(deliveries.ledger)}
    settings = {"name": "shop", "targets": {"dev": {"warehouse": "ducklake:warehouse", "shards": shards}}}
    return write_definitions(folder, settings, [orders, ledger], _SEGMENTS)
