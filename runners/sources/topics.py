"""Topics as sources name them: what there is of each partition, and how far it was read."""

import os
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from runners.sources import kafka
from runners.sources.kafka import consumer_for, gone, refusal
from schemas.definitions.project import filled
from schemas.definitions.source import Source
from schemas.definitions.whence import BOOTSTRAP, TOPIC
from schemas.errors import CallError, SourceChanged, TryAgain
from schemas.record import Offset, Partition

if TYPE_CHECKING:
    from confluent_kafka import Consumer
    from confluent_kafka.admin import TopicMetadata

Waiting = Callable[[], None]
_SLICE_S, _AT_ONCE = 1.0, 16


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
        """The topic of a source. Errors: CallError for a variable that is not set, or holds no address."""
        said = source.kafka
        if said is None:
            raise ValueError(f"`{source.name}` is no topic")
        bootstrap = fitting(said.bootstrap, BOOTSTRAP, "host:port, or several with commas", environment)
        name = fitting(said.topic, TOPIC, "letters, digits, dots, dashes and underscores", environment)
        return cls(source.name, bootstrap, name, filled(said.group, environment), said.on_lost == "skip")


def fitting(written: str, rule: str, expected: str, environment: Mapping[str, str], what: str = "topic") -> str:
    """The text with its variables filled in, by the rule that a text without any is read by.

    Errors: CallError for a variable that is not set, or holds no such address.
    """
    found = filled(written, environment)
    if re.fullmatch(rule, found) is None:
        raise CallError("SEG-0415", f"what `{written}` stands for is no address of a {what}", f"it takes {expected}")
    return found


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


def find(topic: Topic, known: Mapping[str, Mapping[str, Any]], waiting: Waiting = lambda: None) -> Found:
    """The partitions of a topic, each with its committed or earliest and its end offset.

    Args:
      known: how far they were read, by `topic/partition`.
      waiting: told each time that the brokers are asked, until they answer.

    Errors: TryAgain where the brokers do not answer; SourceChanged where records are gone that were not read.
    """
    with closing(consumer_for(topic.bootstrap, topic.group)) as consumer:
        from confluent_kafka import KafkaException, TopicPartition

        try:
            numbers = _numbers(consumer, topic, kafka.PATIENCE_S, waiting)
            asked = [TopicPartition(topic.name, number) for number in numbers or ()]
            with ThreadPoolExecutor(_AT_ONCE) as pool:  # each is a way to the broker and back
                bounds = list(pool.map(partial(consumer.get_watermark_offsets, timeout=kafka.PATIENCE_S), asked))
        except KafkaException as failed:
            raise refusal(failed.args[0], topic.source) from None
    whole = [
        Partition(topic.source, topic.name, one.partition, earliest, end, topic.bootstrap, topic.group)
        for one, (earliest, end) in zip(asked, bounds, strict=True)
    ]
    lost = tuple(filter(None, (_lost(one, known) for one in whole)))
    if lost and not topic.skips:
        raise gone(*lost[0])
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
        if not reached:
            return
        try:
            consumer.commit(offsets=reached, asynchronous=False)
        except KafkaException as failed:
            raise refusal(failed.args[0], topic.source) from None


def _numbers(consumer: "Consumer", topic: Topic, patience_s: float, waiting: Waiting = lambda: None) -> list[int] | None:
    """The numbers of the partitions; None where there is no such topic."""
    from confluent_kafka import KafkaError, KafkaException

    told = _metadata(consumer, topic, time.monotonic() + patience_s, waiting)
    if told.error is None:
        return sorted(told.partitions)
    if told.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return None
    raise KafkaException(told.error)


def _metadata(consumer: "Consumer", topic: Topic, until: float, waiting: Waiting) -> "TopicMetadata":
    """What the brokers say of a topic. They are asked again and again: a call that waits can not be stopped by hand."""
    from confluent_kafka import KafkaException

    while True:
        waiting()
        left = until - time.monotonic()
        try:
            return consumer.list_topics(topic.name, timeout=max(0.01, min(left, _SLICE_S))).topics[topic.name]
        except KafkaException as failed:
            if left < _SLICE_S or not isinstance(refusal(failed.args[0], topic.source), TryAgain):
                raise


def _from_committed(whole: Partition, known: Mapping[str, Mapping[str, Any]]) -> Partition:
    """The partition from where it was read to."""
    start = Offset.from_json(known[whole.file]).offset if whole.file in known else whole.start
    if start > whole.end:
        message = f"`{whole.file}` ends at offset {whole.end} and was read up to {start}: it is another topic of that name"
        raise SourceChanged("SEG-0702", message, "read everything again with --full-refresh, or write to a topic of a new name")
    return replace(whole, start=max(start, whole.start))
