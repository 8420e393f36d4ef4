"""Topics of brokers that librdkafka plays inside this process, over real sockets."""

from collections.abc import Iterable

import pytest

confluent_kafka = pytest.importorskip("confluent_kafka")
"""An extra of the package: where it is not installed, tests of topics have nothing to say."""

AT_MS = 1_700_000_000_000
AT = "2023-11-14T22:13:20.000000Z"


class Brokers:
    """A cluster that lives as long as its producer; a topic comes to be with its first record, and has four partitions."""

    def __init__(self) -> None:
        self.producer = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
        (broker,) = self.producer.list_topics(timeout=10).brokers.values()
        self.bootstrap = f"{broker.host}:{broker.port}"

    def write(self, topic: str, values: Iterable[bytes | None], partition: int = 0, at_ms: int = AT_MS) -> None:
        """Append records to a partition, all with one timestamp, and wait until they are there."""
        for value in values:
            self.producer.produce(topic, value, partition=partition, timestamp=at_ms)
        assert self.producer.flush(30) == 0
