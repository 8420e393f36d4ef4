"""What a segment would say if nobody had ever to be asked."""

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.purpose import Purpose
from tests.support.generator import Generator
from tests.support.histories import LATER, Shard, facts_of
from tests.transforms.algebra.test_against_oracle import WORLDS
from transforms.algebra.evaluate import evaluate, evaluate_unrefused
from transforms.algebra.order import FOREVER, Steps
from transforms.algebra.state import facts_of as facts_in


def steps_of(steps: Steps) -> tuple[list[int], ...]:
    return tuple(column.tolist() for column in steps)


@WORLDS
@given(st.randoms(use_true_random=False))
def test_it_is_the_answer_of_the_same_segment_for_a_purpose_that_is_always_open(random: Random) -> None:
    world = replace(Generator(random, scored=True).world(), consents=())
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world).step(facts_of(world), LATER)
    project = shard.program.project
    opened = {name: Purpose(id=name, basis={"default": "legitimate_interest"}) for name in project.purposes}
    who = np.arange(shard.state.count)
    told = evaluate_unrefused(project, facts_in(shard.state, who, FOREVER, project), project.order)
    free = replace(project, purposes=opened)
    expected = evaluate(free, facts_in(shard.state, who, FOREVER, free)).answers
    assert {name: steps_of(one) for name, one in told.items()} == {name: steps_of(one) for name, one in expected.items()}
