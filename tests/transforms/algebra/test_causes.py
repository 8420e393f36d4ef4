"""The reason of a correction: the first kind of news without which the answer would stand, as the oracle tells it."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.consent import RESTRICTIVE
from tests.support.generator import Generator
from tests.support.histories import LATER, Fact, Shard, facts_of
from tests.support.oracle import history
from tests.support.oracle_model import Consent, Event, Profile, Score, World, to_instant

UNSHRUNK = [Phase.explicit, Phase.generate]
WORLDS = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=UNSHRUNK
)
KINDS: dict[str, tuple[type[Fact], ...]] = {"consent": (Consent,), "late": (Event,), "profile": (Profile, Score)}
ASKED: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def hard_questions() -> Iterator[None]:
    """Corrections of subjects with several kinds of news are among those asked."""
    yield
    assert all(ASKED[reason] for reason in ("consent", "late")), ASKED


def told(world: World, facts: Sequence[Fact]) -> World:
    kinds = {"events": Event, "profiles": Profile, "consents": Consent, "scores": Score}
    return replace(world, **{name: tuple(fact for fact in facts if isinstance(fact, kind)) for name, kind in kinds.items()})


def holds(world: World, facts: Sequence[Fact], row: dict[str, Any], last_at: int, member: bool) -> bool:
    """Whether the answer is `member` all the time that a correction tells of, up to the last T."""
    begin, end = to_instant(row["effective_at"]), min(to_instant(row["until_at"]), last_at + 1)
    answered = history(told(world, facts), row["segment"], row["subject"], LATER)
    inside = [(max(a, begin), end if b is None else min(b, end)) for a, b in answered if a < end and (b is None or b > begin)]
    return inside == [(begin, end)] if member else not inside


def restricts(fact: Fact) -> bool:
    return isinstance(fact, Consent) and (fact.action in RESTRICTIVE or fact.payload_kind == "snapshot")


@WORLDS
@given(st.randoms(use_true_random=False))
def test_a_correction_names_a_restriction_or_the_first_kind_of_news_without_which_it_would_not_be_made(random: Random) -> None:
    generator = Generator(random, scored=True)
    world = generator.world()
    facts = facts_of(world)
    random.shuffle(facts)
    known, news = facts[: len(facts) // 2], facts[len(facts) // 2 :]
    first_at, then_at = sorted(generator.at() for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world).step(known, first_at).step(news, then_at)
    for row in shard.published[-1]["changes"].to_pylist():
        if row["kind"] != "corrected" or row["effective_at"] == row["until_at"]:
            continue
        mine = {cause for cause, kind in KINDS.items() if any(isinstance(f, kind) and f.subject == row["subject"] for f in news)}
        left = {cause: [*known, *(f for f in news if not isinstance(f, KINDS[cause]))] for cause in KINDS}
        needed = [cause for cause in KINDS if cause in mine and not holds(world, left[cause], row, first_at, row["member"])]
        restricted = [*known, *filter(restricts, news)]
        if not row["member"] and "consent" in mine and not holds(world, restricted, row, first_at, member=True):
            needed = ["consent"]
        assert row["reason"] == needed[0] if needed else row["reason"] in mine, (row["reason"], needed, mine)
        ASKED[row["reason"]] += len(mine) > 1 and bool(needed)
