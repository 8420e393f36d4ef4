"""Nothing is claimed of a condition that some world belies: every answer of the oracle is among those that are possible."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.definitions.lint.possible import ALL, GATES, Possible
from schemas.definitions.node import Node
from schemas.definitions.project import Project
from tests.support.generator import SUBJECTS, Generator
from tests.support.oracle import node_truth
from tests.support.oracle_model import FOREVER, World
from tests.support.oracle_operator import purposes_of
from tests.support.worlds import read_world

WORLDS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
CLAIMS: list[bool] = []


def nodes(node: Node, said: Any) -> Iterator[tuple[Node, Any]]:
    """Each node, and how it is written."""
    yield node, said
    below = said[node.name] if node.name in GATES else []
    for child, one in zip(node.children, below if isinstance(below, list) else [below], strict=True):
        yield from nodes(child, one)


def read(world: World) -> Project:
    with tempfile.TemporaryDirectory() as folder:
        return read_world(Path(folder), world)


def belied(world: World, possible: Possible, instants: list[int]) -> Iterator[tuple[Any, Any]]:
    for segment in world.project["segments"]:
        for node, said in nodes(possible.project.segments[segment["segment"]].when, segment["when"]):
            answers = possible.answers(node)
            CLAIMS.append(answers != ALL)
            for who in SUBJECTS:
                found = {node_truth(world, said, purposes_of(segment), who, at, FOREVER) for at in instants}
                yield from ((said, truth) for truth in found - answers)


@WORLDS
@given(st.randoms(use_true_random=False))
def test_every_answer_of_a_condition_was_possible(random: Random) -> None:
    generator = Generator(random)
    world = generator.world()
    assert list(belied(world, Possible(read(world)), generator.instants)) == []
    assert any(CLAIMS)


@WORLDS
@given(st.randoms(use_true_random=False))
def test_so_was_every_answer_of_a_subject_without_events(random: Random) -> None:
    generator = Generator(random)
    world = replace(generator.world(), events=())
    assert list(belied(world, Possible(read(world), without_events=True), generator.instants)) == []
