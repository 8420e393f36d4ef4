"""Streams over a real broker: what is published live, and what is left where anything is killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.command_line import asked, segue
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, killed, streaming, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
POINTS = ("followed:2", "cut_closed:2", "state_written:5", "inside_commit:2", "after_commit:2")
"""Where a stream is killed: with records in hand, between closing a cut and computing it, amid that, and around the commit."""
COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture
def project(tmp_path: Path, broker: Broker, topic: str) -> Path:
    return project_of(tmp_path / "shop", {"kafka": {"bootstrap": broker.bootstrap, "topic": topic}})


def whole(project: Path, topic: str, broker: Broker) -> list[object]:
    """The history that one run tells of all that the topic holds."""
    alone = project_of(project.parent / "alone", {"kafka": {"bootstrap": broker.bootstrap, "topic": topic}})
    segue(alone, "run")
    return [asked(alone, HISTORY), events(alone)]


def test_what_is_written_while_it_runs_is_published_and_what_comes_after_it_is_the_next_runs(
    project: Path, broker: Broker, topic: str
) -> None:
    broker.write(topic, [order(1)])
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        broker.write(topic, [order(number, who=f"u{number % 7}") for number in range(2, 40)])
        wait_until(stream, project, COUNT, 39)
        broker.write(topic, [order(40)])
        wait_until(stream, project, COUNT, 40)
    broker.write(topic, [order(41)])
    segue(project, "run")
    assert [asked(project, HISTORY), events(project)] == whole(project, topic, broker)
    assert asked(project, "SELECT sum(read) AS read, sum(duplicate) AS duplicate FROM run_manifest") == [
        {"read": 41, "duplicate": 0}
    ]


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_and_begun_again_every_event_counts_once(
    project: Path, broker: Broker, topic: str, tmp_path: Path, point: str
) -> None:
    broker.write(topic, [order(number, who=f"u{number % 7}") for number in range(1, 30)])
    with orders_that_go_on_coming(broker, topic, 30) as written:
        killed(project, point, tmp_path / "fired")
    count = 29 + len(written)
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, count)
    assert [asked(project, HISTORY), events(project)] == whole(project, topic, broker)
    assert asked(project, "SELECT sum(read) AS read, sum(duplicate) AS duplicate FROM run_manifest") == [
        {"read": count, "duplicate": 0}
    ]
    assert not [*(project / "warehouse" / "staging").iterdir()]


@contextmanager
def orders_that_go_on_coming(broker: Broker, topic: str, first: int) -> Iterator[list[int]]:
    """Orders are written, three a second; their numbers."""
    is_over, written = threading.Event(), list[int]()

    def write() -> None:
        while not is_over.wait(0.3):
            number = first + len(written)
            broker.write(topic, [order(number, who=f"u{number % 5}")])
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        is_over.set()
        writer.join()


def test_a_broker_that_dies_and_comes_back_is_read_on(project: Path, broker: Broker, topic: str) -> None:
    broker.write(topic, [order(1)])
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        broker.kill()
        broker.start()
        broker.write(topic, [order(2)])
        wait_until(stream, project, COUNT, 2)
    assert events(project) == ["o1", "o2"]
