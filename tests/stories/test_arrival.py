"""Every permutation of arrival tells the same story."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from tests.support.histories import Fact, Shard, expected
from tests.support.oracle_model import DAY, HOUR, Consent, Event, Profile, World

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
FACTS: tuple[Fact, ...] = (
    Consent("led", "", "g", "p", "GRANT", START, START, method="interactive", actor="subject"),
    Event("app", "", "o1", "order", START + HOUR, START + HOUR),
    Event("app", "", "o1", "order", START + 2 * HOUR, START + HOUR + 1),
    Event("app", "", "o2", "order", START + 3 * HOUR, START + 5 * DAY),
    Consent("led", "", "w", "p", "WITHDRAW", START + DAY, START + 2 * DAY),
    Profile("crm", "", START + DAY // 2, START + DAY // 2, {"country": "DE"}),
)
"""A grant, an order, another of the same id, a late one, a withdrawal known late, and a profile."""

DEFINED: dict[str, object] = {
    "timezone": "UTC",
    "purposes": [{"id": "p", "basis": "consent"}],
    "sources": {
        "app": {"kind": "events", "properties": {}},
        "crm": {"kind": "profiles", "properties": {"country": "string"}},
        "led": {"kind": "consents"},
    },
    "segments": [
        {"segment": "twice", "purpose": "p", "when": {"did": {"event": "order", "count": ">= 2"}}},
        {"segment": "abroad", "purpose": "p", "when": {"not": {"property": {"country": "= 'DE'", "missing": False}}}},
        {"segment": "quiet", "purpose": "p", "when": {"did_not": {"event": "order", "window": "6h"}}},
    ],
}


ONE = [replace(fact, subject="who") for fact in FACTS]


def world_of(facts: Sequence[Fact]) -> World:
    kinds = [tuple(fact for fact in facts if isinstance(fact, kind)) for kind in (Event, Profile, Consent)]
    return World(DEFINED, *kinds)  # type: ignore[arg-type]


def test_every_permutation_of_arrival_gives_the_same_history(tmp_path: Path) -> None:
    """One subject for each permutation, to whom the facts become known in that order, one a step."""
    orders = list(permutations(FACTS))
    shard = Shard.of(tmp_path, world_of(ONE))
    for step in range(len(FACTS)):
        arriving = [replace(order[step], subject=f"s{number:03}") for number, order in enumerate(orders)]
        shard.step(arriving, START + (step + 1) * DAY)
    told = {name: intervals for (name, _), intervals in expected(world_of(ONE), START + len(FACTS) * DAY).items()}
    assert set(told) == {"twice", "abroad", "quiet"}
    wanted = {(name, f"s{number:03}"): told[name] for name in told for number in range(len(orders))}
    assert shard.folded() == wanted
