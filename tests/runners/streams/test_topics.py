"""Runs over a topic: each reads to the end that it finds when it begins, and goes on where the last one ended."""

import json
import time
from pathlib import Path

import pytest

from runners.main import call
from runners.runs.outlook import Options
from runners.sources import kafka
from tests.support.begun import die
from tests.support.command_line import asked, segue
from tests.support.ordering import events, order, project_of, told
from tests.support.topics import AT, AT_MS, Brokers


@pytest.fixture(scope="module")
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return f"t{abs(hash(request.node.nodeid))}"


@pytest.fixture
def project(tmp_path: Path, brokers: Brokers, topic: str) -> Path:
    return project_of(tmp_path / "shop", {"kafka": {"bootstrap": brokers.bootstrap, "topic": topic}})


def runs(project: Path) -> int:
    return len(asked(project, "SELECT run_id FROM run_manifest"))


def test_a_run_reads_every_partition(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1), order(2)], partition=0)
    brokers.write(topic, [order(3, "bob")], partition=3)
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]
    assert {row["subject"] for row in asked(project, "SELECT subject FROM segment_membership")} == {"ann", "bob"}
    segue(project, "run")
    assert runs(project) == 1


def test_records_between_runs_are_read_once(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1)])
    segue(project, "run")
    brokers.write(topic, [order(2)])
    segue(project, "run")
    assert (events(project), runs(project)) == (["o1", "o2"], 2)
    (positions,) = asked(project, "SELECT inputs FROM run_manifest ORDER BY started_at DESC LIMIT 1")
    assert json.loads(positions["inputs"])["after"]["orders"][f"{topic}/0"] == {"offset": 2}


def test_a_partition_that_appears_later_is_read_from_its_beginning(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1)])
    segue(project, "run")
    brokers.write(topic, [order(2), order(3)], partition=2)
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_a_topic_gives_what_a_file_of_the_same_records_gives(
    tmp_path: Path, project: Path, brokers: Brokers, topic: str
) -> None:
    records = [order(number, f"u{number % 7}", number, got=AT) for number in range(60)]
    for partition in range(4):
        brokers.write(topic, records[partition::4], partition)
    other = project_of(tmp_path / "other", {"files": "data/*.ndjson"})
    (other / "data").mkdir()
    (other / "data/orders.ndjson").write_bytes(b"\n".join(records))
    segue(project, "run")
    segue(other, "run")
    for table in ("events", "segment_history", "quarantine"):
        assert told(project, table) == told(other, table), table


def test_a_tombstone_and_broken_json_are_in_quarantine(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [None, order(1), b"{broken"])
    segue(project, "run")
    rows = asked(project, "SELECT position, reason, octet_length(raw) AS size, received_at FROM quarantine ORDER BY position")
    place = f"{topic}\0{0:020}\0"
    assert [(row["position"], row["size"]) for row in rows] == [(f"{place}{0:020}", 0), (f"{place}{2:020}", 7)]
    assert {(row["reason"], row["received_at"]) for row in rows} == {("malformed", AT)}
    assert events(project) == ["o1"]


def test_lateness_is_told_by_the_timestamp_of_the_record(tmp_path: Path, brokers: Brokers, topic: str) -> None:
    whence = {"kafka": {"bootstrap": brokers.bootstrap, "topic": topic}}
    project = project_of(tmp_path / "late", whence, allowed_lateness="1d", on_late="quarantine")
    brokers.write(topic, [order(1)])
    brokers.write(topic, [order(2)], at_ms=AT_MS + 86_400_000)
    segue(project, "run")
    assert events(project) == ["o1"]
    assert [row["reason"] for row in asked(project, "SELECT reason FROM quarantine")] == ["late"]


def test_a_topic_that_is_not_there_is_an_empty_source_and_told(
    project: Path, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["--project-dir", str(project), "run"]) == 0
    assert f"there is no topic `{topic}`" in capsys.readouterr().err


def test_what_the_brokers_do_not_tell_ends_with_75_and_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kafka, "PATIENCE_S", 0.2)
    monkeypatch.setenv("BROKERS", "secret.invalid:9092")
    project = project_of(tmp_path / "shop", {"kafka": {"bootstrap": "${BROKERS}", "topic": "orders"}})
    assert call(["--project-dir", str(project), "run"]) == 75
    said = capsys.readouterr().err
    assert ("SEG-0703 the brokers of `orders` do not answer" in said, "secret" in said) == (True, False)


def test_a_plan_is_applied_to_the_offsets_that_it_has_found(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1), order(2)])
    plan = project / "plan.json"
    said = json.loads(segue(project, "--format", "json", "plan", "-o", str(plan)))
    assert (said["reads"]["partitions"], said["reads"]["offsets"], said["reads"]["files"]) == (1, 2, 0)
    assert "1 partition with 2 records at most to read" in segue(project, "plan")
    brokers.write(topic, [order(3)])
    brokers.write(topic, [order(4)], partition=1)
    segue(project, "apply", str(plan))
    assert events(project) == ["o1", "o2"]
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3", "o4"]


def test_a_run_is_retried_up_to_the_offsets_that_it_has_found(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1)])
    pin = die(project, Options(time.time_ns() // 1_000))
    brokers.write(topic, [order(2)])
    brokers.write(topic, [order(3)], partition=1)
    segue(project, "retry", pin)
    assert events(project) == ["o1"]
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_a_plan_whose_records_were_read_since_does_not_hold(project: Path, brokers: Brokers, topic: str) -> None:
    brokers.write(topic, [order(1)])
    plan = project / "plan.json"
    segue(project, "plan", "-o", str(plan))
    brokers.write(topic, [order(2)])
    segue(project, "run")
    assert call(["--quiet", "--project-dir", str(project), "apply", str(plan)]) == 2


def test_doctor_says_of_each_topic_whether_its_brokers_can_be_reached(
    tmp_path: Path, project: Path, brokers: Brokers, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    brokers.write(topic, [order(1)])
    assert call(["--project-dir", str(project), "doctor"]) == 0
    assert f"brokers of orders: `{topic}`, partitions: 4" in capsys.readouterr().out
    other = project_of(tmp_path / "other", {"kafka": {"bootstrap": "127.0.0.1:1", "topic": topic}})
    assert call(["--project-dir", str(other), "doctor"]) == 1
    assert "BROKEN brokers of orders: SEG-0703" in capsys.readouterr().out


def test_what_is_known_of_a_source_stays_where_its_records_come_from_a_topic_now(
    tmp_path: Path, brokers: Brokers, topic: str
) -> None:
    project = project_of(tmp_path / "shop", {"files": "data/*.ndjson"})
    (project / "data").mkdir()
    (project / "data/orders.ndjson").write_bytes(order(1))
    segue(project, "run")
    brokers.write(topic, [order(2)])
    project_of(project, {"kafka": {"bootstrap": brokers.bootstrap, "topic": topic}})
    segue(project, "run")
    assert events(project) == ["o1", "o2"]


def test_an_address_from_the_environment_is_in_no_artifact(
    tmp_path: Path, brokers: Brokers, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKERS", brokers.bootstrap)
    project = project_of(tmp_path / "shop", {"kafka": {"bootstrap": "${BROKERS}", "topic": topic}})
    brokers.write(topic, [order(1)])
    segue(project, "plan", "-o", str(project / "plan.json"))
    segue(project, "run")
    texts = [path.read_bytes() for path in project.rglob("*") if path.is_file()]
    assert not any(brokers.bootstrap.encode() in text for text in texts)
