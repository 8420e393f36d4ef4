"""The law through the whole run, files to warehouse: one history, whatever arrives when, in how many runs and shards."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.support.generator import START, Generator
from tests.support.histories import History, expected, subjects_of
from tests.support.oracle import member
from tests.support.oracle_model import DAY, World
from tests.support.stretched import stretched
from tests.support.whole_runs import Target, crowded, feature_rows_that_differ, parted, shuffled, standing, versioned

GROUPS = 6
SHARDS = (1, 3, 16)
BESIDE = (-1, 0, 1)
SCORED = (1,)
"""Seeds of worlds in which models speak of the subjects."""


def asked(history: History, dice: Random, until: int) -> list[int]:
    """Some instants up to T at which an answer turns, and those beside them."""
    turns = sorted({at for intervals in history.values() for pair in intervals for at in pair if at is not None})
    chosen = dice.sample(turns, min(4, len(turns)))
    return sorted({at + beside for at in chosen for beside in BESIDE if at + beside <= until} | {until})


def one_history_and_its_record(folder: Path, seed: int, made: Callable[[Path, World], Target] = Target) -> None:
    """Any order, any cut, the number of shards changed between runs; then the record of every earlier run."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    world = crowded(generator, GROUPS)
    target = made(folder, world)
    moments = sorted(generator.at() + DAY for _ in range(3))
    published = []
    for part, at in zip(parted(shuffled(world, dice), dice, 3), moments, strict=True):
        target.write(part, dice.choice(("same", None)))
        target.sharded(dice.choice(SHARDS)).run(at)
        published.append(target.history())
    last = target.runs()[-1]
    assert published[-1] == versioned(expected(world, last.t_at, last.known_at))
    assert target.folded() == published[-1]
    assert feature_rows_that_differ(target, world, last) == []
    tells_what_was_published(target, published, dice)


def tells_what_was_published(target: Target, published: Sequence[History], dice: Random) -> None:
    runs = target.runs()
    if len(runs) != len(published):
        return  # a run that had nothing to say left no record of its own
    following = [run.known_at - 1 for run in runs[1:]]
    for index, (run, history) in enumerate(zip(runs, published, strict=True)):
        known = [run.known_at, *following[index : index + 1]]
        pairs = [(at, k) for at in asked(history, dice, run.t_at) for k in known]
        assert target.members(pairs) == [standing(history, at) for at, _ in pairs]


def what_was_published_is_what_was_known(folder: Path, seed: int) -> None:
    """Facts that are read as they are received: the record at (T, K) is the oracle's answer at (T, K)."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    world = crowded(generator, GROUPS)
    target, facts = Target(folder, world).sharded(3), shuffled(world, dice)
    moments = sorted({generator.at() + DAY for _ in range(3)})
    read_until = min(fact.received_at for fact in facts) - 1
    pairs, answers = [], []
    for at in moments:
        target.write([fact for fact in facts if read_until < fact.received_at <= at])
        read_until = at
        known_at = target.run(at).published.known_at
        assert known_at is not None
        if known_at <= read_until:  # else a fact that was not read yet may have been received by then
            pairs += [(instant, known_at) for instant in asked(target.history(), dice, at)]
    answers = target.members(pairs)
    assert answers == [known_members(world, *pair) for pair in pairs]


def definitions_change_and_come_back(folder: Path, seed: int) -> None:
    """Other segments and purposes over the same facts, then the first again, while facts arrive and T moves."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    first = crowded(generator, GROUPS)
    changed = {"segments": generator.segments(), "purposes": generator.purposes()}
    other = replace(first, project={**first.project, **changed})
    target, moments = Target(folder, first), sorted(generator.at() + DAY for _ in range(3))
    parts = parted(shuffled(first, dice), dice, 3)
    for world, part, at in zip((first, other, first), parts, moments, strict=True):
        target.define(world)
        target.write(part)
        target.sharded(dice.choice(SHARDS)).run(at)
        assert target.folded() == target.history()
    last = target.runs()[-1]
    assert last.t_at == moments[-1]
    assert unversioned(target.history()) == expected(first, last.t_at, last.known_at)
    assert feature_rows_that_differ(target, first, last) == []


def states_forget_what_no_answer_needs(folder: Path, seed: int) -> None:
    """Most of what arrives is new, some is older than what is kept: one history, and the record of it."""
    dice = Random(seed)
    world = stretched(crowded(Generator(dice, merges=True, scored=True), GROUPS), dice.choice((5, 20, 60)))
    world = replace(world, project={**world.project, "state_reach": dice.choice(("1h", "1d"))})
    facts = sorted(shuffled(world, dice), key=lambda fact: fact.received_at + dice.choice((0, 0, 0, 30 * DAY)))
    target, at = Target(folder, world).sharded(dice.choice(SHARDS)), START
    for part in parted(facts, dice, 5):
        target.write(part)
        at = max([at, *(fact.received_at for fact in part)])
        target.run(at)
        assert target.folded() == target.history()
    last = target.runs()[-1]
    assert target.history() == versioned(expected(world, last.t_at, last.known_at))
    assert feature_rows_that_differ(target, world, last) == []


def unversioned(history: History) -> History:
    return {(name.partition("@")[0], who): intervals for (name, who), intervals in history.items()}


def known_members(world: World, at: int, known_at: int) -> set[tuple[str, str]]:
    names = [segment["segment"] for segment in world.project["segments"]]
    subjects = subjects_of(world)
    return {(f"{name}@1", who) for name in names for who in subjects if member(world, name, who, at, known_at)}


@pytest.mark.parametrize("seed", [0, SCORED[0]])
def test_any_order_any_cuts_and_any_shards_give_one_history_and_keep_its_record(tmp_path: Path, seed: int) -> None:
    one_history_and_its_record(tmp_path, seed)


@pytest.mark.parametrize("seed", SCORED[:1])
def test_states_that_forget_tell_the_same_history(tmp_path: Path, seed: int) -> None:
    states_forget_what_no_answer_needs(tmp_path, seed)


@pytest.mark.parametrize("seed", SCORED[:1])
def test_what_was_published_about_t_at_k_is_what_was_known_at_k(tmp_path: Path, seed: int) -> None:
    what_was_published_is_what_was_known(tmp_path, seed)


@pytest.mark.parametrize("seed", SCORED[:1])
def test_definitions_that_change_and_come_back_leave_what_they_say(tmp_path: Path, seed: int) -> None:
    definitions_change_and_come_back(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_laws_of_whole_runs_at_length(tmp_path: Path, seed: int) -> None:
    one_history_and_its_record(tmp_path / "one", seed)
    what_was_published_is_what_was_known(tmp_path / "known", seed)
    definitions_change_and_come_back(tmp_path / "changed", seed)
    states_forget_what_no_answer_needs(tmp_path / "forgetful", seed)
