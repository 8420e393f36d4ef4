"""Topics that are followed: what is new, and which partitions are not idle."""

import socket
import time
from collections.abc import Iterator

import pytest

from runners.sources.kafka import PATIENCE_S
from runners.sources.subscribing import TopicFollower
from runners.sources.topics import Topic
from schemas.cut import Share
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


@pytest.fixture
def silent() -> Iterator[str]:
    """A broker that takes calls and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_brokers_that_do_not_answer_hold_up_t_and_not_the_reader(silent: str) -> None:
    began = time.monotonic()
    follower = TopicFollower(Topic("orders", silent, "quiet", ""), IDLE_US, {"quiet/0": {"offset": 2}}, Watch())
    assert follower.poll() is None
    assert follower.heard().active == (("orders", "quiet/0"),)
    follower.close()
    assert time.monotonic() - began < PATIENCE_S / 2


def test_brokers_that_answer_late_are_read_from_where_it_was_committed(brokers: Brokers) -> None:
    """Whoever closes a cut before they have answered is told that more may come."""
    brokers.write("late", [b"a", b"b", b"c"])
    follower = TopicFollower(Topic("orders", brokers.bootstrap, "late", ""), 0, {"late/0": {"offset": 1}}, Watch())
    assert follower.heard().active == (("orders", "late/0"),)
    assert read_to_the_end(follower, 2) == [b"b", b"c"]
    assert follower.heard().active == ()
    follower.close()


def test_of_several_readers_each_partition_is_read_by_one(brokers: Brokers) -> None:
    for partition in range(4):
        brokers.write("shared", [b"%d" % partition], partition)
    topic, shares = Topic("orders", brokers.bootstrap, "shared", ""), [Share(number, 3) for number in range(3)]
    assigned = [sum(share.has(("orders", f"shared/{number}")) for number in range(4)) for share in shares]
    followers = [TopicFollower(topic, IDLE_US, {}, Watch(), share) for share in shares]
    told = [read_to_the_end(one, count) for one, count in zip(followers, assigned, strict=True)]
    assert sorted(record for one in told for record in one) == [b"0", b"1", b"2", b"3"]
    assert [len(one.heard().active) for one in followers] == assigned
    for one in followers:
        one.close()


def test_how_far_another_reader_was_is_nothing_that_a_reader_waits_for_or_misses(brokers: Brokers) -> None:
    share = next(one for number in range(2) if not (one := Share(number, 2)).has(("orders", "others/0")))
    topic = Topic("orders", brokers.bootstrap, "others", "")
    follower = TopicFollower(topic, IDLE_US, {"others/0": {"offset": 2}}, Watch(), share)
    assert follower.heard().active == ()
    follower.close()
