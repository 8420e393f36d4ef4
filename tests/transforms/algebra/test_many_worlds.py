"""Worlds by their seeds: every answer of all time and every feature is the oracle's. A seed that fails is run again alone."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.generator import Generator
from tests.support.histories import LATER, Shard, expected, facts_of
from tests.support.oracle import feature
from tests.support.oracle_model import World, to_instant

BLOCK = 100


def differing(folder: Path, seed: int, merges: bool = False, scored: bool = False) -> list[Any]:
    """What of one world is not as the law says: histories by segment and subject, and features by subject and column."""
    return of_world(folder, Generator(Random(seed), merges, scored).world())


def of_world(folder: Path, world: World) -> list[Any]:
    shard = Shard.of(folder, world).step(facts_of(world), LATER)
    found, wanted = shard.believed(), expected(world)
    histories = [(key, found.get(key), wanted.get(key)) for key in {*found, *wanted} if found.get(key) != wanted.get(key)]
    return histories + list(features_that_differ(shard, world))


def features_that_differ(shard: Shard, world: World) -> list[Any]:
    rows = {row.pop("subject"): row for row in shard.published[-1]["feature_rows"].drop_columns("unsure").to_pylist()}
    asked = [(who, name) for who, row in rows.items() for name in row]
    told = [(who, name, plain(rows[who][name]), plain(feature(world, name, who, LATER, LATER))) for who, name in asked]
    return [one for one in told if one[2] != one[3]]


def plain(value: Any) -> Any:
    """Instants as microseconds, fractions as the nearest double, also within lists."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return to_instant(value)
    return float(value) if isinstance(value, Fraction) else value


@pytest.mark.parametrize("seed", [*range(20), 2706])
def test_a_world_answers_as_the_law_does(tmp_path: Path, seed: int) -> None:
    assert differing(tmp_path, seed) == []


@pytest.mark.parametrize("seed", range(100, 140))
def test_a_world_of_merges_answers_as_the_law_does(tmp_path: Path, seed: int) -> None:
    assert differing(tmp_path, seed, merges=True) == []


@pytest.mark.parametrize("seed", range(30))
def test_so_does_one_in_which_models_speak_of_the_subjects(tmp_path: Path, seed: int) -> None:
    assert differing(tmp_path, seed, scored=True) == []


@pytest.mark.soak
@pytest.mark.parametrize("block", range(200))
def test_twenty_thousand_worlds_answer_as_the_law_does(tmp_path: Path, block: int) -> None:
    seeds = range(1_000_000 + block * BLOCK, 1_000_000 + (block + 1) * BLOCK)
    wrong = {seed: differing(tmp_path / str(seed), seed, merges=True, scored=True) for seed in seeds}
    assert {seed: found for seed, found in wrong.items() if found} == {}
