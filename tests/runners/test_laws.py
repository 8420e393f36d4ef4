"""The law through the whole run, files to warehouse: one history, whatever arrives when, in how many runs and shards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from tests.support.generator import START, Generator
from tests.support.histories import Fact, History, every_fact, expected, subjects_of
from tests.support.oracle import feature, member
from tests.support.oracle_model import DAY, World, to_instant
from tests.support.stretched import stretched
from tests.support.whole_runs import Run, Target, crowded, standing, versioned

GROUPS = 6
SHARDS = (1, 3, 16)
BESIDE = (-1, 0, 1)
SCORED = (1,)
"""Seeds of worlds in which models speak of the subjects."""


def facts_in_any_order(world: World, dice: Random) -> list[Fact]:
    facts = every_fact(world)
    return dice.sample(facts, len(facts))


def cuts(facts: Sequence[Fact], dice: Random, parts: int) -> list[Sequence[Fact]]:
    ends = sorted(dice.randrange(len(facts) + 1) for _ in range(parts - 1))
    return [facts[begin:end] for begin, end in zip([0, *ends], [*ends, len(facts)], strict=True)]


def asked(history: History, dice: Random, until: int) -> list[int]:
    """Some instants up to T at which an answer turns, and those beside them."""
    turns = sorted({at for intervals in history.values() for pair in intervals for at in pair if at is not None})
    chosen = dice.sample(turns, min(4, len(turns)))
    return sorted({at + beside for at in chosen for beside in BESIDE if at + beside <= until} | {until})


def one_history_and_its_record(folder: Path, seed: int) -> None:
    """Any order, any cut, the number of shards changed between runs; then the record of every earlier run."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    world = crowded(generator, GROUPS)
    target = Target(folder, world)
    moments = sorted(generator.at() + DAY for _ in range(3))
    published = []
    for part, at in zip(cuts(facts_in_any_order(world, dice), dice, 3), moments, strict=True):
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
    target, facts = Target(folder, world).sharded(3), facts_in_any_order(world, dice)
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
    parts = cuts(facts_in_any_order(first, dice), dice, 3)
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
    facts = sorted(facts_in_any_order(world, dice), key=lambda fact: fact.received_at + dice.choice((0, 0, 0, 30 * DAY)))
    target, at = Target(folder, world).sharded(dice.choice(SHARDS)), START
    for part in cuts(facts, dice, 5):
        target.write(part)
        at = max([at, *(fact.received_at for fact in part)])
        target.run(at)
        assert target.folded() == target.history()
    last = target.runs()[-1]
    assert target.history() == versioned(expected(world, last.t_at, last.known_at))
    assert feature_rows_that_differ(target, world, last) == []


def unversioned(history: History) -> History:
    return {(name.partition("@")[0], who): intervals for (name, who), intervals in history.items()}


_LATEST = "FROM feature_rows QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"


def feature_rows_that_differ(target: Target, world: World, run: Run) -> list[tuple[str, str, object, object]]:
    """(subject, column, written, the oracle's) wherever the row at T is not what the facts say that were known."""
    with target.lake() as lake:
        rows = {row["subject"]: row for row in lake.arrow(_LATEST).to_pylist()}
    columns = [name for name in next(iter(rows.values())) if name.startswith("grp__")]
    asked = [(who, name, row[name]) for who, row in rows.items() for name in columns]
    pairs = [(*one, feature(world, one[1], one[0], run.t_at, run.known_at)) for one in asked]
    return [pair for pair in pairs if as_number(pair[2]) != pair[3]]


def as_number(value: object) -> object:
    if isinstance(value, list):
        return [as_number(one) for one in value]
    return to_instant(value) if isinstance(value, datetime) else value


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
