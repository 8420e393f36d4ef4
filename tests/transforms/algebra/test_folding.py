"""Folding: what a state forgets, and that no answer from the floor on depends on it (semantics 2.3)."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from tests.support.generator import DAY, HOUR, START, Generator
from tests.support.histories import ALWAYS, LATER, Fact, Shard, expected, facts_of, subjects_of
from tests.support.merged import event, instant, link, lives, row, world
from tests.support.naive_sessions import sessions_of
from tests.support.oracle import feature
from tests.support.oracle_model import Event, Json, World
from tests.support.stretched import stretch, stretched
from tests.support.worlds import read_world
from tests.transforms.algebra.test_every_pair import PAIRS, SEGMENTS
from tests.transforms.algebra.test_many_worlds import BLOCK, plain
from tests.transforms.algebra.test_sessions import ASKING, asking, current, kept, visits
from transforms.algebra.memory import memory
from transforms.algebra.operators import OPERATORS
from transforms.algebra.order import BEGINNING
from transforms.algebra.state import write_state


def chunks(facts: Sequence[Fact], random: Random, number: int) -> list[list[Fact]]:
    cuts = [0, *sorted(random.randrange(len(facts) + 1) for _ in range(number - 1)), len(facts)]
    return [list(facts[begin:end]) for begin, end in pairwise(cuts)]


def of_world(folder: Path, generator: Generator, made: type[Shard] = Shard) -> tuple[list[Any], Shard]:
    """What of a world is not as the law says, when its state forgets at every step what it can; and the shard."""
    random = generator.random
    times = generator.pick((1, 5, 20, 60, 400))
    world = stretched(generator.world(), times)
    asks = generator.chance(30)
    world = asking(world) if asks else world
    shard = made.of(folder, world, generator.pick((0, HOUR, 6 * HOUR, 2 * DAY)))
    facts = facts_of(world)
    random.shuffle(facts)
    if generator.chance(70):
        facts.sort(key=lambda fact: fact.received_at)
    at = BEGINNING
    for part in chunks(facts, random, 6):
        received_at = max((fact.received_at for fact in part), default=START)
        at = max(at, received_at if generator.chance(80) else stretch(generator.at(), times))
        shard.step(part, at)
    found, wanted = shard.folded(), expected(world, at)
    wrong = [(key, found.get(key), wanted.get(key)) for key in {*found, *wanted} if found.get(key) != wanted.get(key)]
    sessions = current(shard) ^ sessions_of(kept(world, facts), ASKING, subjects_of(world), at) if asks else ()
    return [*wrong, *features_that_differ(shard, world, at), *sessions], shard


def features_that_differ(shard: Shard, world: World, at: int) -> list[Any]:
    rows: dict[str, dict[str, Any]] = {}
    for tables in shard.published:
        rows |= {row.pop("subject"): row for row in tables["feature_rows"].drop_columns("unsure").to_pylist()}
    asked = [(who, name) for who, row in rows.items() for name in row]
    told = [(who, name, plain(rows[who][name]), plain(feature(world, name, who, at, LATER))) for who, name in asked]
    return [one for one in told if one[2] != one[3]]


@pytest.mark.parametrize("seed", [*range(40), 1453, 1960, 1998, 2047])
def test_a_state_that_forgets_at_every_step_tells_the_same_history_and_features(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wrong, _ = of_world(Path(folder), Generator(Random(seed), merges=True, scored=True))
    assert wrong == []


EVER: Json = {
    "twice": {"did": {"event": "buy", "count": ">= 2"}},
    "dear": {"aggregate": {"feature": "g.spend_lifetime", "compare": "> 100"}},
    "third": {"nth": {"event": "buy", "n": 3, "window": "7d"}},
    "new": {"first_time": {"event": "buy", "window": "7d"}},
    "toys_last": {"last": {"event": "buy", "having": "n > 5"}},
    "back": {"restarted": {"event": "buy", "active": "1d", "quiet": "2d"}},
    "lost": {"lifecycle": {"event": "buy", "period": "2d", "in": ["lost"]}},
    "visiting": {"did": {"event": "buy", "window": {"session": {"gap": "30m"}}}},
    "since": {"did": {"event": "buy", "count": ">= 2", "window": {"since": "look"}}},
    "path": {"sequence": {"steps": ["look", "buy"], "within": "1d", "window": "2d"}},
    "left": {"inaction": {"after": "look", "not": "buy", "for": "1d"}},
}
SOURCES: Json = {
    "web": {"kind": "events", "properties": {"n": "int"}},
    "crm": {"kind": "profiles", "properties": {"country": "string", "plan": "string"}},
    "led": {"kind": "consents"},
    "ids": {"kind": "identities"},
}
OPS = ("sum", "mean", "variance", "min", "max", "first", "last", "distinct")


def long_history(days: int) -> tuple[World, list[Event]]:
    """Somebody who does something at each hour of each day."""
    named = {"sum": "spend"}
    aggregates = [{"name": named.get(op, op), "op": op, "of": "n", "windows": ["lifetime"]} for op in OPS]
    aggregates += [{"name": "number", "op": "count"}, {"name": "latest", "op": "list", "of": "n", "n": 3}]
    group = {"features": "g", "purpose": "free", "source": {"event": "buy"}, "aggregates": aggregates}
    segments = [{"segment": name, "purpose": "free", "when": when} for name, when in EVER.items()]
    told = world(sources=SOURCES, segments=segments, features=[group])
    return told, [event(hour, "ann", ("buy", "look")[hour % 7 == 0], n=hour % 10) for hour in range(24 * days)]


def held_after(folder: Path, days: int, reach: int) -> tuple[int, int, Shard]:
    """The bytes and the events that a state has after so many days, each a step of its own."""
    told, events = long_history(days)
    shard = Shard.of(folder, told, reach)
    for day in range(days):
        shard.step(events[24 * day : 24 * (day + 1)], instant(24 * (day + 1)))
    sink = pa.BufferOutputStream()
    write_state(shard.state, {}, sink)
    return sink.getvalue().size, len(shard.state.facts["events"]), shard


def test_a_state_is_no_larger_after_a_history_ten_times_as_long(tmp_path: Path) -> None:
    short, few, _ = held_after(tmp_path, 20, DAY)
    long, many, shard = held_after(tmp_path, 200, DAY)
    assert (many, long) == (few, pytest.approx(short, rel=0.01))
    assert shard.rebuilt == []
    whole, every, kept = held_after(tmp_path, 200, ALWAYS)
    assert (every, whole > 10 * long) == (24 * 200, True)
    assert shard.folded() == kept.folded()
    assert shard.published[-1]["feature_rows"] == kept.published[-1]["feature_rows"]


def told_of_long_ago(folder: Path, op: str, **said: Sequence[int]) -> dict[str, Any]:
    """What an aggregate of all time says of each, who had one of these numbers an hour, when few of the events are left."""
    aggregate = {"name": "v", "op": op, "of": "n", "windows": ["lifetime"]}
    group = {"features": "g", "purpose": "free", "source": {"event": "buy"}, "aggregates": [aggregate]}
    facts = [event(hour, who, n=n) for who, numbers in said.items() for hour, n in enumerate(numbers)]
    hours = max(map(len, said.values()))
    told = world(sources=SOURCES, features=[group], segments=[])
    shard = Shard.of(folder, told, HOUR).step(facts, instant(hours))
    assert len(shard.state.facts["events"]) < len(facts) / 2
    shard.step([event(hours, who, n=0) for who in said], instant(hours))
    rows = [row for tables in shard.published for row in tables["feature_rows"].to_pylist()]
    return {row["subject"]: row["g__v_lifetime"] for row in rows}


@pytest.mark.parametrize(("op", "number"), [("max", 9), ("min", -9)])
def test_the_most_and_the_least_of_long_ago_are_not_forgotten(tmp_path: Path, op: str, number: int) -> None:
    assert told_of_long_ago(tmp_path, op, ann=[1, number, 2, *[1] * 50]) == {"ann": number}


def test_sums_beyond_64_bits_are_kept_beside_those_that_they_hold(tmp_path: Path) -> None:
    assert told_of_long_ago(tmp_path, "mean", ann=[2**62] * 51, bob=[3] * 51) == {"ann": 2**62 * 51 / 52, "bob": 3 * 51 / 52}


def test_who_is_linked_after_the_floor_forgets_as_others_do(tmp_path: Path) -> None:
    """What the phone has collected feeds itself up to the link and ann from it on, all of it both."""
    told, _ = long_history(0)
    events, later = [event(hour, "phone", "other") for hour in range(200)], link(230, "phone", "ann")
    alone, linked = (Shard.of(tmp_path, told, DAY).step(facts, instant(240)) for facts in (events, [*events, later]))
    assert len(linked.state.facts["events"]) == len(alone.state.facts["events"]) < 200


def test_sessions_that_were_told_stay_when_the_events_that_they_are_made_of_are_forgotten(tmp_path: Path) -> None:
    told = visits(*(event(24 * day + hour, "ann") for day in range(30) for hour in (0, 0.5)))
    forgetting, remembering = Shard.of(tmp_path, told, HOUR), Shard.of(tmp_path, told)
    for day in range(30):
        for shard in (forgetting, remembering):
            shard.step(told.events[2 * day : 2 * day + 2], instant(24 * day + 12))
    assert len(forgetting.state.facts["events"]) < len(remembering.state.facts["events"]) == 60
    assert current(forgetting) == current(remembering)
    assert len(current(forgetting)) == 30


def test_an_event_at_the_floor_asks_for_all_that_was_forgotten_and_one_after_it_does_not(tmp_path: Path) -> None:
    _, _, shard = held_after(tmp_path, 10, DAY)
    (floor_at,) = shard.state.floors.tolist()
    for at, rebuilt in ((floor_at + 1, []), (floor_at, ["ann"])):
        shard.step([replace(event(0, "ann", event_id=str(at)), occurred_at=at, received_at=shard.last_at)], shard.last_at)
        assert shard.rebuilt == rebuilt
    told, events = long_history(10)
    late = [one for one in shard.told if one not in events]
    whole = Shard.of(tmp_path, told).step([*events, *late], shard.last_at)
    assert shard.folded() == whole.folded()


def test_news_about_one_subject_asks_for_nothing_of_another(tmp_path: Path) -> None:
    told, events = long_history(10)
    others = [replace(one, subject="bob") for one in events]
    shard = Shard.of(tmp_path, told, DAY).step([*events, *others], instant(240))
    shard.step([event(1.5, "bob")], instant(240))
    assert shard.rebuilt == ["bob"]


@pytest.mark.parametrize(
    "news",
    [
        row(1, "ann", "WITHDRAW"),
        row(239, "ann", "INVALIDATE"),
        replace(row(239, "ann", "WITHDRAW"), event_id="GRANT-0"),
        lives(1, "ann", country="DE"),
        lives(239, "ann", country="DE"),
        link(239, "tv", "ann"),
        link(239, "ann", "tv"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_so_does_what_reaches_back_before_the_floor_from_whenever_it_is(tmp_path: Path, news: Fact) -> None:
    told, events = long_history(10)
    shard = Shard.of(tmp_path, told, DAY).step([row(0, "ann"), *events], instant(240))
    assert shard.step([news], instant(240)).rebuilt == ["ann"]


@pytest.mark.parametrize("news", [row(239, "ann", "WITHDRAW"), lives(239, "ann", plan="gold"), event(239.5, "ann")])
def test_what_acts_after_the_floor_alone_does_not(tmp_path: Path, news: Fact) -> None:
    told, events = long_history(10)
    shard = Shard.of(tmp_path, told, DAY).step([row(0, "ann"), *events], instant(240))
    assert shard.step([news], instant(240)).rebuilt == []


def test_who_is_restricted_keeps_all_and_so_does_who_is_linked_to_them(tmp_path: Path) -> None:
    told, events = long_history(10)
    facts = [*events, *(replace(one, subject="bob") for one in events), row(1, "ann", "RESTRICT"), link(1, "bob", "ann")]
    assert Shard.of(tmp_path, told, DAY).step(facts, instant(240)).state.is_whole


def test_an_operator_that_reads_events_says_what_it_needs(tmp_path: Path) -> None:
    told, _ = long_history(1)
    silent = {name for name, operator in OPERATORS.items() if not hasattr(operator, "needs")}
    assert silent == {"all", "any", "not", "property", "rfm", "persona", "score", "in_segment", "list", "bucket"}
    assert memory(read_world(tmp_path, told)).reach == 7 * DAY


@pytest.mark.parametrize(
    ("when", "days"),
    [
        ({"did": {"event": "buy", "window": "2d"}}, 2),
        ({"did": {"event": "buy", "window": {"between": ["5d", "2d"]}}}, 5),
        ({"stopped": {"event": "buy", "active": "2d", "quiet": "3d"}}, 5),
        ({"restarted": {"event": "buy", "active": "1d", "quiet": "2d"}}, 3),
        ({"restarted": {"event": "buy", "active": "1d", "quiet": "2d", "active_before": "4d"}}, 7),
        ({"lifecycle": {"event": "buy", "period": "2d", "in": ["lost"]}}, 6),
        ({"trend": {"feature": "g.n", "this": "2d", "vs": "4d", "change": "> 0"}}, 6),
        ({"inaction": {"after": "look", "not": "buy", "for": "1d"}}, 1),
        ({"inaction": {"after": "look", "not": "buy", "for": "1d", "within": "3d"}}, 3),
        ({"sequence": {"steps": ["look", "buy"], "within": "1d", "window": "2d"}}, 3),
        ({"sequence": {"steps": ["look", "buy", "buy"], "gap": "1d", "window": "2d"}}, 4),
        ({"sequence": {"steps": ["look", "buy", "buy"], "gap": "2d", "within": "1d", "window": "2d"}}, 3),
    ],
)
def test_what_lies_further_back_than_the_longest_that_an_operator_looks_is_nothing_to_it(
    tmp_path: Path, when: Json, days: int
) -> None:
    numbers = [{"name": "n", "op": "count", "windows": ["1h"]}]
    group = {"features": "g", "purpose": "free", "source": {"event": "buy"}, "aggregates": numbers}
    assert memory(read_world(tmp_path, world(sources=SOURCES, features=[group], when=when))).reach == days * DAY


@pytest.mark.soak
@pytest.mark.parametrize("block", range(50))
def test_so_it_does_in_many_worlds(tmp_path: Path, block: int) -> None:
    for seed in range(100_000 + block * BLOCK, 100_000 + (block + 1) * BLOCK):
        wrong, _ = of_world(tmp_path / str(seed), Generator(Random(seed), merges=True, scored=True))
        assert wrong == [], seed


@pytest.mark.soak
@pytest.mark.parametrize("place", range(0, len(PAIRS), SEGMENTS))
def test_so_it_does_for_every_two_operators_together(tmp_path: Path, place: int) -> None:
    for time in range(10):
        generator = Generator(Random(f"{time} {place}"), True, True, PAIRS[place : place + SEGMENTS])
        assert of_world(tmp_path / str(time), generator)[0] == [], time


def test_a_case_that_was_closed_does_not_open_again_where_only_what_opened_it_is_kept(tmp_path: Path) -> None:
    left = {"inaction": {"after": "look", "not": "buy", "for": "1d"}}
    told = world(sources=SOURCES, when={"all": [left, {"did": {"event": "other", "window": "1h"}}]})
    others = [event(hour, "ann", "other") for hour in range(2, 240)]
    shard = Shard.of(tmp_path, told, DAY).step([event(0, "ann", "look"), event(1, "ann", "buy"), *others], instant(240))
    assert len(shard.state.facts["events"]) < 60
    assert shard.step([event(241, "ann", "other")], instant(242)).folded() == {}


def test_who_is_made_anew_for_a_repeat_forgets_again(tmp_path: Path) -> None:
    _, events = long_history(10)
    _, kept, shard = held_after(tmp_path, 10, DAY)
    shard.step([events[0]], instant(240))
    assert (shard.rebuilt, len(shard.state.facts["events"])) == (["ann"], pytest.approx(kept, abs=24))


@pytest.mark.parametrize("known", [0, 261])
def test_sessions_are_told_of_all_who_feed_them_from_the_instant_of_a_link_on(tmp_path: Path, known: int) -> None:
    visited = {"did": {"event": "buy", "window": {"session": {"gap": "30m"}}}}
    told = world(sources=SOURCES, when=visited)
    events = [event(hour + apart, who) for hour in range(240) for who, apart in (("ann", 0), ("tv", 0.7))]
    links = [link(100, "phone", "ann"), link(260, "tv", "ann", received=known)]
    shard = Shard.of(tmp_path, told, DAY).step([*events, links[0]], instant(240)).step(links[1:], instant(250 + known // 10))
    shard.step([event(262, "ann")], instant(262))
    asked = ((("free",), "30m", ({"event": "buy"},)),)
    every = kept(told, [*events, *links, event(262, "ann")])
    assert current(shard) == sessions_of(every, asked, ["ann", "tv", "phone"], instant(262))
