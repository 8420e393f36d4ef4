"""Streams whose workers are other processes than the launcher: what they share is paths, and the history is that of one run."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.command_line import asked, segue
from tests.support.followed import append
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, begin, killed, streaming
from tests.support.streamed import wait_until as wait_so_long
from tests.support.workers import on_prism, pool_apart, prism_apart, workers_of

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
COUNT = "SELECT count(*) AS n FROM events"
PATIENCE = 400
"""Looks for what may first have to be missed and begun again."""
Server = tuple["subprocess.Popen[bytes]", str]


def shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    return project_of(folder, {"files": "data/**/*.ndjson"})


def write(project: Path, name: str, *numbers: int) -> None:
    append(project / "data" / name, b"".join(order(number, who=f"u{number % 7}") + b"\n" for number in numbers))


def wait_until(stream: "subprocess.Popen[str]", project: Path, sql: str, wanted: object) -> None:
    wait_so_long(stream, project, sql, wanted, PATIENCE)


def whole(project: Path) -> list[object]:
    """What one run tells of all that a project was told."""
    alone = shop(project.parent / "alone")
    for path in (project / "data").iterdir():
        (alone / "data" / path.name).write_bytes(path.read_bytes())
    segue(alone, "run")
    return [asked(alone, HISTORY), events(alone)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = shop(tmp_path / "shop")
    write(project, "a.ndjson", 1)
    return project


@pytest.fixture
def prism() -> Iterator[Server]:
    with prism_apart() as server:
        yield server


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with pool_apart(folder) as server:
        yield server


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_stages_in_several_processes_tell_the_history_of_one_run(
    project: Path, processes: int, prism: Server, pool: Server
) -> None:
    on_prism(project, job_endpoint=prism[1], workers=pool[1], processes=processes)
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        write(project, "a.ndjson", *range(2, 40))
        wait_until(stream, project, COUNT, 39)
        assert len(workers_of(pool[0])) == processes
        write(project, "b.ndjson", *range(40, 80))
        wait_until(stream, project, COUNT, 79)
    assert [asked(project, HISTORY), events(project)] == whole(project)
    assert workers_of(pool[0]) == []


def test_a_launcher_that_was_killed_goes_on_with_other_processes_readers_and_shards(project: Path) -> None:
    shapes: list[dict[str, int]] = [
        {"shards": 4}, {"processes": 3, "shards": 3}, {"processes": 2, "readers": 3, "shards": 4}, {"processes": 1, "shards": 2}
    ]
    for number, shape in enumerate(shapes):
        stream = begin(on_prism(project, **shape))
        write(project, f"{number % 3}.ndjson", *range(20 * number + 2, 20 * number + 22))
        wait_until(stream, project, COUNT, 20 * number + 21)
        write(project, f"{number % 3}.ndjson", 20 * number + 2)  # in hand when it is killed, if it is read by then
        stream.kill()
        stream.communicate()
    segue(project, "run")
    assert [asked(project, HISTORY), events(project)] == whole(project)


def test_several_readers_share_the_files_and_tell_the_history_of_one_run(project: Path, prism: Server, pool: Server) -> None:
    on_prism(project, job_endpoint=prism[1], workers=pool[1], processes=2, readers=3)
    with streaming(project) as stream:
        for number in range(8):
            write(project, f"{number}.ndjson", *range(10 * number + 2, 10 * number + 12))
        wait_until(stream, project, COUNT, 81)
        for number in range(8):
            write(project, f"{number}.ndjson", *range(100 + 10 * number, 110 + 10 * number))
        wait_until(stream, project, COUNT, 161)
    assert [asked(project, HISTORY), events(project)] == whole(project)
    assert asked(project, "SELECT sum(read) AS read, sum(duplicate) AS duplicate FROM run_manifest") == [
        {"read": 161, "duplicate": 0}
    ]


def test_several_readers_share_the_partitions_of_a_topic(tmp_path: Path, broker: Broker, topic: str) -> None:
    broker.create(topic, 4)
    whence = {"kafka": {"bootstrap": broker.bootstrap, "topic": topic}}
    project = on_prism(project_of(tmp_path / "shop", whence), processes=2, readers=3)
    broker.write(topic, [order(1)])
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        for partition in range(4):
            numbers = range(10 * partition + 2, 10 * partition + 12)
            broker.write(topic, [order(number, who=f"u{number % 7}") for number in numbers], partition)
        wait_until(stream, project, COUNT, 41)
    alone = project_of(tmp_path / "alone", whence)
    segue(alone, "run")
    assert [asked(project, HISTORY), events(project)] == [asked(alone, HISTORY), events(alone)]


def test_a_stream_begins_the_processes_that_nobody_has_begun_for_it(project: Path) -> None:
    on_prism(project, processes=3)
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        write(project, "a.ndjson", *range(2, 40))
        wait_until(stream, project, COUNT, 39)
    assert [asked(project, HISTORY), events(project)] == whole(project)


@pytest.mark.parametrize("which", [0, 1])
def test_a_worker_that_is_killed_costs_nothing(project: Path, which: int, prism: Server, pool: Server) -> None:
    on_prism(project, job_endpoint=prism[1], workers=pool[1], processes=2)
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        write(project, "a.ndjson", *range(2, 40))
        wait_until(stream, project, COUNT, 39)
        os.kill(workers_of(pool[0])[which], signal.SIGKILL)
        write(project, "a.ndjson", *range(40, 80))
        wait_until(stream, project, COUNT, 79)
    assert [asked(project, HISTORY), events(project)] == whole(project)


def test_a_launcher_that_is_killed_leaves_a_job_that_ends_when_another_begins(
    project: Path, prism: Server, pool: Server, tmp_path: Path
) -> None:
    on_prism(project, job_endpoint=prism[1], workers=pool[1], processes=2)
    write(project, "b.ndjson", *range(2, 9))
    killed(project, "cut_closed", tmp_path / "fired")
    left = set(workers_of(pool[0]))
    assert len(left) == 2
    with streaming(project) as stream:
        for number in (9, 10):  # the first may be read before the stream begins
            write(project, "a.ndjson", number)
            wait_until(stream, project, COUNT, number)
        assert len(set(workers_of(pool[0])) - left) == 2
    assert [asked(project, HISTORY), events(project)] == whole(project)
    assert workers_of(pool[0]) == []


@pytest.mark.parametrize("gone", ["prism", "pool"])
def test_without_its_servers_a_stream_ends_with_75_and_says_which(
    project: Path, gone: str, prism: Server, pool: Server
) -> None:
    said = {"prism": {"job_endpoint": "localhost:9"}, "pool": {"job_endpoint": prism[1], "workers": "localhost:9"}}[gone]
    on_prism(project, **said)
    stream = begin(project)
    _, told = stream.communicate(timeout=60)
    assert (stream.returncode, "SEG-0621" in told, "`localhost:9`" in told) == (75, True, True)


def test_a_server_that_dies_ends_the_stream_with_75_and_another_goes_on(project: Path, pool: Server) -> None:
    with prism_apart() as (server, address):
        on_prism(project, job_endpoint=address, workers=pool[1])
        stream = begin(project)
        wait_until(stream, project, COUNT, 1)
        write(project, "a.ndjson", *range(2, 9))
        wait_until(stream, project, COUNT, 8)
        server.kill()
        _, told = stream.communicate(timeout=60)
    assert (stream.returncode, "SEG-0621" in told) == (75, True)
    write(project, "a.ndjson", 9)
    on_prism(project, processes=2)
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 9)
    assert [asked(project, HISTORY), events(project)] == whole(project)
