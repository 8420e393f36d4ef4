"""One real broker of Kafka on this machine: started, killed and started again on the same data, stopped."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import end_with_parent, free_ports

confluent_kafka = pytest.importorskip("confluent_kafka")

AT_MS = 1_700_000_000_000
_READY_S, _ENDS_S = 60, 30
_SETTINGS = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.cleaner.backoff.ms=100
"""


class Broker:
    """A broker of its own folder and ports. `libraries` is where Kafka lies, as `make test-services` fetches it."""

    def __init__(self, libraries: Path, folder: Path) -> None:
        self.folder = folder
        self.java = ["java", "-Xmx256m", "-Xms256m", "-XX:+UseSerialGC", "-cp", f"{libraries}/*"]
        port, controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{port}"
        self.settings = folder / "server.properties"
        self.settings.write_text(_SETTINGS.format(port=port, controller=controller, folder=folder))
        format_ = ["kafka.tools.StorageTool", "format", "--standalone", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(self.settings)]
        subprocess.run([*self.java, *format_], check=True, capture_output=True)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            command = [*self.java, "kafka.Kafka", str(self.settings)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)
        told = self.admin.list_topics(timeout=_READY_S)
        assert told.brokers, (self.folder / "log").read_text()[-2000:]

    def kill(self) -> None:
        """End it on the spot, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in order; what does not end is killed."""
        self.process.terminate()
        try:
            self.process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self.kill()

    @cached_property
    def admin(self) -> Any:
        """Who makes topics and deletes records."""
        from confluent_kafka.admin import AdminClient

        return AdminClient(self._client())

    def _client(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200}

    def create(self, topic: str, partitions: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Make a topic, or give it more partitions."""
        from confluent_kafka.admin import NewPartitions, NewTopic

        if self._partitions(topic):
            made = self.admin.create_partitions([NewPartitions(topic, partitions)])
        else:
            made = self.admin.create_topics([NewTopic(topic, partitions, config=dict(settings or {}))])
        made[topic].result(_READY_S)
        deadline = time.monotonic() + _READY_S
        while self._partitions(topic) < partitions:  # the controller has made it; the broker learns of it a little later
            assert time.monotonic() < deadline, f"{topic} was made and is not there"

    def _partitions(self, topic: str) -> int:
        """How many a topic has; none where there is no such topic."""
        told = self.admin.list_topics(timeout=_READY_S).topics.get(topic)
        return 0 if told is None else len(told.partitions)

    def forget(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete the records before an offset, as retention does."""
        at = confluent_kafka.TopicPartition(topic, partition, before)
        self.admin.delete_records([at])[at].result(_READY_S)

    def write(self, topic: str, values: Iterable[bytes | None], partition: int = 0, at_ms: int = AT_MS) -> None:
        """Append records, and wait until they are there."""
        producer = confluent_kafka.Producer({**self._client(), "linger.ms": 5})
        self._produce(producer, topic, values, partition, at_ms)
        assert producer.flush(_READY_S) == 0

    def transact(self, topic: str, values: Iterable[bytes | None], commit: bool = True, is_left_open: bool = False) -> Any:
        """Append records in one transaction, and end it, or leave it open and give the producer."""
        producer = confluent_kafka.Producer({**self._client(), "transactional.id": f"{topic}-{os.urandom(4).hex()}"})
        producer.init_transactions(_READY_S)
        producer.begin_transaction()
        self._produce(producer, topic, values, 0, AT_MS)
        producer.flush(_READY_S)
        if not is_left_open:
            (producer.commit_transaction if commit else producer.abort_transaction)(_READY_S)
        return producer

    def _produce(self, producer: Any, topic: str, values: Iterable[bytes | None], partition: int, at_ms: int) -> None:
        for value in values:
            while True:
                try:
                    producer.produce(topic, value, key=b"k", partition=partition, timestamp=at_ms)
                    break
                except BufferError:
                    producer.poll(0.1)
