"""Streams over a real broker: what is published live, what Prometheus reads of it, and a broker that dies."""

import json
import socket
import threading
from pathlib import Path

import pytest

from runners.publishing.staging import FATES
from tests.support.broker import Broker
from tests.support.command_line import asked, segue
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, begin, free_port, scraped, streaming, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
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


def test_what_prometheus_reads_of_a_stream_is_what_its_runs_say(project: Path, broker: Broker, topic: str) -> None:
    pytest.importorskip("prometheus_client")
    broker.write(topic, [order(1), order(2), b"no order"])
    with streaming(project, "--metrics-port", str(port := free_port())) as stream:
        wait_until(stream, project, COUNT, 2)
        broker.write(topic, [order(2), b"nor this", *(order(number) for number in range(3, 20))])
        wait_until(stream, project, COUNT, 19)
        found = scraped_when(port, 'segue_records_total{fate="used"}', 19)
        idle = scraped_when(port, "segue_freshness_seconds", 0)
    runs = json.loads(segue(project, "--format", "json", "runs"))
    for fate in ("quarantined", "duplicate", "used"):
        assert found[f'segue_records_total{{fate="{fate}"}}'] == sum(run[fate] for run in runs), fate
    assert sum(found[f'segue_records_total{{fate="{fate}"}}'] for fate in FATES) == sum(run["read"] for run in runs) == 22
    assert found["segue_commits_total"] == idle["segue_commits_total"] == len(runs)
    assert found["segue_commit_seconds_count"] == len(runs) - 1
    results = json.loads((project / "target" / "run_results.json").read_text())
    assert (found["segue_subjects_made_anew_total"], runs[-1]["run_id"]) == (results["made_anew"], results["run_id"])
    sums = "SELECT (SELECT sum(bytes) FROM kernel_state) AS bytes, count(*) FILTER (kind = 'corrected') AS n FROM segment_changes"
    assert asked(project, sums) == [{"bytes": found["segue_state_bytes"], "n": found["segue_corrections_total"]}]


def scraped_when(port: int, name: str, value: float) -> dict[str, float]:
    """What Prometheus reads once a number is about so large: a commit is there a moment before it is told of."""
    for _ in range(100):
        found = scraped(port)
        if abs(found[name] - value) < 0.1:
            return found
        threading.Event().wait(0.1)
    raise AssertionError(f"{name} is {found[name]}, not {value}")


def test_a_port_for_metrics_that_is_taken_ends_a_stream_before_it_reads(project: Path) -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as other:
        stream = begin(project, "--metrics-port", str(other.getsockname()[1]))
        said = stream.communicate(timeout=60)[1]
    assert (stream.returncode, "SEG-0917" in said, "already in use" in said, "Traceback" in said) == (2, True, True, False)
    assert not (project / "warehouse" / "staging").exists()


def test_a_broker_that_dies_and_comes_back_is_read_on(project: Path, broker: Broker, topic: str) -> None:
    broker.write(topic, [order(1)])
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        broker.kill()
        broker.start()
        broker.write(topic, [order(2)])
        wait_until(stream, project, COUNT, 2)
    assert events(project) == ["o1", "o2"]
