"""Runs over a real broker: transactions, retention, more partitions, and a broker that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runners.main import call
from runners.sources import kafka
from runners.sources.kafka import read
from runners.sources.topics import Topic, find
from schemas.errors import SourceChanged, TryAgain
from schemas.record import Offset
from tests.support.broker import AT_MS, Broker, confluent_kafka
from tests.support.command_line import asked, segue
from tests.support.ordering import events, order, project_of, told

pytestmark = pytest.mark.services


@pytest.fixture
def project(tmp_path: Path, broker: Broker, topic: str) -> Path:
    return project_of(tmp_path / "shop", {"kafka": {"bootstrap": broker.bootstrap, "topic": topic, "group": "watched"}})


@pytest.fixture
def whole(broker: Broker, topic: str) -> Topic:
    return Topic("orders", broker.bootstrap, topic, "")


def run(project: Path) -> int:
    return call(["--quiet", "--project-dir", str(project), "run"])


def test_the_end_of_a_transaction_is_no_record_and_the_run_ends_behind_it(broker: Broker, topic: str, whole: Topic) -> None:
    broker.transact(topic, [b"a", b"b"])
    broker.transact(topic, [b"c"])
    (found,) = find(whole, {}).partitions
    (chunk,) = list(read(found))
    assert (chunk.numbers.to_pylist(), found.end, chunk.after) == ([0, 1, 3], 5, Offset(5))


def test_what_compaction_leaves_behind_are_gaps_and_each_record_keeps_its_offset(broker: Broker, topic: str) -> None:
    compacted = Topic("orders", broker.bootstrap, f"{topic}-compacted")
    broker.create(compacted.name, settings={"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0"})
    written, numbers = 0, list[int]()
    until = time.monotonic() + 60
    while len(numbers) == written and time.monotonic() < until:  # it compacts when it likes, what lies a second of records back
        broker.write(compacted.name, [b"%d" % written], at_ms=AT_MS + written * 1_000)
        written += 1
        (found,) = find(compacted, {}).partitions
        chunks = list(read(found))
        numbers = [number for chunk in chunks for number in chunk.numbers.to_pylist()]
    values = [int(value) for chunk in chunks for value in chunk.records.to_pylist()]
    assert len(numbers) < written
    assert (values, chunks[-1].after) == (numbers, Offset(written))


def test_what_a_transaction_takes_back_is_not_read(broker: Broker, topic: str, project: Path) -> None:
    broker.transact(topic, [order(1)], commit=False)
    broker.transact(topic, [order(2)])
    segue(project, "run")
    assert events(project) == ["o2"]


def test_a_transaction_that_is_open_is_read_once_it_has_ended(broker: Broker, topic: str, project: Path) -> None:
    broker.write(topic, [order(1)])
    writer = broker.transact(topic, [order(2)], is_left_open=True)
    broker.write(topic, [order(3)])
    segue(project, "run")
    assert events(project) == ["o1"]
    writer.commit_transaction(30)
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_a_partition_that_is_added_is_read_from_its_beginning(broker: Broker, topic: str, project: Path) -> None:
    broker.write(topic, [order(1)])
    segue(project, "run")
    broker.create(topic, partitions=3)
    broker.write(topic, [order(2), order(3)], partition=2)
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_records_deleted_before_they_were_read_stop_the_run_and_a_full_refresh_goes_on(
    broker: Broker, topic: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.write(topic, [order(1), order(2)])
    segue(project, "run")
    broker.write(topic, [order(3), order(4)])
    broker.forget(topic, before=3)
    assert run(project) == 1
    assert f"SEG-0702 `{topic}/0`: the records from offset 2 to 2 were deleted" in capsys.readouterr().err
    segue(project, "run", "--full-refresh")
    assert events(project) == ["o4"]


def test_a_source_may_go_on_without_what_was_deleted_and_the_run_says_so(
    tmp_path: Path, broker: Broker, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whence = {"kafka": {"bootstrap": broker.bootstrap, "topic": topic, "on_lost": "skip"}}
    project = project_of(tmp_path / "skips", whence)
    broker.write(topic, [order(1)])
    segue(project, "run")
    broker.write(topic, [order(2), order(3)])
    broker.forget(topic, before=2)
    assert call(["--project-dir", str(project), "run"]) == 0
    said = f"the records from offset 1 to 1 of `{topic}/0` were deleted before they were read: they are skipped"
    assert said in capsys.readouterr().err
    assert events(project) == ["o1", "o3"]


def test_records_deleted_after_they_were_read_stay_and_are_no_concern(broker: Broker, topic: str, project: Path) -> None:
    broker.write(topic, [order(1), order(2)])
    segue(project, "run")
    broker.forget(topic, before=2)
    broker.write(topic, [order(3)])
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_a_source_to_be_read_again_whose_first_records_are_gone_closes_the_gate(
    broker: Broker, topic: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.write(topic, [order(1), order(2)])
    segue(project, "run")
    broker.forget(topic, before=1)
    source = project / "sources/orders.yaml"
    source.write_text(source.read_text() + "timezone: Europe/Berlin\n")
    assert run(project) == 4
    assert f"`{topic}/0` is not there from its beginning to be read again" in capsys.readouterr().err


def test_records_deleted_while_they_are_read_are_told(broker: Broker, topic: str, whole: Topic) -> None:
    broker.write(topic, [b"a", b"b", b"c"])
    (found,) = find(whole, {}).partitions
    broker.forget(topic, before=2)
    with pytest.raises(SourceChanged, match="deleted before they were read"):
        list(read(found))


def test_the_group_of_a_source_is_told_how_far_it_was_read(broker: Broker, topic: str, project: Path) -> None:
    broker.write(topic, [order(1), order(2)])
    segue(project, "run")
    asked = confluent_kafka.TopicPartition(topic, 0)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "watched"})
    (found,) = consumer.committed([asked], timeout=30)
    consumer.close()
    assert found.offset == 2


def test_a_broker_that_is_gone_ends_the_run_with_75_and_nothing_is_lost_when_it_is_back(
    broker: Broker, topic: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.write(topic, [order(1)])
    segue(project, "run")
    broker.write(topic, [order(2)])
    broker.kill()
    with monkeypatch.context() as patched:
        patched.setattr(kafka, "PATIENCE_S", 1.0)
        assert run(project) == 75
        assert events(project) == ["o1"]
    broker.start()
    segue(project, "run")
    assert events(project) == ["o1", "o2"]


def test_a_broker_that_is_killed_while_it_is_read_is_told_and_its_records_are_read_from_the_committed_offset(
    broker: Broker, topic: str, whole: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 400_000
    broker.write(topic, (b'{"id":%d,"note":"%s"}' % (number, b"x" * 200) for number in range(count)))
    (found,) = find(whole, {}).partitions
    chunks = read(found)
    first = next(chunks)
    broker.kill()
    with monkeypatch.context() as patched:
        patched.setattr(kafka, "PATIENCE_S", 1.0)
        with pytest.raises(TryAgain):
            list(chunks)
    broker.start()
    (again,) = find(whole, {f"{topic}/0": first.after.to_json()}).partitions
    assert len(first) + sum(map(len, read(again))) == count


def test_a_broker_that_is_killed_in_the_middle_of_a_run_ends_it_with_75_and_the_next_reads_all_records_once(
    broker: Broker, topic: str, project: Path, tmp_path: Path
) -> None:
    """The run stands still at its first chunk, while the broker dies."""
    count = 300_000
    broker.write(topic, (order(number, f"u{number % 100}", note="x" * 400) for number in range(count)))
    stopped = {"SEGUE_FAULT": "decoded:1", "SEGUE_FAULT_SIGNAL": "SIGSTOP"}
    command = [sys.executable, "-m", "runners.main", "--quiet", "--project-dir", str(project), "run"]
    process = subprocess.Popen(command, env={**os.environ, **stopped}, stderr=subprocess.PIPE, text=True)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    broker.kill()
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate()
    broker.start()
    assert (process.returncode, "SEG-0703" in said, "Traceback" in said) == (75, True, False)
    segue(project, "run")
    assert asked(project, "SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM events") == [{"n": count, "ids": count}]


def test_a_topic_gives_what_a_file_of_the_same_records_gives(
    tmp_path: Path, broker: Broker, topic: str, project: Path
) -> None:
    records = [order(number, f"u{number % 97}", number, got="2023-11-20T00:00:00Z") for number in range(3_000)]
    broker.write(topic, records[:1_000])
    segue(project, "run")
    broker.transact(topic, records[1_000:])
    segue(project, "run")
    other = project_of(tmp_path / "other", {"files": "data/*.ndjson"})
    (other / "data").mkdir()
    (other / "data/orders.ndjson").write_bytes(b"\n".join(records))
    segue(other, "run")
    assert told(project, "events") == told(other, "events")
    current = "(SELECT * EXCLUDE (known_from) FROM segment_history WHERE known_to IS NULL)"
    assert told(project, current) == told(other, current)
