"""Facts dated after T, and received after the run's K, that tell of instants before: they are not seen yet (2.4)."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.support.histories import Fact, cut
from tests.support.oracle import history as told
from tests.support.oracle_model import DAY, HOUR, Consent, Event, Profile, World
from tests.support.whole_runs import Target, versioned

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY
GRANT = Consent("led", "ann", "g", "p", "GRANT", START, START, method="interactive", actor="subject")
SEEN = Event("e1", "ann", "i", "a", START + HOUR, START + HOUR)
VOIDS = Consent("led", "ann", "v", "p", "INVALIDATE", T + DAY, T + DAY, retroactive=True)
TWIN = replace(GRANT, action="DENY", claimed_at=T + DAY, received_at=T + DAY)
SNAPSHOT = Consent("led", "ann", "s", "q", "GRANT", START + HOUR, START + HOUR, payload_kind="snapshot")
COMPLETED = replace(SNAPSHOT, purpose="p", claimed_at=T + DAY, received_at=T + DAY)
GROWN = Profile("pro", "ann", START, START, {"birth_date": date(2000, 1, 1)})
MINOR = replace(GROWN, columns={"birth_date": date(2015, 1, 1)})
HOME = Profile("pro", "ann", T + DAY, T + DAY, {"country": "DE"})


def world(facts: list[Fact]) -> World:
    kinds = {kind: tuple(fact for fact in facts if isinstance(fact, kind)) for kind in (Event, Profile, Consent)}
    columns = {"birth_date": "date", "country": "string"}
    defined = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "consent", "min_age": 8}, {"id": "q", "basis": "consent"}],
        "sources": {
            "e1": {"kind": "events", "properties": {}},
            "pro": {"kind": "profiles", "payload": "delta", "properties": columns},
            "led": {"kind": "consents"},
        },
        "segments": [{"segment": "came", "purpose": "p", "when": {"did": {"event": "a"}}}],
    }
    return World(defined, kinds[Event], kinds[Profile], kinds[Consent])


def by_law(facts: list[Fact], at: int, known_at: int) -> dict[tuple[str, str], list[tuple[int, int | None]]]:
    found = cut(told(world(facts), "came", "ann", known_at), at)
    return versioned({("came", "ann"): found} if found else {})


@pytest.mark.parametrize(
    ("known", "later"),
    [
        ([GROWN, GRANT, SEEN], VOIDS),
        ([GROWN, GRANT, SEEN], TWIN),
        ([GROWN, GRANT, SNAPSHOT, SEEN], COMPLETED),
        ([MINOR, GRANT, SEEN], HOME),
    ],
    ids=["invalidation", "twin", "snapshot", "profile of a minor"],
)
def test_a_later_fact_changes_nothing_before_t_until_a_run_knows_it(tmp_path: Path, known: list[Fact], later: Fact) -> None:
    facts = [*known, later]
    target = Target(tmp_path, world(facts)).sharded(2)
    target.write(facts)
    for at in (T, T + 2 * DAY):
        outcome = target.run(at)
        known_at = outcome.published.known_at
        assert known_at is not None
        assert target.history() == by_law(facts, at, known_at)
        assert target.folded() == target.history()
    before, after = (by_law(facts, T, run.known_at) for run in target.runs())
    assert before != after, "the later fact tells nothing of instants before it: this test asks nothing"


def test_every_record_has_one_fate_also_where_k_hides_it(tmp_path: Path) -> None:
    target = Target(tmp_path, world([GROWN, GRANT, SEEN, VOIDS])).sharded(2)
    target.write([GROWN, GRANT, SEEN, VOIDS])
    target.run(T)
    (run,) = target.runs()
    assert (run.fates["read"], run.fates["used"], run.fates["kept"]) == (4, 3, 1)


@pytest.mark.parametrize("beside", [[], [replace(VOIDS, subject="bob")]], ids=["alone", "beside another's"])
def test_the_next_flip_is_told_by_what_k_has_seen_whoever_else_has_a_later_fact(tmp_path: Path, beside: list[Fact]) -> None:
    """A grant that ends, and that a row received after K would end earlier."""
    ends = replace(GRANT, expires_at=T + 20 * DAY)
    sooner = Consent("led", "ann", "w", "p", "WITHDRAW", T + DAY, T + DAY)
    facts: list[Fact] = [GROWN, ends, SEEN, sooner, *beside]
    target = Target(tmp_path, world(facts)).sharded(1)
    target.write(facts)
    target.run(T)
    assert target.rows("SELECT subject, epoch_us(next_transition_at) FROM segment_membership") == [("ann", T + 20 * DAY)]
