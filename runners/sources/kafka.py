"""Kafka: consumers, the records of a partition up to an end that stays, and what brokers refuse."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from schemas.errors import JobFailed, SegueError, SourceChanged, TryAgain
from schemas.record import USUAL_RECORD, Offset, Partition, RawChunk

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message

PATIENCE_S = 10.0
"""So long brokers are waited for that do not answer."""
_SLICE_S = 0.1
_AT_ONCE = 1_000
"""Messages taken at once: what they weigh is not known before."""
_MOST, _BLOCK = 1 << 17, 1 << 23
"""Records and bytes of one chunk."""
_INSTANT = pa.timestamp("us", tz="UTC")
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999: a timestamp beyond them, as of a producer that mistakes its unit, is none."""


def consumer_for(bootstrap: str, group: str = "") -> "Consumer":
    """A consumer to which partitions are assigned by hand, and which commits nothing by itself.

    Errors: JobFailed where the package is not installed.
    """
    try:
        from confluent_kafka import Consumer
    except ModuleNotFoundError as missing:
        hint = "pip install 'segue[kafka]'"
        raise JobFailed("SEG-0705", "topics of Kafka are read with confluent-kafka, which is not installed", hint) from missing
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group or "segue",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 100,
            "fetch.queue.backoff.ms": 10,  # by default a second: the queue is empty by then, at a third of the speed
            "reconnect.backoff.max.ms": 1_000,
            "socket.timeout.ms": int(PATIENCE_S * 1000),
            "log_level": 0,
        }
    )


def chunk_of(messages: Sequence["Message"], source: str, topic: str, partition: int) -> RawChunk:
    """Messages of one partition as one chunk: their values in one buffer, with their offsets and timestamps.

    A message without a value is a record without bytes.
    """
    values = pa.array([message.value() or b"" for message in messages], pa.binary())
    offsets = np.array([message.offset() for message in messages], np.int64)
    stamps = np.array([message.timestamp() for message in messages], np.int64).reshape(-1, 2)
    none = (stamps[:, 0] == 0) | (stamps[:, 1] < _FIRST_MS) | (stamps[:, 1] > _LAST_MS)  # 0: the message says none
    received_at = pa.array(stamps[:, 1] * 1_000, mask=none).cast(_INSTANT)
    first, after = (int(offsets[0]), int(offsets[-1]) + 1) if len(offsets) else (0, 0)
    name = f"{topic}/{partition}"
    whole = RawChunk(source, name, "ndjson", first, values, after=Offset(after))
    return replace(whole, numbers=pa.array(offsets), received_at=received_at)


def read(partition: Partition) -> Iterator[RawChunk]:
    """The records from the start to the end of a partition. The last chunk's `after` is the position to commit."""
    with closing(consumer_for(partition.bootstrap, partition.group)) as consumer:
        from confluent_kafka import TopicPartition

        consumer.assign([TopicPartition(partition.topic, partition.number, partition.start)])
        reached, is_done = partition.start, False
        while not is_done:
            messages, reached, is_done = _some(consumer, partition, reached)
            chunk = chunk_of(messages, partition.source, partition.topic, partition.number)
            yield replace(chunk, after=Offset(reached), passed=(reached - partition.start) * USUAL_RECORD)


def _some(consumer: "Consumer", partition: Partition, reached: int) -> tuple[list["Message"], int, bool]:
    """The next messages before the end, the offset behind them, and whether the end is reached.

    It may hold no record: what ends a transaction has an offset too, and what is compacted leaves its own behind.
    """
    kept: list[Message] = []
    size, waited_since = 0, time.monotonic()
    while len(kept) < _MOST and size < _BLOCK:
        found = consumer.consume(min(_AT_ONCE, partition.end - reached), _SLICE_S) if reached < partition.end else []
        told = [message for message in found if message.error() is not None]
        messages = [message for message in found if message.error() is None] if told else found
        kept += [message for message in messages if message.offset() < partition.end]
        size += sum(map(len, messages))
        ends = [at for message in told if (at := _end_of(message, partition)) is not None]
        reached = min(partition.end, max([reached, *ends, *(message.offset() + 1 for message in messages[-1:])]))
        if ends or reached == partition.end:
            return kept, reached, True
        if messages:
            waited_since = time.monotonic()
        elif time.monotonic() - waited_since > PATIENCE_S:
            raise _silent(partition.source)
    return kept, reached, False


def _end_of(message: "Message", partition: Partition) -> int | None:
    """The offset at which there is nothing more to read now, where a message says so; what passes by itself is none.

    Errors: SourceChanged where the records are gone; JobFailed where they may not be read.
    """
    from confluent_kafka import KafkaError

    error = message.error()
    if error.code() == KafkaError._PARTITION_EOF:
        return int(message.offset())
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise gone(partition.file, "records")
    failed = refusal(error, partition.source)
    if not isinstance(failed, TryAgain):
        raise failed
    return None


def refusal(error: "KafkaError", source: str) -> SegueError:
    """What is said of an error of the brokers: that they refuse, or that they do not answer."""
    if "authorization" in error.name().lower() or "authentication" in error.name().lower():
        hint = "give this user the right to read the topic and to look at its offsets"
        return JobFailed("SEG-0704", f"the brokers of `{source}` refuse to let it be read ({error.name()})", hint)
    return _silent(source, error.name())


def _silent(source: str, why: str = "") -> TryAgain:
    told = f" ({why})" if why else ""
    hint = "see that they are up and can be reached from here; then the same call goes on"
    return TryAgain("SEG-0703", f"the brokers of `{source}` do not answer{told}", hint)


def gone(name: str, what: str) -> SourceChanged:
    """What is said of records of a partition that are not there any more and were not read."""
    hint = "`on_lost: skip` in the source goes on without them; --full-refresh forgets all that the topic does not hold any more"
    return SourceChanged("SEG-0702", f"`{name}`: {what} were deleted before they were read", hint)
