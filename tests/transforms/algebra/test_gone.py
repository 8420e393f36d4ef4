"""Retention: what is gone changes no answer from the horizon on, and what was told of the time before stands."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from tests.support.generator import DAY, HOUR, START, Generator
from tests.support.histories import ALWAYS, Fact, History, Layered, Shard, cut, expected, facts_of
from tests.support.merged import FREE, event, instant, link, world
from tests.support.oracle import breakpoints, purpose_open, purposes_of
from tests.support.oracle_model import Consent, Event, Link, Profile, Score, World
from tests.support.worlds import arrived
from tests.transforms.algebra.test_folding import SOURCES, chunks
from transforms.algebra.gone import STANDING
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment
from transforms.segment import segment

FOUND = {"events": Event, "profiles": Profile, "consents": Consent, "links": Link, "scores": Score}


class Keeping(Layered):
    """A shard whose warehouse keeps events for so long, and no definition looks back further than `lookback`."""

    retention, lookback = 3 * DAY, 2 * DAY
    gone_before_at, horizon_at = BEGINNING, BEGINNING
    known_before, known_at = FOREVER, FOREVER

    def _moment(self, at: int, writes_features: bool) -> Moment:
        gone = {"gone_before_at": self.gone_before_at, "horizon_at": self.horizon_at}
        return Moment(self.last_at, at, self.known_before, self.known_at, writes_features=writes_features, **gone)

    def known(self, known_at: int, facts: Iterable[Fact], at: int) -> None:
        """A step that sees only what was received by K."""
        self.known_at = known_at
        self.step(facts, at)
        self.known_before = known_at

    def _standing(self, subjects: pa.Array, moment: Moment) -> pa.Table:
        asked = {*subjects.to_pylist()}
        found = [
            {"segment": name, "subject": who, "at": at, "member": member}
            for (name, who), intervals in self.folded().items()
            for at, member in turns(intervals)
            if who in asked and at < moment.horizon_at
        ]
        return pa.Table.from_pylist(found, STANDING)

    def remove(self) -> None:
        """What a run removes once it is published."""
        self.gone_before_at = max(self.gone_before_at, (self.last_at - self.retention) // DAY * DAY)
        self.horizon_at = min(self.gone_before_at + self.lookback, self.last_at)
        marks, received = set[int](), dict[str, int]()
        for one in sorted((one for one in self.told if isinstance(one, Event)), key=_in_order):
            if one.received_at < received.get(one.subject, FOREVER):
                marks.add(id(one))
                received[one.subject] = one.received_at
        self.told = [left for one in self.told if (left := self._left(one, id(one) in marks)) is not None]

    def _left(self, one: Fact, is_mark: bool) -> Fact | None:
        if not isinstance(one, Event) or one.occurred_at >= self.gone_before_at:
            return one
        return replace(one, properties={}) if is_mark else None


def turns(intervals: list[tuple[int, int | None]]) -> Iterator[tuple[int, bool]]:
    """When an answer turns, and to what."""
    for begins, ends in intervals:
        yield begins, True
        if ends is not None:
            yield ends, False


def _in_order(one: Event) -> tuple[int, str, str]:
    return one.occurred_at, one.event_id, one.source


def known(told: World, facts: list[Fact]) -> World:
    """The world of which only so much has been heard."""
    return replace(told, **{name: tuple(one for one in facts if isinstance(one, kind)) for name, kind in FOUND.items()})


def since(history: History, at: int) -> History:
    """What a history says from an instant on."""
    found = {key: [(max(a, at), b) for a, b in value if b is None or b > at] for key, value in history.items()}
    return {key: value for key, value in found.items() if value}


def until(history: History, at: int) -> History:
    """What a history says before an instant."""
    found = {key: cut([(a, b) for a, b in value if a < at], at - 1) for key, value in history.items()}
    return {key: value for key, value in found.items() if value}


def without_what_is_closed(told: World, history: History, until: int, known_at: int) -> History:
    """A history, each membership of which ends where a purpose of its segment is closed before an instant."""
    purposes = {one["segment"]: purposes_of(one) for one in told.project["segments"]}
    left: History = {}
    for (name, who), intervals in history.items():
        for begins, ends in intervals:
            last = until if ends is None else ends
            at = [begins, *(one for one in breakpoints(told, name, who, known_at) if begins < one < last)]
            closed = (one for one in at if not all(purpose_open(told, asked, who, one, known_at) for asked in purposes[name]))
            closes = next(closed, ends)
            if closes != begins:
                left.setdefault((name, who), []).append((begins, closes))
    return left


def bounded(told: World, lookback: int) -> World:
    """The world in which no event counts for longer."""
    purposes = [{**one, "max_lookback": f"{lookback // HOUR}h"} for one in told.project["purposes"]]
    return replace(told, project={**told.project, "purposes": purposes})


@pytest.mark.parametrize("seed", range(12))
def test_what_is_gone_changes_nothing_from_the_horizon_on_and_what_was_told_before_it_stands(seed: int) -> None:
    generator = Generator(Random(seed), merges=True, scored=True)
    told = bounded(generator.world(), Keeping.lookback)
    facts = facts_of(told)
    generator.random.shuffle(facts)
    if seed % 3:
        facts.sort(key=lambda fact: fact.received_at)
    with tempfile.TemporaryDirectory() as folder:
        shard = Keeping.of(Path(folder), told, (ALWAYS, HOUR, DAY)[seed % 3])
        before: History = {}
        heard: list[Fact] = []
        at = START
        for part in chunks(facts, generator.random, 5):
            heard += part
            at = max(at + DAY, *(fact.received_at for fact in part)) if part else at + DAY
            horizon_at = shard.horizon_at
            shard.known(at - (DAY if seed % 2 else 0), part, at)
            found = shard.folded()
            assert since(found, horizon_at) == since(expected(known(told, heard), at, shard.known_at), horizon_at)
            stands = without_what_is_closed(known(told, heard), until(before, horizon_at), horizon_at, shard.known_at)
            assert until(found, horizon_at) == stands
            before = found
            shard.remove()
        assert shard.horizon_at > BEGINNING


MOST = {"features": "g", "purpose": "free", "source": {"event": "buy"}, "aggregates": [{"name": "most", "op": "max", "of": "n"}]}


def of_hours(*facts: Fact) -> tuple[World, list[Fact]]:
    """A segment of who has bought in the last two days, whatever else, and a feature that reads what was bought."""
    purpose = {**FREE, "max_lookback": "2d"}
    found = world(*facts, purposes=[purpose], sources=SOURCES, features=[MOST])
    return found, list(facts)


def days(history: History, who: str) -> list[tuple[float, float | None]]:
    """When somebody is a member, in hours."""
    return [(a / HOUR - START_H, None if b is None else b / HOUR - START_H) for a, b in history.get(("it", who), [])]


START_H = instant(0) / HOUR


def stepped(folder: Path, *steps: tuple[float, list[Fact]], reach: int = ALWAYS, retention: int = 3 * DAY) -> Keeping:
    """A shard after steps at these hours; what is told of at last is told when events are gone."""
    told, _ = of_hours(*(fact for _, facts in steps for fact in facts))
    shard = Keeping.of(folder, told, reach)
    shard.retention = retention
    for hours, facts in steps:
        shard.step(facts, instant(hours))
        shard.remove()
    return shard


def test_a_state_holds_no_event_that_is_gone_but_each_subjects_first(tmp_path: Path) -> None:
    bought = [event(0, "ann", n=1), event(1, "ann", n=2), event(199, "ann", n=3)]
    rows = stepped(tmp_path, (200, bought), (201, [])).state.facts["events"].to_pylist()
    told = [(row["event_id"], row["v_n"], any(value is True for value in row.values())) for row in rows]
    assert told == [("buy-0", None, False), ("buy-199", 3, True)]


def said(shard: Keeping) -> list[tuple[str, bool]]:
    """The events of a state, and whether the definitions see anything in them."""
    names = [*shard.program.projection.predicates]
    rows = shard.state.facts["events"].to_pylist()
    return [(row["event_id"], any(row[name] for name in names)) for row in rows]


def test_what_is_gone_goes_from_a_state_that_tells_only_of_a_later_time(tmp_path: Path) -> None:
    # at hour 302 events before hour 48 are gone, and the state has told nothing of before hour 216 for a while
    early = [event(hours, "ann") for hours in (0, 1, 2)]
    steps = [(100, early), *((hours + 1, [event(hours, "ann")]) for hours in (150, 239, 299)), (301, []), (302, [])]
    shard = stepped(tmp_path, *steps, reach=DAY, retention=10 * DAY)
    assert said(shard)[0] == ("buy-0", False)


def test_who_is_known_at_a_k_stays_so_when_events_go(tmp_path: Path) -> None:
    # what happened first is heard of late, and a K that is fixed does not see it
    lately = {"not": {"did": {"event": "buy", "window": "1d"}}}
    late = replace(event(5, "ann"), received_at=instant(195))
    told = world(event(10, "ann"), when=lately, purposes=[{**FREE, "max_lookback": "2d"}], sources=SOURCES)
    shard = Keeping.of(tmp_path, told)
    for hours, facts in ((100, [event(10, "ann")]), (200, [late]), (201, []), (225, []), (226, [])):
        shard.known(instant(150), facts, instant(hours))
        shard.remove()
    assert days(shard.folded(), "ann") == [(34, None)]
    assert [name for name, _ in said(shard)] == ["buy-5", "buy-10"]
    shard.known(instant(227), [], instant(227))
    assert [name for name, _ in said(shard)] == ["buy-5", "buy-10"]


def test_a_new_subject_does_not_have_those_who_rest_looked_at_again(tmp_path: Path) -> None:
    steps = [(100, [event(0, "ann"), event(99, "ann")]), (200, [event(199, "ann")]), (201, [event(180, "bob")])]
    shard = stepped(tmp_path, *steps)
    layers, new = shard.layers.at_rest(), arrived(shard.program.project, [event(180, "cid")])
    received = {name.encode(): rows.to_batches() for name, rows in new.items()}
    after, _ = segment(shard.program, layers, received, shard._moment(instant(202), True))
    assert after.rest is layers.rest
    assert after.without_what_is_gone(shard.program, shard._moment(instant(203), True)) is after


def test_late_news_from_before_what_is_gone_changes_nothing(tmp_path: Path) -> None:
    shard = stepped(tmp_path, (100, [event(10, "ann"), event(90, "ann")]), (200, [event(199, "ann")]), (201, [event(20, "ann")]))
    assert days(shard.folded(), "ann") == [(10, 58), (90, 138), (199, None)]


def test_late_news_changes_only_what_lies_after_the_horizon(tmp_path: Path) -> None:
    # at hour 200 events before hour 120 go: answers can be computed from hour 168 on
    shard = stepped(tmp_path, (200, [event(0, "ann")]), (201, [event(130, "ann")]))
    assert days(shard.folded(), "ann") == [(0, 48), (168, 178)]


def test_a_membership_that_lasts_beyond_the_horizon_keeps_its_beginning(tmp_path: Path) -> None:
    shard = stepped(tmp_path, (200, [event(125, "ann")]), (201, [event(160, "ann")]))
    assert days(shard.folded(), "ann") == [(125, None)]


def test_a_link_that_is_learned_late_changes_only_what_lies_after_the_horizon(tmp_path: Path) -> None:
    shard = stepped(tmp_path, (200, [event(125, "ann"), event(0, "bob")]), (201, [link(0, "ann", "bob", received=201)]))
    assert days(shard.folded(), "ann") == [(125, 168)]
    assert days(shard.folded(), "bob") == [(0, 48), (168, 173)]


def test_a_state_without_retention_forgets_nothing_more(tmp_path: Path) -> None:
    told, facts = of_hours(event(0, "ann"), event(1, "ann"))
    assert Shard.of(tmp_path, told).step(facts, instant(500)).step([], instant(600)).state.is_whole


def test_a_link_where_definitions_come_to_look_back_for_ever_asks_for_nothing_that_is_gone(tmp_path: Path) -> None:
    facts = [event(0, "ann"), event(150, "ann"), event(160, "bob")]
    visiting = {"did": {"event": "buy", "window": {"session": {"gap": "30m"}}}}
    shard = Keeping.of(tmp_path, world(*facts, when=visiting, sources=SOURCES))
    shard.lookback = ALWAYS
    for hours, told in ((200, facts), (201, [link(0, "ann", "bob", received=201)]), (202, [event(201, "ann")])):
        shard.step(told, instant(hours))
        shard.remove()
    assert shard.rebuilt == []
