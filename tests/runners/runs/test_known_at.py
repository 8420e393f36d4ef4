"""K fixed by the caller, T moved back: what is not seen, what comes later, what is refused, and what the record keeps."""

from pathlib import Path
from random import Random

import pytest

from schemas.errors import CallError
from tests.support.generator import START, Generator
from tests.support.histories import History, cut
from tests.support.oracle import history as told
from tests.support.oracle_model import DAY, HOUR, Event, World
from tests.support.whole_runs import Target, crowded, standing, versioned

T = START + 8 * DAY
DEFINED: dict[str, object] = {
    "timezone": "UTC",
    "purposes": [{"id": "p", "basis": "legitimate_interest"}],
    "sources": {"e1": {"kind": "events", "properties": {}}},
    "segments": [{"segment": "seen", "purpose": "p", "when": {"did": {"event": "a"}}}],
}


def event(number: int, at: int, received_at: int | None = None) -> Event:
    return Event("e1", "ann", f"i{number}", "a", at, at if received_at is None else received_at)


def known(world: World, at: int, known_at: int) -> History:
    """The oracle's histories up to T by what was received by K."""
    names = [segment["segment"] for segment in world.project["segments"]]
    subjects = {fact.subject for fact in (*world.events, *world.profiles, *world.consents)}
    found = {(name, who): cut(told(world, name, who, known_at), at) for name in names for who in subjects}
    return versioned({key: intervals for key, intervals in found.items() if intervals})


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """One event seen at once, and one received a day later."""
    made = Target(tmp_path, World(DEFINED)).sharded(1)
    made.write([event(1, START + HOUR), event(2, START, START + DAY)])
    return made


def hides_what_was_received_later(folder: Path, seed: int) -> None:
    generator = Generator(Random(seed))
    world = crowded(generator, 6)
    target = Target(folder, world).sharded(3)
    facts = [*world.events, *world.profiles, *world.consents]
    target.write(facts)
    last = max(fact.received_at for fact in facts)
    between = sorted(fact.received_at for fact in facts)[len(facts) // 2]
    target.run(T, between)
    assert target.history() == known(world, T, between)
    target.run(T, last)
    assert target.history() == known(world, T, last)
    assert target.folded() == target.history()
    assert target.members([(T, between)]) == [standing(known(world, T, between), T)]


def goes_back(folder: Path, seed: int) -> None:
    """--full-refresh to an earlier T, then on again."""
    dice = Random(seed)
    generator = Generator(dice)
    world = crowded(generator, 6)
    target = Target(folder, world).sharded(3)
    facts = [*world.events, *world.profiles, *world.consents]
    target.write(facts[::2])
    earlier, later = sorted(generator.at() for _ in range(2))
    target.run(later)
    target.write(facts[1::2])
    for at, anew in ((earlier, True), (later, False)):
        known_at = target.run(at, full_refresh=anew).published.known_at
        assert known_at is not None
        assert target.history() == known(world, at, known_at)
        assert target.folded() == target.history()


def test_what_was_received_after_k_is_not_seen_and_comes_as_a_correction(target: Target) -> None:
    target.run(T, START + HOUR)
    assert target.history() == {("seen@1", "ann"): [(START + HOUR, None)]}
    target.run(T, START + DAY)
    assert target.history() == {("seen@1", "ann"): [(START, None)]}
    kinds = "SELECT kind, epoch_us(effective_at), epoch_us(until_at), member FROM segment_changes ORDER BY known_at"
    assert target.rows(kinds) == [
        ("entered", START + HOUR, None, True),
        ("corrected", START, START + HOUR, True),
    ]


def test_a_run_without_a_k_takes_up_what_a_fixed_k_had_hidden(target: Target) -> None:
    target.run(T, START + HOUR)
    assert target.run(T).published.status == "published"
    assert target.history() == {("seen@1", "ann"): [(START, None)]}
    assert target.run(T).published.status == "unchanged"


def test_every_record_has_one_fate_over_the_runs_of_a_fixed_k(target: Target) -> None:
    target.run(T, START + HOUR)
    target.run(T, START + DAY)
    assert [(run.fates["read"], run.fates["used"], run.fates["kept"]) for run in target.runs()] == [(2, 1, 1), (0, 0, 0)]


def test_the_same_call_again_changes_nothing(target: Target) -> None:
    target.run(T, START + HOUR)
    assert target.run(T, START + HOUR).published.status == "unchanged"


@pytest.mark.parametrize("refresh", [False, True])
def test_a_k_below_what_has_been_read_is_refused(target: Target, refresh: bool) -> None:
    target.run(T)
    with pytest.raises(CallError, match="SEG-0904"):
        target.run(T + 1, START + HOUR, full_refresh=refresh)
    assert len(target.runs()) == 1


def test_a_t_before_the_last_published_one_is_refused_unless_everything_is_read_again(target: Target) -> None:
    target.run(T)
    with pytest.raises(CallError, match="SEG-0904"):
        target.run(T - 1)
    assert target.run(T - 1, full_refresh=True).published.status == "published"
    assert [run.t_at for run in target.runs()] == [T, T - 1]


def test_sizes_end_at_t_where_it_went_back(target: Target) -> None:
    target.run(T)
    target.run(START + 2 * DAY, full_refresh=True)
    assert target.rows("SELECT count(*) FROM segment_sizes") == [(3,)]


@pytest.mark.parametrize("seed", range(1))
def test_the_record_at_a_fixed_k_is_what_was_known_then(tmp_path: Path, seed: int) -> None:
    hides_what_was_received_later(tmp_path, seed)


@pytest.mark.parametrize("seed", range(1))
def test_after_t_went_back_the_changes_still_fold_to_the_history(tmp_path: Path, seed: int) -> None:
    goes_back(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_fixed_ks_and_earlier_ts_at_length(tmp_path: Path, seed: int) -> None:
    hides_what_was_received_later(tmp_path / "hidden", seed)
    goes_back(tmp_path / "back", seed)


def test_a_correction_that_ends_at_t_itself_is_folded_to_its_end(tmp_path: Path) -> None:
    goes_back(tmp_path, 203)
