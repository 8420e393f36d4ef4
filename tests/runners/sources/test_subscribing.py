"""Topics that are followed: what is new, and which partitions are not idle."""

import pytest

from runners.sources.subscribing import TopicFollower
from runners.sources.topics import Topic
from tests.support.topics import Brokers

IDLE_US = 5_000_000
LOOKS = 200


@pytest.fixture(scope="module")
def brokers() -> Brokers:
    return Brokers()


class Watch:
    """A clock that is set by hand, int64 microseconds UTC."""

    at = 1_000_000_000

    def __call__(self) -> int:
        return self.at


def read_to_the_end(follower: TopicFollower, count: int) -> list[bytes]:
    """So many records, once every partition was read to its end."""
    found: list[bytes] = []
    for _ in range(LOOKS):
        chunk = follower.poll()
        found += [] if chunk is None else chunk.records.to_pylist()
        if len(found) >= count and len(follower.ended) == len(follower.assigned):
            return found
    raise AssertionError(f"{follower.ended} of {[*follower.assigned]} ended")


def test_a_partition_is_idle_once_it_is_read_to_its_end_and_has_been_silent(brokers: Brokers) -> None:
    brokers.write("spoken", [b"a", b"b"])
    watch = Watch()
    follower = TopicFollower(Topic("orders", brokers.bootstrap, "spoken", ""), IDLE_US, {}, watch)
    assert read_to_the_end(follower, 2) == [b"a", b"b"]
    assert follower.heard().active == (("orders", "spoken/0"),)
    watch.at += IDLE_US
    assert follower.heard().active == ()
    brokers.write("spoken", [b"c"])
    assert read_to_the_end(follower, 1) == [b"c"]
    assert follower.heard().active == (("orders", "spoken/0"),)
    follower.close()


def test_what_was_committed_is_not_read_again(brokers: Brokers) -> None:
    brokers.write("known", [b"a", b"b", b"c"])
    topic = Topic("orders", brokers.bootstrap, "known", "")
    follower = TopicFollower(topic, 0, {"known/0": {"offset": 2}}, Watch())
    assert read_to_the_end(follower, 1) == [b"c"]
    assert follower.heard().active == ()
    follower.close()
