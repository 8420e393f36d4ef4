"""The law through the live graph: one history, whatever arrives when and in which cuts."""

from dataclasses import replace
from pathlib import Path
from random import Random
from shutil import copytree

import pytest

from runners.streams.streaming import GivenUp
from schemas.errors import JobFailed, SourceChanged
from tests.support.generator import START, Generator
from tests.support.histories import Fact, expected
from tests.support.oracle_model import DAY, World
from tests.support.streams import streaming
from tests.support.stretched import stretched
from tests.support.whole_runs import NOW, Target, crowded, feature_rows_that_differ, parted, shuffled, versioned
from transforms.follow import Reader

GROUPS = 6
_LAST = "(SELECT run_id FROM run_manifest ORDER BY k DESC LIMIT 1)"
AS_OF_ONE_RUN = (
    "SELECT segment, subject, valid_from, valid_to, purpose FROM segment_history WHERE known_to IS NULL ORDER BY ALL",
    "SELECT * EXCLUDE (session_id, run_id) FROM sessions ORDER BY ALL",
    f"SELECT * EXCLUDE (run_id) FROM lifecycle_transitions WHERE run_id = {_LAST} ORDER BY ALL",
    f"SELECT purpose, reason, subjects FROM consent_verdicts WHERE run_id = {_LAST} AND subjects > 0 ORDER BY ALL",
)
"""What one run over all there is says, too."""
SHARDS = (1, 3, 4)


def any_cuts_give_one_history(folder: Path, seed: int) -> None:
    """Some facts in a run, the others in cuts of a stream, in any order."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    world = crowded(generator, GROUPS)
    target = Target(folder, world).sharded(dice.choice(SHARDS))
    *facts, last_fact = shuffled(world, dice)
    first, *parts = parted(facts, dice, 5)
    moments = sorted(generator.at() + DAY for _ in range(5))
    target.write(first)
    with streaming(target, moments[0]) as live:
        for part, at in zip(parts, moments[1:], strict=True):
            early = dice.randrange(len(part) + 1)
            live.commit(dice.choice((at, None)), meanwhile=part[:early])
            live.tell(part[early:])
        live.tell([last_fact])
        live.commit(moments[-1] + 2 * DAY)
    holds_what_the_law_says(target, world)


def streams_that_forget_tell_the_same(folder: Path, seed: int) -> None:
    """Most of what arrives is new, some is older than what is kept, cut after cut."""
    dice = Random(seed)
    world = stretched(crowded(Generator(dice, merges=True, scored=True), GROUPS), dice.choice((5, 20, 60)))
    world = replace(world, project={**world.project, "state_reach": dice.choice(("1h", "1d"))})
    facts = sorted(shuffled(world, dice), key=lambda fact: fact.received_at + dice.choice((0, 0, 0, 30 * DAY)))
    target, (first, *parts) = Target(folder, world).sharded(dice.choice(SHARDS)), parted(facts[:-1], dice, 5)
    at = max([START, *(fact.received_at for fact in first)])
    target.write(first)
    with streaming(target, at) as live:
        for part in parts:
            at = max([at, *(fact.received_at for fact in part)])
            live.tell(part)
            live.commit(at)
        live.tell(facts[-1:])
        live.commit(max(at, facts[-1].received_at) + 2 * DAY)
    holds_what_the_law_says(target, world)


def holds_what_the_law_says(target: Target, world: World) -> None:
    assert feature_rows_that_differ(target, world, target.runs()[-1]) == []
    tells_the_one_history(target, world)


def tells_the_one_history(target: Target, world: World) -> None:
    """That of the oracle, of its own changes, and of one run over all that was written."""
    last, history = target.runs()[-1], target.history()
    assert target.folded() == history
    assert history == versioned(expected(world, last.t_at, last.known_at))
    alone = Target(target.folder / "alone", world).sharded(3)
    copytree(target.folder / "data", alone.folder / "data")
    alone.run(last.t_at, last.known_at)
    for sql in AS_OF_ONE_RUN:
        assert target.rows(sql) == alone.rows(sql), sql


@pytest.mark.parametrize("seed", [0, 1])
def test_any_order_in_any_cuts_gives_one_history(tmp_path: Path, seed: int) -> None:
    any_cuts_give_one_history(tmp_path, seed)


@pytest.mark.parametrize("seed", [1])
def test_late_news_in_cuts_gives_one_history(tmp_path: Path, seed: int) -> None:
    streams_that_forget_tell_the_same(tmp_path, seed)


def told_target(folder: Path) -> tuple[Target, list[Fact]]:
    """A target to which one half of a world is told, and the other half."""
    dice = Random(0)
    world = crowded(Generator(dice, merges=False, scored=True), 1)
    target = Target(folder, world).sharded(1)
    first, rest = parted(shuffled(world, dice), dice, 2)
    target.write(first)
    return target, rest


def test_a_file_that_changed_stops_a_stream_with_its_own_error_and_nothing_more_is_published(tmp_path: Path) -> None:
    target, rest = told_target(tmp_path)
    with streaming(target, NOW) as live:
        live.tell(rest)
        for path in (target.folder / "data").glob("*/live.ndjson"):
            path.write_bytes(path.read_bytes()[:-9])
        live.clock.at += DAY
        live.job.read()
        with pytest.raises(SourceChanged, match=r"live\.ndjson` is not what it was when it was read") as stopped:
            live.commit(is_last=True)
        assert stopped.value.exit_code == 1
    assert len(target.runs()) == 1


class Ended:
    """A job that has ended by itself."""

    def see_that_it_runs(self) -> None:
        raise JobFailed("SEG-0619", "the job of the stream has ended")


def test_a_cut_whose_reader_begins_anew_is_given_up_and_read_again_from_the_last_commit(tmp_path: Path) -> None:
    target, rest = told_target(tmp_path)
    with streaming(target, NOW) as live:
        live.tell(rest)
        live.job.reader = Reader(live.job.reader.following)
        with pytest.raises(GivenUp):
            live.commit()
        live.job.told.clear()
        live.job.read()
        assert live.commit().records == len(rest)
    assert target.runs()[-1].fates["read"] == len(rest)


@pytest.mark.parametrize("is_last", [False, True])
def test_a_cut_that_a_job_was_not_done_with_when_it_ended_ends_the_stream(is_last: bool, tmp_path: Path) -> None:
    with streaming(told_target(tmp_path)[0], NOW) as live, pytest.raises(JobFailed, match="has ended"):
        live.stream.commit(Ended(), is_last)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_law_of_streams_at_length(tmp_path: Path, seed: int) -> None:
    any_cuts_give_one_history(tmp_path / "any", seed)
    streams_that_forget_tell_the_same(tmp_path / "forgetful", seed)
