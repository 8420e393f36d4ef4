"""Verdicts, epochs and first facts against the naive oracle, over random ledgers, profiles and purposes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.definitions.project import Project
from tests.support import oracle
from tests.support.consent_rows import consents, minutes, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from tests.support.oracle_consent import PERMISSIVE, permits_at
from tests.support.oracle_model import Consent, Profile, World
from tests.support.oracle_subject import Known
from transforms.algebra.epochs import Grounds
from transforms.algebra.ledger import first_permissive
from transforms.algebra.order import FOREVER
from transforms.algebra.stints import crossed
from transforms.algebra.verdicts import REASONS, judge, reasons

ACTIONS = (
    *("GRANT", "GRANT", "GRANT", "UNOBJECT", "UNRESTRICT", "UNRESTRICT"),
    *("DENY", "WITHDRAW", "WITHDRAW", "OBJECT", "RESTRICT", "INVALIDATE", "ERASE"),
)
CLOSED = {"NO_RECORD", "STALE_VERSION", "EXPIRED"}
LATER = minutes(100_000)
PEOPLE = 20
SUBJECTS = [f"s{who}" for who in range(PEOPLE)]
DAY = 1440


def purposes() -> list[dict[str, Any]]:
    """A registry for both: the oracle's raw one, with instants and durations as it reads them."""
    mixed = {"default": "consent", "US": "legitimate_interest", "GB": "legitimate_interest"}
    return [
        {"id": "ads", "basis": {"default": "consent"}, "max_grant_age": "60m"},
        {"id": "mail", "basis": {"default": "legitimate_interest"}},
        {"id": "push", "basis": mixed, "min_age": 16},
        {"id": "web", "basis": {"default": "legitimate_interest", "DE": "consent"}},
        {"id": "lab", "basis": {"default": "consent"}, "versions": [(1, 0), (2, 55), (3, 80)], "min_age": 16},
    ]


def read(raw: dict[str, Any]) -> Any:
    age = raw.get("max_grant_age")
    versions = tuple((major, minutes(at)) for major, at in raw.get("versions", ()))
    return registered(
        raw["id"],
        raw["basis"],
        versions=versions,
        max_grant_age=minutes(int(age[:-1])) if age else None,
        min_age=raw.get("min_age"),
    )


def oracle_purpose(raw: dict[str, Any]) -> dict[str, Any]:
    said = [
        {"major": major, "introduced_at": f"1970-01-01T{at // 60:02}:{at % 60:02}:00Z"}
        for major, at in raw.get("versions", ())
    ]
    return {**raw, **({"versions": said} if said else {})}


def random_row(dice: random.Random, subject: str, number: int) -> dict[str, Any]:
    action = dice.choice(ACTIONS)
    claimed = dice.randrange(0, 120, 5)
    received = max(0, claimed + dice.choice([0, 0, 0, -10, -5, 5, 10, 20, 40]))
    more: dict[str, Any] = {
        "purpose": dice.choice(["ads", "mail", "push", "web", "lab", "lab", "Ads", "*"]),
        "channel": dice.choice(["*", "*", "*", "*", "email"]),
        "claimed_precision": dice.choice(["us", "us", "s", "day"]),
        "method": dice.choice(["interactive", "double_opt_in", "parental", "import", "signal"]),
        "actor": dice.choice(["subject", "subject", "guardian", "system"]),
        "purpose_major": dice.choice([1, 1, 2, 3]),
        "retroactive": dice.random() < 0.3,
        "source": dice.choice(["cmp", "clock"]),
        "event_id": f"e{number if dice.random() < 0.8 else dice.randrange(3)}",
    }
    if dice.random() < 0.2:
        more["expires"] = dice.randrange(0, 140, 5)
    if dice.random() < 0.1:
        more |= {"payload_kind": "snapshot", "event_id": f"snap{claimed}-{received}", "claimed_precision": "us"}
    return row(action, claimed, received, subject=subject, **more)


def random_profile(dice: random.Random, subject: str) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if dice.random() < 0.5:
        more["country"] = dice.choice(["DE", "US", "GB", "FR", "", None])
    if dice.random() < 0.5:
        more["birth_date"] = dice.choice([date(1954, 1, 1), date(1950, 2, 28), date(1954, 1, 2), None])
    if dice.random() < 0.3:
        more["timezone"] = dice.choice(["America/New_York", "Asia/Tokyo", "Nowhere/Land", None])
    kind = dice.choice(["delta", "delta", "snapshot"])
    if kind == "delta":
        more["explicit_nulls"] = [name for name, value in more.items() if value is None]
    at = dice.choice([-1000, 0, 0, *range(-300, 120, 30)])
    return profile(at, subject, received=dice.choice([0, 30, 50]), payload=kind, **more)


def as_oracle(rows: list[dict[str, Any]], people: list[dict[str, Any]], raw: list[dict[str, Any]]) -> World:
    sources = {
        "cmp": {"kind": "consents"},
        "clock": {"kind": "consents", "clock": "trusted"},
        "crm": {"kind": "profiles"},
    }
    said = {"timezone": "UTC", "purposes": [oracle_purpose(each) for each in raw], "sources": sources}
    known = [{name: value for name, value in each.items() if name != "record_hash"} for each in rows]
    columns = ("country", "birth_date", "timezone")
    told = [
        Profile(
            each["source"],
            each["subject"],
            each["valid_from"],
            each["received_at"],
            {name: each[name] for name in columns if name in each},
            each["payload"],
        )
        for each in people
    ]
    return World(said, consents=tuple(Consent(**each) for each in known), profiles=tuple(told))


def apart(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those that only a content hash would order: the two hash differently."""
    return list({(each["subject"], each["valid_from"], each["received_at"]): each for each in people}.values())


def random_world(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    dice, rows, people = random.Random(seed), [], []
    for who in range(PEOPLE):
        rows += [random_row(dice, f"s{who}", number) for number in range(dice.randrange(9))]
        people += [random_profile(dice, f"s{who}") for _ in range(dice.randrange(4))]
    dice.shuffle(rows)
    return rows, apart(people)


def seen(rows: list[dict[str, Any]], known_at: int) -> list[dict[str, Any]]:
    return [each for each in rows if each["received_at"] <= known_at]


def trusting(raw: list[dict[str, Any]]) -> Project:
    """The project of `raw` with a second source of consents, whose clock is trusted."""
    world = project(*(read(each) for each in raw))
    clock = replace(world.sources["cmp"], name="clock", clock="trusted")
    return replace(world, sources={**world.sources, "clock": clock})


class Case:
    """A random world in both forms, at a random K."""

    def __init__(self, seed: int) -> None:
        self.seed, self.dice = seed, random.Random(seed)
        rows, people = random_world(seed)
        raw = purposes()
        self.world, self.theirs = trusting(raw), as_oracle(rows, people, raw)
        self.known_at = self.dice.choice([LATER, minutes(self.dice.randrange(0, 150, 5))])
        known = consents(seen(rows, self.known_at)), profiles(seen(people, self.known_at))
        self.grounds = Grounds(self.world, *known, pa.array(SUBJECTS))

    def question(self) -> tuple[int, int]:
        """An event and a use, not before it."""
        dice = self.dice
        on_the_grid, anywhere = minutes(dice.randrange(-10, 150) * 2.5), dice.randrange(0, minutes(150))
        use = dice.choice([on_the_grid, minutes(dice.randrange(0, 5 * DAY)), anywhere])
        return min(
            use, dice.choice([use, minutes(dice.randrange(-10, 150) * 2.5), use - minutes(dice.randrange(30))])
        ), use

    def verdicts(self) -> Iterator[tuple[str, str, str]]:
        """(the question in words, ours, theirs)"""
        for name, channel in product(self.world.purposes, ("*", "email")):
            for event, use in (self.question() for _ in range(5)):
                judgement = judge(self.grounds, self.world.purposes[name], use, channel)
                code = reasons(judgement, np.arange(PEOPLE), np.full(PEOPLE, event))
                for who, subject in enumerate(SUBJECTS):
                    theirs = oracle.verdict(self.theirs, name, channel, subject, event, use, self.known_at)
                    yield f"{self.seed} {subject} {name} {channel} {event} {use}", REASONS[int(code[who])], theirs


def agree(ours: str, theirs: str, channel: str) -> bool:
    """Whether they say the same, but for what the law leaves open.

    Of a ledger that grants nothing the oracle says less. And it closes a channel whose own grant has ended, where
    without that grant it would be open: a permission more must not deny (principle 5).
    """
    if channel != "*" and {ours[:5], theirs} == {"ALLOW", "CHANNEL_OPT_OUT"}:
        return True
    return ours == theirs or (ours in CLOSED and theirs in CLOSED)


def holds_against_the_oracle(seed: int) -> None:
    found = [
        (asked, ours, theirs)
        for asked, ours, theirs in Case(seed).verdicts()
        if not agree(ours, theirs, asked.split()[3])
    ]
    assert found == []


def counts_like_the_oracle(seed: int) -> None:
    case = Case(seed)
    for names in (("ads",), ("lab", "mail"), ("push", "web", "mail")):
        found = crossed(case.grounds, names)
        for event, use in (case.question() for _ in range(10)):
            is_open = (found.use_from <= use) & (use < found.use_to)
            counts = is_open & (found.event_from <= event) & (event < found.event_to)
            for who, subject in enumerate(SUBJECTS):
                mine = found.subject == who
                asked = (case.theirs, subject, use, case.known_at)
                opened = all(oracle.purpose_open(asked[0], name, *asked[1:]) for name in names)
                event_of = oracle.Event("app", subject, "1", "view", event, 0)
                counted = oracle.event_counts(case.theirs, names, event_of, use, case.known_at)
                assert (mine & is_open).sum() == opened, (seed, names, subject, use)
                assert (mine & counts).sum() == counted, (seed, names, subject, event, use)


def knows_first_facts_like_the_oracle(seed: int) -> None:
    case = Case(seed)
    known = Known(case.theirs, case.known_at)
    rows = [[permits_at(each) for each in known.person(name).ledger if each.action in PERMISSIVE] for name in SUBJECTS]
    assert first_permissive(case.grounds.ledger).tolist() == [min(instants, default=FOREVER) for instants in rows]


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_are_the_oracle_s(seed: int) -> None:
    holds_against_the_oracle(seed)


@pytest.mark.parametrize("seed", range(100, 112))
def test_events_count_where_the_oracle_counts_them(seed: int) -> None:
    counts_like_the_oracle(seed)


@pytest.mark.parametrize("seed", range(200, 230))
def test_the_first_permission_is_the_oracle_s(seed: int) -> None:
    knows_first_facts_like_the_oracle(seed)


def test_random_worlds_reach_every_verdict() -> None:
    """A generator that never allows, or never objects, would prove nothing."""
    reached = {ours for seed in range(12) for _, ours, _ in Case(seed).verdicts()}
    assert reached == {*REASONS} - {"SOURCE_STALE", "MALFORMED_SIGNAL", "BELOW_K"}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1_000, 2_000))
def test_a_long_run_against_the_oracle(seed: int) -> None:
    holds_against_the_oracle(seed)
    counts_like_the_oracle(seed)
    knows_first_facts_like_the_oracle(seed)
