"""Topics of Kafka as sources: what there is to read of each partition, and its records up to an end that stays."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.project import filled
from schemas.definitions.source import Source
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


@dataclass(frozen=True)
class Topic:
    """A topic as a source names it, its variables filled in. What may be a secret is never shown.

    Attributes:
      skips: whether records that were deleted before they were read are passed over.
    """

    source: str
    bootstrap: str = field(repr=False)
    name: str
    group: str = ""
    skips: bool = False

    @classmethod
    def of(cls, source: Source, environment: Mapping[str, str] = os.environ) -> "Topic":
        """The topic of a source. Errors: CallError for a variable that is not set."""
        kafka = source.kafka
        if kafka is None:
            raise ValueError(f"`{source.name}` is no topic")
        bootstrap, name, group = (filled(text, environment) for text in (kafka.bootstrap, kafka.topic, kafka.group))
        return cls(source.name, bootstrap, name, group, kafka.on_lost == "skip")


class Lost(NamedTuple):
    """The name of a partition, and the records of it that are gone, in words."""

    name: str
    what: str


@dataclass(frozen=True)
class Found:
    """What there is of a topic.

    Attributes:
      partitions: all of them, each from where it was read to, up to its end now.
      shortened: names of those that do not hold their first records any more.
      is_there: whether there is such a topic.
      lost: records that were deleted before they were read, and are passed over.
    """

    partitions: tuple[Partition, ...]
    shortened: tuple[str, ...]
    is_there: bool
    lost: tuple[Lost, ...] = ()


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
    received_at = pa.array(stamps[:, 1] * 1_000, mask=stamps[:, 0] == 0).cast(_INSTANT)  # 0: the message has none
    first, after = (int(offsets[0]), int(offsets[-1]) + 1) if len(offsets) else (0, 0)
    name = f"{topic}/{partition}"
    whole = RawChunk(source, name, "ndjson", first, values, after=Offset(after))
    return replace(whole, numbers=pa.array(offsets), received_at=received_at)


def find(topic: Topic, known: Mapping[str, Mapping[str, Any]]) -> Found:
    """The partitions of a topic, each with its committed or earliest and its end offset.

    Errors: TryAgain where the brokers do not answer; SourceChanged where records are gone that were not read.
    """
    with closing(consumer_for(topic.bootstrap, topic.group)) as consumer:
        from confluent_kafka import KafkaException, TopicPartition

        try:
            numbers = _numbers(consumer, topic, PATIENCE_S)
            asked = [TopicPartition(topic.name, number) for number in numbers or ()]
            bounds = [consumer.get_watermark_offsets(one, timeout=PATIENCE_S) for one in asked]
        except KafkaException as failed:
            raise refusal(failed.args[0], topic.source) from None
    whole = [
        Partition(topic.source, topic.name, one.partition, earliest, end, topic.bootstrap, topic.group)
        for one, (earliest, end) in zip(asked, bounds, strict=True)
    ]
    lost = tuple(filter(None, (_lost(one, known) for one in whole)))
    if lost and not topic.skips:
        raise _gone(*lost[0])
    shortened = tuple(one.file for one in whole if one.start)
    return Found(tuple(_from_committed(one, known) for one in whole), shortened, numbers is not None, lost)


def _lost(whole: Partition, known: Mapping[str, Mapping[str, Any]]) -> Lost | None:
    """What was deleted of a partition before it was read."""
    read_to = Offset.from_json(known[whole.file]).offset if whole.file in known else whole.start
    return Lost(whole.file, f"the records from offset {read_to} to {whole.start - 1}") if read_to < whole.start else None


def reach(topic: Topic, patience_s: float) -> str:
    """What the brokers say of a topic. Errors: TryAgain where they do not answer; JobFailed where they refuse."""
    with closing(consumer_for(topic.bootstrap, topic.group)) as consumer:
        from confluent_kafka import KafkaException

        try:
            numbers = _numbers(consumer, topic, patience_s)
        except KafkaException as failed:
            raise refusal(failed.args[0], topic.source) from None
    return f"no topic `{topic.name}` yet" if numbers is None else f"`{topic.name}`, partitions: {len(numbers)}"


def tell_group(topic: Topic, positions: Mapping[str, Mapping[str, Any]]) -> None:
    """Commit how far a topic was read in the name of its group, for those who watch the brokers; runs do not read it.

    Errors: TryAgain where the brokers do not answer; JobFailed where they refuse.
    """
    with closing(consumer_for(topic.bootstrap, topic.group)) as consumer:
        from confluent_kafka import KafkaException, TopicPartition

        places = [(name.rpartition("/"), Offset.from_json(at).offset) for name, at in positions.items() if "offset" in at]
        reached = [TopicPartition(topic.name, int(number), at) for (name, _, number), at in places if name == topic.name]
        try:
            consumer.commit(offsets=reached, asynchronous=False)
        except KafkaException as failed:
            raise refusal(failed.args[0], topic.source) from None


def _numbers(consumer: "Consumer", topic: Topic, patience_s: float) -> list[int] | None:
    """The numbers of the partitions; None where there is no such topic."""
    from confluent_kafka import KafkaError, KafkaException

    told = consumer.list_topics(topic.name, timeout=patience_s).topics[topic.name]
    if told.error is None:
        return sorted(told.partitions)
    if told.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return None
    raise KafkaException(told.error)


def _from_committed(whole: Partition, known: Mapping[str, Mapping[str, Any]]) -> Partition:
    """The partition from where it was read to."""
    start = Offset.from_json(known[whole.file]).offset if whole.file in known else whole.start
    if start > whole.end:
        message = f"`{whole.file}` ends at offset {whole.end} and was read up to {start}: it is another topic of that name"
        raise SourceChanged("SEG-0702", message, "read everything again with --full-refresh, or write to a topic of a new name")
    return replace(whole, start=max(start, whole.start))


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
        raise _gone(partition.file, "records")
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


def _gone(name: str, what: str) -> SourceChanged:
    hint = "`on_lost: skip` in the source goes on without them; --full-refresh forgets all that the topic does not hold any more"
    return SourceChanged("SEG-0702", f"`{name}`: {what} were deleted before they were read", hint)
