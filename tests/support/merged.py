"""Small worlds of merges, told in hours from their start: events, links, rows of a ledger, profiles, scores."""

from typing import Any

from tests.support.oracle import Consent, Event, Link, Profile, Score, World, history
from tests.support.oracle_model import HOUR, Json

START = 1_700_006_400_000_000
"""A midnight in Greenwich."""
LATER = 10**18
"""A K at which everything is known."""

FREE = {"id": "free", "basis": "legitimate_interest"}
ASKED = {"id": "asked", "basis": "consent"}
BOUGHT = {"did": {"event": "buy"}}

Fact = Event | Link | Consent | Profile | Score
Hours = list[tuple[float, float | None]]


def instant(hours: float) -> int:
    return START + int(hours * HOUR)


def event(hours: float, who: str, name: str = "buy", event_id: str | None = None, **said: Any) -> Event:
    at = instant(hours)
    return Event("web", who, event_id or f"{name}-{hours}", name, at, at, said)


def link(hours: float, from_id: str, to_id: str, received: float | None = None, source: str = "ids") -> Link:
    known = instant(hours if received is None else received)
    return Link(source, f"{hours}-{from_id}-{to_id}", from_id, to_id, instant(hours), known)


def undo(hours: float, from_id: str) -> Link:
    return link(hours, from_id, "")


def row(hours: float, who: str, action: str = "GRANT", purpose: str = "asked", **more: Any) -> Consent:
    at = instant(hours)
    return Consent("led", who, f"{action}-{hours}", purpose, action, at, at, **more)


def lives(hours: float, who: str, **columns: Any) -> Profile:
    return Profile("crm", who, instant(hours), instant(hours), columns)


def score(hours: float, who: str, received: float | None = None, **said: Any) -> Score:
    model, version = said.pop("model", "churn"), said.pop("version", "1")
    return Score("models", who, model, version, instant(hours), instant(hours if received is None else received), **said)


def world(*facts: Fact, when: Json = BOUGHT, purpose: Any = "free", **project: Any) -> World:
    """A segment `it` of these facts."""
    it = {"segment": "it", "purpose": purpose, "when": when, **project.pop("segment", {})}
    segments, purposes = [it, *project.pop("segments", [])], project.pop("purposes", [FREE, ASKED])
    return World(
        {"timezone": "UTC", "purposes": purposes, "segments": segments, **project},
        events=tuple(fact for fact in facts if isinstance(fact, Event)),
        profiles=tuple(fact for fact in facts if isinstance(fact, Profile)),
        consents=tuple(fact for fact in facts if isinstance(fact, Consent)),
        links=tuple(fact for fact in facts if isinstance(fact, Link)),
        scores=tuple(fact for fact in facts if isinstance(fact, Score)),
    )


def during(told: World, who: str, known: float | None = None) -> Hours:
    """When somebody is a member of `it`, in hours, as known at an hour."""
    found = history(told, "it", who, LATER if known is None else instant(known))
    return [tuple(None if at is None else (at - START) / HOUR for at in interval) for interval in found]  # type: ignore[misc]
