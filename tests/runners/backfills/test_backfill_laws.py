"""The law of backfills: what they say of the past is what one run says of it, and the oracle."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from runners.backfills.intervals import Period
from tests.support.backfilled import everything, memberships, within
from tests.support.generator import Generator
from tests.support.histories import expected
from tests.support.oracle_model import DAY
from tests.support.whole_runs import Target, crowded, shuffled

GROUPS = 6
SHARDS = (1, 3)


def backfilled_is_one_run_and_the_oracle(folder: Path, seed: int) -> None:
    """Other segments and purposes over facts that were read before, whichever they are."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    first = crowded(generator, GROUPS)
    other = replace(first, project={**first.project, "segments": generator.segments(), "purposes": generator.purposes()})
    target, at = Target(folder, first), generator.at() + DAY
    target.write(shuffled(first, dice))
    target.sharded(dice.choice(SHARDS)).run(at)
    target.define(other)
    period = Period(at - dice.choice((3, 40, 90)) * DAY, at - dice.choice((0, 1)) * DAY)
    done = everything(target.sharded(dice.choice(SHARDS)), period).backfill
    assert done.segments
    found, names = memberships(target), {f"{name}@{version}" for name, (version, _) in done.segments.items()}
    told = {(f"{name}@2", who): value for (name, who), value in expected(other, None, done.known_at).items()}
    assert found == within({key: value for key, value in told.items() if key[0] in names}, period)
    target.run(at)
    assert found == within({key: value for key, value in target.history().items() if key[0] in names}, period)


@pytest.mark.parametrize("seed", [3, 11])
def test_a_backfill_is_one_run_is_the_oracle(tmp_path: Path, seed: int) -> None:
    backfilled_is_one_run_and_the_oracle(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 240))
def test_backfills_of_random_worlds_at_length(tmp_path: Path, seed: int) -> None:
    backfilled_is_one_run_and_the_oracle(tmp_path, seed)
