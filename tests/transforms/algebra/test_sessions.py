"""Sessions: runs of the events that count at T, as the law has them, whatever has arrived and whoever was merged."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas import session
from tests.support.generator import Generator
from tests.support.histories import Fact, Shard, facts_of, subjects_of
from tests.support.merged import ASKED, FREE, START, event, instant, link, row, world
from tests.support.naive_sessions import Asked, Told, sessions_of
from tests.support.oracle_model import HOUR, Consent, Event, Json, Link, Profile, World, to_instant
from transforms.algebra.claims import ints

SOURCES: Json = {
    "web": {"kind": "events", "properties": {"channel": "string"}}, "led": {"kind": "consents"}, "ids": {"kind": "identities"},
}
VISIT = {"session": {"gap": "1h"}}
BOUGHT = {"did": {"event": "buy", "window": VISIT}}


def visits(*facts: Fact, **more: Any) -> World:
    """A world that asks for sessions with a gap of an hour."""
    return world(*facts, when=BOUGHT, sources=SOURCES, **more)


def current(shard: Shard) -> set[Told]:
    """The sessions as they stand after all steps: of whom a step looks at, what it says and nothing else."""
    held: list[dict[str, Any]] = []
    for tables in shard.published:
        looked_at = {_whose(one): one["told_from_at"] for one in tables["visitors"].to_pylist()}
        told = tables["sessions"].to_pylist()
        assert {_whose(one) for one in told} <= looked_at.keys()
        held = [one for one in held if not _is_told_anew(one, looked_at)] + told
    found = [as_told(one) for one in held]
    assert len({*found}) == len(found)
    return {*found}


def _whose(one: dict[str, Any]) -> tuple[str, str, str]:
    return one["subject"], one["purpose"], one["gap"]


def _is_told_anew(one: dict[str, Any], looked_at: dict[tuple[str, str, str], datetime | None]) -> bool:
    """Whether the visitors say so: those that end after an instant, or all."""
    if _whose(one) not in looked_at:
        return False
    from_at = looked_at[_whose(one)]
    return from_at is None or one["ended_at"] is None or one["ended_at"] > from_at


def as_told(one: dict[str, Any]) -> Told:
    at = (to_instant(one["started_at"]), to_instant(one["ended_at"]))
    said = ("events", "entry", "exit", "channel", "converted")
    return (one["subject"], one["purpose"], one["gap"], *at, *(one[name] for name in said))


def spans(shard: Shard, who: str = "ann") -> list[tuple[float, float, int]]:
    """(began, ended, events) of somebody's sessions, in hours."""
    return [((a - START) / HOUR, (b - START) / HOUR, n) for one, _, _, a, b, n, *_ in sorted(current(shard)) if one == who]


def test_a_silence_of_exactly_the_gap_is_within_a_session_and_a_longer_one_is_not(tmp_path: Path) -> None:
    late = replace(event(2.5, "ann"), occurred_at=instant(2) + 1, received_at=instant(2) + 1)
    told = visits(event(0, "ann"), event(1, "ann"), late)
    shard = Shard.of(tmp_path, told).step(facts_of(told), instant(3))
    assert spans(shard) == [(0, 2, 2), ((late.occurred_at - START) / HOUR, (late.occurred_at - START) / HOUR + 1, 1)]


def test_an_event_that_arrives_late_joins_two_sessions(tmp_path: Path) -> None:
    told = visits(event(0, "ann"), event(2, "ann"), event(9, "bob"))
    shard = Shard.of(tmp_path, told).step(told.events, instant(10))
    assert spans(shard) == [(0, 1, 1), (2, 3, 1)]
    shard.step([event(1, "ann")], instant(10))
    assert spans(shard) == [(0, 3, 3)]
    assert shard.published[-1]["visitors"]["subject"].to_pylist() == ["ann"]


def test_an_event_dated_after_t_belongs_to_the_session_once_t_is_there(tmp_path: Path) -> None:
    told = visits(event(0, "ann"), event(1, "ann", "look"))
    shard = Shard.of(tmp_path, told).step(told.events, instant(0.5))
    assert spans(shard) == [(0, 1, 1)]
    assert spans(shard.step([], instant(1))) == [(0, 2, 2)]
    assert shard.step([], instant(2)).published[-1]["visitors"].num_rows == 0


def test_sessions_go_where_the_purpose_closes_and_come_back_only_with_what_may_be_used(tmp_path: Path) -> None:
    facts = [row(0, "ann"), event(1, "ann"), row(5, "ann", "WITHDRAW"), event(6, "ann"), row(7, "ann"), event(8, "ann")]
    told = visits(*facts, purpose="asked")
    shard = Shard.of(tmp_path, told).step(facts, instant(4))
    assert spans(shard) == [(1, 2, 1)]
    assert spans(shard.step([], instant(5))) == []
    assert spans(shard.step([], instant(9))) == [(8, 9, 1)]


def test_what_lies_too_far_back_leaves_its_session(tmp_path: Path) -> None:
    told = visits(event(0, "ann"), event(1, "ann"), purposes=[{**FREE, "max_lookback": "24h"}, ASKED])
    shard = Shard.of(tmp_path, told).step(told.events, instant(2))
    assert spans(shard) == [(0, 2, 2)]
    assert spans(shard.step([], instant(24))) == [(1, 2, 1)]
    assert spans(shard.step([], instant(25))) == []


def test_a_session_tells_its_first_and_last_event_its_channel_and_whether_anything_sought_happened(tmp_path: Path) -> None:
    told = visits(
        event(0, "ann", "look", channel="mail"), event(0.5, "ann", "buy", channel="web"), event(1, "ann", "leave"),
        event(9, "ann", "look"),
    )
    shard = Shard.of(tmp_path, told).step(told.events, instant(9))
    assert sorted(one[6:] for one in current(shard)) == [("look", "leave", "mail", True), ("look", "look", None, False)]


def test_sessions_of_a_merged_id_are_the_survivors(tmp_path: Path) -> None:
    facts = [event(0, "phone"), event(0.5, "ann"), event(9, "phone"), link(4, "phone", "ann")]
    told = visits(*facts)
    shard = Shard.of(tmp_path, told).step(facts, instant(3))
    assert (spans(shard), spans(shard, "phone")) == ([(0.5, 1.5, 1)], [(0, 1, 1)])
    shard.step([], instant(9))
    assert (spans(shard), spans(shard, "phone")) == ([(0, 1.5, 2), (9, 10, 1)], [])


def test_without_a_session_window_nothing_is_computed_and_no_name_of_an_event_is_kept(tmp_path: Path) -> None:
    told = world(event(0, "ann"), when={"did": {"event": "buy"}}, sources=SOURCES)
    shard = Shard.of(tmp_path, told).step(told.events, instant(9))
    assert (shard.published[-1]["sessions"].num_rows, shard.published[-1]["visitors"].num_rows) == (0, 0)
    assert not {"v_event", "v_channel"} & {*shard.state.facts["events"].column_names}


def test_a_channel_that_is_no_text_is_none(tmp_path: Path) -> None:
    told = visits(event(0, "ann"))
    told.project["sources"] = {**SOURCES, "web": {"kind": "events", "properties": {"channel": "int"}}}
    shard = Shard.of(tmp_path, told).step(told.events, instant(9))
    assert [one[8] for one in current(shard)] == [None]


ASKING: tuple[Asked, ...] = (
    (("p",), "6h", ("a", {"event": "b", "where": "n > 1"})),
    (("p",), "1d", ("any",)),
    (("p", "q"), "6h", ("b",)),
    (("q",), "36h", ("a", "b")),
)


def asking(drawn: World) -> World:
    """The world with session windows: of leaves, of features, and of features that a segment asks for."""
    def window(gap: str) -> Json:
        return {"session": {"gap": gap}}

    aggregates = [{"name": "n", "op": "count", "windows": [{**window("6h"), "as": "visit"}, "1d"]}]
    compared = {"aggregate": {"feature": "g.n_visit", "compare": "> 1"}}
    seen_twice = {"sequence": {"steps": ["a", "b"], "unless": "c", "window": window("36h")}}
    made: list[tuple[Any, Json]] = [
        ("p", {"all": [{"did": {"event": "b", "where": "n > 1", "window": window("6h")}}, compared]}),
        ("p", {"context": {"where": "n > 1", "window": window("24h")}}),
        (["p", "q"], {"not": {"did_not": {"event": "b", "window": window("6h")}}}),
        ("q", seen_twice),
    ]
    segments = [{"segment": f"s{number}", "purpose": purpose, "when": when} for number, (purpose, when) in enumerate(made)]
    features = [{"features": "g", "purpose": "p", "source": {"event": "a"}, "aggregates": aggregates}]
    sources = {**drawn.project["sources"]}
    sources["e1"] = {**sources["e1"], "properties": {**sources["e1"]["properties"], "channel": "string"}}
    events = tuple(
        replace(one, properties={**one.properties, "channel": one.properties.get("cat")}) if one.source == "e1" else one
        for one in drawn.events
    )
    defined = {"segments": segments, "features": features, "sources": sources}
    return replace(drawn, events=events, project={**drawn.project, **defined})


def kept(told: World, facts: Sequence[Fact]) -> World:
    """The world with these facts alone."""
    def of(kind: type) -> tuple[Any, ...]:
        return tuple(fact for fact in facts if isinstance(fact, kind))

    return replace(told, events=of(Event), profiles=of(Profile), consents=of(Consent), links=of(Link), scores=())


@pytest.mark.parametrize("seed", range(30))
def test_increments_over_any_world_leave_the_sessions_that_the_law_tells(tmp_path: Path, seed: int) -> None:
    """Also where nothing arrives: time alone ends what may be used, and brings what was dated later."""
    generator = Generator(Random(seed), merges=True)
    told = asking(generator.world())
    facts = facts_of(told)
    generator.random.shuffle(facts)
    shard, cut = Shard.of(tmp_path, told), len(facts) // 2
    for number, at in enumerate(sorted({generator.at() for _ in range(8)})):
        shard.step({0: facts[:cut], 4: facts[cut:]}.get(number, []), at)
        there = kept(told, facts if number >= 4 else facts[:cut])
        assert current(shard) == sessions_of(there, ASKING, subjects_of(told), at)


def test_nobody_is_looked_at_of_whom_no_session_changes(tmp_path: Path) -> None:
    told = visits(event(0, "ann"), event(5, "ann"))
    shard = Shard.of(tmp_path, told).step(told.events, instant(0))
    assert next_of(shard) == [5]
    assert next_of(shard.step([], instant(5)))[0] > 100


def next_of(shard: Shard) -> Iterable[int]:
    return [(at - START) // HOUR for at in ints(shard.state.subjects["next_at"], 0).tolist()]


def test_what_is_staged_has_the_columns_of_its_table(tmp_path: Path) -> None:
    told = visits(event(0, "ann"))
    staged = Shard.of(tmp_path, told).step(told.events, instant(0)).published[-1]["sessions"]
    assert staged.schema == session.STAGED
