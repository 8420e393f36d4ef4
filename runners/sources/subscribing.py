"""Topics that are followed: every partition from where it was read to, and those that appear later from their beginning."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from itertools import groupby
from threading import Thread
from typing import TYPE_CHECKING, Any

from runners.sources.kafka import chunk_of, consumer_for, gone, refusal
from runners.sources.topics import Found, Topic, find
from schemas.cut import ALL, Heard, Share
from schemas.errors import SourceChanged, TryAgain
from schemas.record import Offset, Partition, RawChunk

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_AT_ONCE = 5_000
"""Messages of one poll: what they weigh is not known before."""
_WAIT_S = 0.05
_LOOK_US = 10_000_000
"""Between two looks for partitions that are new, or for brokers that were gone, microseconds."""


Positions = Mapping[str, Mapping[str, Any]]
"""By partition, as JSON."""


class Look:
    """What there is of a topic, asked beside the reader: brokers that are away answer late, and a cut does not wait for them."""

    def __init__(self, topic: Topic, positions: Positions) -> None:
        self.topic, self.positions = topic, positions
        self.found = Future[Found]()
        Thread(target=self._find, daemon=True).start()  # no stop waits for it either

    def _find(self) -> None:
        try:
            self.found.set_result(find(self.topic, self.positions))
        except BaseException as error:  # noqa: BLE001  whoever takes up what was found is told
            self.found.set_exception(error)


class TopicFollower:
    """Reads on in the partitions of a topic that are of a share. One consumer: they are assigned by hand, and nothing is
    committed to the brokers.

    Attributes:
      told_at: when each partition told of something last; `ended` are those read to their end.
      is_away: the brokers do not answer, or have not yet: nobody knows whether there is more.
    """

    def __init__(
        self, topic: Topic, idle_us: int, positions: Positions, clock: Callable[[], int], share: Share = ALL
    ) -> None:
        self.topic, self.idle_us, self.clock, self.share = topic, idle_us, clock, share
        self.consumer = consumer_for(topic.bootstrap, topic.group)
        self.ready = deque[RawChunk]()
        self.told_at: dict[int, int] = {}
        self.ended: set[int] = set()
        self.is_away = True
        self.assigned: dict[int, int] = {}
        self.known = {name: at for name, at in positions.items() if self._is_own(name)}
        self.look: Look | None = None
        self._ask()

    def poll(self) -> RawChunk | None:
        """The next records of one partition, None where there are none now.

        Errors: SourceChanged where records are gone that were not read; JobFailed where the brokers refuse.
        """
        if not self.ready:
            self._look()
            self.ready.extend(self._taken())
        return self.ready.popleft() if self.ready else None

    def _taken(self) -> Iterator[RawChunk]:
        messages = self.consumer.consume(_AT_ONCE, _WAIT_S) if self.assigned else []
        good = sorted((one for one in messages if one.error() is None), key=_number)  # stable: by offset within each
        for number, some in groupby(good, key=_number):
            chunk = chunk_of([*some], self.topic.source, self.topic.name, number)
            self.assigned[number] = chunk.after.offset if isinstance(chunk.after, Offset) else 0
            self.told_at[number], self.is_away = self.clock(), False
            self.ended.discard(number)
            yield chunk
        self._hear([message for message in messages if message.error() is not None])

    def _hear(self, errors: list["Message"]) -> None:
        from confluent_kafka import KafkaError

        for message in errors:
            code = message.error().code()
            if code == KafkaError._PARTITION_EOF:
                if message.offset() >= self.assigned[message.partition()]:  # else more was read since, with the same look
                    self.ended.add(message.partition())
            elif code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise gone(f"{self.topic.name}/{message.partition()}", "records")
            else:
                self._see(message.error())

    def _see(self, error: "KafkaError") -> None:
        failed = refusal(error, self.topic.source)
        if not isinstance(failed, TryAgain):
            raise failed
        self.is_away = True

    def _look(self) -> None:
        """Now and then: are the brokers there, and do they have more partitions."""
        if self.look is None and self.clock() - self.looked_at >= _LOOK_US:
            self._ask()
        if self.look is not None:
            wait([self.look.found], timeout=0 if self.assigned else _WAIT_S)
            if self.look.found.done():
                self._take_up(self.look)

    def _ask(self) -> None:
        self.looked_at, self.look = self.clock(), Look(self.topic, self._positions())

    def _positions(self) -> Positions:
        """How far each partition was read, here or before."""
        return {**self.known, **{self._name(number): Offset(at).to_json() for number, at in self.assigned.items()}}

    def _take_up(self, look: Look) -> None:
        """Read the partitions that are not read yet. Brokers that do not answer are asked again later."""
        self.look = None
        try:
            found = look.found.result()
        except TryAgain:
            self.is_away = True
        except SourceChanged:
            if look.positions == self._positions():
                raise
            self._ask()  # what is gone by now may have been read meanwhile
        else:
            self.is_away = False
            self._assign({one.number: one.start for one in found.partitions if self._is_new(one)})

    def _is_new(self, one: Partition) -> bool:
        return one.number not in self.assigned and self._is_own(one.file)

    def _is_own(self, name: str) -> bool:
        return self.share.has((self.topic.source, name))

    def _assign(self, new: Mapping[int, int]) -> None:
        from confluent_kafka import TopicPartition

        if new:
            self.consumer.incremental_assign([TopicPartition(self.topic.name, number, at) for number, at in new.items()])
            self.assigned |= new

    def heard(self) -> Heard:
        """The clock, and the partitions that are not idle: they told of something lately, or may have more to tell."""
        now = self.clock()
        idle = {number for number in self.ended if now - self.told_at.get(number, 0) >= self.idle_us}
        active = [number for number in sorted(self.assigned) if self.is_away or number not in idle]
        names = {self._name(number) for number in active} | ({*self.known} if self.is_away else set())
        return Heard(now, tuple((self.topic.source, name) for name in sorted(names)))

    def _name(self, number: int) -> str:
        return f"{self.topic.name}/{number}"

    def close(self) -> None:
        """Let go of the brokers."""
        with suppress(RuntimeError):  # it is closed already
            self.consumer.close()


def _number(message: "Message") -> int:
    return int(message.partition())


def clock() -> int:
    """The reader's clock, int64 microseconds UTC."""
    return time.time_ns() // 1_000
