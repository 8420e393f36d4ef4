"""The law through the live graph: one history, whatever arrives when and in which cuts."""

from pathlib import Path
from random import Random

import pytest

from tests.support.generator import Generator
from tests.support.histories import expected
from tests.support.oracle_model import DAY
from tests.support.streams import streaming
from tests.support.whole_runs import Target, crowded, feature_rows_that_differ, parted, shuffled, versioned

GROUPS = 6
SHARDS = (1, 3, 4)


def any_cuts_give_one_history(folder: Path, seed: int) -> None:
    """Some facts in a run, the others in cuts of a stream, in any order."""
    dice = Random(seed)
    generator = Generator(dice, merges=False, scored=True)
    world = crowded(generator, GROUPS)
    target = Target(folder, world).sharded(dice.choice(SHARDS))
    *facts, last_fact = shuffled(world, dice)
    first, *parts = parted(facts, dice, 5)
    moments = sorted(generator.at() + DAY for _ in range(5))
    target.write(first)
    with streaming(target, moments[0]) as live:
        for part, at in zip(parts, moments[1:], strict=True):
            live.tell(part)
            live.commit(dice.choice((at, None)))
        live.tell([last_fact])
        live.commit(moments[-1] + 2 * DAY)
    assert target.folded() == target.history()
    last = target.runs()[-1]
    assert target.history() == versioned(expected(world, last.t_at, last.known_at))
    assert feature_rows_that_differ(target, world, last) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_any_order_in_any_cuts_gives_one_history(tmp_path: Path, seed: int) -> None:
    any_cuts_give_one_history(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_law_of_streams_at_length(tmp_path: Path, seed: int) -> None:
    any_cuts_give_one_history(tmp_path, seed)
