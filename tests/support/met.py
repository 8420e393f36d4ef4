"""What random worlds asked: how many questions met a tie, an edge, a refusal, printed and held to be more than none.

A question is a segment, a subject and an instant at which its answer could turn, or the microsecond before that.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.support.generator import SUBJECTS, ZONE
from tests.support.oracle import breakpoints
from tests.support.oracle_model import Event, Json, World, local_date
from tests.support.oracle_subject import Known, Person, names
from tests.support.oracle_window import window_instants

LATER = 10**17
CHANGED_CLOCKS = date(2025, 3, 30)
QUESTIONS = "questions"
TIES = "of subjects with events at equal instants"
EDGES = "exactly where an event begins or ceases to count in a window"
BESIDE = "a microsecond before such an edge"
REFUSED = "with an event that consent refused by then"
CLOCKS = "on the day on which the clocks change"
BODIES = "of subjects with one event id and two bodies"
LATE = "of subjects with events received after they happened"
CLASSES = (QUESTIONS, TIES, EDGES, BESIDE, REFUSED, CLOCKS, BODIES, LATE)


class Met:
    """The count of each class, over all worlds that were noted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, world: World) -> World:
        """Count the questions of a world. Gives the world."""
        known = Known(world, LATER)
        for segment in world.project["segments"]:
            for subject in SUBJECTS:
                asked = breakpoints(world, segment["segment"], subject, LATER)
                at = {one - beside for one in asked for beside in (0, 1)}
                self.counts.update(_classes(known.person(subject), world, segment, at))
        return world

    @property
    def missing(self) -> list[str]:
        """The classes that no question met."""
        return [name for name in CLASSES if not self.counts[name]]

    def lines(self) -> Iterator[str]:
        """The counts as a person reads them; nothing where nothing was asked."""
        for name in CLASSES if self.counts else ():
            yield f"{self.counts[name]:>9,} {name}"


MET = Met()
"""Of this session."""


def _classes(person: Person, world: World, segment: Json, asked: set[int]) -> Counter[str]:
    mine = [event for event in world.events if event.subject == person.subject]
    edges = {at for window in windows(segment["when"], world.project) for at in window_instants(person, window)}
    edges -= {event.occurred_at for event in mine}
    purposes = names(segment["purpose"])
    found = Counter({QUESTIONS: len(asked), EDGES: len(asked & edges)})
    found[BESIDE] = sum(at + 1 in edges for at in asked)
    found[CLOCKS] = sum(local_date(at, ZONE) == CHANGED_CLOCKS for at in asked)  # type: ignore[arg-type]
    found[REFUSED] = sum(_refuses(person, purposes, at) for at in asked)
    for name, holds in ((TIES, _ties(person)), (BODIES, _bodies(mine)), (LATE, _late(mine))):
        found[name] = len(asked) if holds else 0
    return found


def windows(node: Any, project: Json) -> Iterator[Any]:
    """Every window that a node measures by, those of its features included."""
    if isinstance(node, list):
        for one in node:
            yield from windows(one, project)
    elif isinstance(node, dict):
        if "window" in node:
            yield node["window"]
        if "feature" in node:
            yield from _windows_of_feature(node["feature"], project)
        for one in node.values():
            yield from windows(one, project)


def _windows_of_feature(feature: str, project: Json) -> Iterator[Any]:
    group, column = feature.split(".")
    for found in project["features"]:
        if found["features"] == group:
            for aggregate in found["aggregates"]:
                if column.startswith(f"{aggregate['name']}_"):
                    yield from aggregate["windows"]


def _refuses(person: Person, purposes: tuple[str, ...], at: int) -> bool:
    return any(event.at <= at and not person.counts(purposes, event.at, at) for event in person.events)


def _ties(person: Person) -> bool:
    return len({event.at for event in person.events}) < len(person.events)


def _bodies(events: list[Event]) -> bool:
    bodies: dict[tuple[str, str], set[str]] = {}
    for event in events:
        bodies.setdefault((event.source, event.event_id), set()).add(f"{event.occurred_at} {event.event} {event.properties}")
    return any(len(found) > 1 for found in bodies.values())


def _late(events: list[Event]) -> bool:
    return any(event.received_at > event.occurred_at for event in events)
