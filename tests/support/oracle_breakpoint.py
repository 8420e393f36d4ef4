"""Every instant at which an answer could change (semantics 1.2): a superset is fine, a gap is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import MAXYEAR
from typing import Any

from tests.support.oracle_aggregate import windowed
from tests.support.oracle_model import (
    BEGINNING,
    FOREVER,
    Json,
    as_date,
    birthday,
    duration,
    start_of_date,
    unit_start,
)
from tests.support.oracle_operator import Args, population_of, purposes_of
from tests.support.oracle_subject import Known, Person, names
from tests.support.oracle_window import window_instants

OLDEST = 130


def segment_instants(known: Known, name: str, subject: str) -> Iterator[int]:
    """The instants of links, and all that each of the forests they make would add, wherever it holds (6.3)."""
    for turn, forest in enumerate(known.forests):
        yield forest.at
        yield from _segment(known.person_in(subject, turn), name)


def _segment(person: Person, name: str) -> Iterator[int]:
    """Facts, consent, population, and what the tree's windows and periods add."""
    known, segment = person.known, person.known.segments[name]
    yield from purpose_instants(known, person, purposes_of(segment))
    population = population_of(known, segment)
    if population != "known_subjects" and "active_in" in population:
        yield from (event.at + duration(population["active_in"]) for event in person.events)
    elif population != "known_subjects":
        yield from _segment(person, population["in_segment"])
    yield from node_instants(person, segment["when"])


def purpose_instants(known: Known, person: Person, purposes: tuple[str, ...]) -> Iterator[int]:
    """The facts of the subject's ids and the epochs of these purposes, with `max_lookback` and `min_age`."""
    yield from (event.at for event in person.events)
    yield from (valid_from for valid_from, _ in person.profile_states)
    yield from person.facts_at
    for one in person.people:
        for name in purposes:
            for gate in one.gates(name):
                yield from (step.at for step in gate.steps)
                yield from (at for epoch in gate.epochs for at in (epoch.start, epoch.end))
    for name in purposes:
        purpose = known.purposes[name]
        if purpose.max_lookback is not None:
            yield from (event.at + purpose.max_lookback for event in person.events)
        if purpose.min_age is not None:
            yield from birthdays(person, [purpose.min_age])


def birthdays(person: Person, ages: list[int]) -> Iterator[int]:
    """Each of these birthdays, for every birth date and zone that the profile ever held."""
    births = {as_date(state.get("birth_date")) for _, state in person.profile_states} - {None}
    for birth in births:
        assert birth is not None
        for zone in person.zones("profile"):
            for age in ages:
                if birth.year + age < MAXYEAR:
                    yield start_of_date(birthday(birth, age), zone)


def node_instants(person: Person, node: Json) -> Iterator[int]:
    """What one node and all below it add."""
    ((operator, args),) = node.items()
    yield from _ADDED[operator](person, args)


def _window(person: Person, args: Args) -> Iterator[int]:
    yield from window_instants(person, args.get("window"))


def _offsets(person: Person, *offsets: int) -> Iterator[int]:
    yield from (event.at + offset for event in person.events for offset in offsets)


def _children(person: Person, args: Args) -> Iterator[int]:
    for node in args:
        yield from node_instants(person, node)


def _property(person: Person, args: Args) -> Iterator[int]:
    if "age" in args:
        yield from birthdays(person, list(range(OLDEST + 1)))


def _aggregate(person: Person, args: Args) -> Iterator[int]:
    yield from window_instants(person, windowed(person.known, args["feature"])[1])


def _trend(person: Person, args: Args) -> Iterator[int]:
    length, before = duration(args["this"]), duration(args["vs"])
    yield from _offsets(person, length, length + before)


def _units(person: Person, unit: str, tz: Any, n: int) -> Iterator[int]:
    for zone in person.zones(tz):
        for event in person.events:
            yield from (unit_start(event.at, unit, zone, ahead) for ahead in range(n + 2))


def _regularly(person: Person, args: Args) -> Iterator[int]:
    period = args["period"]
    unit = period["unit"] if isinstance(period, dict) else period
    tz = args.get("tz", period.get("tz") if isinstance(period, dict) else None)
    yield from _units(person, unit, tz, int(args["of_last"]))


def _lifecycle(person: Person, args: Args) -> Iterator[int]:
    period = args["period"]
    if isinstance(period, dict):
        yield from _units(person, period["unit"], period.get("tz"), 2)
    else:
        yield from _offsets(person, duration(period), 2 * duration(period))


def _inaction(person: Person, args: Args) -> Iterator[int]:
    yield from _offsets(person, duration(args["for"]), *(duration(w) for w in names(args.get("within"))))


def _stopped(person: Person, args: Args) -> Iterator[int]:
    quiet, active = duration(args["quiet"]), duration(args["active"])
    before = duration(args["active_before"]) if args.get("active_before") else 0
    yield from _offsets(person, quiet, active, quiet + active, quiet + active + before)


def _in_segment(person: Person, args: Args) -> Iterator[int]:
    yield from _segment(person, args if isinstance(args, str) else args["segment"])


def _score(person: Person, args: Args) -> Iterator[int]:
    yield from (score.valid_from for score in person.scores)


def _nothing(person: Person, args: Args) -> Iterator[int]:
    yield from ()


_ADDED: dict[str, Callable[[Person, Args], Iterator[int]]] = {
    "all": _children,
    "any": _children,
    "not": node_instants,
    "did": _window,
    "did_not": _window,
    "first_time": _window,
    "nth": _window,
    "last": _window,
    "context": _window,
    "geo": _window,
    "sequence": _window,
    "aggregate": _aggregate,
    "trend": _trend,
    "regularly": _regularly,
    "inaction": _inaction,
    "stopped": _stopped,
    "restarted": _stopped,
    "lifecycle": _lifecycle,
    "property": _property,
    "in_segment": _in_segment,
    "bucket": _nothing,
    "list": _nothing,
    "rfm": _score,
    "persona": _score,
    "score": _score,
}


def instants(found: Iterator[int]) -> list[int]:
    """In order, once each, without the beginning and the end of time."""
    return sorted({at for at in found if BEGINNING < at < FOREVER})
