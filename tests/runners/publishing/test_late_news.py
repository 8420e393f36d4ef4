"""News of long ago in a stream: who it is about is made anew from the warehouse, and the record says what was corrected."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import Fact, expected
from tests.support.merged import ASKED, event, instant, lives, row, world
from tests.support.oracle_model import Event, World
from tests.support.streams import Streaming, streaming
from tests.support.whole_runs import Target, feature_rows_that_differ, versioned

D = 24
SOURCES = {
    "web": {"kind": "events", "properties": {}},
    "led": {"kind": "consents"},
    "crm": {"kind": "profiles", "payload": "delta", "properties": {"country": "string"}},
}
WEEK = {"did": {"event": "buy", "window": "7d"}}
COUNTS = {
    "features": "grp", "purpose": "asked", "source": {"event": "buy"},
    "aggregates": [{"name": "n", "op": "count", "windows": ["7d"]}],
}
BEFORE: list[Fact] = [row(0, "ann"), lives(0, "ann", country="DE"), *(event(day * D, "ann") for day in range(1, 11))]
CHANGES = """
SELECT subject, member, reason, epoch_us(effective_at), epoch_us(until_at) FROM segment_changes WHERE kind = 'corrected'
"""


def late(day: float, day_received: float = 100) -> Event:
    told = event(day * D, "ann")
    return replace(told, received_at=instant(day_received * D))


class Told:
    """A stream that goes on after a hundred days, of which it remembers the last 35, and what it was told."""

    def __init__(self, target: Target, said: World, live: Streaming) -> None:
        self.target, self.said, self.live = target, said, live

    def hears(self, *facts: Any, day: float) -> int:
        """How many subjects are made anew for these facts."""
        parts = {"events": Event, "consents": type(BEFORE[0]), "profiles": type(BEFORE[1])}
        more = {kind: (*getattr(self.said, kind), *(f for f in facts if isinstance(f, one))) for kind, one in parts.items()}
        self.said = replace(self.said, **more)
        self.live.tell(facts)
        return self.live.commit(instant(day * D)).remade

    def sees(self, sql: str) -> list[tuple[Any, ...]]:
        return self.live.stream.lake.rows(sql)

    def is_right(self) -> bool:
        """Whether history, changes and features are as the law says."""
        last, history = self.target.runs()[-1], self.target.history()
        right = history == versioned(expected(self.said, last.t_at, last.known_at)) and self.target.folded() == history
        return right and feature_rows_that_differ(self.target, self.said, last) == []


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    said = world(*BEFORE, when=WEEK, purpose="asked", sources=SOURCES, purposes=[ASKED], features=[COUNTS])
    target = Target(tmp_path, said).sharded(3)
    target.write(BEFORE)
    with streaming(target, instant(100 * D)) as live:
        heard = Told(target, said, live)
        yield heard
    assert heard.is_right()


def test_each_cut_that_brings_late_news_makes_its_subject_anew_and_tells_what_was_corrected(told: Told) -> None:
    assert told.hears(late(50), day=100.1) == 1
    assert told.hears(late(52, 100.2), day=100.3) == 1
    assert told.hears(event(101 * D, "ann"), day=102) == 0
    turns = [(instant(50 * D), instant(57 * D)), (instant(57 * D), instant(59 * D))]
    assert told.sees(f"{CHANGES} ORDER BY known_at") == [("ann", True, "late", *turn) for turn in turns]


def test_of_whom_is_made_anew_it_is_known_when_the_answer_turns_without_news(told: Told) -> None:
    told.hears(late(50), event(100 * D + 1, "ann"), day=100.1)
    assert told.live.stream.carried.turning_at == instant(107 * D + 1)
    told.hears(day=107.2)
    told.hears(event(107 * D, "bob"), row(107 * D, "bob"), day=108)


def test_a_withdrawal_of_long_ago_takes_back_what_was_published(told: Told) -> None:
    withdrawn = replace(row(5 * D, "ann", "WITHDRAW"), received_at=instant(100 * D + 1))
    assert told.hears(withdrawn, day=100.1) == 1
    told.hears(event(101 * D, "bob"), row(101 * D, "bob"), day=102)
    ((who, member, reason, begun_at, _),) = told.sees(CHANGES)
    assert (who, member, reason, begun_at) == ("ann", False, "consent", instant(5 * D))
    assert told.sees("SELECT count(*) FROM exposures")[0][0] >= 1


def test_a_profile_of_long_ago_makes_its_subject_anew(told: Told) -> None:
    assert told.hears(replace(lives(20 * D, "ann", country="FR"), received_at=instant(100 * D + 1)), day=100.1) == 1
    told.hears(event(101 * D, "bob"), row(101 * D, "bob"), day=102)
