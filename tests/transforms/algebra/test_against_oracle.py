"""The kernel against the oracle: random definitions and facts, every breakpoint and the microsecond beside it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.generator import Generator
from tests.support.histories import LATER, Shard, changes_folded, expected, facts_of
from tests.support.met import MET

WORLDS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def worlds_that_ask() -> Iterator[None]:
    """However the worlds are drawn, the hard questions are among those asked: worlds without them would prove nothing."""
    yield
    assert MET.missing == []


@WORLDS
@given(st.randoms(use_true_random=False))
def test_every_answer_at_every_instant_is_the_oracles(random: Random) -> None:
    world = MET.note(Generator(random, merges=True).world())
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world).step(facts_of(world), LATER)
    assert shard.believed() == expected(world)


@WORLDS
@given(st.randoms(use_true_random=False))
def test_any_arrival_in_any_cuts_gives_the_same_history_and_the_changes_fold_to_it(random: Random) -> None:
    generator = Generator(random, merges=True, scored=True)
    world = MET.note(generator.world())
    facts = facts_of(world)
    random.shuffle(facts)
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world)
    cuts = sorted(random.randrange(len(facts) + 1) for _ in range(3))
    moments = sorted(generator.at() for _ in range(4))
    for begin, end, at in zip([0, *cuts], [*cuts, len(facts)], moments, strict=True):
        shard.step(facts[begin:end], at)
    assert shard.believed() == expected(world)
    assert shard.folded() == expected(world, moments[-1])
    assert changes_folded(shard.published, moments) == expected(world, moments[-1])
