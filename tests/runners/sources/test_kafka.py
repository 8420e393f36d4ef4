"""What there is to read of a topic, and its records: from a committed offset up to an end that stays."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from runners.sources import kafka
from runners.sources.kafka import chunk_of, read, refusal
from runners.sources.topics import Found, Topic, find
from schemas.errors import CallError, JobFailed, SourceChanged, TryAgain
from schemas.record import LONGEST_RECORD, Offset, Partition, RawChunk
from tests.support.raw_files import accepted, decoded, rejected, source_of
from tests.support.topics import AT_MS, Brokers, confluent_kafka

AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
UNMAPPED = {"event": "'buy'", "subject": "who", "occurred_at": "at"}


@pytest.fixture(scope="module")
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def topic(brokers: Brokers, request: pytest.FixtureRequest) -> Topic:
    return Topic("orders", brokers.bootstrap, f"t{abs(hash(request.node.nodeid))}", "")


def record(number: int, more: str = "") -> bytes:
    return f'{{"id":"o{number}","who":"ann","at":"2023-11-14T10:00:00Z"{more}}}'.encode()


def records(chunks: Iterator[RawChunk]) -> list[bytes]:
    return [one for chunk in chunks for one in chunk.records.to_pylist()]


def first_of(found: Found) -> Partition:
    return found.partitions[0]


def test_a_partition_is_read_from_its_beginning_to_the_end_found(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [b"a", b"b"])
    found = first_of(find(topic, {}))
    brokers.write(topic.name, [b"c"])
    chunks = list(read(found))
    assert (records(iter(chunks)), chunks[-1].after) == ([b"a", b"b"], Offset(2))


def test_a_partition_is_read_on_from_its_committed_offset(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [b"a", b"b", b"c"])
    found = first_of(find(topic, {f"{topic.name}/0": {"offset": 2}}))
    assert (found.start, found.end, records(read(found))) == (2, 3, [b"c"])


def test_every_partition_is_found(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [b"a"], partition=2)
    found = find(topic, {})
    assert [(one.number, one.end) for one in found.partitions] == [(0, 0), (1, 0), (2, 1), (3, 0)]
    assert (found.is_there, found.shortened) == (True, ())


def test_a_topic_that_is_not_there_has_no_partitions(topic: Topic) -> None:
    assert find(topic, {}) == Found((), (), False)


def test_a_topic_that_ends_before_what_was_read_is_another_one(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [b"a"])
    with pytest.raises(SourceChanged, match="was read up to 5"):
        find(topic, {f"{topic.name}/0": {"offset": 5}})


def test_brokers_that_do_not_answer_are_waited_for_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "PATIENCE_S", 0.2)
    waited: list[bool] = []
    with pytest.raises(TryAgain, match="the brokers of `orders` do not answer"):
        find(Topic("orders", "127.0.0.1:1", "orders", ""), {}, lambda: waited.append(True))
    assert waited


def test_brokers_that_fall_silent_while_they_are_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "PATIENCE_S", 0.2)
    with pytest.raises(TryAgain, match="do not answer"):
        list(read(Partition("orders", "orders", 0, 0, 5, "127.0.0.1:1")))


def test_an_address_that_is_a_secret_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "PATIENCE_S", 0.2)
    source = source_of(**{"from": {"kafka": {"bootstrap": "${BROKERS}", "topic": "orders"}}})
    topic = Topic.of(source, {"BROKERS": "secret.invalid:9092"})
    with pytest.raises(TryAgain) as told:
        find(topic, {})
    assert topic.bootstrap == "secret.invalid:9092"
    assert "secret" not in f"{told.value} {topic} {Partition('s', 't', 0, 0, 1, topic.bootstrap)}"


@pytest.mark.parametrize("code", ["TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "_AUTHENTICATION"])
def test_brokers_that_refuse_are_no_brokers_that_do_not_answer(code: str) -> None:
    told = refusal(confluent_kafka.KafkaError(getattr(confluent_kafka.KafkaError, code)), "orders")
    assert (type(told), told.code, code in told.message) == (JobFailed, "SEG-0704", True)


def test_a_variable_that_is_not_set_is_told_by_name() -> None:
    source = source_of(**{"from": {"kafka": {"bootstrap": "${BROKERS}", "topic": "orders"}}})
    with pytest.raises(CallError, match="BROKERS"):
        Topic.of(source, {})


def test_a_variable_that_holds_no_address_is_told_by_name_and_its_value_is_not() -> None:
    source = source_of(**{"from": {"kafka": {"bootstrap": "${BROKERS}", "topic": "orders"}}})
    with pytest.raises(CallError, match="BROKERS") as told:
        Topic.of(source, {"BROKERS": "a-secret"})
    assert "a-secret" not in str(told.value)


def test_where_the_package_is_missing_its_extra_is_named(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(JobFailed, match="not installed") as told:
        find(topic, {})
    assert told.value.hint == "pip install 'segue[kafka]'"


def test_records_are_cut_into_chunks_of_limited_bytes(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [b"x" * 100_000] * 30)
    chunks = list(read(first_of(find(topic, {}))))
    assert sum(map(len, chunks)) == 30
    assert [chunk.after.to_json() for chunk in chunks][-1] == {"offset": 30}


def test_an_unmapped_event_id_is_topic_partition_and_offset(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [record(1), record(2)], partition=3)
    (chunk,) = list(read(find(topic, {}).partitions[3]))
    ids = accepted(decoded([chunk], source_of(fields=UNMAPPED)))["event_id"].to_pylist()
    assert ids == ["\0".join((topic.name, f"{3:020}", f"{offset:020}")) for offset in range(2)]


def test_an_unmapped_receipt_is_the_timestamp_of_the_record(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [record(1)])
    chunks = list(read(first_of(find(topic, {}))))
    assert accepted(decoded(chunks, source_of()))["received_at"].to_pylist() == [AT]


def test_a_receipt_that_a_record_does_not_say_is_its_timestamp(brokers: Brokers, topic: Topic) -> None:
    brokers.write(topic.name, [record(1), record(2, ',"got":"2023-11-15T00:00:00Z"')])
    source = source_of(fields={**UNMAPPED, "received_at": "got"})
    found = accepted(decoded(read(first_of(find(topic, {}))), source))["received_at"].to_pylist()
    assert found == [AT, datetime(2023, 11, 15, tzinfo=UTC)]


def message(offset: int, value: bytes | None, stamp: tuple[int, int] = (1, AT_MS)) -> Any:
    return confluent_kafka.Message(topic="orders", partition=1, offset=offset, value=value, timestamp=stamp)


def test_offsets_have_gaps_and_each_record_keeps_its_own() -> None:
    chunk = chunk_of([message(4, record(1)), message(7, b"{"), message(9, record(2))], "orders", "orders", 1)
    (found,) = decoded([chunk], source_of(fields=UNMAPPED))
    assert [one[-2:] for one in accepted([found])["event_id"].to_pylist()] == ["04", "09"]
    assert [one[-2:] for one in rejected([found])["position"].to_pylist()] == ["07"]
    assert (chunk.first, chunk.after) == (4, Offset(10))


def test_a_tombstone_and_what_is_no_json_are_set_aside_with_their_bytes_and_when_they_came() -> None:
    chunk = chunk_of([message(0, None), message(1, b"\xff"), message(2, record(1))], "orders", "orders", 1)
    (found,) = decoded([chunk], source_of())
    aside = rejected([found])
    assert aside["raw"].to_pylist() == [b"", b"\xff"]
    assert aside["reason"].to_pylist() == ["malformed", "malformed"]
    assert aside["received_at"].to_pylist() == [AT, AT]
    assert found.accepted.num_rows == 1


def test_a_record_over_many_lines_is_one_record() -> None:
    chunk = chunk_of([message(0, record(1).replace(b",", b",\n")), message(1, record(2) + b"\n")], "orders", "orders", 1)
    assert accepted(decoded([chunk], source_of()))["event_id"].to_pylist() == ["o1", "o2"]


@pytest.mark.parametrize("stamp", [(0, -1), (1, AT_MS * 1_000), (1, 2**63 - 1), (2, -(2**62))])
def test_a_record_without_a_timestamp_that_can_be_is_received_when_it_occurred(stamp: tuple[int, int]) -> None:
    chunk = chunk_of([message(0, record(1), stamp)], "orders", "orders", 1)
    found = accepted(decoded([chunk], source_of()))
    assert found["received_at"].to_pylist() == found["occurred_at"].to_pylist()


def test_no_message_is_a_chunk_of_no_record() -> None:
    assert len(chunk_of([], "orders", "orders", 1)) == 0


def test_a_record_that_is_too_long_is_set_aside() -> None:
    long = record(1, ',"note":"' + "x" * LONGEST_RECORD + '"')
    chunk = chunk_of([message(0, long), message(1, record(2))], "orders", "orders", 1)
    (found,) = decoded([chunk], source_of())
    assert (rejected([found])["reason"].to_pylist(), found.accepted["event_id"].to_pylist()) == (["too_large"], ["o2"])
