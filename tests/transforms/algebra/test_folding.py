"""Folding: what a state forgets, and that no answer from the floor on depends on it (semantics 2.3)."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from tests.support.generator import DAY, HOUR, START, Generator
from tests.support.histories import LATER, Fact, Shard, expected, facts_of, subjects_of
from tests.support.naive_sessions import sessions_of
from tests.support.oracle import feature
from tests.support.oracle_model import World
from tests.transforms.algebra.test_many_worlds import plain
from tests.transforms.algebra.test_sessions import ASKING, asking, current, kept
from transforms.algebra.order import BEGINNING

INSTANTS = ("occurred_at", "valid_from", "claimed_at", "linked_at", "received_at", "expires_at")
One = TypeVar("One")


def stretched(world: World, times: int) -> World:
    """The world with everything so many times as far apart: what is one week becomes a year."""

    def later(fact: Any) -> Any:
        said = {name: getattr(fact, name) for name in INSTANTS if getattr(fact, name, None) is not None}
        return replace(fact, **{name: stretch(at, times) for name, at in said.items()})

    kinds = ("events", "profiles", "consents", "links", "scores")
    return replace(world, **{kind: tuple(map(later, getattr(world, kind))) for kind in kinds})


def stretch(at: int, times: int) -> int:
    return START + (at - START) * times


def chunks(facts: Sequence[Fact], random: Random, number: int) -> list[list[Fact]]:
    cuts = [0, *sorted(random.randrange(len(facts) + 1) for _ in range(number - 1)), len(facts)]
    return [list(facts[begin:end]) for begin, end in pairwise(cuts)]


def of_world(folder: Path, random: Random) -> tuple[list[Any], Shard]:
    """What of a world is not as the law says, when its state forgets at every step what it can; and the shard."""
    generator = Generator(random, merges=True, scored=True)
    times = generator.pick((1, 5, 20, 60))
    world = stretched(generator.world(), times)
    asks = generator.chance(30)
    world = asking(world) if asks else world
    shard = Shard.of(folder, world, generator.pick((0, HOUR, 6 * HOUR, 2 * DAY)))
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
        rows |= {row.pop("subject"): row for row in tables["feature_rows"].to_pylist()}
    asked = [(who, name) for who, row in rows.items() for name in row]
    told = [(who, name, plain(rows[who][name]), plain(feature(world, name, who, at, LATER))) for who, name in asked]
    return [one for one in told if one[2] != one[3]]


@pytest.mark.parametrize("seed", range(60))
def test_a_state_that_forgets_at_every_step_tells_the_same_history_and_features(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wrong, _ = of_world(Path(folder), Random(seed))
    assert wrong == []
