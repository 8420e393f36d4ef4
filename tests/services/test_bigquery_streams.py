"""A stream into a dataset of BigQuery, states in a bucket: it publishes what one run publishes into the embedded warehouse."""

import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from runners.warehouses.entry import is_there, open_warehouse
from schemas.definitions.catalog import read_project
from tests.support.broker import Broker
from tests.support.command_line import asked, segue
from tests.support.followed import append
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, begin, end, streaming
from tests.support.worlds import language

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
TOLD = (
    "SELECT * EXCLUDE run_id FROM events ORDER BY ALL",
    "SELECT * EXCLUDE run_id FROM quarantine ORDER BY ALL",
    "SELECT sum(read) AS read, sum(duplicate) AS duplicate, sum(quarantined) AS quarantined FROM run_manifest",
)
REGULARS = {"segment": "regulars", "purpose": "counting", "when": {"did": {"event": "buy", "count": ">= 2"}}}
PEOPLE = [f"u{number}" for number in range(7)]
_LOOK_S, _LOOKS = 1.0, 300


def shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    return project_of(folder, {"files": "data/*.ndjson"})


@pytest.fixture
def project(tmp_path: Path, dataset: str, bucket: str) -> Path:
    return in_bigquery(shop(tmp_path / "shop"), dataset, bucket)


def in_bigquery(project: Path, dataset: str, bucket: str) -> Path:
    settings = yaml.safe_load((project / "segue.yaml").read_text())
    settings["targets"]["dev"] = {"warehouse": f"bigquery:{dataset}", "bigquery": {"state": bucket}}
    (project / "segue.yaml").write_text(yaml.safe_dump(settings))
    return project


def lines(*numbers: int) -> bytes:
    return b"".join(order(number, who=f"u{number % 7}") + b"\n" for number in numbers)


def wait_for(stream: "subprocess.Popen[str]", project: Path, wanted: int) -> None:
    """Wait until so many events are published, while the stream goes on."""
    found = 0
    for _ in range(_LOOKS):
        try:
            stream.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            found = count(project)
            if found == wanted:
                return
        else:
            break
    said = "" if stream.poll() is None else stream.communicate()[1][-3000:]
    raise AssertionError(f"{found} events are published, not {wanted}; {stream.poll()}: {said}")


def count(project: Path) -> int:
    read = read_project(project, language())
    if not is_there(read):
        return 0
    with open_warehouse(read) as lake:
        return int(lake.value("SELECT count(*) FROM events")) if "segment_history" in lake.comments("view") else 0


def everything(project: Path) -> list[object]:
    return [asked(project, HISTORY), events(project), *(asked(project, sql) for sql in TOLD)]


def alone(project: Path) -> list[object]:
    """What one run into the embedded warehouse says of the same files."""
    other = shop(project.parent / "alone")
    for path in (project / "data").iterdir():
        append(other / "data" / path.name, path.read_bytes())
    segue(other, "run")
    return everything(other)


def test_what_comes_while_it_runs_is_published_and_a_run_goes_on_from_there(project: Path) -> None:
    append(project / "data" / "a.ndjson", lines(1))
    with streaming(project) as stream:
        wait_for(stream, project, 1)
        append(project / "data" / "a.ndjson", lines(*range(2, 40), 5) + b"no order\n")
        wait_for(stream, project, 39)
        append(project / "data" / "b.ndjson", lines(40))
        wait_for(stream, project, 40)
    append(project / "data" / "b.ndjson", lines(41))
    segue(project, "run")
    assert everything(project) == alone(project)
    assert not [*(project / "target" / "bigquery").glob("*/staging/*")]


def test_a_topic_is_followed_as_files_are(tmp_path: Path, dataset: str, bucket: str, broker: Broker, topic: str) -> None:
    whence = {"kafka": {"bootstrap": broker.bootstrap, "topic": topic}}
    project = in_bigquery(project_of(tmp_path / "shop", whence), dataset, bucket)
    broker.write(topic, [order(number, who=f"u{number % 7}") for number in range(20)])
    with streaming(project) as stream:
        wait_for(stream, project, 20)
        broker.write(topic, [order(number, who=f"u{number % 7}") for number in range(20, 40)])
        wait_for(stream, project, 40)
    other = project_of(tmp_path / "alone", whence)
    segue(other, "run")
    assert [asked(project, HISTORY), events(project)] == [asked(other, HISTORY), events(other)]


def test_the_past_of_a_new_segment_is_put_beside_it_by_the_stream(project: Path) -> None:
    append(project / "data" / "a.ndjson", lines(*range(20)))
    with streaming(project) as stream:
        wait_for(stream, project, 20)
        (project / "segments" / "regulars.yaml").write_text(yaml.safe_dump(REGULARS))
        segue(project, "backfill", "--from", "2023-11-01T00:00:00Z", "--to", "2024-01-01T00:00:00Z")
        append(project / "data" / "a.ndjson", lines(*range(20, 30)))
        wait_for(stream, project, 30)
    assert [row["subject"] for row in asked(project, "SELECT subject FROM segment_backfilled ORDER BY ALL")] == PEOPLE
    assert [asked(project, HISTORY), events(project)] == alone(project)[:2]


def test_killed_while_it_commits_and_begun_again_every_event_counts_once(project: Path, tmp_path: Path) -> None:
    append(project / "data" / "a.ndjson", lines(*range(20)))
    dying(project, tmp_path / "fired", "script_sent:2")
    with streaming(project) as stream:
        wait_for(stream, project, 40)
    assert everything(project) == alone(project)


def dying(project: Path, log: Path, point: str) -> None:
    """A stream that dies in a cut of its own: what it caught up with was its first passage."""
    stream = begin(project, SEGUE_FAULT=point, SEGUE_FAULT_LOG=str(log))
    try:
        wait_for(stream, project, 20)
        append(project / "data" / "a.ndjson", lines(*range(20, 40)))
        stream.wait(timeout=300)
    finally:
        end(stream)
    assert stream.returncode == -signal.SIGKILL
    assert log.read_text() == f"{point}\n", "the fault never fired"
