"""Laws that the oracle keeps in random worlds of merges and scores, whatever any other reading of the rules would say."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.support.generator import LINKED, SUBJECTS, Generator
from tests.support.oracle import Consent, Link, World, event_counts, history, member, purpose_open, survivor
from tests.support.oracle_model import DAY

LATER = 10**17
PURPOSES = (("p",), ("q",), ("p", "q"))
SEEDS = range(120)


def drawn(seed: int) -> tuple[Generator, World]:
    """A world with links or scores, by its seed, and what drew it."""
    random = Random(seed)
    while True:
        generator = Generator(random, merges=True, scored=True)
        world = generator.world()
        if world.links or world.scores:
            return generator, world


def linked(seed: int) -> tuple[Generator, World]:
    """A world with links."""
    return next((g, w) for g, w in (drawn(seed * 1000 + n) for n in range(100)) if w.links)


def used(world: World, instants: list[int]) -> set[tuple[object, ...]]:
    """Which events count at which instants, and which purposes are open for whom."""
    events = {
        (purposes, event.subject, event.occurred_at, at)
        for purposes in PURPOSES
        for event in world.events
        for at in instants
        if event_counts(world, purposes, event, at, LATER)
    }
    return events | {
        (name, who, at) for name in "pq" for who in LINKED for at in instants if purpose_open(world, name, who, at, LATER)
    }


def ageless(world: World) -> World:
    """Without least ages, which the survivor's profile tells."""
    purposes = [{key: said for key, said in one.items() if key != "min_age"} for one in world.project["purposes"]]
    return replace(world, project={**world.project, "purposes": purposes})


def answers(world: World) -> Iterator[tuple[object, ...]]:
    for segment in world.project["segments"]:
        for who in LINKED:
            yield segment["segment"], who, history(world, segment["segment"], who, LATER)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_change_at_breakpoints_alone_and_a_merged_id_is_a_member_of_nothing(seed: int) -> None:
    generator, world = drawn(seed)
    assert list(answers(world))  # the history of each asserts that it flips nowhere else
    for at in generator.instants:
        merged = [who for who in LINKED if survivor(world, who, at, LATER) != who]
        assert not [who for who in merged for s in world.project["segments"] if member(world, s["segment"], who, at, LATER)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_facts_says_nothing(seed: int) -> None:
    _, world = drawn(seed)
    links, scores = list(world.links), list(world.scores)
    Random(seed).shuffle(links)
    Random(seed).shuffle(scores)
    assert list(answers(replace(world, links=(*links, *links), scores=(*scores, *scores)))) == list(answers(world))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_merge_makes_an_event_usable_that_was_not(seed: int) -> None:
    generator, world = linked(seed)
    alone = replace(ageless(world), links=())
    merged = {one for one in used(ageless(world), generator.instants) if len(one) == 4}
    assert merged <= used(alone, generator.instants)


@pytest.mark.parametrize("seed", SEEDS)
def test_when_all_links_are_undone_everything_is_as_though_they_had_never_been(seed: int) -> None:
    _, world = linked(seed)
    end = max(link.linked_at for link in world.links) + 1
    undone = tuple(Link("ids", who, who, "", end, end) for who in LINKED)
    after = [at for fact in world.events for at in (fact.occurred_at, fact.occurred_at + DAY) if at >= end] + [end, end + DAY]
    restored = replace(world, links=(*world.links, *undone))
    assert used(restored, after) == used(replace(world, links=()), after)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_more_restriction_allows_nothing_more(seed: int) -> None:
    generator, world = linked(seed)
    at, who, action = generator.at(), generator.pick(SUBJECTS), generator.pick(("WITHDRAW", "DENY", "OBJECT", "RESTRICT"))
    more = Consent("led", who, "more", generator.pick(("p", "q", "*")), action, at, at)
    restricted = replace(world, consents=(*world.consents, more))
    assert used(restricted, generator.instants) <= used(world, generator.instants)


@pytest.mark.parametrize("seed", range(10))
def test_worlds_without_links_and_scores_are_drawn_as_ever(seed: int) -> None:
    plain = Generator(Random(seed)).world()
    assert (plain.links, plain.scores) == ((), ())
    assert not {"ids", "models"} & set(plain.project["sources"])
