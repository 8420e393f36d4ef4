"""By what somebody has entered or left: by what lies at that very instant, else by the time that has passed."""

from pathlib import Path

import pytest

from tests.support.histories import Shard
from tests.support.merged import FREE, event, instant, world
from tests.support.oracle_model import Json
from transforms.algebra import reasons

SOURCES: Json = {"web": {"kind": "events", "properties": {}}}
LATELY: Json = {"did": {"event": "buy", "window": "5h"}}


@pytest.mark.parametrize("buckets", [reasons._BUCKETS, 1], ids=["few of one hash", "all of one hash"])
def test_who_enters_by_an_event_and_leaves_as_time_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buckets: int
) -> None:
    monkeypatch.setattr(reasons, "_BUCKETS", buckets)
    bought = [event(hour, who) for who, hour in (("ann", 1), ("bob", 2), ("zoe", 3))]
    lately = world(*bought, when=LATELY, sources=SOURCES, purposes=[FREE])
    shard = Shard.of(tmp_path, lately).step(bought, instant(3)).step([], instant(8))
    told = [[(one["subject"], one["kind"], one["reason"]) for one in rows["changes"].to_pylist()] for rows in shard.published]
    assert [sorted(one) for one in told] == [
        [(who, "entered", "event") for who in ("ann", "bob", "zoe")],
        [(who, "exited", "expiry") for who in ("ann", "bob", "zoe")],
    ]
