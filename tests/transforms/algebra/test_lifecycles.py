"""The lifecycle matrix: every known subject whose data may be used is in one phase at T and in one a period before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.generator import PHASES, Generator
from tests.support.histories import LATER, Fact, Shard, facts_of, subjects_of
from tests.support.merged import ASKED, FREE, event, instant, row, world
from tests.support.oracle import member
from tests.support.oracle_model import Consent, Event, Json, Link, Profile, World
from tests.support.oracle_operator import lifecycle_state
from tests.support.oracle_subject import Known, View
from transforms.algebra.claims import ints

Matrix = Counter[tuple[str, str, str]]
UNIT, WEEK = {"unit": "day", "tz": "profile"}, {"unit": "week"}
PERIODS = {"12h": "12 hours", "36h": "36 hours", str(UNIT): "unit day tz profile", str(WEEK): "unit week"}
DAYS = {"segment": "s", "purpose": "asked", "when": {"lifecycle": {"event": "buy", "period": "1d", "in": ["new"]}}}


def matrix(published: dict[str, Any]) -> Matrix:
    rows = published["lifecycles"].to_pylist()
    found = {(row["lifecycle"] + " for " + row["purpose"], row["from_state"], row["to_state"]): row["subjects"] for row in rows}
    assert len(found) == len(rows) and 0 not in found.values()
    return Counter(found)


def asking(drawn: World) -> World:
    """The world with a segment for each phase of a few lifecycles of purposes that rest on different grounds."""
    leaves = [
        {"event": "any", "period": "12h"},
        {"event": "a", "where": "n > 1", "period": "36h"},
        {"event": ["a", "b"], "period": UNIT},
        {"event": "b", "period": WEEK},
    ]
    segments = [
        {"segment": f"l{number}_{phase}", "purpose": purpose, "when": {"lifecycle": {**leaf, "in": [phase]}}}
        for number, (leaf, purpose) in enumerate(zip(leaves, ("p", "q", ["p", "q"], "p"), strict=True))
        for phase in PHASES
    ]
    return replace(drawn, project={**drawn.project, "segments": segments})


def named(leaf: Json, purpose: Any) -> str:
    """What the matrix calls a lifecycle."""
    where = f" where {leaf['where']}" if "where" in leaf else ""
    events, period = ", ".join(_list(leaf["event"])), PERIODS[str(leaf["period"])]
    return f"lifecycle {events}{where}, period {period} for {'+'.join(_list(purpose))}"


def _list(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else said


def lawful(told: World, at: int) -> Matrix:
    """Counted one by one: the known subjects whose purposes are open at T."""
    known, found = Known(told, LATER), Counter[tuple[str, str, str]]()
    for segment in told.project["segments"]:
        leaf, purposes = segment["when"]["lifecycle"], tuple(_list(segment["purpose"]))
        for who in subjects_of(told) if leaf["in"] == [PHASES[0]] else ():
            person = known.person(who, at)
            if person.first_fact is not None and person.first_fact <= at and all(person.open(one, at) for one in purposes):
                view = View(person, purposes, at)
                phases = (lifecycle_state(view, leaf, 1), lifecycle_state(view, leaf))
                found[(named(leaf, segment["purpose"]), *phases)] += 1
    return found


def kept(told: World, facts: Sequence[Fact]) -> World:
    """The world with these facts alone."""
    some: dict[type, tuple[Any, ...]] = {
        kind: tuple(fact for fact in facts if isinstance(fact, kind)) for kind in (Event, Profile, Consent, Link)
    }
    return replace(told, events=some[Event], profiles=some[Profile], consents=some[Consent], links=some[Link])


@pytest.mark.parametrize("seed", range(30))
def test_every_run_counts_who_went_from_which_phase_to_which_whatever_has_arrived(tmp_path: Path, seed: int) -> None:
    """Also of those of whom nothing arrives: time alone moves them."""
    generator = Generator(Random(seed), merges=True)
    told = asking(generator.world())
    facts = generator.random.sample(facts_of(told), len(facts_of(told)))
    shard, cut = Shard.of(tmp_path, told), len(facts) // 2
    moments = sorted({generator.at() for _ in range(8)})
    for number, at in enumerate(moments):
        arriving = {0: facts[:cut], 4: facts[cut:]}.get(number, [])
        shard.step(arriving, at)
        there = kept(told, facts if number >= 4 else facts[:cut])
        assert matrix(shard.published[-1]) == lawful(there, at)


@pytest.mark.parametrize("seed", range(3))
def test_the_phases_at_t_are_the_members_of_the_segments_that_ask_for_them(tmp_path: Path, seed: int) -> None:
    generator = Generator(Random(100 + seed))
    told, at = asking(generator.world()), generator.at()
    found = matrix(Shard.of(tmp_path, told).step(facts_of(told), at).published[-1])
    subjects = subjects_of(told)
    for segment in told.project["segments"]:
        name, [phase] = named(segment["when"]["lifecycle"], segment["purpose"]), segment["when"]["lifecycle"]["in"]
        members = sum(member(told, segment["segment"], who, at, LATER) for who in subjects)
        assert sum(found[key] for key in found if key[0] == name and key[2] == phase) == members


def test_phases_of_one_lifecycle_are_counted_once_however_many_segments_ask_for_them(tmp_path: Path) -> None:
    other = {**DAYS, "segment": "t", "when": {"lifecycle": {"event": "buy", "period": "24h", "in": ["lost", "never"]}}}
    told = world(event(0, "ann"), row(-1, "ann"), purposes=[FREE, ASKED], segment=DAYS, segments=[other], sources=SOURCES)
    shard = Shard.of(tmp_path, told).step(facts_of(told), instant(1))
    assert matrix(shard.published[-1]) == {("lifecycle buy, period 1 day for asked", "never", "new"): 1}


SOURCES = {"web": {"kind": "events", "properties": {}}, "led": {"kind": "consents"}}


def test_what_counts_now_tells_both_phases_and_whose_purpose_is_closed_is_in_none(tmp_path: Path) -> None:
    """Ann's first order lies before her consent; after she withdraws nothing is said of her."""
    facts = [event(0, "ann"), row(10, "ann"), event(12, "ann", event_id="second"), row(60, "ann", "WITHDRAW")]
    told = world(*facts, segment=DAYS, sources=SOURCES)
    shard = Shard.of(tmp_path, told).step(facts_of(told), instant(13))
    for hours in (37, 61):
        shard.step([], instant(hours))
    name = "lifecycle buy, period 1 day for asked"
    assert [matrix(one) for one in shard.published] == [{(name, "never", "new"): 1}, {(name, "new", "dormant"): 1}, {}]


def test_nobody_is_looked_at_whose_phase_time_does_not_move(tmp_path: Path) -> None:
    told = world(event(0, "ann"), row(-1, "ann"), segment=DAYS, sources=SOURCES)
    shard = Shard.of(tmp_path, told).step(facts_of(told), instant(0))
    turns = []
    for hours in (24, 48, 72, 200):
        turns.append((ints(shard.state.subjects["next_at"], 0)[0] - instant(0)) // 3_600_000_000)
        shard.step([], instant(hours))
    assert turns[:3] == [24, 48, 72] and turns[3] > 200
