"""Every two operators together in one segment, over random worlds of merges and scores, against the oracle."""

from itertools import combinations_with_replacement
from pathlib import Path
from random import Random

import pytest

from tests.support.generator import Generator
from tests.transforms.algebra.test_many_worlds import of_world
from transforms.algebra.operators import OPERATORS

GATES = ("all", "any", "not")
LEAVES = sorted(name for name in OPERATORS if name not in GATES)
PAIRS = [*combinations_with_replacement(LEAVES, 2)]
"""The gates are what puts two of them together."""
SEGMENTS = 2
TIMES = 60


def test_the_leaves_and_gates_are_all_operators_there_are() -> None:
    assert {*LEAVES, *GATES} == {*OPERATORS}


@pytest.mark.parametrize("place", range(0, len(PAIRS), SEGMENTS), ids=lambda at: "-".join(sum(PAIRS[at : at + SEGMENTS], ())))
def test_two_operators_in_one_segment_answer_as_the_law_does(tmp_path: Path, place: int) -> None:
    assert of_world(tmp_path, Generator(Random(place), True, True, PAIRS[place : place + SEGMENTS]).world()) == []


@pytest.mark.soak
@pytest.mark.parametrize("time", range(TIMES))
def test_every_two_of_them_in_many_worlds(tmp_path: Path, time: int) -> None:
    for place in range(0, len(PAIRS), SEGMENTS):
        asked = Generator(Random(f"{time} {place}"), True, True, PAIRS[place : place + SEGMENTS])
        assert of_world(tmp_path / str(place), asked.world()) == [], (time, place)
